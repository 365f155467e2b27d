"""Whatever a peer sends: nothing is raised out of the door, and memory stays bounded."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.adapters.simulator.garbage import bomb, garbage
from listenkey.adapters.venues.bingx.spot import SpotDialect
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.dialect import Dialect
from listenkey.core.events import Balance, ExchangeEvent, Fill
from listenkey.core.reports import Account

from ..examples import TIMES

KEY = "5f" * 32
NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "", "0", "-0", "9" * 5000, "0x10", "\uff11")
LIMIT_MIB = 150
ROOT = Path(__file__).resolve().parents[2]


def connection(dialect: Dialect | None = None) -> Connection:
    """One that is connected, with the account read."""
    made = Connection(dialect or SwapDialect())
    (asked,) = [each for each in made.handle(inputs.Start(), now=0.0) if isinstance(each, actions.CreateKey)]
    made.handle(inputs.KeyGranted(asked.request, KEY, 3600.0, 1_760_000_000_000), now=0.1)
    socket = made.links[0].socket
    ordered = made.handle(inputs.SocketOpened(socket), now=0.2)
    ordered += made.handle(inputs.FrameReceived(socket, gzip.compress(b"Ping")), now=0.3)
    for read in [each for each in ordered if isinstance(each, actions.ReadAccount)]:
        wallet = Balance(asset="USDT", wallet_balance=Decimal(1000))
        account = Account(
            as_of=1_760_000_000_300,
            exchange_ms=1_760_000_000_400,
            since=read.since,
            whole=True,
            settled=True,
            balances=(wallet,),
        )
        made.handle(inputs.AccountRead(read.request, account), now=0.5)
    return made


def told(made: Connection, *frames: bytes | str) -> list[ExchangeEvent]:
    """The events that come of frames and of the time after them; the door must hold."""
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


def order(**changes: Any) -> bytes:
    """An order frame with some fields replaced."""
    body = {
        "s": "BTC-USDT", "c": "", "i": 1976218903122018401, "S": "BUY", "o": "LIMIT", "q": "1", "p": "64000",
        "x": "TRADE", "X": "PARTIALLY_FILLED", "N": "USDT", "n": "-0.01", "T": 0, "ps": "LONG", "rp": "0", "z": "0.5",
        "ap": "64000", "l": "0.5", "L": "64000", "td": 7,
    }  # fmt: skip
    frame = {"e": "ORDER_TRADE_UPDATE", "E": 1_760_000_001_000, "o": {**body, **changes}}
    return gzip.compress(msgspec.json.encode(frame), 1)


def nested(depth: int) -> Iterator[bytes]:
    """Deep structures of several kinds."""
    yield b"[" * depth + b"]" * depth
    yield b'{"a":' * depth + b"1" + b"}" * depth
    yield b'{"e":"ORDER_TRADE_UPDATE","o":' + b'{"s":' * depth + b"1" + b"}" * (depth + 1)
    yield b'{"e":"SNAPSHOT","a":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("field", ["q", "z", "l", "L", "ap", "p", "n", "rp", "T", "i", "td"])
@pytest.mark.parametrize("number", NUMBERS)
def test_what_is_no_number_is_never_made_one(field: str, number: str) -> None:
    """A fill that is told has finite amounts; what could not be read is UNKNOWN, absent, or not told."""
    for event in told(connection(), order(**{field: number})):
        if isinstance(event, Fill):
            amounts = (event.fill_qty, event.cumulative_qty, event.fill_price, event.fee, event.realized_pnl, event.qty)
            assert all(amount is None or amount.is_finite() for amount in amounts)
            assert event.fill_qty > 0


@pytest.mark.parametrize("field", ["q", "z", "l", "L", "n", "i", "E"])
@pytest.mark.parametrize("literal", ["1e400", "-1e400", "1" + "0" * 5000, "NaN", "1e999999999999", "1.5e-400", "true"])
def test_numbers_that_no_float_holds(field: str, literal: str) -> None:
    """As bare JSON numbers, not strings."""
    text = gzip.decompress(order(**{field: 123456789})).replace(b"123456789", literal.encode())
    told(connection(), gzip.compress(text, 1), text.decode())


@pytest.mark.parametrize("depth", [10, 500, 1_000, 5_000, 100_000])
def test_deep_nesting(depth: int) -> None:
    """An anomaly, whatever the depth."""
    made = connection()
    for content in nested(depth):
        told(made, gzip.compress(content, 1), content.decode())


def test_bombs_close_the_socket_and_nothing_else() -> None:
    """Inflating stops at the limit; many members are as bad as one."""
    for frame in (bomb(8), bomb(200), gzip.compress(bytes(600_000)) * 3, gzip.compress(b"") * 100):
        told(connection(), frame)


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
        '{"ping":"' + "9" * 300 + '","time":"x"}',
        '{"e":"listenKeyExpired","listenKey":"Ping"}',
        "Ping\n",
        "ping",
        '{"e":"listenKeyExpired"}',
        '{"code":100413,"msg":"' + "x" * 100_000 + '"}',
    ],
)
@pytest.mark.parametrize("dialect", [SwapDialect(), SpotDialect()])
def test_texts_that_are_not_what_they_seem(text: str, dialect: Dialect) -> None:
    """Surrogates, keys that come twice, things that look like pings."""
    for frame in (text, gzip.compress(text.encode(errors="surrogatepass"), 1)):
        told(connection(dialect), frame)


@given(st.lists(st.one_of(st.binary(max_size=200), st.text(max_size=200)), max_size=6))
@settings(deadline=None, max_examples=30 * TIMES)
def test_any_bytes(frames: list[bytes | str]) -> None:
    """As they are, and as the content of a gzip member."""
    wrapped = [gzip.compress(frame if isinstance(frame, bytes) else frame.encode(), 1) for frame in frames]
    told(connection(), *frames, *wrapped)


NAMES = [*"eEToasiqzXlLBPm", "ac", "wb", "pa", "ps", "id", "code", "data", "listenKey"]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(NUMBERS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner)),
    max_leaves=12,
)
EVENTS = st.sampled_from(["ORDER_TRADE_UPDATE", "TRADE_UPDATE", "ACCOUNT_UPDATE", "SNAPSHOT", "listenKeyExpired", "x"])


@given(EVENTS, JSON, JSON)
@settings(deadline=None, max_examples=60 * TIMES)
def test_any_json_under_any_name(event: str, one: Any, other: Any) -> None:
    """Right outside, anything inside."""
    text = json.dumps({"e": event, "E": 1_760_000_001_000, "o": one, "a": other, "ac": one})
    told(connection(), text, gzip.compress(text.encode(), 1))


def test_every_garbage_that_the_simulator_knows() -> None:
    """All kinds on one link."""
    told(connection(), *garbage().values())


def test_frames_cut_at_any_byte() -> None:
    """A truncated member is an anomaly; so is a good one with something behind it."""
    whole = order()
    told(connection(), *(whole[:size] for size in range(len(whole))), whole + b"x", whole + whole)


def test_memory_stays_bounded_under_all_of_it() -> None:
    """In a process of its own: bombs, deep frames and 100 MB of text, at most 150 MiB at the peak."""
    script = (
        "import gzip, re, resource, sys\n"
        "from tests.hostile.test_hostile import bomb, connection, nested, told\n"
        "for _ in range(3):\n"
        "    told(connection(), bomb(256), *map(bytes, nested(100_000)), gzip.compress(b'x' * 1_000_000))\n"
        "import zlib\n"
        "squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)\n"
        "told(connection(), b''.join(squeeze.compress(b' ' * 1048576) for _ in range(100)) + squeeze.flush())\n"
        # Linux counts what the parent had before the exec into ru_maxrss, but not into VmHWM.
        "status = open('/proc/self/status').read() if sys.platform == 'linux' else ''\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status)\n"
        "print((int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(run.stdout) < LIMIT_MIB
