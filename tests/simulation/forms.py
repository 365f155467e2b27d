"""Events in frames of unusual form, which a client does not expect; some forms can be read all the same."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from listenkey.adapters.simulator.binance.client import Binary
from listenkey.adapters.simulator.binance.garbage import garbage as usdm_garbage
from listenkey.adapters.simulator.garbage import garbage
from listenkey.adapters.simulator.orders import Fill

Form = Callable[[bytes], bytes | str]
_BESIDE = b'{"news":[]}'


class Forms(NamedTuple):
    """The forms of one wire: each makes a frame of a text, and `text` reverses that. `garbage` cannot be read."""

    readable: Mapping[str, Form]
    unreadable: Mapping[str, Form]
    garbage: frozenset[bytes | str]
    text: Callable[[bytes | str], bytes]


class Sent(NamedTuple):
    """The odd frames sent so far: those that cannot be read, and those that can, each with the fill in it."""

    unreadable: set[bytes | str]
    fills: dict[bytes | str, Fill]


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, 1, mtime=0)


def _opened(frame: bytes | str) -> bytes:
    assert isinstance(frame, bytes)
    return gzip.decompress(frame)


def _written(frame: bytes | str) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode()


def as_sent(frame: bytes) -> bytes | str:
    """Return a frame of the simulated Binance as a socket brings it, text or binary."""
    return bytes(frame) if isinstance(frame, Binary) else frame.decode()


_IN_PART = ("list", "order_nan", "account_nan")
"""Garbage of which a part is understood."""
BROKEN = "not_utf8"
"""A text frame that is no UTF-8 ends its WebSocket."""
SWAP_FORMS = Forms(
    {
        "list": lambda text: _packed(b"[" + _BESIDE + b", " + text + b"]"),
        "lines": lambda text: _packed(text + b"\r\n" + _BESIDE + b"\n"),
        "mark": lambda text: _packed(b"\xef\xbb\xbf" + text),
        "zlib": lambda text: zlib.compress(text, 1),
        "plain": lambda text: text,
    },
    {
        "byte": lambda text: _packed(text.replace(b'":"', b'":"\xff', 1)),
        "prefix": lambda text: _packed(b"event: " + text),
        "base64": base64.b64encode,
        "deflate": lambda text: zlib.compress(text, 1)[2:-4],
        "cut": lambda text: _packed(text)[:-8],
    },
    frozenset(data for name, data in garbage().items() if name not in _IN_PART),
    _opened,
)
USDM_FORMS = Forms(
    {
        "list": lambda text: (b"[" + _BESIDE + b", " + text + b"]").decode(),
        "lines": lambda text: (text + b"\r\n" + _BESIDE + b"\n").decode(),
        "mark": lambda text: "\ufeff" + text.decode(),
        "zlib": lambda text: zlib.compress(text, 1),
        "plain": lambda text: text,
    },
    {
        "byte": lambda text: text.replace(b'":"', b'":"\xff', 1),
        "prefix": lambda text: "event: " + text.decode(),
        "base64": lambda text: base64.b64encode(text).decode(),
        "deflate": lambda text: zlib.compress(text, 1)[2:-4],
        "cut": lambda text: text.decode()[:-8],
    },
    frozenset(as_sent(data) for name, data in usdm_garbage().items() if name not in (*_IN_PART, BROKEN)),
    _written,
)
