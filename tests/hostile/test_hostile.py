"""Any data of a peer: the door raises nothing, and memory stays bounded."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.adapters.simulator.garbage import bomb
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.dialect import Dialect
from listenkey.core.events import Balance, ExchangeEvent, Fill
from listenkey.core.reports import Account

from ..adapters.venues.nasty import JSON
from ..adapters.venues.samples import FAMILIES, Samples, samples
from ..examples import TIMES

families = pytest.mark.parametrize("family", FAMILIES)
KEY = "5f" * 32
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "", "0", "-0", "9" * 5000, "0x10", "\uff11")
LITERALS = ("1e400", "-1e400", "1" + "0" * 5000, "NaN", "1e999999999999", "1.5e-400", "true")
LIMIT_MIB = 150
ROOT = Path(__file__).resolve().parents[2]


def connection(family: str, dialect: Dialect | None = None) -> Connection:
    """Return a connection of this family or dialect that is connected and has read the account."""
    given = samples(family)
    dialect = dialect or next(iter(given.DIALECTS.values()))
    made = Connection(dialect)
    waiting: deque[inputs.Input] = deque([inputs.Start()])
    now = 0.0
    while waiting:
        for action in made.handle(waiting.popleft(), now=now):
            waiting += answers(action, given, dialect)
        now += 0.1
    assert made.health == "LIVE"
    return made


def answers(action: actions.Action, given: Samples, dialect: Dialect) -> list[inputs.Input]:
    """Return the inputs that answer an action without a fault."""
    match action:
        case actions.CreateKey():
            return [action.granted(KEY, 3600.0, 1_760_000_000_000)]
        case actions.RenewKey(key=key):
            return [action.renewed(key)]
        case actions.OpenSocket(socket):
            frames = [given.packed(text) for text in given.alive(dialect, socket)]
            return [action.opened(), *(inputs.FrameReceived(socket, frame) for frame in frames)]
        case actions.ReadAccount(since=since):
            account = Account(
                as_of=1_760_000_000_300,
                exchange_ms=1_760_000_000_400,
                since=since,
                whole=True,
                settled=True,
                balances=(Balance(asset="USDT", wallet_balance=Decimal(1000)),),
            )
            return [action.read(account)]
    return []


def delivered(made: Connection, *frames: bytes | str) -> list[ExchangeEvent]:
    """Hand in frames, each with some time after it; return the delivered events."""
    events = []
    now = 1.0
    for frame in frames:
        socket = made.links[0].socket if made.links else 0
        for received in (inputs.FrameReceived(socket, frame), inputs.Tick()):
            now += 0.3
            ordered = made.handle(received, now=now)
            assert made.deadline > now
            events += [each.event for each in ordered if isinstance(each, actions.Deliver)]
    for event in events:
        event.to_json()
    return events


def order(family: str, **fields: Any) -> bytes | str:
    """Return an order's frame with some fields replaced, packed as the venue does."""
    given = samples(family)
    return given.packed(json.dumps(given.order(**fields)))


def nested(depth: int) -> Iterator[bytes]:
    """Yield deep structures of several kinds."""
    yield b"[" * depth + b"]" * depth
    yield b'{"a":' * depth + b"1" + b"}" * depth
    yield b'{"e":"ORDER_TRADE_UPDATE","o":' + b'{"s":' * depth + b"1" + b"}" * (depth + 1)
    yield b'{"e":"SNAPSHOT","a":' + b"[" * depth + b"]" * depth + b"}"


EACH = [(family, field) for family in FAMILIES for field in samples(family).AMOUNTS]


@pytest.mark.parametrize(("family", "field"), EACH)
def test_what_is_no_number_is_never_made_one(family: str, field: str) -> None:
    """A delivered fill has finite amounts and a positive quantity, whatever text is in the frame's numbers."""
    for number in NUMBERS:
        for event in delivered(connection(family), order(family, **{field: number})):
            if isinstance(event, Fill):
                amounts = (event.fill_qty, event.cumulative_qty, event.fill_price, event.fee, event.realized_pnl)
                assert all(amount is None or amount.is_finite() for amount in (*amounts, event.qty)), number
                assert event.fill_qty > 0


@pytest.mark.parametrize(("family", "field"), [*EACH, *((family, "E") for family in FAMILIES)])
def test_numbers_that_no_float_holds(family: str, field: str) -> None:
    """JSON numbers that no float can hold raise nothing."""
    for literal in LITERALS:
        text = json.dumps(samples(family).order(**{field: 123456789})).replace("123456789", literal)
        delivered(connection(family), gzip.compress(text.encode(), 1), text)


@families
@pytest.mark.parametrize("depth", [10, 500, 1_000, 5_000, 100_000])
def test_deep_nesting(family: str, depth: int) -> None:
    """Deeply nested content raises nothing at any depth."""
    made = connection(family)
    for content in nested(depth):
        delivered(made, gzip.compress(content, 1), content.decode())


@families
def test_bombs_close_the_socket_and_nothing_else(family: str) -> None:
    """Frames that inflate beyond the limit, or have many gzip members, raise nothing."""
    for frame in (bomb(8), bomb(200), gzip.compress(bytes(600_000)) * 3, gzip.compress(b"") * 100):
        delivered(connection(family), frame)


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        '{"e":"\ud800"}',
        '{"e":"ACCOUNT_UPDATE","E":1,"a":{"m":"\udfff","B":[],"P":[]}}',
        '{"e":"X","x":"\\ud800"}',
        '{"e":"ACCOUNT_UPDATE","E":1,"a":{"m":"\\ud800","B":[],"P":[]}}',
        '{"e":"ORDER_TRADE_UPDATE","e":"ORDER_TRADE_UPDATE","o":{}}',
        '{"e":"ORDER_TRADE_UPDATE","o":{"s":"A","s":"B","i":1,"i":2}}',
        "\x00" * 100,
        "\ufeff{}",
        '{"code":100,"msg":"' + "x" * 100_000 + '"}',
    ],
)
@families
def test_texts_that_are_not_what_they_seem(family: str, text: str) -> None:
    """Texts with surrogates, repeated keys, null characters or a long message raise nothing."""
    seems(family, text)


@families
def test_traps(family: str) -> None:
    """A text that resembles a frame of the family raises nothing."""
    for text in samples(family).TRAPS:
        seems(family, text)


def seems(family: str, text: str) -> None:
    for dialect in samples(family).DIALECTS.values():
        for frame in (text, gzip.compress(text.encode(errors="surrogatepass"), 1)):
            delivered(connection(family, dialect), frame)


@families
@given(frames=st.lists(st.one_of(st.binary(max_size=200), st.text(max_size=200)), max_size=6))
@settings(deadline=None, max_examples=30 * TIMES)
def test_any_bytes(family: str, frames: list[bytes | str]) -> None:
    """Any bytes or texts, plain or in gzip, raise nothing."""
    wrapped = [gzip.compress(frame if isinstance(frame, bytes) else frame.encode(), 1) for frame in frames]
    delivered(connection(family), *frames, *wrapped)


@families
@given(data=st.data(), one=JSON, other=JSON)
@settings(deadline=None, max_examples=60 * TIMES)
def test_any_json_under_any_name(family: str, data: st.DataObject, one: Any, other: Any) -> None:
    """A frame with a known event name and any JSON inside raises nothing."""
    event = data.draw(st.sampled_from([*samples(family).EVENTS, "x"]))
    text = json.dumps({"e": event, "E": 1_760_000_001_000, "o": one, "a": other, "ac": one})
    delivered(connection(family), text, gzip.compress(text.encode(), 1))


@families
def test_every_garbage_that_the_simulator_knows(family: str) -> None:
    """All kinds of garbage of the simulator on one connection raise nothing."""
    delivered(connection(family), *samples(family).garbage().values())


@families
def test_frames_cut_at_any_byte(family: str) -> None:
    """A frame cut at any byte, or with something behind it, raises nothing."""
    whole = order(family)
    for each in (whole, gzip.compress(whole.encode(), 1)) if isinstance(whole, str) else (whole,):
        behind = b"x" if isinstance(each, bytes) else "x"
        delivered(connection(family), *(each[:size] for size in range(len(each))), each + behind, each + each)  # type: ignore[operator]


def test_memory_stays_bounded_under_all_of_it() -> None:
    """Bombs, deep frames and 100 MiB of blanks take a process to at most 150 MiB."""
    script = (
        "import gzip, re, resource, sys\n"
        "from tests.hostile.test_hostile import FAMILIES, bomb, connection, delivered, nested\n"
        "for family in (*FAMILIES, FAMILIES[0]):\n"
        "    delivered(connection(family), bomb(256), *map(bytes, nested(100_000)), gzip.compress(b'x' * 1_000_000))\n"
        "import zlib\n"
        "squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)\n"
        "blanks = [squeeze.compress(b' ' * 1048576) for _ in range(100)]\n"
        "delivered(connection(family), b''.join(blanks) + squeeze.flush())\n"
        # On Linux ru_maxrss includes the memory of the parent before the exec; VmHWM does not.
        "status = open('/proc/self/status').read() if sys.platform == 'linux' else ''\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status)\n"
        "print((int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(run.stdout) < LIMIT_MIB
