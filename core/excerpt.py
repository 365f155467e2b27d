"""The excerpt of an unreadable frame that may be shown: its beginning, without keys or anything that could be one.

A blotted part keeps its length. Broken gzip or zlib hides a key from a search, and so does text of two bytes a letter:
what can still be inflated is searched too, and the bytes without their zeros. Where that holds a secret, or is more
than can be searched, only the header is shown.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

import msgspec

from .secrets import Secrets

SHOWN = 4096
"""Bytes of a frame, at most."""
HEADER = 10
"""Bytes of a gzip header, which holds no content."""
SEARCHED = 1 << 20
"""More than this, in bytes, is not inflated only to be searched."""
_STEP = 64
_EITHER = 47
"""zlib's word for a gzip or a zlib header, whichever is there."""
_SECRET = re.compile(rb"[0-9A-Za-z+/_-]{24,}")
"""Anything that could be a key, secret or signature."""


class Excerpt(msgspec.Struct, frozen=True):
    """A frame of `length` bytes that cannot be read, and why; a `doubtful` one may have brought news."""

    why: str
    beginning: bytes
    length: int
    doubtful: bool


def excerpt(frame: bytes | str, why: str, secrets: Secrets, *, doubtful: bool) -> Excerpt:
    """Return the excerpt of the frame."""
    data = frame.encode(errors="surrogatepass") if isinstance(frame, str) else frame
    return Excerpt(why, beginning(data, secrets.redact), len(data), doubtful)


def beginning(data: bytes, redact: Callable[[bytes], bytes]) -> bytes:
    """At most `SHOWN` bytes, without what `redact` blots out; shown a second time it is the same."""
    whole = _likely(redact(data)[: 2 * SHOWN])
    shown = redact(whole[:SHOWN])
    narrow = whole.replace(b"\0", b"")
    hidden = any(hides(each, redact) for each in (data, shown))  # stars may be inflated as well
    return closed(shown) if hidden or _likely(redact(narrow)) != narrow else shown


def hides(data: bytes, redact: Callable[[bytes], bytes]) -> bool:
    """True if the inflatable part holds a secret, or what could be one, or is more than can be searched."""
    content = _inflatable(data[:SHOWN])
    return len(content) > SEARCHED or _likely(redact(content)) != content


def closed(data: bytes) -> bytes:
    """The data as far as a header reaches, and stars."""
    return data[:HEADER] + b"*" * (len(data) - HEADER)


def _likely(data: bytes) -> bytes:
    return _SECRET.sub(lambda found: b"*" * len(found[0]), data)


def _inflatable(data: bytes) -> bytes:
    """Inflate the data, as gzip or zlib, as far as it goes; more than `SEARCHED` bytes if it is more."""
    content = b""
    member = zlib.decompressobj(_EITHER)
    try:
        while data and len(content) <= SEARCHED:
            if member.eof:
                member = zlib.decompressobj(_EITHER)
            content += member.decompress(data[:_STEP], SEARCHED + 1)
            data = (member.unused_data or member.unconsumed_tail) + data[_STEP:]
    except zlib.error:
        pass
    return content
