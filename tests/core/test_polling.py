"""Reads that are refused for good, and the mode in which there is nothing but reads."""

from __future__ import annotations

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import GapNotice, Health
from listenkey.core.proof import Mode

from .script import empty_account
from .toy import Toy
from .world import FATAL, REFUSED, RETRY, Plan, World, ready, told


def test_a_fatal_refusal_of_the_first_read_ends_the_stream() -> None:
    """Credentials that may not read the account are found out at once, in either mode."""
    modes: tuple[Mode, Mode] = ("ws", "poll")
    for mode in modes:
        world = World(mode=mode, start=False)
        world.plan = Plan(refusal=FATAL)
        world.feed(inputs.Start())
        world.passes(10)
        (finish,) = world.seen(actions.Finish)
        assert finish.error == FATAL
        assert world.connection.finished
        reads = len(world.times(actions.ReadAccount))
        world.passes(100)
        assert len(world.times(actions.ReadAccount)) == reads


def test_a_fatal_refusal_of_a_later_read_does_not_end_a_live_stream() -> None:
    """Frames still come: the read is tried again. A stream that only polls has nothing else, and ends."""
    world = ready()
    world.plan = Plan(refusal=FATAL)
    world.feed(inputs.Resync())
    world.passes(100)
    assert world.seen(actions.Finish) == []
    polling = World(mode="poll").run(8)
    polling.plan = Plan(refusal=FATAL)
    polling.passes(10)
    assert len(polling.seen(actions.Finish)) == 1


def test_polling_is_a_whole_mode() -> None:
    """No link: fills, states and the account come from reads, every `poll_interval`, without a gap."""
    world = World(mode="poll", start=False)
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
    world.passes(5)
    assert told(world) == [
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
    """SUSPECT as soon as one fails, BLIND when none has passed for two intervals, LIVE when one passes again."""
    world = World(mode="poll").run(8)
    healths = []
    world.plan = REFUSED
    for _ in range(12):
        world.passes(1)
        world.feed(inputs.Tick())
        healths.append(world.health)
    assert healths == [Health.LIVE] * 2 + [Health.SUSPECT] * 5 + [Health.BLIND] * 5
    world.plan = Plan()
    world.passes(12)
    assert world.health is Health.LIVE
    assert world.gaps() == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]


def test_a_fill_that_a_list_shows_only_after_a_later_one_opens_a_gap() -> None:
    """There is no link that could have missed it, so it is no less a hole."""
    world = World(mode="poll", start=False)
    order = world.exchange.place("9")
    world.run(20)
    world.reads.append(Plan(lag=3000))
    world.feed(inputs.Start())
    world.run(20.05)
    world.exchange.fill(order, "2", "101")
    world.run(21)
    world.exchange.fill(order, "2", "102")
    world.run(31)
    assert told(world)[1:] == [
        "GAP_OPENED hole",
        f"PARTIAL_FILL {order} 2 poll",
        f"PARTIAL_FILL {order} 4 poll",
        "GAP_CLOSED hole 2",
    ]
    assert world.times(actions.ReadAccount) == [20, 25, 25.12, 30]  # the second time the order alone
    assert world.health is Health.LIVE


def test_the_exchange_s_clock_is_that_of_the_last_read() -> None:
    """Without a link nothing else says what time it is there; a later word goes before an earlier one."""
    connection = Connection(Toy(), mode="poll")
    ordered = connection.handle(inputs.Start(), now=0.0)
    for now, exchange_ms in ((1.0, 1_700_000_000_000), (6.0, 1_700_000_007_000)):
        (asked,) = (action for action in ordered if isinstance(action, actions.ReadAccount))
        connection.handle(inputs.AccountRead(asked.request, empty_account(exchange_ms, None)), now=now)
        ordered = connection.handle(inputs.Tick(), now=connection.deadline)
    (asked,) = (action for action in ordered if isinstance(action, actions.ReadAccount))
    ordered = connection.handle(inputs.Refused(asked.request, RETRY), now=11.0)
    told_of = [action.event for action in ordered if isinstance(action, actions.Deliver)]
    (opened,) = (event for event in told_of if isinstance(event, GapNotice))
    assert opened.exchange_ts == 1_700_000_012_000


@pytest.mark.parametrize(("now", "health"), [(10.75, Health.LIVE), (11.0, Health.BLIND)])
def test_a_read_is_young_for_less_than_two_intervals(now: float, health: Health) -> None:
    """At two intervals sharp it is not."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0.0)
    assert isinstance(asked, actions.ReadAccount)
    connection.handle(inputs.AccountRead(asked.request, empty_account(1_700_000_000_000, None)), now=1.0)
    assert connection.health is Health.LIVE
    connection.handle(inputs.Tick(), now=now)
    assert connection.health is health
