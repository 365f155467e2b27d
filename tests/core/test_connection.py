"""The door: which inputs it takes and when, and that no input can break it."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection, Misuse
from listenkey.core.events import HealthChange, Unknown
from listenkey.core.link.lifecycle import State
from listenkey.core.link.link import Phase
from listenkey.core.policy import Policy
from listenkey.core.reports import Report

from .scripted import Answer, ScriptedWorld, connected, empty_account, scripted
from .toy import Toy


class Mute(Toy):
    """A dialect that reads nothing in some frames."""

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        return () if frame == "nothing" else super().decode(frame)


def test_a_frame_of_which_nothing_is_reported() -> None:
    """It raises nothing and proves nothing, and the next frame is read as usual."""
    connection = Connection(Mute())
    (create,) = connection.handle(inputs.Start(), now=0.0)
    assert isinstance(create, actions.CreateKey)
    granted = connection.handle(create.granted("a key", 3600.0, 1_700_000_000_000), now=0.1)
    (opening,) = [action for action in granted if isinstance(action, actions.OpenSocket)]
    connection.handle(opening.opened(), now=0.2)
    assert connection.handle(opening.received("nothing"), now=0.3) == []
    states = [connection.state]
    connection.handle(opening.received("ping 1"), now=0.4)
    assert [*states, connection.state] == [State.KEYED, State.CONNECTED]


# Misuse


@pytest.mark.parametrize(
    ("received", "now", "message"),
    [
        (inputs.Start(), 20.0, "Start came twice; the state is CONNECTED"),
        (None, 20.0, "NoneType is not an input"),
        ("ping", 20.0, "str is not an input"),
        (inputs.Tick, 20.0, "StructMeta is not an input"),
        (actions.CreateKey(1), 20.0, "CreateKey is not an input"),
        (inputs.Tick(), math.nan, "now must be in seconds, not nan"),
        (inputs.Tick(), math.inf, "now must be in seconds, not inf"),
        (inputs.Tick(), -math.inf, "now must be in seconds, not -inf"),
        (inputs.Tick(), 1.7e18, "now must be in seconds, not 1.7e+18"),
    ],
)
def test_misuse_changes_nothing(received: Any, now: float, message: str) -> None:
    """A second `Start`, a value that is no input, and a time that is none are refused, and change nothing."""
    world, twin = connected(), connected()
    with pytest.raises(Misuse, match=message.replace("+", r"\+")):
        world.connection.handle(received, now=now)
    assert world.run(60).log == twin.run(60).log


@pytest.mark.parametrize("mode", ["", "WS", "socket", None])
def test_unknown_mode(mode: Any) -> None:
    """A mode other than `ws` and `poll` is refused."""
    with pytest.raises(Misuse, match="mode must be"):
        Connection(Toy(), mode=mode)


def test_the_dialects_defaults_hold() -> None:
    """Numbers given by the user go before the dialect's, and these before the policy's defaults."""
    policy = Connection(Toy(policy={"drain": 3, "silence_timeout": 70}), Policy(drain=4)).policy
    assert (policy.drain, policy.silence_timeout, policy.connect_timeout) == (4, 70, 10)


# Time


def test_time_first() -> None:
    """Timers that are due run before the input is handled: a frame after the silence timeout comes too late."""
    world = connected(10)
    socket = world.leader
    world.mute.add(socket)
    world.run(20)
    done = world.feed(inputs.FrameReceived(socket, "ping"), now=20.4)
    assert isinstance(done[0], actions.CloseSocket)
    assert not any(isinstance(action, actions.SendFrame) for action in done)


def test_time_before_the_end_of_a_socket() -> None:
    """A socket's timer that is due runs even if the input is the end of that socket; the end is handled after it."""
    world = connected(10)
    socket = world.leader
    world.mute.add(socket)
    world.run(20)
    done = world.feed(inputs.SocketClosed(socket), now=20.4)
    assert [type(action).__name__ for action in done] == ["CloseSocket", "Deliver", "DeleteKey", "Deliver"]
    assert world.gaps == [("GAP_OPENED", "silent")]


def test_time_does_not_go_back() -> None:
    """A `now` before the last one counts as the last one, and no timer moves for it."""
    world, twin = connected(10), connected(10)
    for now in (5.0, -1e11, 9.999, 10):
        assert world.connection.handle(inputs.Tick(), now=now) == []
    done = world.connection.handle(inputs.FrameReceived(world.leader, "ping"), now=3)
    assert done == twin.connection.handle(inputs.FrameReceived(world.leader, "ping"), now=10)
    assert world.connection.deadline == twin.connection.deadline


def test_late_timers_fire_once() -> None:
    """A timer that was due many times during a sleep fires once, and then counts from now."""
    world = connected(10, rotate_after=0, renew_interval=60, audit_interval=30)
    renewals, reads = world.count(actions.RenewKey), world.count(actions.ReadAccount)
    world.sleep_until(3000).run(3000)
    assert world.count(actions.RenewKey) == renewals + 1
    assert world.count(actions.ReadAccount) == reads + 1
    world.run(3000.5)
    world.run(3050)
    assert world.count(actions.RenewKey) == renewals + 1
    world.run(3061)
    assert world.count(actions.RenewKey) == renewals + 2


def test_any_clock() -> None:
    """The caller's clock may start anywhere, even below zero."""

    def live(origin: float) -> list[list[actions.Action]]:
        connection, done = Connection(Toy(), seed=3), []
        for after, received in connected(100).inputs:
            done.append(connection.handle(received, now=origin + after))
        return done

    kinds = [[type(action) for action in ordered] for ordered in live(0)]
    for origin in (-5000.0, 1e6, 1.7e9):
        assert [[type(action) for action in ordered] for ordered in live(origin)] == kinds


# Views


def test_what_can_be_seen() -> None:
    """State, health, links and `proven_until` are those after the last call; a returned list does not change later."""
    connection = Connection(Toy())
    assert (connection.state, connection.health, connection.deadline) == (State.IDLE, "BLIND", math.inf)
    assert (connection.links, connection.began, connection.proven_until, connection.books) == ((), None, None, ())
    assert not connection.finished
    assert connection.handle(inputs.Tick(), now=0) == []
    world = connected()
    first = world.feed(inputs.FrameReceived(world.leader, "ping"))
    before = list(first)
    world.feed(inputs.FrameReceived(world.leader, "ping"))
    assert first == before
    assert [link.phase for link in world.connection.links] == [Phase.LIVE]
    assert world.connection.began is not None
    assert world.connection.proven_until is not None
    assert world.connection.proven_until >= world.connection.began


def test_health_is_delivered_once_per_change() -> None:
    """Each change of health is one event, with the lifecycle's state and the exchange's time."""
    world = connected()
    world.drop()
    world.run(60)
    delivered = world.events(HealthChange)
    assert [(event.health.value, event.state) for event in delivered] == [
        ("LIVE", "CONNECTED"),
        ("BLIND", "BACKOFF"),
        ("SUSPECT", "CONNECTED"),
        ("LIVE", "CONNECTED"),
    ]
    assert len({event.event_id for event in delivered}) == 4
    assert all(event.source == "local" and event.exchange_ts is not None for event in delivered)


def test_poll_mode_health() -> None:
    """In `mode="poll"` health is LIVE while the last read is younger than two intervals, else BLIND."""
    connection = Connection(Toy(), Policy(poll_interval=5), mode="poll")
    (asked,) = connection.handle(inputs.Start(), now=0)
    assert isinstance(asked, actions.ReadAccount)
    assert connection.health == "BLIND"
    account = empty_account(1_700_000_000_000, None)
    connection.handle(inputs.AccountRead(asked.request, account), now=1)
    assert (connection.health, connection.state) == ("LIVE", State.IDLE)
    connection.handle(inputs.Tick(), now=10.9)
    assert str(connection.health) == "LIVE"
    connection.handle(inputs.Tick(), now=15)
    assert str(connection.health) == "BLIND"


# Frames


@pytest.mark.parametrize(
    ("frame", "anomaly", "detail"),
    [
        (b"", "not gzip", "the frame is empty"),
        (b"{", "unreadable frame", "not a sentence"),
        (gzip.compress(b"ping", mtime=0)[:-4], "not gzip", "truncated"),
        ("", "unreadable frame", ""),
        ("\ud800", "unreadable frame", "not text"),
        ("{", "unreadable frame", "not a sentence"),
        (gzip.compress(b"\xff\xfe", mtime=0), "unreadable frame", "not text"),
    ],
)
def test_garbage_is_counted(frame: str | bytes, anomaly: str, detail: str) -> None:
    """An unreadable frame is an anomaly with a count and the frame's beginning, and changes nothing."""
    world = connected()
    for count in (1, 2, 3):
        report = world.feed(inputs.FrameReceived(world.leader, frame))[0]
        assert isinstance(report, actions.Report)
        assert (report.anomaly.name, report.anomaly.count) == (anomaly, count)
        assert detail in report.anomaly.detail
    assert world.state == "CONNECTED"


def test_anomalies_show_no_secrets() -> None:
    """The detail of an anomaly shows nothing of a frame that could be a key."""
    key = "c1a2" * 16
    world = scripted(mints=[Answer(key=key)]).run(10)
    for frame in (f"?{key}", f'{{"listenKey":"{key}"', f"{key}".encode()):
        world.feed(inputs.FrameReceived(world.leader, frame))
    assert len(world.anomalies) == 3
    assert all(key[:16] not in report.anomaly.detail for report in world.seen(actions.Report))


def test_unknown_frames_are_passed_on_without_the_key() -> None:
    """An unknown frame is delivered whole, with the stream's own keys starred in `raw` and in `frame`."""
    key = "c1a2" * 16
    world = scripted(mints=[Answer(key=key)]).run(10)
    world.exchange.say("note hello")
    world.run(11.5)
    world.exchange.say(f"note {key} and {key}")
    world.run(13)
    world.feed(inputs.FrameReceived(world.leader, gzip.compress(f"note {key}".encode())))
    unknown = world.events(Unknown)
    assert [event.raw for event in unknown] == [
        {"words": ["hello"]},
        {"words": ["*" * 64, "and", "*" * 64]},
        {"words": ["*" * 64]},
    ]
    assert all(key not in repr(event) for event in unknown)


def test_a_frame_is_read_without_what_is_secret_but_for_what_serves_the_connection() -> None:
    """A ping is answered with its own text, and an expiry may name the key; everything else is read with stars."""
    key = "c1a2 ; note b3d4"
    world = scripted(mints=[Answer(key=key), Answer(key="k" * 20)]).run(10)
    world.exchange.say(f"note {key} of three words")
    assert world.delivered[-1].raw == {"words": ["*" * 16, "of", "three", "words"]}  # type: ignore[attr-defined]
    world.run(12)
    foreign = "another-stream-of-the-account"
    world.exchange.say(f"expired {foreign}; ping {foreign}; doubt {foreign}")
    (delivered,) = (event for event in world.events(Unknown) if event.raw["words"] == ["*" * 29])
    assert foreign not in delivered.frame
    assert world.seen(actions.SendFrame)[-1].data == f"pong {foreign}"


@pytest.mark.parametrize("key", ["", "n", "{", '"', "e", " ", "\\", "\ud800", "\ud800" * 9])
def test_absurd_keys(key: str) -> None:
    """A key that no frame could be distinguished from breaks nothing."""
    world = scripted(mints=[Answer(key=key)]).run(10)
    world.exchange.say('note {"one": "two"}')
    assert isinstance(world.delivered[-1], Unknown)
    assert world.state == "CONNECTED"


def test_several_words_in_a_frame() -> None:
    """The reports of a frame are handled in their order."""
    world = connected()
    done = world.feed(inputs.FrameReceived(world.leader, "ping 1; error retry; ping 2; note x"))
    assert [type(action).__name__ for action in done] == ["SendFrame", "Report", "SendFrame", "Deliver"]


# Requests and answers


@pytest.mark.parametrize("call", ["begin", "resync"])
def test_before_the_start(call: str) -> None:
    """Before `Start` nothing is asked for, whatever input comes; a key that was not asked for is deleted."""
    connection = Connection(Toy())
    if call == "begin":
        assert connection.handle(inputs.KeyGranted(1, "K", 60, 5), now=0) == [actions.DeleteKey(1, "K")]
        assert connection.handle(inputs.KeyDeleted(1), now=0) == []
    else:
        assert connection.handle(inputs.Resync(), now=0) == []
    assert connection.deadline == math.inf
    assert connection.handle(inputs.Tick(), now=100) == []
    assert connection.began is None


def test_resync() -> None:
    """`Resync` asks for a read at once, with or without a link."""
    world = connected(rotate_after=0, audit_interval=0)
    reads = world.count(actions.ReadAccount)
    (asked,) = world.feed(inputs.Resync())
    assert isinstance(asked, actions.ReadAccount)
    world.run(20)
    assert world.count(actions.ReadAccount) == reads + 1
    assert world.health == "LIVE"


@pytest.mark.parametrize("reach", [connected, lambda: scripted().run(0.05)])
def test_numbers_are_never_used_twice(reach: Callable[[], ScriptedWorld]) -> None:
    """Requests and sockets share one sequence of numbers, so answers cannot be confused."""
    world = reach()
    world.drop() if world.connection.links else None
    world.run(5000)
    numbers = [
        getattr(action, "request", None) or getattr(action, "socket", None)
        for _, action in world.log
        if isinstance(action, (actions.CreateKey, actions.RenewKey, actions.ReadAccount, actions.OpenSocket))
    ]
    assert len(set(numbers)) == len(numbers)


def test_amounts_stay_exact() -> None:
    """Amounts stay exact decimals from input to event."""
    world = connected()
    world.exchange.say("wallet 0.1000000000000000055511151231257827")
    update: Any = world.delivered[-1]
    assert update.balances[0].wallet_balance == Decimal("0.1000000000000000055511151231257827")
