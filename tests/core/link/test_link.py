"""One socket: when it counts, when it is dead, and what it may still say when it is gone."""

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

from ..script import FATAL, GONE, NEVER, RETRY, Life, connected, no
from ..toy import Toy


def opened(**options: Any) -> Life:
    """A life whose first socket has just opened and says nothing by itself."""
    life = Life(**options)
    life.mute.add(3)
    return life.run(0.25)


# Proof


@pytest.mark.parametrize(
    "frame", ["ping", "note what is this", "order A NEW 0/3", "wallet 5", gzip.compress(b"ping", mtime=0)]
)
def test_first_readable_frame_proves(frame: str | bytes) -> None:
    """Where nothing is subscribed, an open socket proves nothing; its first readable frame does."""
    life = opened()
    assert (life.state, life.health) == (State.KEYED, Health.BLIND)
    life.frame(frame)
    assert (life.state, life.health) == (State.CONNECTED, Health.LIVE)


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
    """A frame that cannot be read, and an error frame, prove nothing; the socket lives on.

    The one is delivered, and leaves nothing in doubt: the proof of a link causes a read.
    """
    life = opened()
    life.frame(frame)
    assert life.state == "KEYED"
    assert life.anomalies == [anomaly]
    assert [event.kind.value for event in life.events] == ["UNKNOWN"] * (anomaly != "error frame")
    assert life.count(actions.ReadAccount) == 0
    life.frame("ping")
    assert life.state == "CONNECTED"
    assert life.gaps == []


def test_a_frame_before_the_handshake_is_none() -> None:
    """What claims to come from a socket that has not opened yet is ignored and proves nothing."""
    life = Life()
    life.run(0.15)
    assert life.frame("ping") == []
    life.run(0.25)
    assert life.state == "KEYED"


def test_opened_twice() -> None:
    """A handshake that is reported again takes nothing back."""
    life = connected()
    assert life.play(inputs.SocketOpened(life.leader)) == []
    assert [link.phase for link in life.connection.links] == [Phase.LIVE]
    assert life.health == "LIVE"


def test_all_openings_prove() -> None:
    """Where frames must be subscribed, each is sent when the socket opens, and only the last acknowledgement proves."""
    life = Life(openings=2)
    life.acks.extend([NEVER, NEVER])
    life.run(5)
    assert [sent.data for sent in life.seen(actions.SendFrame)] == ["subscribe 3.0", "subscribe 3.1", "pong"]
    for frame in ("ping", "order A NEW 0/3", "ack 3.1", "ack 3.1", "ack 9.9"):
        life.frame(frame)
        assert life.state == "KEYED"
    life.frame("ack 3.0")
    assert life.state == "CONNECTED"


@pytest.mark.parametrize(("refusal", "state"), [(RETRY, State.BACKOFF), (GONE, State.BACKOFF), (FATAL, State.IDLE)])
def test_refused_opening(refusal: inputs.Refusal, state: State) -> None:
    """A refused opening frame closes the socket; a fatal one ends the stream with the refusal."""
    life = Life(openings=2)
    life.acks.extend([NEVER, no(refusal)])
    life.run(0.35)
    assert life.state is state
    assert life.count(actions.CloseSocket) == 1
    finishes = life.seen(actions.Finish)
    assert [finish.error and finish.error.kind for finish in finishes] == ([refusal.kind] if refusal is FATAL else [])


def test_an_acknowledged_opening_is_refused_no_more() -> None:
    """An error frame about an opening that was accepted before, or about a strange one, is only reported."""
    life = Life(openings=2)
    life.acks.extend([NEVER, NEVER])
    life.run(5)
    for frame in ("ack 3.0", "error retry 3.0", "error retry 9.9", "error retry"):
        life.frame(frame)
    assert life.state == "KEYED"
    assert life.anomalies == ["error frame"] * 3


def test_the_rest_of_a_frame_that_ended_its_link() -> None:
    """What stands behind the word that closed the socket is not answered."""
    life = opened(openings=1)
    done = life.frame("error retry 3.0; ping; order A NEW 0/3")
    assert [type(action) for action in done] == [actions.Report, actions.CloseSocket]


@pytest.mark.parametrize("stuck", ["never opened", "never said anything", "never acknowledged"])
def test_connect_timeout(stuck: str) -> None:
    """From the wish for a socket until it is proven no more than `connect_timeout` passes, wherever it sticks."""
    life = Life(openings=1 if stuck == "never acknowledged" else 0)
    if stuck == "never opened":
        life.dials.append(NEVER)
    elif stuck == "never said anything":
        life.mute.add(3)
    else:
        life.acks.append(NEVER)
    life.run(10.05)
    assert life.state == "KEYED"
    life.run(10.1)
    assert life.state == "BACKOFF"
    assert life.times(actions.CloseSocket) == [10.1]
    life.run(60)
    assert life.state == "CONNECTED"
    assert life.gaps == []


def test_proof_in_time_stays() -> None:
    """A link that is proven just in time is not closed by the timer that waited for it."""
    life = opened()
    life.run(10.05)
    life.frame("ping")
    life.mute.clear()
    life.run(30)
    assert life.states == [State.IDLE, State.KEYED, State.CONNECTED]


# Life


def test_silence() -> None:
    """Half of `silence_timeout` without a frame is suspect, all of it is death, and the gap says `silent`."""
    life = connected(10)
    heard = life.times(inputs.FrameReceived)[-1]
    life.mute.add(life.leader)
    life.run(heard + 7.49)
    assert life.health == "LIVE"
    life.run(heard + 7.5)
    assert life.health == "SUSPECT"
    life.run(heard + 14.9)
    assert life.state == "CONNECTED"
    life.run(heard + 15.1)
    assert (life.state, life.health) == (State.BACKOFF, Health.BLIND)
    assert life.gaps == [("GAP_OPENED", "silent")]
    opened_gap = next(event for event in life.events if event.kind == "GAP_OPENED")
    assert life.times(actions.CloseSocket) == [round(heard + 15, 6)]
    assert opened_gap.exchange_ts is not None
    assert opened_gap.exchange_ts - opened_gap.since == 15_000  # type: ignore[attr-defined]


@pytest.mark.parametrize("openings", [0, 1])
def test_silence_from_the_proof_on(openings: int) -> None:
    """A link that says nothing after its proof is dead as soon as any other."""
    life = Life(openings=openings, pings=1000)
    life.run(0.4)
    proven = life.times(inputs.FrameReceived)[-1]
    life.run(proven + 14.9)
    assert life.state == "CONNECTED"
    life.run(proven + 15.1)
    assert life.gaps[0] == ("GAP_OPENED", "silent")


@pytest.mark.parametrize("frame", ["ping", "note what?", b"note", "error retry"])
def test_any_frame_is_a_sign_of_life(frame: str | bytes) -> None:
    """A frame ends the silence, whatever is in it, and health is LIVE again."""
    life = connected(10)
    life.mute.add(life.leader)
    for at in range(19, 199, 10):
        life.run(at)
        assert life.health == "SUSPECT"
        life.frame(frame)
        assert life.health == "LIVE"
    assert life.state == "CONNECTED"


def test_pings_are_answered_at_once() -> None:
    """The answer to a heartbeat is the dialect's own text, on the socket that asked, in the same turn."""
    life = connected()
    assert life.frame("ping 1.5") == [actions.SendFrame(life.leader, "pong 1.5")]


# Sleep


def asleep(until: float, after: float = 10.0) -> Life:
    """A life that is stopped as a process and wakes up then, its frames unread in the socket."""
    life = connected(after)
    life.mute.add(life.leader)
    life.sleep_until(until)
    return life


def test_a_sleeper_reads_first() -> None:
    """A silence that we slept through is no death: what waits in the socket is read, and all is well."""
    life = asleep(1000)
    assert (life.state, life.health) == (State.CONNECTED, Health.SUSPECT)
    life.frame("ping")
    assert life.health == "LIVE"
    life.mute.clear()
    life.run(1060)
    assert life.states == [State.IDLE, State.KEYED, State.CONNECTED]
    assert life.gaps == []


@pytest.mark.parametrize("stopped_at", [10.0, 12.7, 13.0, 25.0], ids=["live", "live still", "quiet", "nearly dead"])
def test_a_sleeper_is_granted_one_second(stopped_at: float) -> None:
    """With nothing in the socket the link is dead one second after we woke, whenever we fell asleep."""
    life = connected(5.6)  # the last frame is that of 5.3; 12.8 is quiet, 20.3 is dead
    life.mute.add(life.leader)
    life.run(min(stopped_at, 20.2))
    life.sleep_until(1000)
    assert life.state == "CONNECTED"
    life.run(1000.9)
    assert life.state == "CONNECTED"
    life.run(1001.05)
    assert life.state == "BACKOFF"
    assert life.gaps == [("GAP_OPENED", "silent")]


def test_no_second_grace() -> None:
    """Who sleeps through the grace as well gets no other."""
    life = asleep(1000)
    life.sleep_until(2000)
    assert life.state != "CONNECTED"
    assert life.gaps[0] == ("GAP_OPENED", "silent")


def test_every_sleep_has_its_grace() -> None:
    """After a frame the next sleep is granted its own second."""
    life = connected(10)
    for wake in (1000, 2000, 3000):
        life.sleep_until(wake)
        assert life.state == "CONNECTED"
        life.run(wake + 0.5)  # the pings that waited are handed over
    assert life.gaps == []


def test_a_little_late_is_not_asleep() -> None:
    """A silence timer that is handled less than a second late is a silence."""
    life = connected(5.6)
    life.mute.add(life.leader)
    life.run(15)
    life.sleep_until(21.2)
    assert life.state == "BACKOFF"


def test_asleep_between_both_halves() -> None:
    """Half a second late for the first half and not for the second: the silence is counted from the last frame."""
    life = connected(5.6)
    life.mute.add(life.leader)
    life.sleep_until(13.3)
    life.run(20.2)
    assert life.state == "CONNECTED"
    life.run(20.35)
    assert life.state == "BACKOFF"


def exact(**policy: float) -> Connection:
    """A link that was proven at 0 s sharp: 7.5 is quiet, 15 is dead, in numbers that a float holds exactly."""
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
    """More than a second late is a sleep, and the grace is a second from waking, granted once."""
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
    """Half of `silence_timeout` counts from the last frame, and yet not every frame costs a timer."""
    connection = exact(silence_timeout=4.0, hold_limit=100.0)
    socket = connection.links[0].socket
    for now in frames:
        connection.handle(inputs.FrameReceived(socket, "ping"), now=now)
    for due in wakes:
        assert (connection.deadline, connection.health) == (due, Health.LIVE)
        connection.handle(inputs.Tick(), now=due)
    assert (connection.deadline, connection.health) == ([0.0, *frames][-1] + 4.0, Health.SUSPECT)


def test_phases_go_forward() -> None:
    """In the order in which a link lives through them, and no two are the same."""
    assert [phase.name for phase in sorted(Phase)] == ["OPENING", "SUBSCRIBING", "PROVING", "LIVE", "DRAINING", "GONE"]


# The end


@pytest.mark.parametrize("successor", [False, True])
def test_a_link_that_has_ended_is_not_proven_by_the_rest_of_its_frame(successor: bool) -> None:
    """What stands behind the word that ended it comes too late, and leaves no timer behind."""
    life = connected(10) if successor else opened()
    if successor:
        life.play(inputs.Rotate())
        life.run(10.15)
        life.mute.add(life.successor)
        life.run(10.25)
    life.frame("error fatal; ping; order A NEW 0/3", life.connection.links[-1].socket)
    assert life.count(actions.CloseSocket) == 1
    assert life.state == ("CONNECTED" if successor else "IDLE")
    life.run(60)
    assert life.state == ("CONNECTED" if successor else "IDLE")
    assert life.gaps == []


@pytest.mark.parametrize("end", ["closed by the venue", "closed by us", "stopped"])
def test_a_link_that_has_ended_is_shown_no_more(end: str) -> None:
    """What was looked at stays as it was then and cannot be changed, whoever closed the socket."""
    life = connected(10, max_frame_bytes=1000)
    (link,) = life.connection.links
    if end == "closed by the venue":
        life.drop()
    elif end == "closed by us":
        life.frame("x" * 1001)
    else:
        life.play(inputs.Stop())
    assert life.connection.links == ()
    assert (link.phase, link.proven, link.key.gone) == (Phase.LIVE, True, False)
    with pytest.raises(AttributeError):
        link.proven = False  # type: ignore[misc]


def test_oversized_frames_close() -> None:
    """A frame past `max_frame_bytes`, inflated or as text, closes the socket with the gap `oversized`."""
    for frame in ("x" * 1001, gzip.compress(bytes(1001)), gzip.compress(bytes(10_000_000))):
        life = connected(10, max_frame_bytes=1000)
        life.frame("note " + "y" * 995)
        life.frame(gzip.compress(b"ping " + b"z" * 995))
        assert life.state == "CONNECTED"
        life.frame(frame)
        assert life.state == "BACKOFF"
        assert life.gaps == [("GAP_OPENED", "oversized")]
        assert life.anomalies == ["oversized frame"]
        life.run(60)
        assert life.health == "LIVE"


@pytest.mark.parametrize(("code", "reason"), [(1009, "oversized"), (1001, "lost_socket"), (None, "lost_socket")])
def test_a_frame_that_the_transport_found_oversized(code: int | None, reason: str) -> None:
    """It never comes here; the code with which the transport ended the socket is the reason of the gap."""
    life = connected(10)
    life.play(inputs.SocketClosed(life.leader, code))
    assert life.gaps == [("GAP_OPENED", reason)]


def test_what_cannot_be_read_is_a_sign_of_life() -> None:
    """It ends the silence as any frame does, so that the socket stays."""
    life = connected(10)
    life.mute.add(life.leader)
    for at in range(19, 99, 10):
        life.run(at)
        life.frame("what?")
    assert life.state == "CONNECTED"
    assert ("GAP_OPENED", "silent") not in life.gaps


def test_closing_sockets_say_nothing() -> None:
    """What a socket still brings after we closed it is ignored, heartbeats and fills alike; so are strange sockets."""
    life = connected(10, max_frame_bytes=1000)
    socket = life.leader
    life.frame("x" * 1001)
    for frame in ("ping", "fill A 1/3 +1", "error fatal", "expired K1", "x" * 1001, b"?"):
        for other in (socket, 999, -1, 0):
            assert life.play(inputs.FrameReceived(other, frame)) == []


def test_a_fatal_error_frame_ends_a_link_not_the_stream() -> None:
    """A live link that is told something fatal is replaced; only when the next one hears it too does the stream end."""
    life = connected()
    life.frame("error fatal")
    assert life.state == "BACKOFF"
    assert life.gaps == [("GAP_OPENED", "lost_socket")]
    life.dials.append(no(FATAL))
    life.run(60)
    assert [finish.error for finish in life.seen(actions.Finish)] == [FATAL]
    assert life.connection.finished
