"""Frames that nobody understands are delivered, and the account is read after them, ever less often."""

from __future__ import annotations

import base64
import gzip
import itertools
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from listenkey.core import actions, inputs
from listenkey.core.context import Context
from listenkey.core.events import AccountUpdate, Position, Unknown
from listenkey.core.excerpt import SEARCHED, SHOWN, beginning
from listenkey.core.policy import Policy
from listenkey.core.reports import Account, AccountReport, Report
from listenkey.core.secrets import Secrets
from listenkey.core.sync.doubts import SHAPES, Doubts

from ..scripted import Answer, ScriptedWorld, connected, no, scripted
from ..trading import ready
from ..world import EPOCH, RETRY

WHOLE = gzip.compress(b"ping " + bytes(range(64)), mtime=0)
SOME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUIET: dict[str, Any] = {"audit_interval": 0, "rotate_after": 0}


# What cannot be read


@pytest.mark.parametrize("frame", [b"", b"\xff\xfe", WHOLE[:-4], WHOLE[:10], WHOLE + b"x", "", "\ud800", "{", b"{"])
def test_what_cannot_be_read_is_delivered_and_read(frame: bytes | str) -> None:
    """The event has the frame's beginning and length; then a gap `hole` opens, a read closes it, and the link stays."""
    world = connected(**QUIET)
    world.feed(inputs.FrameReceived(world.leader, frame))
    data = frame.encode(errors="surrogatepass") if isinstance(frame, str) else frame
    (event,) = world.events(Unknown)
    assert event.raw == {"base64": base64.b64encode(data).decode(), "length": len(data)}
    assert (event.source, event.exchange_ts, event.frame) == ("ws", None, data)
    world.run(12)
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]
    assert (world.state, world.health) == ("CONNECTED", "LIVE")


def test_it_is_delivered_in_its_place() -> None:
    """Events before it in the frame are delivered before it, and those behind it after it."""
    world = connected(**QUIET)
    done = world.exchange.say("note one; ??; order A NEW 0/3 @1700000020000")
    delivered = [action.event.kind.value for action in done if isinstance(action, actions.Deliver)]
    assert delivered == ["UNKNOWN", "UNKNOWN", "GAP_OPENED", "ORDER_ACK", "HEALTH"]


@pytest.mark.parametrize("size", [SHOWN, SHOWN + 1, 10 * SHOWN])
def test_a_large_frame_is_shown_in_part(size: int) -> None:
    """The event has at most 4 KiB of the frame, and its whole length."""
    world = connected(**QUIET)
    world.exchange.say("? " * (size // 2))
    (event,) = world.events(Unknown)
    assert event.raw["length"] == size // 2 * 2
    assert base64.b64decode(event.raw["base64"]) == (b"? " * size)[: min(size // 2 * 2, SHOWN)]


# Secrets

KEY = "c1a2d3b4e5f60718"
"""A key too short to be recognised by its form."""


def frames_with_a_secret() -> Iterator[tuple[bytes, bytes]]:
    """Frames that contain the key, and the bytes that must be shown of them."""
    yield b"? " + KEY.encode() + b" !", b"? " + b"*" * 16 + b" !"
    yield b"?" * (SHOWN - 4) + KEY.encode(), b"?" * (SHOWN - 4) + b"****"
    yield b"? " + b"z" * 24 + b" " + b"z" * 23, b"? " + b"*" * 24 + b" " + b"z" * 23
    for whole in (gzip.compress(b"expired " + KEY.encode(), mtime=0), zlib.compress(b"\xff " + KEY.encode())):
        broken = whole[:-1]
        yield broken, broken[:10] + b"*" * (len(broken) - 10)
    yield f"? {KEY}".encode("utf-16-le"), b"?\0 \0" + b"*" * 31 + b"\0"
    yield b"?" * (SHOWN - 8) + KEY.encode("utf-16-le"), b"?" * (SHOWN - 8) + b"*" * 8
    unknown_wide = ("? " + "z" * 24).encode("utf-16-le")
    yield unknown_wide, unknown_wide[:10] + b"*" * 42
    bomb = gzip.compress(bytes(2 * SEARCHED), mtime=0)[:-1]
    yield bomb, bomb[:10] + b"*" * (len(bomb) - 10)


@pytest.mark.parametrize(("frame", "shown"), list(frames_with_a_secret()))
def test_no_secret_is_shown(frame: bytes, shown: bytes) -> None:
    """Known keys, texts that could be one, and compressed bytes are starred, also where the frame is cut."""
    world = scripted(mints=[Answer(key=KEY)], max_frame_bytes=4 * SEARCHED, **QUIET).run(10)
    world.feed(inputs.FrameReceived(world.leader, frame))
    (event,) = world.events(Unknown)
    assert base64.b64decode(event.raw["base64"]) == shown[:SHOWN]
    assert event.raw["length"] == len(frame)


@example(b"X\x85", "0000\x80\x80\x80\x80\x80\x80\x80\x80\U00010000", 0)  # the stars happen to be a deflate stream
@given(st.binary(max_size=300), st.text(max_size=40), st.integers(0, 300))
@SOME
def test_what_was_shown_is_shown_the_same(data: bytes, secret: str, end: int) -> None:
    """A frame with its secrets starred is starred alike again, so that a recording replays to the same event."""
    redact, name = Secrets([secret]).redact, secret.encode(errors="surrogatepass")
    for frame in (data, data + name + data, gzip.compress(data + name)[:end], gzip.compress(data) + name):
        for cut in (frame, b"?" * (SHOWN - end) + frame):
            shown = beginning(cut, redact)
            assert len(shown) == min(len(cut), SHOWN)
            assert beginning(shown, redact) == shown


# When it is read


def times(world: ScriptedWorld, kind: type, since: float = 10.0) -> list[float]:
    return [round(now - since, 1) for now, seen in world.log if isinstance(seen, kind) and now > since]


@pytest.mark.parametrize("frame", ["??", "doubt it", WHOLE[:-1]])
def test_reads_that_find_nothing_come_ever_later(frame: str | bytes) -> None:
    """A frame every other second causes reads 5, 10, 20, … s apart, up to an hour, and no gap in between."""
    world = connected(**QUIET, renew_interval=1000)
    for tick in range(1, 10_000):
        world.at(10 + 2 * tick, inputs.FrameReceived(world.leader, frame))
    world.run(20_010)
    asked = times(world, actions.ReadAccount, 10.01)
    waits = [round(after - before) for before, after in itertools.pairwise(asked)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600]
    assert len(world.gaps) == 2 * len(asked)
    assert world.health == "LIVE"


def test_the_last_frame_is_read_for_even_if_no_other_comes() -> None:
    """A frame that came while its shape was not read for is followed by a read at the end of that time."""
    world = connected(**QUIET)
    for at in (11, 12, 13):
        world.at(at, inputs.FrameReceived(world.leader, "??"))
    world.run(100)
    assert times(world, actions.ReadAccount) == [1.0, 6.1]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")] * 2


def test_a_read_that_comes_anyway_serves_too() -> None:
    """If the account is read meanwhile for another reason, no read of its own follows."""
    world = connected(**QUIET)
    for at in (11, 12):
        world.at(at, inputs.FrameReceived(world.leader, "??"))
    world.at(13, inputs.Resync())
    world.run(100)
    assert times(world, actions.ReadAccount) == [1.0, 3.0]


def test_a_read_that_was_asked_for_before_does_not_serve() -> None:
    """A frame that comes during a read causes another read after it; further frames until then share that one."""
    world = connected(**QUIET)
    world.exchange.reads.append(Answer(after=2.0))
    world.at(11, inputs.Resync())
    for at in (12, 12.5):
        world.at(at, inputs.FrameReceived(world.leader, "??"))
    world.run(100)
    assert times(world, actions.ReadAccount) == [1.0, 3.0]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]


def test_a_failed_read_is_repeated_and_the_gap_stays() -> None:
    """The gap closes only by a read that passes."""
    world = connected(**QUIET)
    world.exchange.reads.append(no(RETRY))
    world.at(11, inputs.FrameReceived(world.leader, "??"))
    world.at(12, inputs.FrameReceived(world.leader, "??"))
    world.run(14)
    assert world.gaps == [("GAP_OPENED", "hole")]
    world.run(100)
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]
    assert len(times(world, actions.ReadAccount)) == 2


def doubts() -> tuple[Doubts, Context, list[tuple[int | None, bool]]]:
    context, alarms = Context(Policy(), 0), list[tuple[int | None, bool]]()
    context.now = 0.0
    return Doubts(context, lambda since, gap: alarms.append((since, gap))), context, alarms


def test_a_read_that_finds_something_begins_anew() -> None:
    """After a read that found something the delays begin anew, also for a frame that came meanwhile."""
    found, context, alarms = doubts()
    for now in (0.0, 10.0, 30.0):
        context.now = now
        found.doubt("a", 1)
        found.read(now, 0)
    assert len(alarms) == 3
    context.now = 31.0
    found.doubt("a", 1)
    assert len(alarms) == 3
    found.read(31.0, 2)
    found.doubt("a", 7, gap=False)
    assert alarms[3:] == [(7, False)]
    context.now = 32.0
    found.doubt("a", 8)
    found.read(31.0, 1)
    assert context.timers.deadline == 32.0
    found.overdue()
    assert len(alarms) == 5
    found.read(32.0, 0)
    context.now = 33.0
    found.doubt("a", 9)
    assert context.timers.deadline == 37.0


def test_each_shape_waits_for_itself() -> None:
    """Each shape has delays of its own."""
    found, context, alarms = doubts()
    for now, shape in ((0.0, "a"), (1.0, "b")):
        context.now = now
        found.doubt(shape, None)
        found.read(now, 0)
    context.now = 1.5
    for shape in ("a", "b"):
        found.doubt(shape, None)
    context.now = 5.0
    found.overdue()
    assert len(alarms) == 3
    assert context.timers.deadline == 6.0


# Identities


def test_ids_differ() -> None:
    """Two unreadable frames are two events, even with the same bytes."""
    world = connected(**QUIET)
    for at in (11, 13):
        world.at(at, inputs.FrameReceived(world.leader, "??"))
    world.run(15)
    assert len({event.event_id for event in world.events(Unknown)}) == 2


def test_events_of_one_frame_are_no_repeats_of_each_other() -> None:
    """Each event of a frame has an id of its own, which is the same whenever the frame comes."""
    world = connected(**QUIET)
    frame = f"wallet 90 @{EPOCH + 20_000}; wallet 91 @{EPOCH + 20_001}; note x"
    for _ in range(2):
        world.feed(inputs.FrameReceived(world.leader, frame))
    updates = [event for event in world.events(AccountUpdate) if event.source == "ws"]
    assert [str(event.balances[0].wallet_balance) for event in updates] == ["90", "91"]
    assert len({event.event_id for event in (*updates, *world.events(Unknown))}) == 3
    once = connected(**QUIET)
    once.feed(inputs.FrameReceived(once.leader, frame))
    assert [event.event_id for event in once.delivered if event.source == "ws"] == [
        event.event_id for event in (*updates, *world.events(Unknown))
    ]


def test_shapes_are_bounded() -> None:
    """Shapes above the limit share one; those not seen for two hours make room."""
    found, context, alarms = doubts()
    for number in range(2 * SHAPES):
        found.doubt(str(number), number)
    assert len(found._shapes) == SHAPES
    assert len(alarms) == SHAPES
    found.read(0.0, 0)
    found.doubt("0", 1)
    context.now = 7201.0
    for number in range(2 * SHAPES):
        assert len(found._shapes) <= SHAPES
        found.doubt(f"new {number}", None)
    assert "0" in found._shapes
    assert "1" not in found._shapes


@given(st.lists(st.tuples(st.sampled_from(["frame", "read", "found", "wait"]), st.floats(0, 9)), max_size=40))
@SOME
def test_every_frame_is_read_for(script: list[tuple[str, float]]) -> None:
    """In any history, each frame is followed by a passed read that was asked for after it."""
    found, context, alarms = doubts()
    unread: float | None = None
    for what, after in script:
        context.now += after
        if context.timers.deadline <= context.now:
            context.timers.pop_due(context.now)
            found.overdue()
        if what == "frame":
            found.doubt("a", None)
            unread = context.now
        elif what in ("read", "found"):
            asked_at = context.now - after / 2
            found.read(asked_at, what == "found")
            unread = None if unread is not None and unread <= asked_at else unread
        waiting = any(known.alarmed_at is not None or known.waiting for known in found._shapes.values())
        assert waiting or unread is None
        owed = any(known.waiting for known in found._shapes.values())
        assert (context.timers.deadline < float("inf")) is owed
    assert len(alarms) <= len(script)


# Keys and modes


def test_an_error_frame_that_says_that_the_key_is_gone_is_an_expiry() -> None:
    """The key of its own link has expired, whatever request it names; a repeat changes nothing."""
    for frame in ("error gone", "error gone 9.9"):
        world = connected(**QUIET)
        world.exchange.say(frame)
        assert world.state == "ROTATING"
        world.exchange.say(frame)
        assert world.count(actions.CreateKey) == 2
        world.run(60)
        assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
        assert world.seen(actions.DeleteKey) == []
        assert world.health == "LIVE"


def test_an_expiry_with_an_empty_key_names_no_key_in_use() -> None:
    """It names no key in use, so the link stays; it is reported, and the account is read without a gap."""
    world = connected(**QUIET)
    reads = world.count(actions.ReadAccount)
    for _ in range(3):
        world.exchange.say("expired -")
    assert world.state == "CONNECTED"
    assert world.anomalies == ["expiry of a foreign key"] * 3
    assert world.count(actions.ReadAccount) == reads + 1
    world.run(14)
    assert world.gaps == []


def push(side: str, *, one_way: bool, held: int = 1) -> Report:
    positions = (Position(symbol="BTC-USDT", side=side, qty=Decimal(0)),) * held
    return AccountReport(reason="ORDER", balances=(), positions=positions, one_way=one_way)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ((push("LONG", one_way=False), push("SHORT", one_way=True)), 1),
        ((push("LONG", one_way=True), push("LONG", one_way=False, held=0), push("LONG", one_way=True)), 0),
    ],
)
def test_a_switch_of_positions_is_reported_and_read(said: tuple[Report, ...], count: int) -> None:
    """If the position mode changes, nothing was missed: no gap opens, but the account is read once."""
    world = ready(audit_interval=0)
    reads = len(world.seen(actions.ReadAccount))
    for report in said:
        world.exchange.say(report)
        world.passes(10)
    switches = [seen.anomaly.name for seen in world.seen(actions.Report)]
    assert switches == ["position mode changed"] * count
    assert len(world.seen(actions.ReadAccount)) - reads == count
    assert world.gaps == []


@pytest.mark.parametrize(("sides", "count"), [("LONG SHORT", 0), (" ", 0), ("LONG ", 1), (" LONG ", 2)])
def test_a_switch_of_orders_is_reported_and_read(sides: str, count: int) -> None:
    """A change between orders with a position side and orders without one means the same."""
    world = connected(**QUIET)
    reads = world.count(actions.ReadAccount)
    for number, side in enumerate(sides.split(" ")):
        world.exchange.say(f"order A{number} NEW 0/3 {side}".rstrip())
        world.run(world.now + 10)
    assert world.anomalies == ["position mode changed"] * count
    assert world.count(actions.ReadAccount) == reads + count
    assert world.gaps == []


def test_a_read_that_shows_another_position_mode_is_reported() -> None:
    """A read that shows it is reported, and no further read follows."""
    world = connected(**QUIET)
    for one_way in (False, True, True):
        held = (Position(symbol="TOY", side="LONG", qty=Decimal(1)),)

        def account(ms: int, since: int | None, one_way: bool = one_way, held: tuple[Position, ...] = held) -> Account:
            return Account(
                as_of=ms, exchange_ms=ms, since=since, whole=True, settled=True, positions=held, one_way=one_way
            )

        world.exchange.account = account
        world.feed(inputs.Resync())
        world.run(world.now + 5)
    assert world.anomalies == ["position mode changed"]
