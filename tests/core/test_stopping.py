"""`Stop`, or a refusal for good, from anywhere: everything closed, our keys deleted, and then silence."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import GapNotice
from listenkey.core.link.lifecycle import State

from .script import FATAL, NEVER, Answer, Life, connected, no
from .toy import Toy
from .world import NEVER as UNANSWERED
from .world import World, ready, told


def minting() -> Life:
    return Life(mints=[NEVER]).run(2)


def waiting_to_mint() -> Life:
    return Life(mints=[no()]).run(0.2)


def opening() -> Life:
    life = Life()
    life.dials.append(NEVER)
    return life.run(2)


def proving() -> Life:
    life = Life(openings=1)
    life.acks.append(NEVER)
    return life.run(2)


def reading() -> Life:
    life = Life(rotate_after=0)
    life.reads.append(NEVER)
    return life.run(2)


def live() -> Life:
    return connected(rotate_after=0)


def quiet() -> Life:
    life = live()
    life.mute.add(life.leader)
    return life.run(15)


def blind() -> Life:
    life = connected(rotate_after=0)
    life.drop()
    return life


def closing() -> Life:
    life = connected(rotate_after=0, max_frame_bytes=100)
    life.closings.append(NEVER)
    life.frame("x" * 101)
    return life


def renewing() -> Life:
    life = connected(rotate_after=0, renew_interval=20)
    life.renewals.append(NEVER)
    return life.run(22)


STATES: dict[Callable[[], Life], State] = {
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
def test_stop(reach: Callable[[], Life], state: State) -> None:
    """From every state: IDLE in the same turn, each key deleted once, no request more, finished within 10 s."""
    life = reach()
    assert life.state is state
    granted = life.count(inputs.KeyGranted)
    done = life.play(inputs.Stop())
    assert life.state == "IDLE"
    assert life.health == "BLIND"
    assert done[-1] == actions.Finish(None)
    stopped = life.now
    life.run(stopped + 10.1)
    assert life.connection.finished
    assert life.connection.deadline == math.inf
    assert sorted(action.key for action in life.seen(actions.DeleteKey)) == [f"K{n + 1}" for n in range(granted)]
    life.run(10_000)
    assert all(at <= stopped + 10.1 for at, thing in life.log if isinstance(thing, actions.Action))
    assert life.count(actions.Finish) == 1


@pytest.mark.parametrize("reach", STATES)
def test_after_the_end_nothing_matters(reach: Callable[[], Life]) -> None:
    """Whatever comes after `Stop`, nothing comes of it but the deletion of a key that nobody asked for."""
    life = reach()
    life.play(inputs.Stop())
    life.run(life.now + 10.1)
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
        *(inputs.AccountRead(number, life.account(1, None)) for number in numbers),
    )
    assert [life.play(received) for received in late] == [[]] * len(late)
    (deletion,) = life.play(inputs.KeyGranted(99, "K99", 3600))
    assert isinstance(deletion, actions.DeleteKey)
    assert deletion.key == "K99"
    assert not life.connection.finished
    assert life.play(deletion.deleted()) == []
    assert life.connection.finished
    assert life.connection.deadline == math.inf


def test_stop_before_start() -> None:
    """A connection that was never started finishes at once; it cannot be started afterwards."""
    connection = Connection(Toy())
    assert connection.handle(inputs.Stop(), now=5) == [actions.Finish(None)]
    assert connection.finished
    with pytest.raises(RuntimeError, match="Start came twice"):
        connection.handle(inputs.Start(), now=6)


def test_the_last_word() -> None:
    """`Finish` is the last action of its turn; that the stream is blind now is told before it."""
    life = live()
    done = life.play(inputs.Stop())
    assert [type(action).__name__ for action in done] == ["CloseSocket", "Deliver", "Finish"]


@pytest.mark.parametrize("end", ["stop", "fatal"])
def test_what_was_held_is_told(end: str) -> None:
    """Frames that are held for a read when the end comes are told before it, by a stop as by a fatal refusal."""
    life = reading()
    life.frame("wallet 90")
    held = len(life.events)
    if end == "stop":
        done = life.play(inputs.Stop())
    else:
        done = life.play(inputs.Refused(life.seen(actions.ReadAccount)[-1].request, FATAL))
    assert [event.kind.value for event in life.events[held:]] == ["ACCOUNT_UPDATE", "HEALTH"]
    assert isinstance(done[-1], actions.Finish)
    assert life.run(100).connection.finished


@pytest.mark.parametrize("held", ["fill A 2/3", "fill A 3/3 +1", "fill B 2/3 @1", "doubt it", "wallet 5; fill A 1/3"])
@pytest.mark.parametrize("first", [True, False], ids=["first read", "later read"])
def test_news_that_was_held(held: str, first: bool) -> None:
    """What is told at the end and does not add up opens no read and no timer any more, and no gap after `Finish`."""
    life = reading() if first else live()
    if not first:
        life.frame("order A NEW 0/3")
        life.reads.append(NEVER)
        life.drop()
        life.run(life.now + 1.5)
        assert life.state == "CONNECTED"
    life.play(inputs.FrameReceived(life.leader, held))
    reads = life.count(actions.ReadAccount)
    life.play(inputs.Stop())
    life.run(1000)
    assert life.connection.deadline == math.inf
    assert life.count(actions.ReadAccount) == reads


def test_what_waits_above_a_hole_is_told_with_a_gap() -> None:
    """The end does not wait for a read: the hole is told of, then what lies above it, then the end."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.lose()
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    world.passes(0.1)
    done = world.feed(inputs.Stop())
    assert told(world, 8)[1:] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 5 ws"]
    (notice,) = (event for event in world.delivered if isinstance(event, GapNotice))
    assert notice.since == notice.exchange_ts == world.exchange_ms
    assert isinstance(done[-1], actions.Finish)


def test_what_waits_for_its_beginning_is_never_told_but_for_a_gap() -> None:
    """Nobody can say how much of it is owed; that something may be is told."""
    world = World(wire="z", start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.exchange.fill(running, "3")
    world.run(20)
    world.plan = UNANSWERED
    world.feed(inputs.Start())
    world.passes(1)
    world.exchange.fill(running, "2")
    world.passes(0.1)
    assert world.gaps() == []
    world.feed(inputs.Stop())
    assert told(world) == ["GAP_OPENED hole"]


def test_a_fatal_read_ends_a_stream_that_has_proven_nothing() -> None:
    """The account cannot be read for good, and never was: the end, with the refusal."""
    life = Life()
    life.reads.append(no(FATAL))
    life.run(100)
    assert life.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert [action.key for action in life.seen(actions.DeleteKey)] == ["K1"]
    assert life.connection.finished


@pytest.mark.parametrize("refusal", [FATAL, None])
def test_polling_ends(refusal: inputs.Refusal | None) -> None:
    """In `mode="poll"` the lifecycle stays IDLE; Stop, or a fatal refusal of a read, ends it."""
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
    """The clock of a key that came too late arms no poll."""
    life = Life(mints=[Answer(after=3)])
    life.play(inputs.Stop())
    life.run(100)
    assert life.connection.began is None
    assert life.count(actions.ReadAccount) == 0


def test_a_polled_stream_is_blind_once_it_has_ended() -> None:
    """The last read may be young: after `Stop` nothing is known any more, which is told before `Finish`."""
    connection = Connection(Toy(), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(asked, actions.ReadAccount)
    connection.handle(inputs.AccountRead(asked.request, Life().account(1_700_000_000_000, None)), now=1)
    assert connection.health == "LIVE"
    done = connection.handle(inputs.Stop(), now=2)
    assert [type(action).__name__ for action in done] == ["Deliver", "Finish"]
    assert connection.handle(inputs.Tick(), now=100) == []
