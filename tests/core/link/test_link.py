"""One socket: how it is proven, when it counts as silent, and which of its frames count after its end."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import Health
from listenkey.core.link.lifecycle import State
from listenkey.core.link.link import Phase
from listenkey.core.policy import Policy

from ..scripted import NEVER, ScriptedWorld, connected, no, scripted
from ..toy import Toy
from ..world import FATAL, GONE, RETRY


def opened(**options: Any) -> ScriptedWorld:
    """A world whose first socket has just opened and brings nothing by itself."""
    world = scripted(**options)
    world.mute.add(3)
    return world.run(0.25)


# Proof


@pytest.mark.parametrize(
    "frame", ["ping", "note what is this", "order A NEW 0/3", "wallet 5", gzip.compress(b"ping", mtime=0)]
)
def test_first_readable_frame_proves(frame: str | bytes) -> None:
    """Without subscriptions an open socket proves nothing; its first readable frame proves the link."""
    world = opened()
    assert (world.state, world.health) == (State.KEYED, Health.BLIND)
    world.exchange.say(frame)
    assert (world.state, world.health) == (State.CONNECTED, Health.LIVE)


@pytest.mark.parametrize(
    ("frame", "anomaly"),
    [
        ("what?", "unreadable frame"),
        (b"what?", "unreadable frame"),
        (gzip.compress(b"ping", mtime=0)[:-1], "not gzip"),
        (gzip.compress(b"\xff", mtime=0), "unreadable frame"),
        ("error retry", "error frame"),
    ],
)
def test_garbage_proves_nothing(frame: str | bytes, anomaly: str) -> None:
    """An unreadable frame or an error frame proves nothing, and the socket stays open.

    The unreadable one is delivered, but no read follows it, because the proof of the link causes one anyway.
    """
    world = opened()
    world.exchange.say(frame)
    assert world.state == "KEYED"
    assert world.anomalies == [anomaly]
    assert [event.kind.value for event in world.delivered] == ["UNKNOWN"] * (anomaly != "error frame")
    assert world.count(actions.ReadAccount) == 0
    world.exchange.say("ping")
    assert world.state == "CONNECTED"
    assert world.gaps == []


def test_a_frame_before_the_handshake_is_none() -> None:
    """A frame of a socket that has not opened yet is ignored and proves nothing."""
    world = scripted()
    world.run(0.15)
    assert world.exchange.say("ping") == []
    world.run(0.25)
    assert world.state == "KEYED"


def test_opened_twice() -> None:
    """A second report of the handshake changes nothing."""
    world = connected()
    assert world.feed(inputs.SocketOpened(world.leader)) == []
    assert [link.phase for link in world.connection.links] == [Phase.LIVE]
    assert world.health == "LIVE"


def test_all_openings_prove() -> None:
    """With subscriptions each is sent when the socket opens, and the last acknowledgement proves the link."""
    world = scripted(openings=2)
    world.exchange.acks.extend([NEVER, NEVER])
    world.run(5)
    assert [sent.data for sent in world.seen(actions.SendFrame)] == ["subscribe 3.0", "subscribe 3.1", "pong"]
    for frame in ("ping", "order A NEW 0/3", "ack 3.1", "ack 3.1", "ack 9.9"):
        world.exchange.say(frame)
        assert world.state == "KEYED"
    world.exchange.say("ack 3.0")
    assert world.state == "CONNECTED"


@pytest.mark.parametrize(("refusal", "state"), [(RETRY, State.BACKOFF), (GONE, State.BACKOFF), (FATAL, State.IDLE)])
def test_refused_opening(refusal: inputs.Refusal, state: State) -> None:
    """If an opening frame is refused, the socket is closed; a fatal refusal ends the stream."""
    world = scripted(openings=2)
    world.exchange.acks.extend([NEVER, no(refusal)])
    world.run(0.35)
    assert world.state is state
    assert world.count(actions.CloseSocket) == 1
    finishes = world.seen(actions.Finish)
    assert [finish.error and finish.error.kind for finish in finishes] == ([refusal.kind] if refusal is FATAL else [])


def test_an_acknowledged_opening_is_refused_no_more() -> None:
    """An error frame about an accepted or unknown opening frame is only reported."""
    world = scripted(openings=2)
    world.exchange.acks.extend([NEVER, NEVER])
    world.run(5)
    for frame in ("ack 3.0", "error retry 3.0", "error retry 9.9", "error retry"):
        world.exchange.say(frame)
    assert world.state == "KEYED"
    assert world.anomalies == ["error frame"] * 3


def test_the_rest_of_a_frame_that_ended_its_link() -> None:
    """The part of a frame behind the message that closed the socket is not answered."""
    world = opened(openings=1)
    done = world.exchange.say("error retry 3.0; ping; order A NEW 0/3")
    assert [type(action) for action in done] == [actions.Report, actions.CloseSocket]


@pytest.mark.parametrize("stuck", ["never opened", "never said anything", "never acknowledged"])
def test_connect_timeout(stuck: str) -> None:
    """A socket that is not proven within `connect_timeout` is closed, whatever step it has reached."""
    world = scripted(openings=1 if stuck == "never acknowledged" else 0)
    if stuck == "never opened":
        world.exchange.dials.append(NEVER)
    elif stuck == "never said anything":
        world.mute.add(3)
    else:
        world.exchange.acks.append(NEVER)
    world.run(10.05)
    assert world.state == "KEYED"
    world.run(10.1)
    assert world.state == "BACKOFF"
    assert world.times(actions.CloseSocket) == [10.1]
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.gaps == []


def test_proof_in_time_stays() -> None:
    """A link proven in time is not closed when `connect_timeout` is over."""
    world = opened()
    world.run(10.05)
    world.exchange.say("ping")
    world.mute.clear()
    world.run(30)
    assert world.states == [State.IDLE, State.KEYED, State.CONNECTED]


# Life


def test_silence() -> None:
    """Half of `silence_timeout` without a frame makes the link suspect; all of it ends it, with a gap `silent`."""
    world = connected(10)
    heard = world.times(inputs.FrameReceived)[-1]
    world.mute.add(world.leader)
    world.run(heard + 7.49)
    assert world.health == "LIVE"
    world.run(heard + 7.5)
    assert world.health == "SUSPECT"
    world.run(heard + 14.9)
    assert world.state == "CONNECTED"
    world.run(heard + 15.1)
    assert (world.state, world.health) == (State.BACKOFF, Health.BLIND)
    assert world.gaps == [("GAP_OPENED", "silent")]
    opened_gap = next(event for event in world.delivered if event.kind == "GAP_OPENED")
    assert world.times(actions.CloseSocket) == [round(heard + 15, 6)]
    assert opened_gap.exchange_ts is not None
    assert opened_gap.exchange_ts - opened_gap.since == 15_000  # type: ignore[attr-defined]


@pytest.mark.parametrize("openings", [0, 1])
def test_silence_from_the_proof_on(openings: int) -> None:
    """A link that brings nothing after its proof is silent just as soon."""
    world = scripted(openings=openings, pings=1000)
    world.run(0.4)
    proven = world.times(inputs.FrameReceived)[-1]
    world.run(proven + 14.9)
    assert world.state == "CONNECTED"
    world.run(proven + 15.1)
    assert world.gaps[0] == ("GAP_OPENED", "silent")


@pytest.mark.parametrize("frame", ["ping", "note what?", b"note", "error retry"])
def test_any_frame_is_a_sign_of_life(frame: str | bytes) -> None:
    """A frame ends the silence, whatever is in it, and health is LIVE again."""
    world = connected(10)
    world.mute.add(world.leader)
    for at in range(19, 199, 10):
        world.run(at)
        assert world.health == "SUSPECT"
        world.exchange.say(frame)
        assert world.health == "LIVE"
    assert world.state == "CONNECTED"


def test_pings_are_answered_at_once() -> None:
    """The answer to a heartbeat is the dialect's own text, on the socket that asked, in the same turn."""
    world = connected()
    assert world.exchange.say("ping 1.5") == [actions.SendFrame(world.leader, "pong 1.5")]


# Sleep


def asleep(until: float, after: float = 10.0) -> ScriptedWorld:
    """A process that is stopped and wakes up at `until`, with its frames still unread in the socket."""
    world = connected(after)
    world.mute.add(world.leader)
    world.sleep_until(until).run(until)
    return world


def test_a_sleeper_reads_first() -> None:
    """If the process slept, the waiting frames are read before the link is judged silent."""
    world = asleep(1000)
    assert (world.state, world.health) == (State.CONNECTED, Health.SUSPECT)
    world.exchange.say("ping")
    assert world.health == "LIVE"
    world.mute.clear()
    world.run(1060)
    assert world.states == [State.IDLE, State.KEYED, State.CONNECTED]
    assert world.gaps == []


@pytest.mark.parametrize("stopped_at", [10.0, 12.7, 13.0, 25.0], ids=["live", "live still", "quiet", "nearly dead"])
def test_a_sleeper_is_granted_one_second(stopped_at: float) -> None:
    """If no frame waits, the link is closed one second after the process woke."""
    world = connected(5.6)  # the last frame comes at 5.3, so the link is suspect at 12.8 and silent at 20.3
    world.mute.add(world.leader)
    world.run(min(stopped_at, 20.2))
    world.sleep_until(1000).run(1000)
    assert world.state == "CONNECTED"
    world.run(1000.9)
    assert world.state == "CONNECTED"
    world.run(1001.05)
    assert world.state == "BACKOFF"
    assert world.gaps == [("GAP_OPENED", "silent")]


def test_no_second_grace() -> None:
    """A process that also sleeps through that second gets no other."""
    world = asleep(1000)
    world.sleep_until(2000).run(2000)
    assert world.state != "CONNECTED"
    assert world.gaps[0] == ("GAP_OPENED", "silent")


def test_every_sleep_has_its_grace() -> None:
    """After a frame, the next sleep has a second of its own."""
    world = connected(10)
    for wake in (1000, 2000, 3000):
        world.sleep_until(wake).run(wake)
        assert world.state == "CONNECTED"
        world.run(wake + 0.5)  # the pings that waited in the socket are read
    assert world.gaps == []


def test_a_little_late_is_not_asleep() -> None:
    """A timer that fires less than a second late counts as silence, not as sleep."""
    world = connected(5.6)
    world.mute.add(world.leader)
    world.run(15)
    world.sleep_until(21.2).run(21.2)
    assert world.state == "BACKOFF"


def test_asleep_between_both_halves() -> None:
    """A timer late by half a second at half of the time does not delay the end: silence counts from the last frame."""
    world = connected(5.6)
    world.mute.add(world.leader)
    world.sleep_until(13.3).run(13.3)
    world.run(20.2)
    assert world.state == "CONNECTED"
    world.run(20.35)
    assert world.state == "BACKOFF"


def exact(**policy: float) -> Connection:
    """A link proven at 0 s exactly: suspect at 7.5, silent at 15, all numbers that a float holds exactly."""
    connection = Connection(Toy(), Policy(**policy))  # type: ignore[arg-type]
    (mint,) = connection.handle(inputs.Start(), now=0.0)
    assert isinstance(mint, actions.CreateKey)
    done = connection.handle(inputs.KeyGranted(mint.request, "K1", 3600.0), now=0.0)
    (opening,) = (action for action in done if isinstance(action, actions.OpenSocket))
    connection.handle(inputs.SocketOpened(opening.socket), now=0.0)
    connection.handle(inputs.FrameReceived(opening.socket, "ping"), now=0.0)
    assert connection.state is State.CONNECTED
    return connection


@pytest.mark.parametrize(
    ("ticks", "state"),
    [
        pytest.param([7.5, 16.0], State.BACKOFF, id="a second late and no more is no sleep"),
        pytest.param([7.5, 16.25, 17.125], State.CONNECTED, id="asleep at the end: a second from waking"),
        pytest.param([7.5, 16.25, 17.25], State.BACKOFF, id="and no more"),
        pytest.param([7.5, 16.25, 18.5], State.BACKOFF, id="asleep through that second too: no other"),
        pytest.param(
            [8.5, 17.0], State.CONNECTED, id="a second late for the first half is no sleep: the grace is left"
        ),
        pytest.param([8.75, 17.0], State.BACKOFF, id="asleep at the first half: the grace is used up"),
        pytest.param([8.75, 14.875], State.CONNECTED, id="and shortens nothing"),
        pytest.param([8.75, 15.0], State.BACKOFF, id="nor lengthens what is longer than it"),
        pytest.param([14.5, 15.25], State.CONNECTED, id="asleep until shortly before death: a second from waking"),
        pytest.param([14.5, 15.5], State.BACKOFF, id="and no more either"),
    ],
)
def test_who_slept_and_who_was_silent(ticks: list[float], state: State) -> None:
    """A timer more than a second late means sleep: the link gets one second from waking, once."""
    connection = exact()
    for now in ticks:
        connection.handle(inputs.Tick(), now=now)
    assert connection.state is state


@pytest.mark.parametrize(
    ("frames", "wakes"),
    [
        pytest.param([], [2.0], id="half of the silence after the proof"),
        pytest.param([0.5], [2.0, 2.5], id="a frame soon after moves nothing: it looks again when it is due"),
        pytest.param([0.875], [2.0, 2.875], id="nor one just before half of that time"),
        pytest.param([1.0], [3.0], id="at half of that time it is moved"),
        pytest.param([1.5], [3.5], id="and later"),
        pytest.param([0.5, 0.875, 1.25], [3.25], id="the first frame past the half moves it"),
        pytest.param([1.0, 1.5], [3.0, 3.5], id="half of the new time"),
        pytest.param([2.0, 2.25, 3.5], [5.5], id="again and again"),
    ],
)
def test_a_frame_moves_the_timer_only_when_half_of_its_time_is_gone(frames: list[float], wakes: list[float]) -> None:
    """The timer is moved by a frame only in the second half of its time, so that not each frame costs a move."""
    connection = exact(silence_timeout=4.0, hold_limit=100.0)
    socket = connection.links[0].socket
    for now in frames:
        connection.handle(inputs.FrameReceived(socket, "ping"), now=now)
    for due in wakes:
        assert (connection.deadline, connection.health) == (due, Health.LIVE)
        connection.handle(inputs.Tick(), now=due)
    assert (connection.deadline, connection.health) == ([0.0, *frames][-1] + 4.0, Health.SUSPECT)


def test_phases_go_forward() -> None:
    """The phases sort in the order in which a link passes through them."""
    assert [phase.name for phase in sorted(Phase)] == ["OPENING", "SUBSCRIBING", "PROVING", "LIVE", "DRAINING", "GONE"]


# The end


@pytest.mark.parametrize("successor", [False, True])
def test_a_link_that_has_ended_is_not_proven_by_the_rest_of_its_frame(successor: bool) -> None:
    """The part of a frame behind the message that ended the link proves nothing and leaves no timer behind."""
    world = connected(10) if successor else opened()
    if successor:
        world.feed(inputs.Rotate())
        world.run(10.15)
        world.mute.add(world.successor)
        world.run(10.25)
    world.exchange.say("error fatal; ping; order A NEW 0/3", world.connection.links[-1].socket)
    assert world.count(actions.CloseSocket) == 1
    assert world.state == ("CONNECTED" if successor else "IDLE")
    world.run(60)
    assert world.state == ("CONNECTED" if successor else "IDLE")
    assert world.gaps == []


@pytest.mark.parametrize("end", ["closed by the venue", "closed by us", "stopped"])
def test_a_link_that_has_ended_is_shown_no_more(end: str) -> None:
    """A view taken before the link ended keeps its values and cannot be changed, whoever closed the socket."""
    world = connected(10, max_frame_bytes=1000)
    (link,) = world.connection.links
    if end == "closed by the venue":
        world.drop()
    elif end == "closed by us":
        world.exchange.say("x" * 1001)
    else:
        world.feed(inputs.Stop())
    assert world.connection.links == ()
    assert (link.phase, link.proven, link.key.gone) == (Phase.LIVE, True, False)
    with pytest.raises(AttributeError):
        link.proven = False  # type: ignore[misc]


def test_oversized_frames_close() -> None:
    """A frame larger than `max_frame_bytes`, as text or inflated, closes the socket with the gap `oversized`."""
    for frame in ("x" * 1001, gzip.compress(bytes(1001)), gzip.compress(bytes(10_000_000))):
        world = connected(10, max_frame_bytes=1000)
        world.exchange.say("note " + "y" * 995)
        world.exchange.say(gzip.compress(b"ping " + b"z" * 995))
        assert world.state == "CONNECTED"
        world.exchange.say(frame)
        assert world.state == "BACKOFF"
        assert world.gaps == [("GAP_OPENED", "oversized")]
        assert world.anomalies == ["oversized frame"]
        world.run(60)
        assert world.health == "LIVE"


@pytest.mark.parametrize(("code", "reason"), [(1009, "oversized"), (1001, "lost_socket"), (None, "lost_socket")])
def test_a_frame_that_the_transport_found_oversized(code: int | None, reason: str) -> None:
    """If the transport refused the frame itself, its close code gives the gap its reason."""
    world = connected(10)
    world.feed(inputs.SocketClosed(world.leader, code))
    assert world.gaps == [("GAP_OPENED", reason)]


def test_what_cannot_be_read_is_a_sign_of_life() -> None:
    """An unreadable frame ends the silence like any other, and the socket stays open."""
    world = connected(10)
    world.mute.add(world.leader)
    for at in range(19, 99, 10):
        world.run(at)
        world.exchange.say("what?")
    assert world.state == "CONNECTED"
    assert ("GAP_OPENED", "silent") not in world.gaps


def test_closing_sockets_say_nothing() -> None:
    """Frames of a socket that we closed are ignored, heartbeats and fills alike; so are those of unknown sockets."""
    world = connected(10, max_frame_bytes=1000)
    socket = world.leader
    world.exchange.say("x" * 1001)
    for frame in ("ping", "fill A 1/3 +1", "error fatal", "expired K1", "x" * 1001, b"?"):
        for other in (socket, 999, -1, 0):
            assert world.feed(inputs.FrameReceived(other, frame)) == []


def test_a_fatal_error_frame_ends_a_link_not_the_stream() -> None:
    """After a fatal error frame the link is replaced; if the next link gets a fatal refusal too, the stream ends."""
    world = connected()
    world.exchange.say("error fatal")
    assert world.state == "BACKOFF"
    assert world.gaps == [("GAP_OPENED", "lost_socket")]
    world.exchange.dials.append(no(FATAL))
    world.run(60)
    assert [finish.error for finish in world.seen(actions.Finish)] == [FATAL]
    assert world.connection.finished
