"""Frames of odd form through the whole core: their events are delivered, or the frame itself as UNKNOWN."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections import deque
from collections.abc import Callable

import pytest

from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent, Fill, Unknown
from listenkey.core.policy import Policy
from listenkey.core.reports import Account

NOON = 1_764_000_000_000
KEY = "5f" * 32


def fill(order_id: int) -> bytes:
    """Return the frame of a market order that is filled at once."""
    body = {"s": "BTC-USDT", "i": order_id, "S": "BUY", "o": "MARKET", "q": "1", "p": "9", "ap": "9", "x": "TRADE"}
    rest = {"X": "FILLED", "N": "USDT", "n": "-0.1", "T": NOON + 500, "ps": "LONG", "rp": "0", "z": "1"}
    return json.dumps({"e": "ORDER_TRADE_UPDATE", "E": NOON + 500, "o": {**body, **rest}}).encode()


A, B = fill(1), fill(2)


class Stream:
    """A LIVE connection whose requests are answered at once, with an account that is empty by REST."""

    def __init__(self) -> None:
        self.connection = Connection(SwapDialect(), Policy(audit_interval=0))
        self.now = 0.0
        self.events: list[ExchangeEvent] = []
        self.reads = 0
        self._feed(inputs.Start())
        self.events.clear()
        self.reads = 0

    def hear(self, frame: bytes | str) -> None:
        """Receive a frame on the leader's socket."""
        self._feed(inputs.FrameReceived(self.connection.links[0].socket, frame))

    def _feed(self, received: inputs.Input) -> None:
        due = deque([received])
        while due:
            self.now += 0.01
            for action in self.connection.handle(due.popleft(), now=self.now):
                match action:
                    case actions.CreateKey(request):
                        due.append(inputs.KeyGranted(request, KEY, valid_for=3600, exchange_ms=NOON))
                    case actions.OpenSocket(socket):
                        due.extend((inputs.SocketOpened(socket), inputs.FrameReceived(socket, gzip.compress(b"Ping"))))
                    case actions.ReadAccount(request):
                        self.reads += 1
                        read = Account(as_of=NOON, exchange_ms=NOON, since=None, whole=True, settled=True)
                        due.append(inputs.AccountRead(request, read))
                    case actions.Deliver(event):
                        self.events.append(event)

    @property
    def filled(self) -> list[str]:
        return [event.order_id for event in self.events if isinstance(event, Fill)]


READABLE: dict[str, tuple[bytes | str, list[str]]] = {
    "as ever": (gzip.compress(A), ["1"]),
    "a list": (gzip.compress(b"[" + A + b"," + B + b"]"), ["1", "2"]),
    "lines": (gzip.compress(A + b"\r\n" + B + b"\n"), ["1", "2"]),
    "a byte order mark": (gzip.compress(b"\xef\xbb\xbf" + A), ["1"]),
    "plain": (A, ["1"]),
    "plain, a list": (b"[" + A + b"," + B + b"]", ["1", "2"]),
    "zlib": (zlib.compress(A), ["1"]),
    "zlib, lines": (zlib.compress(A + b"\n" + B), ["1", "2"]),
    "text": (A.decode(), ["1"]),
    "text, a mark and a list": ("\ufeff[" + A.decode() + "]", ["1"]),
}
UNREADABLE: dict[str, bytes | str] = {
    "a byte that is not UTF-8": A.replace(b"MARKET", b"MARK\xff"),
    "no JSON": b"event: order",
    "no JSON in a text": "event: order",
    "gzip cut short": gzip.compress(A, mtime=0)[:-8],
    "bare deflate": zlib.compress(A)[2:-4],
    "nothing": b"",
}


@pytest.mark.parametrize("form", READABLE)
def test_a_frame_of_odd_form_is_read(form: str) -> None:
    """Each event in a frame of odd form is delivered as if it had come alone, without a read."""
    frame, orders = READABLE[form]
    stream = Stream()
    stream.hear(frame)
    assert stream.filled == orders
    assert len(stream.events) == len(orders)
    assert stream.reads == 0


@pytest.mark.parametrize("form", UNREADABLE)
def test_a_frame_that_cannot_be_read_is_delivered_and_read_for(form: str) -> None:
    """An unreadable frame is delivered as its bytes and their number, and opens a gap that a read closes."""
    frame = UNREADABLE[form]
    stream = Stream()
    stream.hear(gzip.compress(frame) if form.startswith("a byte") and isinstance(frame, bytes) else frame)
    data = frame.encode() if isinstance(frame, str) else frame
    unknown, *rest = stream.events
    assert isinstance(unknown, Unknown)
    assert unknown.raw == {"base64": base64.b64encode(data).decode(), "length": len(data)}
    assert [event.kind.value for event in rest] == ["GAP_OPENED", "HEALTH", "GAP_CLOSED", "HEALTH"]
    assert stream.reads == 1


@pytest.mark.parametrize("wrap", [gzip.compress, zlib.compress, bytes])
def test_no_listen_key_is_shown(wrap: Callable[[bytes], bytes]) -> None:
    """A frame that is cut anywhere and packed in any way shows at most 23 characters of a listen key."""
    whole = wrap(b'{"e":"listenKeyExpired","listenKey":"' + KEY.encode() + b'","E":')
    for end in range(len(whole) + 1):
        stream = Stream()
        stream.hear(whole[:end])
        assert KEY[:24] not in repr(stream.events)
        raws = [base64.b64decode(event.raw["base64"]) for event in stream.events if isinstance(event, Unknown)]
        assert all(KEY.encode()[:24] not in raw for raw in raws)
