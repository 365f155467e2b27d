"""Orders that end without a fill of their own: triggered orders, and orders that the venue denies."""

from __future__ import annotations

from typing import TypeGuard

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import ExchangeEvent, ExchangeEventKind, FillRevised, GapNotice, Health
from listenkey.core.reports import Account, OddRow, OrderRef, OrderReport

from ..exchange import D
from ..trading import REFUSED, TradingWorld, ready, trading

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


def endings(world: TradingWorld) -> list[tuple[str, str, str]]:
    """Order, kind and status of each state of an order that has ended."""
    return [
        (event.order_id, event.kind.value, event.status)
        for event in world.order_states()
        if event.status not in ("NEW", "PARTIALLY_FILLED")
    ]


def asked(world: TradingWorld) -> list[tuple[str, ...]]:
    """The orders that each whole read was asked for."""
    return [
        tuple(ref.order_id for ref in read.orders) for read in world.seen(actions.ReadAccount) if read.since is not None
    ]


def alone(world: TradingWorld) -> list[actions.ReadAccount]:
    """The reads of single orders."""
    return [read for read in world.seen(actions.ReadAccount) if read.since is None]


def unasked(account: Account) -> Account:
    """Return the answer of a read of single orders while the limits let none of them be asked for."""
    if account.whole:
        return account
    refs = {OrderRef(report.symbol, report.order_id) for report in account.orders} | account.denied
    return msgspec.structs.replace(account, orders=(), fills=(), denied=frozenset(), unasked=frozenset(refs))


# Triggered orders


@WIRES
def test_an_order_that_is_filled_with_nothing_executed_is_delivered_as_a_state(wire: str) -> None:
    """A triggered order ends with nothing executed, since another order executes: no gap opens, and it is forgotten."""
    world = ready(wire)
    order = world.exchange.place("5")
    world.passes(1)
    executing = world.exchange.trigger(order)
    world.passes(200)
    assert endings(world) == [(order, "ORDER_ACK", "FILLED")]
    state = world.order_states(order)[-1]
    assert (state.cumulative_qty, state.qty, state.source) == (D(0), D(5), "ws")
    assert world.intervals() == [("0", "5", "ws")]
    assert world.fills()[0].order_id == executing
    assert world.gaps == []
    assert asked(world)[-1] == ()


@WIRES
def test_a_triggered_order_that_no_frame_shows_is_delivered_from_a_read(wire: str) -> None:
    """The next read shows its end; no gap opens, because no fill is missing."""
    world = ready(wire)
    order = world.exchange.place("5")
    world.passes(1)
    world.exchange.trigger(order, silent=True)
    world.passes(1)
    assert endings(world) == []
    world.passes(130)
    assert endings(world) == [(order, "ORDER_ACK", "FILLED")]
    assert world.order_states(order)[-1].source == "poll"
    assert world.gaps == []


def test_a_triggered_order_is_delivered_once() -> None:
    """Its frame delivers the end; neither a copy of the frame nor a read delivers it again."""
    world = ready()
    order = world.exchange.place("5")
    world.exchange.delay(0.01, 0.5)
    world.exchange.trigger(order)
    world.passes(3)
    world.feed(inputs.Resync())
    world.passes(200)
    assert endings(world) == [(order, "ORDER_ACK", "FILLED")]


def test_a_triggered_order_is_still_over_after_a_restart() -> None:
    """The journal recalls the order's end: it is delivered once, and the order is not asked for again."""
    world = ready()
    order = world.exchange.place("5")
    world.exchange.trigger(order)
    world.passes(1)
    world.restart()
    world.passes(200)
    assert endings(world) == [(order, "ORDER_ACK", "FILLED")]
    assert not any(order in refs for refs in asked(world))


def test_filled_with_nothing_executed_says_nothing_of_an_order_that_has_fills() -> None:
    """A report FILLED with nothing executed does not take fills back; the last listed fill is then a full one."""
    world = ready()
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.passes(1)
    world.exchange.say(OrderReport("BTC-USDT", order, "FILLED", D(0), qty=D(5), exchange_ts=world.exchange_ms))
    world.passes(1)
    assert endings(world) == []
    belied = world.exchange.place("4")
    world.exchange.lose()
    world.exchange.lose(after=1)
    world.exchange.fill(belied, "1")
    world.exchange.lose(after=1)
    world.exchange.fill(belied, "3")
    world.exchange._change(belied, OrderReport("BTC-USDT", belied, "FILLED", D(0), qty=D(4)), silent=True)
    world.feed(inputs.Resync())
    world.passes(200)
    assert endings(world) == []
    assert [fill.kind.value for fill in world.fills(belied)] == ["PARTIAL_FILL", "FULL_FILL"]


def test_a_poll_waits_with_the_end_of_a_triggered_order_too() -> None:
    """Without a socket an end within the overlap waits, because fills below it may be shown later."""
    world = trading(mode="poll", poll_interval=4, backfill_overlap=10).run(20)
    order = world.exchange.place("5")
    world.passes(5)
    at = world.now
    world.exchange.trigger(order)
    world.passes(40)
    assert endings(world) == [(order, "ORDER_ACK", "FILLED")]
    delivered_at = next(
        now
        for now, action in world.log
        if isinstance(action, actions.Deliver) and action.event.event_id.startswith(f"order:BTC-USDT:{order}:FILLED")
    )
    assert delivered_at > at + 10


# Orders that the venue denies while it lists their fills


@WIRES
@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_denied_order_is_what_its_fills_show(wire: str, lost: int) -> None:
    """All its fills were read, so the missed ones are delivered, and the order is over."""
    world = ready(wire, audit_interval=20)
    order = world.exchange.place("5")
    world.passes(10)
    for number, qty in enumerate(("1", "1", "3")):
        if number >= 3 - lost:
            world.exchange.lose()
            world.exchange.lose(after=1)
        world.exchange.fill(order, qty)
    world.exchange.forget(order)
    world.passes(60)
    assert [end for _, end, _ in world.intervals(order)] == ["1", "2", "5"]
    assert world.fills(order)[-1].kind is ExchangeEventKind.FULL_FILL
    assert endings(world) == []
    assert world.health is Health.LIVE
    assert not any(order in refs for refs in asked(world)[-2:])


def test_a_denied_order_that_nobody_knew_is_what_its_fills_show() -> None:
    """It was placed and executed without a link, and its quantity is not known.

    It is therefore over only once it is denied and in no list any more.
    """
    world = ready(audit_interval=20)
    world.drop_all()
    world.exchange.reachable = False
    order = world.exchange.place("5")
    world.exchange.fill(order, "5")
    world.exchange.forget(order)
    world.passes(2)
    world.exchange.reachable = True
    world.passes(20)
    assert world.intervals(order) == [("0", "5", "poll")]
    (fill,) = world.fills(order)
    assert (fill.kind.value, fill.qty, fill.side) == ("PARTIAL_FILL", None, "BUY")
    world.passes(100)
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]
    assert world.health is Health.LIVE


def test_a_denied_order_that_was_read_alone_is_read_again_only_when_it_has_new_fills() -> None:
    """Another read of it would be another failing call, so only new fills cause one."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    world.drop_all()
    world.exchange.reachable = False
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.exchange.forget(order)
    row = OddRow(kind="income", endpoint="income", excerpt="amount=''")
    world.exchange.altered = lambda account: msgspec.structs.replace(account, odd=(row,))
    world.passes(2)
    world.exchange.reachable = True
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "poll")]
    for _ in range(5):
        world.feed(inputs.Resync())
        world.passes(2)
    assert len(alone(world)) == 1
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.feed(inputs.Resync())
    world.passes(2)
    assert [end for _, end, _ in world.intervals(order)] == ["2", "5"]
    assert len(alone(world)) == 2
    assert world.marks[-1] < 8000


def test_an_order_that_may_not_be_asked_for_now_proves_nothing_and_stops_no_list() -> None:
    """A gap is open and other orders go on; once the limits let the order be read, the gap closes."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order, other = world.exchange.place("5"), world.exchange.place("4")
    world.exchange.lose()
    world.exchange.fill(order, "5")
    world.exchange.forget(order)
    world.exchange.altered = unasked
    world.passes(30)
    proven = world.marks[-1]
    for _ in range(3):
        world.exchange.lose()
        world.exchange.fill(other, "1")
        world.passes(70)
    assert world.gap_open
    assert world.fills(order) == []
    assert [end for _, end, _ in world.intervals(other)] == ["1", "2", "3"]
    assert world.marks[-1] == proven
    world.exchange.altered = lambda account: account
    world.passes(70)
    assert world.intervals(order) == [("0", "5", "poll")]
    assert world.health is Health.LIVE


def test_a_fill_is_not_proven_while_its_order_may_not_be_asked_for() -> None:
    """Its figures may be wrong, and its row has no sure place until the order may be read; then they are revised."""
    world = ready("z", audit_interval=10)
    world.exchange.pushes_account = False
    order = world.exchange.place("100", side="SELL")
    world.exchange.fill(order, "1")
    world.passes(40)
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.fill(order, "2")
    at = world.exchange_ms
    world.exchange.altered = unasked
    for second in range(90):
        if second == 30:
            assert world.gap_open
            assert world.marks[-1] < at
            world.exchange.altered = lambda account: account
        world.passes(1)
        world.exchange.fill(order, "1")
    assert [event.fee for event in world.events(FillRevised)] == [D("0.25")]
    assert world.health is Health.LIVE


def test_a_denied_order_from_before_the_stream_is_not_what_its_fills_show() -> None:
    """A part may have been executed before the venue's history begins, so a gap stays open."""
    world = trading(audit_interval=20, start=False)
    order = world.exchange.place("5")
    world.exchange.fill(order, "1")
    world.now = 5
    world.feed(inputs.Start())
    world.passes(10)
    world.exchange.fill(order, "1")
    world.exchange.forget(order)
    world.passes(50)
    assert world.intervals(order) == [("1", "2", "ws")]
    assert world.gap_open


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("before", ["nothing", "a fill", "a fill and a change"])
def test_a_denied_order_whose_first_fills_are_listed_no_more(before: str, numbered: bool) -> None:
    """The fills still listed are delivered above the quantity that is known, and none of it twice."""
    world = ready(audit_interval=20)
    order = world.exchange.place("6" if before == "a fill and a change" else "5")
    world.passes(5)
    if before != "nothing":
        world.exchange.fill(order, "2")
        world.passes(10)
    if before == "a fill and a change":
        world.exchange.amend(order, qty="5")
        world.passes(10)
    known = len(world.exchange.trades)

    def altered(account: Account) -> Account:
        fills = tuple(
            row if numbered else msgspec.structs.replace(row, trade_id=f"t{row.trade_id}")
            for row in account.fills
            if row.exchange_ts >= world.exchange.trades[-1].ts // 1000 * 1000
        )
        return msgspec.structs.replace(account, since=account.since if account.whole else 0, fills=fills)

    world.drop_all()
    world.exchange.reachable = False
    world.passes(2)
    world.exchange.fill(order, "3" if known else "5")
    world.exchange.forget(order)
    world.exchange.altered = altered
    world.passes(2)
    world.exchange.reachable = True
    world.passes(60)
    expected = [("2", "5", "poll")] if known else [("0", "5", "poll")]
    assert world.intervals(order)[known:] == expected
    assert world.fills(order)[-1].kind is ExchangeEventKind.FULL_FILL
    assert world.health is Health.LIVE


# Denied orders


@WIRES
def test_an_order_that_the_venue_denies_is_over_when_two_reads_do_not_list_it(wire: str) -> None:
    """Its end is delivered once, NOT_FOUND with its executed quantity; no gap opens, and no read asks for it again."""
    world = ready(wire, audit_interval=20)
    order, other = world.exchange.place("5"), world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.passes(10)
    world.exchange.forget(order)
    world.passes(15)
    assert endings(world) == []
    world.passes(80)
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]
    state = world.order_states(order)[-1]
    assert (state.cumulative_qty, state.qty, state.price, state.source) == (D(2), D(5), D(100), "poll")
    assert state.event_id == f"order:BTC-USDT:{order}:NOT_FOUND:2:5:100"
    assert world.gaps == []
    assert world.health is Health.LIVE
    assert asked(world)[-1] == (other,)


def test_a_denied_order_that_is_listed_again_is_not_over() -> None:
    """If the venue lists it again, the next denial counts from the beginning."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5")
    world.passes(10)
    world.exchange.forget(order)
    world.passes(20)
    world.exchange.forgotten.clear()
    world.passes(20)
    world.exchange.forget(order)
    world.passes(20)
    assert endings(world) == []
    world.passes(20)
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]


@pytest.mark.parametrize("news", ["fill", "cancel"])
def test_news_of_a_denied_order_count_for_more(news: str) -> None:
    """A frame of the order ends the denial: what it shows is delivered, and no NOT_FOUND."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5")
    world.passes(10)
    world.exchange.forget(order)
    world.passes(16)
    world.exchange.forgotten.clear()
    if news == "fill":
        world.exchange.fill(order, "2")
    else:
        world.exchange.cancel(order)
    world.passes(100)
    assert endings(world) == ([] if news == "fill" else [(order, "CANCEL_ACK", "CANCELED")])


def test_an_order_that_is_too_young_is_not_judged() -> None:
    """The venue may not show a new order yet, so it counts as denied only when it is older than the overlap."""
    world = ready(audit_interval=2, backfill_overlap=30)
    order = world.exchange.place("5")
    world.exchange.forget(order)
    world.passes(25)
    assert endings(world) == []
    world.passes(45)
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]


def test_only_reads_that_passed_count() -> None:
    """A denial in a read that failed in the end does not count."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5")
    world.passes(10)
    world.exchange.forget(order)
    world.passes(12)
    world.exchange.plan = REFUSED
    world.passes(100)
    assert endings(world) == []


def test_orders_that_nobody_has_asked_for_are_left_alone_and_come_first_the_next_time() -> None:
    """As many are asked for as the venue bears; those that it denied before come last, so that each has its turn."""
    world = ready(audit_interval=20)
    world.exchange.questions = 2
    orders = [world.exchange.place("5") for _ in range(5)]
    world.passes(10)
    world.exchange.forget(*orders)
    world.passes(22)
    assert asked(world)[-1] == tuple(orders)
    world.passes(20)
    assert asked(world)[-1] == (*orders[2:], *orders[:2])
    world.passes(60)
    assert sorted(endings(world)) == [(order, "ORDER_EXPIRED", "NOT_FOUND") for order in orders]
    assert world.gaps == []


def test_a_denied_order_stays_over_after_a_restart_and_a_late_fill_of_it_is_delivered() -> None:
    """The journal has its end; a fill that comes all the same is delivered."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5")
    world.passes(10)
    world.exchange.forget(order)
    world.passes(50)
    world.restart()
    world.passes(50)
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]
    assert not any(order in refs for refs in asked(world)[-2:])
    world.exchange.forgotten.clear()
    world.exchange.fill(order, "5")
    world.passes(1)
    assert world.intervals(order) == [("0", "5", "ws")]


def test_a_late_word_of_an_order_that_was_forgotten_and_is_denied() -> None:
    """Nothing of it was executed, so nothing is missing: its end is delivered, and the gap that it opened closes."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5")
    world.passes(5)
    world.exchange.delay(0.01, 150)
    world.exchange.cancel(order)
    world.exchange.forget(order)
    world.passes(145)
    assert OrderRef("BTC-USDT", order) not in world.connection._continuity._orders.by_ref
    world.passes(30)
    assert world.summary()[-3:] == ["GAP_OPENED hole", f"CANCEL_ACK {order} 0 ws", "GAP_CLOSED hole 0"]
    assert world.health is Health.LIVE


def unlisted(world: TradingWorld, order: str) -> None:
    """Let the venue forget the order and all its fills."""
    world.exchange.forget(order)
    world.exchange.trades.clear()


def closed(world: TradingWorld) -> list[tuple[str, bool]]:
    """The reason of each closed gap, and True if it was proven."""
    return [(event.reason.value, event.proven) for event in world.delivered if is_closing(event)]


def is_closing(event: ExchangeEvent) -> TypeGuard[GapNotice]:
    return isinstance(event, GapNotice) and event.kind is ExchangeEventKind.GAP_CLOSED


@WIRES
@pytest.mark.parametrize("qty", ["5", "2"])
@pytest.mark.parametrize("audit_interval", [0, 20])
def test_a_late_frame_is_all_that_is_known_of_an_order_that_nobody_lists(
    wire: str, qty: str, audit_interval: float
) -> None:
    """After two reads without the order or a fill of it, the frame's fill is delivered, and then the order's end.

    Figures that the frame cannot know are left out; the gap closes as not proven, and later reads pass.
    """
    world = ready(wire, audit_interval=audit_interval)
    world.exchange.pushes_account = False
    order = world.exchange.place("5", price=None)
    world.exchange.delay(30)
    world.exchange.fill(order, qty)
    unlisted(world, order)
    for _ in range(3):
        world.feed(inputs.Resync())
        world.passes(7)
    world.passes(10)
    assert world.gap_open
    assert world.fills(order) == []
    world.passes(30)
    (fill,) = world.fills(order)
    assert (str(fill.fill_qty), fill.fill_price, fill.source) == (qty, D(100), "ws")
    assert (fill.fee is None, fill.realized_pnl is None, fill.trade_id is None) == (wire == "z",) * 3
    assert endings(world) == ([] if qty == "5" else [(order, "ORDER_EXPIRED", "NOT_FOUND")])
    assert str(world.order_states(order)[-1].cumulative_qty if qty == "2" else fill.cumulative_qty) == qty
    assert closed(world) == [("hole", False)]
    assert world.health is Health.LIVE
    proven, reads = world.marks[-1], len(alone(world))
    world.feed(inputs.Resync())
    world.passes(200)
    assert world.marks[-1] > proven
    assert len(alone(world)) == reads
    assert closed(world) == [("hole", False)]


def test_a_late_frame_of_what_is_not_owed_is_not_delivered_again() -> None:
    """An order that was delivered and forgotten is not delivered again; the gap of its late frame closes."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.delay(0.01, 150)
    world.exchange.fill(order, "2")
    world.passes(1)
    world.exchange.cancel(order)
    world.passes(30)
    unlisted(world, order)
    world.passes(118)
    assert OrderRef("BTC-USDT", order) not in world.connection._continuity._orders.by_ref
    world.passes(40)
    assert world.intervals(order) == [("0", "2", "ws")]
    assert endings(world) == [(order, "CANCEL_ACK", "CANCELED"), (order, "ORDER_EXPIRED", "NOT_FOUND")]
    assert closed(world)[-1] == ("hole", False)
    assert world.health is Health.LIVE


def test_an_order_from_before_the_first_read_that_nobody_lists_may_have_begun_before_the_stream() -> None:
    """Its quantity at the beginning is unknown, so no fill is made up; its end has the executed quantity."""
    world = trading(wire="z", start=False, audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.exchange.reads.append(REFUSED)
    world.feed(inputs.Start())
    world.run(1)
    world.exchange.fill(order, "3")
    unlisted(world, order)
    world.passes(60)
    assert world.fills(order) == []
    assert [(name, state) for name, _, state in endings(world)] == [(order, "NOT_FOUND")]
    assert world.order_states(order)[-1].cumulative_qty == D(5)
    assert closed(world) == [("read_failed", False)]
    assert world.health is Health.LIVE


@pytest.mark.parametrize("news", ["row", "odd"])
def test_an_order_of_which_there_is_a_word_after_all_is_not_written_off(news: str) -> None:
    """If a fill of it is listed late, that is delivered; if an unreadable row may be one, the order waits for it."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5", price=None)
    world.exchange.delay(30)
    world.exchange.fill(order, "2")
    trades = tuple(world.exchange.trades)
    unlisted(world, order)
    world.passes(32)
    assert world.gap_open
    if news == "odd":
        row = OddRow(kind="fill", endpoint="fills", excerpt="qty=''", symbol="BTC-USDT")
        world.exchange.altered = lambda account: msgspec.structs.replace(account, odd=(row,))
        world.passes(30)
        assert world.gap_open
        assert world.fills(order) == []
        return
    world.exchange.trades.extend(trades)
    world.passes(100)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert all(proven for _, proven in closed(world))
    assert endings(world) == [(order, "ORDER_EXPIRED", "NOT_FOUND")]


@pytest.mark.parametrize("ended", [False, True])
def test_a_hole_below_a_denied_order_that_no_list_fills_is_written_off(ended: bool) -> None:
    """A frame has shown more than was delivered, and two reads list no fill for it.

    The order's end then has the executed quantity, and the gap closes as not proven.
    """
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.passes(10)
    world.exchange.lose()
    world.exchange.fill(order, "1")
    world.exchange.forget(order)
    world.exchange.trades.clear()
    world.exchange.fill(order, "4" if ended else "1")
    world.exchange.trades.clear()
    world.passes(2)
    assert world.gap_open
    assert endings(world) == []
    world.passes(100)
    assert world.intervals(order) == [("1", "5" if ended else "2", "ws")]
    assert endings(world) == ([] if ended else [(order, "ORDER_EXPIRED", "NOT_FOUND")])
    assert world.order_states(order)[-1].cumulative_qty == (D(0) if ended else D(2))
    assert closed(world) == [("hole", False)]
    assert world.health is Health.LIVE
