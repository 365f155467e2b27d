"""`Stop`, or a fatal refusal, in any state: sockets closed, our keys deleted, and no action after that."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import GapNotice
from listenkey.core.link.lifecycle import State

from .scripted import NEVER, Answer, ScriptedWorld, connected, empty_account, no, scripted
from .toy import Toy
from .trading import UNANSWERED, ready, trading
from .world import FATAL


def minting() -> ScriptedWorld:
    return scripted(mints=[NEVER]).run(2)


def waiting_to_mint() -> ScriptedWorld:
    return scripted(mints=[no()]).run(0.2)


def opening() -> ScriptedWorld:
    world = scripted()
    world.exchange.dials.append(NEVER)
    return world.run(2)


def proving() -> ScriptedWorld:
    world = scripted(openings=1)
    world.exchange.acks.append(NEVER)
    return world.run(2)


def reading() -> ScriptedWorld:
    world = scripted(rotate_after=0)
    world.exchange.reads.append(NEVER)
    return world.run(2)


def live() -> ScriptedWorld:
    return connected(rotate_after=0)


def quiet() -> ScriptedWorld:
    world = live()
    world.mute.add(world.leader)
    return world.run(15)


def blind() -> ScriptedWorld:
    world = connected(rotate_after=0)
    world.drop()
    return world


def closing() -> ScriptedWorld:
    world = connected(rotate_after=0, max_frame_bytes=100)
    world.exchange.closings.append(NEVER)
    world.exchange.say("x" * 101)
    return world


def renewing() -> ScriptedWorld:
    world = connected(rotate_after=0, renew_interval=20)
    world.exchange.renewals.append(NEVER)
    return world.run(22)


STATES: dict[Callable[[], ScriptedWorld], State] = {
    minting: State.IDLE,
    waiting_to_mint: State.BACKOFF,
    opening: State.KEYED,
    proving: State.KEYED,
    reading: State.CONNECTED,
    live: State.CONNECTED,
    quiet: State.CONNECTED,
    blind: State.BACKOFF,
    closing: State.BACKOFF,
    renewing: State.CONNECTED,
}


@pytest.mark.parametrize(("reach", "state"), STATES.items())
def test_stop(reach: Callable[[], ScriptedWorld], state: State) -> None:
    """In any state: IDLE at once, each key deleted once, no further request, finished within 10 s."""
    world = reach()
    assert world.state is state
    granted = world.count(inputs.KeyGranted)
    done = world.feed(inputs.Stop())
    assert world.state == "IDLE"
    assert world.health == "BLIND"
    assert done[-1] == actions.Finish(None)
    stopped = world.now
    world.run(stopped + 10.1)
    assert world.connection.finished
    assert world.connection.deadline == math.inf
    assert sorted(action.key for action in world.seen(actions.DeleteKey)) == [f"K{n + 1}" for n in range(granted)]
    world.run(10_000)
    assert all(at <= stopped + 10.1 for at, thing in world.log if isinstance(thing, actions.Action))
    assert world.count(actions.Finish) == 1


@pytest.mark.parametrize("reach", STATES)
def test_after_the_end_nothing_matters(reach: Callable[[], ScriptedWorld]) -> None:
    """After `Stop` no input has an effect, except that a key that was not asked for is deleted."""
    world = reach()
    world.feed(inputs.Stop())
    world.run(world.now + 10.1)
    numbers = range(-1, 12)
    late: tuple[inputs.Input, ...] = (
        inputs.Stop(),
        inputs.Rotate(),
        inputs.Resync(),
        inputs.Tick(),
        *(inputs.KeyRenewed(number) for number in numbers),
        *(inputs.Refused(number, FATAL) for number in numbers),
        *(inputs.SocketOpened(number) for number in numbers),
        *(inputs.SocketClosed(number) for number in numbers),
        *(inputs.FrameReceived(number, "order A NEW 0/3") for number in numbers),
        *(inputs.AccountRead(number, world.exchange.account(1, None)) for number in numbers),
    )
    assert [world.feed(received) for received in late] == [[]] * len(late)
    (deletion,) = world.feed(inputs.KeyGranted(99, "K99", 3600))
    assert isinstance(deletion, actions.DeleteKey)
    assert deletion.key == "K99"
    assert not world.connection.finished
    assert world.feed(deletion.deleted()) == []
    assert world.connection.finished
    assert world.connection.deadline == math.inf


def test_stop_before_start() -> None:
    """A connection that was never started finishes at once; it cannot be started afterwards."""
    connection = Connection(Toy())
    assert connection.handle(inputs.Stop(), now=5) == [actions.Finish(None)]
    assert connection.finished
    with pytest.raises(RuntimeError, match="Start came twice"):
        connection.handle(inputs.Start(), now=6)


def test_the_last_word() -> None:
    """`Finish` is the last action of its call; the change to BLIND is delivered before it."""
    world = live()
    done = world.feed(inputs.Stop())
    assert [type(action).__name__ for action in done] == ["CloseSocket", "Deliver", "Finish"]


@pytest.mark.parametrize("end", ["stop", "fatal"])
def test_what_was_held_is_delivered(end: str) -> None:
    """Frames held for a read are delivered before the end, by `Stop` and by a fatal refusal."""
    world = reading()
    world.exchange.say("wallet 90")
    held = len(world.delivered)
    if end == "stop":
        done = world.feed(inputs.Stop())
    else:
        done = world.feed(inputs.Refused(world.seen(actions.ReadAccount)[-1].request, FATAL))
    assert [event.kind.value for event in world.delivered[held:]] == ["ACCOUNT_UPDATE", "HEALTH"]
    assert isinstance(done[-1], actions.Finish)
    assert world.run(100).connection.finished


@pytest.mark.parametrize("held", ["fill A 2/3", "fill A 3/3 +1", "fill B 2/3 @1", "doubt it", "wallet 5; fill A 1/3"])
@pytest.mark.parametrize("first", [True, False], ids=["first read", "later read"])
def test_news_that_was_held(held: str, first: bool) -> None:
    """Held events that `Stop` delivers and that do not add up start no read and no timer, and open no gap."""
    world = reading() if first else live()
    if not first:
        world.exchange.say("order A NEW 0/3")
        world.exchange.reads.append(NEVER)
        world.drop()
        world.run(world.now + 1.5)
        assert world.state == "CONNECTED"
    world.feed(inputs.FrameReceived(world.leader, held))
    reads = world.count(actions.ReadAccount)
    world.feed(inputs.Stop())
    world.run(1000)
    assert world.connection.deadline == math.inf
    assert world.count(actions.ReadAccount) == reads


def test_what_waits_above_a_hole_is_delivered_with_a_gap() -> None:
    """The end waits for no read: first a gap for the hole, then the fills above it, then `Finish`."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.lose()
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    world.passes(0.1)
    done = world.feed(inputs.Stop())
    assert world.summary(8)[1:] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 5 ws"]
    (notice,) = world.events(GapNotice)
    assert notice.since == notice.exchange_ts == world.exchange_ms
    assert isinstance(done[-1], actions.Finish)


def test_what_waits_for_its_beginning_is_never_delivered_but_for_a_gap() -> None:
    """How much of the order is due is unknown: no fill is delivered, but a gap opens."""
    world = trading(wire="z", start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.exchange.fill(running, "3")
    world.run(20)
    world.exchange.plan = UNANSWERED
    world.feed(inputs.Start())
    world.passes(1)
    world.exchange.fill(running, "2")
    world.passes(0.1)
    assert world.gaps == []
    world.feed(inputs.Stop())
    assert world.summary() == ["GAP_OPENED hole"]


def test_a_fatal_read_ends_a_stream_that_has_proven_nothing() -> None:
    """If the first read is refused for good, the stream ends with that refusal."""
    world = scripted()
    world.exchange.reads.append(no(FATAL))
    world.run(100)
    assert world.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert [action.key for action in world.seen(actions.DeleteKey)] == ["K1"]
    assert world.connection.finished


@pytest.mark.parametrize("refusal", [FATAL, None])
def test_polling_ends(refusal: inputs.Refusal | None) -> None:
    """In `mode="poll"` the lifecycle stays IDLE; `Stop` or a fatal refusal of a read ends the stream."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(asked, actions.ReadAccount)
    assert connection.handle(inputs.Rotate(), now=0.5) == []
    ending = inputs.Stop() if refusal is None else inputs.Refused(asked.request, refusal)
    assert connection.handle(ending, now=1) == [actions.Finish(refusal)]
    assert connection.finished
    assert connection.deadline == math.inf
    assert connection.state is State.IDLE


def test_a_mint_answered_after_the_end_does_not_begin_the_stream() -> None:
    """The time of a key that comes after the end begins no stream and plans no poll."""
    world = scripted(mints=[Answer(after=3)])
    world.feed(inputs.Stop())
    world.run(100)
    assert world.connection.began is None
    assert world.count(actions.ReadAccount) == 0


def test_a_polled_stream_is_blind_once_it_has_ended() -> None:
    """Even if the last read is young, the change to BLIND is delivered before `Finish`."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(asked, actions.ReadAccount)
    connection.handle(inputs.AccountRead(asked.request, empty_account(1_700_000_000_000, None)), now=1)
    assert connection.health == "LIVE"
    done = connection.handle(inputs.Stop(), now=2)
    assert [type(action).__name__ for action in done] == ["Deliver", "Finish"]
    assert connection.handle(inputs.Tick(), now=100) == []
