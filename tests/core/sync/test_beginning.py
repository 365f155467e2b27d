"""The beginning of a stream: which fills are due, the base of running orders, and lists that show fills late."""

from __future__ import annotations

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import AccountUpdate, ExchangeEventKind, GapNotice, Health
from listenkey.core.reports import AccountReport, Heartbeat
from listenkey.core.totals import totals

from ..exchange import D
from ..scripted import no, scripted
from ..speech import frame
from ..trading import REFUSED, UNANSWERED, Plan, trading

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


@WIRES
def test_nothing_before_the_first_key_is_owed_and_no_gap_is_opened(wire: str) -> None:
    """A running order gets its base from the first read; its fills from before the first key are not delivered."""
    world = trading(wire=wire, start=False)
    world.exchange.pushes_account = False
    running, done = world.exchange.place("10"), world.exchange.place("2")
    world.exchange.fill(running, "3")
    world.exchange.fill(done, "2")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(2)
    world.exchange.fill(running, "4", "101")
    world.passes(10)
    revised = ["FILL_REVISED"] if wire == "z" else []  # the list may have lacked a fill before the first frame
    assert world.summary() == [f"ORDER_ACK {running} 3 poll", f"PARTIAL_FILL {running} 7 ws", *revised]
    (fill,) = world.fills()
    assert fill.fill_price == D(101)
    assert fill.fee == (None if wire == "z" else D("0.202"))
    assert totals(world.delivered).fees == {"USDT": D("0.202")}
    assert world.health is Health.LIVE
    assert world.delivered[0].kind is ExchangeEventKind.HEALTH
    assert isinstance(world.delivered[1], AccountUpdate)
    assert world.delivered[1].complete


@WIRES
def test_a_held_frame_is_no_duplicate_because_a_snapshot_shows_as_much(wire: str) -> None:
    """A running order is filled between key and read: its row contains the fill, but the frame is still delivered."""
    for lag in (0, 4000):
        world = trading(wire=wire, start=False)
        world.exchange.pushes_account = False
        running = world.exchange.place("10")
        world.exchange.fill(running, "3")
        world.run(20)
        world.exchange.plan = Plan(lag=lag, takes=0.3)
        world.feed(inputs.Start())
        world.run(20.12)
        world.exchange.fill(running, "2", "101")
        world.passes(30)
        assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
        assert world.health is Health.LIVE


def test_a_late_list_at_the_start_reopens_a_gap_when_it_shows_more() -> None:
    """The list shows a fill made between key and socket only later: a gap `late`, and the fill below the base."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("10")
    world.run(20)
    world.exchange.plan = Plan(lag=4000)
    world.feed(inputs.Start())
    world.run(20.07)
    world.exchange.fill(running, "2", "101")
    world.passes(2)
    world.exchange.fill(running, "1", "102")
    world.passes(20)
    assert world.intervals(running) == [("2", "3", "ws"), ("0", "2", "poll")]
    assert world.gaps == [("GAP_OPENED", "late"), ("GAP_CLOSED", "late")]


def test_an_order_that_the_first_read_did_not_show_is_found_to_have_begun_before() -> None:
    """A running order that the first read left out seems to have a hole; the next read shows that none of it is due."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    world.run(20)
    running = world.exchange.place("10")
    world.exchange.fill(running, "3")
    world.run(23)
    world.exchange.reads.append(Plan(lag=4000, order_lag=4000))
    world.feed(inputs.Start())
    world.passes(1)
    world.exchange.fill(running, "2")
    world.passes(10)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]


@WIRES
def test_before_the_first_read_has_passed_only_orders_of_unknown_base_stay_held(wire: str) -> None:
    """After `hold_limit` a gap opens and frames are delivered, but an order without a base waits for the read."""
    world = trading(wire=wire, start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("10")
    world.exchange.fill(running, "3")
    world.run(20)
    world.exchange.plan = REFUSED
    world.feed(inputs.Start())
    world.passes(1)
    new = world.exchange.place("10")
    world.exchange.fill(new, "1")
    world.exchange.fill(running, "2")
    world.passes(4)
    assert world.gaps == [("GAP_OPENED", "read_failed")]
    assert world.intervals(new) == [("0", "1", "ws")]
    assert world.intervals(running) == ([("3", "5", "ws")] if wire == "l" else [])
    world.exchange.plan = Plan()
    world.passes(10)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]
    assert world.health is Health.LIVE


def test_a_stream_whose_first_link_does_not_come_polls() -> None:
    """From the first key on the account is polled; if a poll fails, a gap opens."""
    for plan, gaps in ((Plan(), []), (REFUSED, [("GAP_OPENED", "read_failed")])):
        world = trading().run(0.07)
        world.exchange.reachable = False
        world.exchange.plan = plan
        world.run(7)
        assert world.times(actions.ReadAccount) == [5.05]
        assert world.gaps == gaps
        assert world.connection.links == ()
        world.exchange.reachable = True
        world.exchange.plan = Plan()
        world.run(60)
        assert world.health is Health.LIVE


def test_a_first_read_that_takes_too_long_leaves_a_gap() -> None:
    """After `hold_limit` frames are delivered with a gap open, because nothing is proven yet."""
    world = trading()
    world.exchange.plan = UNANSWERED
    world.run(3)
    assert world.gaps == []
    world.run(3.2)
    assert world.gaps == [("GAP_OPENED", "read_failed")]
    (opened,) = world.events(GapNotice)
    assert opened.since == world.connection.began


def test_keys_that_come_while_a_poll_is_due_do_not_put_it_off() -> None:
    """Each failing link brings a key, but the polls keep their times."""
    world = scripted()
    world.exchange.dials.extend([no()] * 20)
    world.run(12)
    assert world.count(inputs.KeyGranted) > 3
    assert world.times(actions.ReadAccount) == [5.1, 10.1]


def test_a_push_before_anything_is_known_needs_no_clock() -> None:
    """If the exchange's time is unknown, gap notices have none, and everything else works."""
    world = trading(start=False)
    world.feed(inputs.Start())
    (mint,) = world.seen(actions.CreateKey)
    world.connection.handle(inputs.KeyGranted(mint.request, "k", 3600, None), now=0.01)
    ordered = world.connection.handle(inputs.Tick(), now=0.02)
    assert ordered == []
    opened = next(action for action in world.connection.links)
    world.connection.handle(inputs.SocketOpened(opened.socket), now=0.03)
    world.connection.handle(inputs.FrameReceived(opened.socket, frame(Heartbeat("p"))), now=0.04)
    push = AccountReport(reason="ORDER", balances=(), positions=())
    world.connection.handle(inputs.FrameReceived(opened.socket, frame(push)), now=0.05)
    ordered = world.connection.handle(inputs.SocketClosed(opened.socket, 1006), now=0.06)
    notices = [action.event for action in ordered if isinstance(action, actions.Deliver)]
    assert [(event.kind.value, event.exchange_ts) for event in notices] == [
        ("GAP_OPENED", None),
        ("ACCOUNT_UPDATE", None),
        ("HEALTH", None),
    ]
