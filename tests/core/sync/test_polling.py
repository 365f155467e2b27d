"""Reads that are refused for good, and the mode with polls only."""

from __future__ import annotations

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import GapNotice, Health, HealthChange, OrderState
from listenkey.core.policy import Mode, Policy
from listenkey.core.reports import FillReport, OrderReport

from ..exchange import D
from ..scripted import empty_account
from ..toy import Toy
from ..trading import REFUSED, Plan, ready, trading
from ..world import EPOCH, FATAL, RETRY


def test_a_fatal_refusal_of_the_first_read_ends_the_stream() -> None:
    """Credentials that may not read the account end the stream at once, in either mode."""
    modes: tuple[Mode, Mode] = ("ws", "poll")
    for mode in modes:
        world = trading(mode=mode, start=False)
        world.exchange.plan = Plan(refusal=FATAL)
        world.feed(inputs.Start())
        world.passes(10)
        (finish,) = world.seen(actions.Finish)
        assert finish.error == FATAL
        assert world.connection.finished
        reads = len(world.times(actions.ReadAccount))
        world.passes(100)
        assert len(world.times(actions.ReadAccount)) == reads


def test_a_fatal_refusal_of_a_later_read_does_not_end_a_live_stream() -> None:
    """With a link the read is repeated, because frames still come; with polls only, the stream ends."""
    world = ready()
    world.exchange.plan = Plan(refusal=FATAL)
    world.feed(inputs.Resync())
    world.passes(100)
    assert world.seen(actions.Finish) == []
    polling = trading(mode="poll").run(8)
    polling.exchange.plan = Plan(refusal=FATAL)
    polling.passes(10)
    assert len(polling.seen(actions.Finish)) == 1


@pytest.mark.parametrize("began", [0.1 * number for number in range(40)])
def test_a_poll_is_too_old_at_the_very_moment(began: float) -> None:
    """The timer delivers BLIND at exactly two intervals after the read, whatever the rounding of that time."""
    connection = Connection(Toy(), Policy(poll_interval=1.1), mode="poll")
    connection.handle(inputs.Start(), now=began)
    connection.handle(inputs.AccountRead(1, empty_account(EPOCH, None)), now=began)
    assert connection.health is Health.LIVE
    while connection.health is Health.LIVE:
        at = connection.deadline
        connection.handle(inputs.Tick(), now=at)
    assert at == began + 2.2


def test_polling_is_a_whole_mode() -> None:
    """Without a link fills, states and the account come from reads, every `poll_interval`, and no gap opens."""
    world = trading(mode="poll", start=False)
    before = world.exchange.place("9")
    world.exchange.fill(before, "1")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(8)
    order = world.exchange.place("9")
    world.exchange.fill(order, "2", "101")
    world.exchange.fill(before, "2", "102")
    world.passes(5)
    world.exchange.cancel(order)
    world.exchange.transfer("7")
    world.passes(10)
    assert world.summary() == [
        f"ORDER_ACK {before} 1 poll",
        f"PARTIAL_FILL {order} 2 poll",
        f"PARTIAL_FILL {before} 3 poll",
        f"ORDER_ACK {order} 2 poll",
        f"CANCEL_ACK {order} 2 poll",
    ]
    assert world.seen(actions.CreateKey) == []
    assert world.times(actions.ReadAccount)[:3] == [20, 25, 30]
    assert world.connection.state == "IDLE"
    assert world.health is Health.LIVE


def test_polling_is_live_while_its_last_read_is_younger_than_two_intervals() -> None:
    """SUSPECT once a poll fails, BLIND once none has passed for two intervals, LIVE when one passes again."""
    world = trading(mode="poll").run(8)
    healths = []
    world.exchange.plan = REFUSED
    for _ in range(12):
        world.passes(1)
        world.feed(inputs.Tick())
        healths.append(world.health)
    assert healths == [Health.LIVE] * 2 + [Health.SUSPECT] * 5 + [Health.BLIND] * 5
    world.exchange.plan = Plan()
    world.passes(12)
    assert world.health is Health.LIVE
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]


def test_a_fill_that_a_list_shows_only_after_a_later_one_opens_a_gap() -> None:
    """The fill below opens a gap `hole`, although no link could have missed it."""
    world = trading(mode="poll", start=False)
    order = world.exchange.place("9")
    world.run(20)
    world.exchange.reads.append(Plan(lag=3000))
    world.feed(inputs.Start())
    world.run(20.05)
    world.exchange.fill(order, "2", "101")
    world.run(21)
    world.exchange.fill(order, "2", "102")
    world.run(31)
    assert world.summary()[1:] == [
        "GAP_OPENED hole",
        f"PARTIAL_FILL {order} 2 poll",
        f"PARTIAL_FILL {order} 4 poll",
        "GAP_CLOSED hole 2",
    ]
    assert world.times(actions.ReadAccount) == [20, 25, 25.12, 30]  # the one at 25.12 is of the order alone
    assert world.health is Health.LIVE


def test_the_exchange_s_clock_is_that_of_the_last_read() -> None:
    """Without a link only reads give the exchange's time, and the last one counts."""
    connection = Connection(Toy(), mode="poll")
    ordered = connection.handle(inputs.Start(), now=0.0)
    for now, exchange_ms in ((1.0, 1_700_000_000_000), (6.0, 1_700_000_007_000)):
        (asked,) = (action for action in ordered if isinstance(action, actions.ReadAccount))
        connection.handle(inputs.AccountRead(asked.request, empty_account(exchange_ms, None)), now=now)
        ordered = connection.handle(inputs.Tick(), now=connection.deadline)
    (asked,) = (action for action in ordered if isinstance(action, actions.ReadAccount))
    ordered = connection.handle(inputs.Refused(asked.request, RETRY), now=11.0)
    delivered = [action.event for action in ordered if isinstance(action, actions.Deliver)]
    (opened,) = (event for event in delivered if isinstance(event, GapNotice))
    assert opened.exchange_ts == 1_700_000_012_000


@pytest.mark.parametrize(("now", "health"), [(10.75, Health.LIVE), (11.0, Health.BLIND)])
def test_a_read_is_young_for_less_than_two_intervals(now: float, health: Health) -> None:
    """At exactly two intervals the read is too old."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0.0)
    assert isinstance(asked, actions.ReadAccount)
    connection.handle(inputs.AccountRead(asked.request, empty_account(1_700_000_000_000, None)), now=1.0)
    assert connection.health is Health.LIVE
    connection.handle(inputs.Tick(), now=now)
    assert connection.health is health


def test_blind_is_delivered_when_the_last_read_is_two_intervals_old() -> None:
    """A deadline is set for that moment, even if nothing else is due then."""
    world = trading(mode="poll", poll_interval=7).run(1)
    asked = max(world.times(actions.ReadAccount))
    world.exchange.plan = REFUSED
    world.passes(30)
    blind = [
        at
        for at, action in world.log
        if isinstance(action, actions.Deliver)
        and isinstance(action.event, HealthChange)
        and action.event.health is Health.BLIND
    ]
    assert blind == pytest.approx([asked + 0.12 + 14])


def test_an_end_is_not_delivered_before_fills_that_the_venue_may_show_late() -> None:
    """The venue shows a cancel at once and the fill below it 2 s later: the cancel waits for the overlap."""
    connection = Connection(Toy(), Policy(poll_interval=5), mode="poll")

    def read(now: float, orders: tuple[OrderReport, ...] = (), fills: tuple[FillReport, ...] = ()) -> list[str]:
        received = inputs.Tick() if orders else inputs.Start()
        (asked,) = [each for each in connection.handle(received, now=now) if isinstance(each, actions.ReadAccount)]
        account = msgspec.structs.replace(
            empty_account(EPOCH + round(now * 1000), EPOCH - 10_000), orders=orders, fills=fills
        )
        ordered = connection.handle(inputs.AccountRead(asked.request, account), now=now)
        events = [each.event for each in ordered if isinstance(each, actions.Deliver)]
        return [event.kind.value for event in events if isinstance(event, OrderState)]

    def cancelled(executed: str) -> OrderReport:
        return OrderReport(
            symbol="X",
            order_id="1",
            status="CANCELED",
            qty=D(5),
            cumulative_qty=D(executed),
            exchange_ts=EPOCH + 9000,
            created_ts=EPOCH + 8000,
        )

    fill = FillReport(symbol="X", order_id="1", qty=D(2), exchange_ts=EPOCH + 8500, price=D(1))
    assert read(5.0) == []
    assert read(10.0, (cancelled("0"),)) == []
    assert read(15.0, (cancelled("2"),), (fill,)) == ["PARTIAL_FILL", "CANCEL_ACK"]
