"""Reads that are refused for good, and the mode in which there is nothing but reads."""

from __future__ import annotations

from listenkey.core import actions, inputs
from listenkey.core.continuity import Mode
from listenkey.core.events import Health

from .world import FATAL, REFUSED, Plan, World, ready, told


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
