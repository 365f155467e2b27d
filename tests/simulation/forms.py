"""The same event in frames of odd form, which a client has no reason to expect: some can be read all the same."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable
from typing import NamedTuple

from listenkey.adapters.simulator.garbage import garbage
from listenkey.adapters.simulator.orders import Fill

_BESIDE = b'{"news":[]}'
READABLE: dict[str, Callable[[bytes], bytes]] = {
    "list": lambda text: _packed(b"[" + _BESIDE + b", " + text + b"]"),
    "lines": lambda text: _packed(text + b"\r\n" + _BESIDE + b"\n"),
    "mark": lambda text: _packed(b"\xef\xbb\xbf" + text),
    "zlib": lambda text: zlib.compress(text, 1),
    "plain": lambda text: text,
}
UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "byte": lambda text: _packed(text.replace(b'":"', b'":"\xff', 1)),
    "prefix": lambda text: _packed(b"event: " + text),
    "base64": base64.b64encode,
    "deflate": lambda text: zlib.compress(text, 1)[2:-4],
    "cut": lambda text: _packed(text)[:-8],
}
_READ_IN_PART = ("list", "order_nan", "account_nan")
GARBAGE = frozenset(data for name, data in garbage().items() if name not in _READ_IN_PART)


class Sent(NamedTuple):
    """What was sent that is out of the ordinary: frames that cannot be read, and fills by the odd frame they are in."""

    unreadable: set[bytes]
    fills: dict[bytes, Fill]


def dressed(form: str, data: bytes) -> bytes:
    """A packed frame in this form."""
    return (READABLE | UNREADABLE)[form](gzip.decompress(data))


def _packed(text: bytes) -> bytes:
    return gzip.compress(text, 1, mtime=0)
