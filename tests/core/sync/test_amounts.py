"""The figures of a frame are those of its own fill alone; wrong or missing ones are revised by the venue's rows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from listenkey.core import actions
from listenkey.core.events import Fill, FillRevised, GapNotice
from listenkey.core.reports import OrderRef, Unreadable, Unrecognised
from listenkey.core.totals import totals

from ..exchange import D
from ..trading import REFUSED, UNANSWERED, Plan, TradingWorld, ready, trading

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


def figures(fill: Fill | FillRevised) -> tuple[Decimal | None, Decimal | None, str | None]:
    return fill.fee, fill.realized_pnl, fill.trade_id


def assert_true(world: TradingWorld) -> None:
    """The sums of the delivered figures are the exchange's, and no figure is unknown."""
    found = totals(world.delivered)
    assert found.fees == {"USDT": sum(trade.fee for trade in world.exchange.trades)}
    assert sum(found.realized_pnl.values()) == sum(trade.pnl for trade in world.exchange.trades)
    assert (found.unknown_fees, found.unknown_pnl) == (0, 0)


def away(world: TradingWorld, order: str, *fills: str) -> None:
    """Break the socket and fill so much until the next one is open; the read after it fails."""
    world.exchange.reads.append(REFUSED)
    world.drop_all()
    for qty in fills:
        world.exchange.fill(order, qty)
    world.passes(2)


def test_a_frame_after_an_interruption_gives_no_figure_of_the_stretch_until_rows_do() -> None:
    """After an interruption a fill merges with the missed ones and has no fee or PnL; the next read gives them."""
    world = ready("z")
    order = world.exchange.place("10", side="SELL")
    world.exchange.fill(order, "2")
    world.passes(1)
    away(world, order, "3", "1")
    world.exchange.fill(order, "4", "101")
    world.passes(0.5)
    first, merged = world.fills(order)
    assert figures(first) == (D("0.1"), D(1), None)
    assert (merged.cumulative_qty, merged.fill_qty, merged.source) == (D(10), D(8), "ws")
    assert merged.fill_price == D("100.5")
    assert figures(merged) == (None, None, None)
    assert merged.fee_asset == "USDT"
    world.passes(20)
    (revised,) = world.events(FillRevised)
    assert figures(revised) == (D("0.402"), D(4), None)
    assert revised.fill_price == D("100.5")
    assert revised.replaces == merged.event_id
    assert revised.event_id == f"revised:BTC-USDT:{order}:10:100.5:0.402:4"
    same = set(Fill.__struct_fields__) - {"kind", "event_id", "source", "frame", "fee", "realized_pnl"}
    assert {name: getattr(revised, name) for name in same} == {name: getattr(merged, name) for name in same}
    assert revised.source == "poll"
    assert_true(world)


def test_a_revision_comes_in_the_call_that_proves_its_fill_and_before_the_gap_closes() -> None:
    """It follows the recovered fills, opens no gap, and does not count as recovered."""
    world = ready("z")
    order = world.exchange.place("10", side="SELL")
    away(world, order, "3", "1")
    world.exchange.fill(order, "2")
    world.passes(0.5)
    other = world.exchange.place("1", price=None)
    world.exchange.lose()
    world.exchange.fill(other, "1")
    world.passes(30)
    log = [action for _, action in world.log]
    at = next(
        place
        for place, action in enumerate(log)
        if isinstance(action, actions.Deliver) and action.event in world.events(FillRevised)
    )
    assert_true(world)
    assert len(world.events(FillRevised)) == 1
    proof = next(action for action in log[at:] if isinstance(action, actions.MarkProven))
    (fill,) = world.fills(order)
    assert (fill.exchange_ts or 0) <= proof.until
    marks = [action.until for action in log[:at] if isinstance(action, actions.MarkProven)]
    assert max(marks) < (fill.exchange_ts or 0)
    between = log[at : log.index(proof, at)]
    assert all(isinstance(action, actions.Deliver) for action in between)


def test_an_order_is_sure_again_after_one_frame_without_figures() -> None:
    """After one fill without figures, the next fill of the order has its fee and PnL again."""
    world = ready("z")
    order = world.exchange.place("10", side="SELL")
    away(world, order, "3")
    for _ in range(2):
        world.exchange.fill(order, "1")
        world.passes(0.2)
    assert [figures(fill) for fill in world.fills(order)] == [(None, None, None), (D("0.05"), D("0.5"), None)]


def test_an_order_is_sure_again_after_a_read_that_must_have_shown_all_that_was_missed() -> None:
    """The read must have been asked for by the overlap after the doubt; until then the first frame has no figures."""
    world = ready("z")
    order, other = world.exchange.place("10", side="SELL"), world.exchange.place("10")
    world.drop_all()
    world.exchange.fill(order, "3")
    world.at(world.now + 1.23, lambda: world.exchange.fill(order, "1"))
    world.passes(8)
    assert [fill.source for fill in world.fills(order)] == ["poll", "ws"]
    assert [fill.fee for fill in world.fills(order)] == [D("0.15"), None]
    assert [figures(event) for event in world.events(FillRevised)] == [(D("0.05"), D("0.5"), None)]
    world.exchange.fill(other, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(other)] == [D("0.05")]
    assert_true(world)


@pytest.mark.parametrize("seconds", [2.3, 4.9])
@pytest.mark.parametrize("audit_interval", [0, 2, 120])
def test_no_frame_speaks_for_a_fill_that_the_lists_did_not_show_yet(seconds: float, audit_interval: float) -> None:
    """The fill was made without a link and listed too late for the read after it: the merged frame has no figures."""
    world = ready("z", audit_interval=audit_interval)
    world.exchange.pushes_account = False
    order = world.exchange.place("10", side="SELL")
    world.passes(1)
    world.exchange.plan = Plan(lag=round(seconds * 1000), order_lag=round(seconds * 1000))
    world.drop_all()
    world.exchange.fill(order, "3")
    world.at(world.now + 2.3, lambda: world.exchange.fill(order, "1"))
    world.passes(2.5)
    assert [fill.fee for fill in world.fills(order) if fill.source == "ws"] == [None]
    world.passes(20)
    assert_true(world)
    assert ("GAP_OPENED", "hole") not in world.gaps


@pytest.mark.parametrize("failing", [False, True])
def test_without_audits_a_read_still_follows_what_was_delivered_without_figures(failing: bool) -> None:
    """Only a read can give the missing figures; if none are missing, no read follows."""
    world = ready("z", audit_interval=0)
    order, other = world.exchange.place("10", side="SELL"), world.exchange.place("10")
    world.exchange.reads.extend([REFUSED] * failing)
    world.drop_all()
    world.passes(2)
    for running in (order, other):
        world.exchange.fill(running, "1")
        world.passes(4)
    assert None in {fill.fee for fill in world.fills()}
    world.passes(14)
    assert_true(world)
    reads = len(world.times(actions.ReadAccount))
    world.exchange.fill(order, "1")
    world.passes(300)
    assert world.fills(order)[-1].fee == D("0.05")
    assert len(world.times(actions.ReadAccount)) == reads
    assert_true(world)


def test_a_state_that_shows_all_that_is_delivered_makes_its_order_sure() -> None:
    """An order placed while reads fail has its figures, because no frame of it can have been missed."""
    world = ready("z")
    running = world.exchange.place("10")
    away(world, running)
    order = world.exchange.place("5")
    world.exchange.fill(order, "5")
    world.passes(0.5)
    assert [fill.fee for fill in world.fills(order)] == [D("0.25")]


@pytest.mark.parametrize("named", [True, False])
def test_a_doubtful_frame_makes_its_order_unsure_or_all(named: bool) -> None:
    """A doubtful frame makes the order unsure that it names, or all orders if it names none."""
    world = ready("z")
    one, other = world.exchange.place("10"), world.exchange.place("10")
    world.passes(1)
    world.exchange.reads.extend([REFUSED] * 5)
    ref = OrderRef("BTC-USDT", one) if named else None
    world.exchange.say(Unrecognised({"what": "ever"}, doubtful=True, order=ref))
    world.passes(0.1)
    world.exchange.fill(one, "1")
    world.exchange.fill(other, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(one)] == [None]
    assert [fill.fee for fill in world.fills(other)] == [D("0.05") if named else None]


def test_a_frame_that_cannot_be_read_makes_all_orders_unsure() -> None:
    """The frame may have been a fill of any order, so the next fill of each may stand for two."""
    world = ready("z")
    order = world.exchange.place("10")
    world.passes(1)
    world.exchange.reads.extend([REFUSED] * 5)
    world.exchange.say(Unreadable("no JSON"))
    world.passes(0.1)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(order)] == [None]


def test_many_doubtful_orders_are_doubted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of orders doubted one by one is bounded; beyond it all orders are doubted."""
    monkeypatch.setattr("listenkey.core.account.orders.MOST_DOUBTED", 2)
    world = ready("z")
    order = world.exchange.place("10")
    world.passes(1)
    world.exchange.reads.extend([REFUSED] * 5)
    for name in ("7", "8", "9"):
        world.exchange.say(Unrecognised({"what": name}, doubtful=True, order=OrderRef("BTC-USDT", name)))
    world.passes(0.1)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(order)] == [None]


def test_a_failed_read_makes_nobody_unsure() -> None:
    """A read that fails has missed no frame, so orders stay sure."""
    world = ready("z", audit_interval=2)
    order = world.exchange.place("10")
    world.exchange.reads.extend([REFUSED] * 3)
    world.passes(3)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(order)] == [D("0.05")]


def test_a_read_that_was_asked_for_before_the_doubt_does_not_settle_it() -> None:
    """The read may not have seen the fills missed since, so the order stays unsure."""
    world = ready("z")
    order = world.exchange.place("10")
    world.passes(1)
    world.exchange.reads.append(Plan(begins=0.0, takes=1.0))
    world.exchange.say(Unrecognised({"what": "one"}, doubtful=True))
    world.passes(0.5)
    world.exchange.reads.extend([REFUSED] * 3)
    world.exchange.say(Unrecognised({"what": "two"}, doubtful=True))
    world.passes(1)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert [fill.fee for fill in world.fills(order)] == [None]


def test_frames_with_last_quantities_are_never_unsure() -> None:
    """If a frame has its own last quantity, its figures are those of that quantity."""
    world = ready("l")
    order = world.exchange.place("10", side="SELL")
    away(world, order)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    (fill,) = world.fills(order)
    assert (fill.fee, fill.realized_pnl) == (D("0.05"), D("0.5"))
    assert fill.trade_id is not None


def test_frames_are_held_for_hold_limit_at_most() -> None:
    """Frames wait for a read that is never answered no longer than `hold_limit`, and no later frame waits again."""
    world = ready("z")
    order = world.exchange.place("10")
    world.exchange.reads.append(UNANSWERED)
    world.drop_all()
    world.passes(1.2)
    world.exchange.fill(order, "1")
    world.passes(3.2)
    assert len(world.fills(order)) == 1
    world.exchange.fill(order, "1")
    world.passes(0.05)
    assert len(world.fills(order)) == 2


def test_a_lost_frame_that_nobody_noticed_is_put_right() -> None:
    """The next frame delivers both fills with its own figures only; the audit revises them."""
    world = ready("z", audit_interval=10)
    world.exchange.pushes_account = False
    order = world.exchange.place("10", side="SELL")
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.fill(order, "1", "104")
    world.passes(1)
    (fill,) = world.fills(order)
    assert (fill.fill_qty, fill.fee) == (D(4), D("0.052"))
    world.passes(30)
    assert [figures(event) for event in world.events(FillRevised)] == [(D("0.202"), D(2), None)]
    assert {notice.reason for notice in world.delivered if isinstance(notice, GapNotice)} <= {"start"}
    assert_true(world)


def test_an_old_order_that_is_active_is_read_alone_before_its_fill_is_put_right() -> None:
    """If the window does not reach back to its creation, its rows have no sure place until it is read alone."""
    world = ready("z", audit_interval=10)
    world.exchange.pushes_account = False
    order = world.exchange.place("100", side="SELL")
    world.exchange.fill(order, "1")
    world.passes(40)
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.fill(order, "2")
    for _ in range(20):
        world.passes(1)
        world.exchange.fill(order, "1")
    assert [event.fee for event in world.events(FillRevised)] == [D("0.25")]
    assert any(read.since is None for read in world.seen(actions.ReadAccount))
    world.passes(30)
    assert_true(world)


@WIRES
def test_where_rows_agree_nothing_is_revised_and_nothing_read_alone(wire: str) -> None:
    """If the figures agree with the rows, there is no revision and no further request."""
    world = ready(wire, audit_interval=10)
    order = world.exchange.place("100", side="SELL")
    for _ in range(60):
        world.exchange.fill(order, "1")
        world.passes(0.9)
    assert world.events(FillRevised) == []
    assert all(read.since is not None for read in world.seen(actions.ReadAccount))


def test_where_costs_are_the_order_s_so_far_their_difference_is_known() -> None:
    """Totals of the order give the right difference even after missed frames; only the trade id is unknown."""
    world = trading(wire="z", cumulative=True).run(8)
    order = world.exchange.place("10")
    world.passes(1)
    away(world, order)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert [figures(fill) for fill in world.fills(order)] == [(D("0.05"), D(0), None)]


@WIRES
def test_a_restart_recalls_what_is_not_compared(wire: str) -> None:
    """Fills that the run before delivered without figures are revised once by the next run."""
    world = ready(wire)
    order = world.exchange.place("10", side="SELL")
    away(world, order, "3", "1")
    world.exchange.fill(order, "2")
    world.passes(0.5)
    world.restart()
    world.passes(30)
    count = len(world.events(FillRevised))
    assert count == (1 if wire == "z" else 0)
    assert_true(world)
    world.restart()
    world.passes(30)
    assert len(world.events(FillRevised)) == count
    assert_true(world)


def test_the_books_are_those_of_the_revised_figures() -> None:
    """As long as no income row has come, the books have the figures of the revisions."""
    world = ready("z")
    order = world.exchange.place("10", side="SELL")
    away(world, order, "3", "1")
    world.exchange.fill(order, "2")
    world.exchange.income.clear()
    world.passes(30)
    (book,) = world.connection.books
    assert (book.fees, book.realized_pnl) == (D("0.3"), D(3))
