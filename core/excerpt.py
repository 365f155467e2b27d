"""What may be shown of a frame that cannot be read: its beginning, without keys and without anything that could be one.

What is blotted out keeps its length. Broken gzip or zlib hides a key from a search, and so does text of two bytes a
letter: what can still be inflated is searched too, and the bytes without their zeros. Where that holds a secret, or is
more than can be searched, only the header is shown.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import msgspec

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


def excerpt(frame: bytes | str, why: str, keys: Iterable[str], *, doubtful: bool) -> Excerpt:
    """What may be shown of the frame; `keys` are secrets."""
    data = frame.encode(errors="surrogatepass") if isinstance(frame, str) else frame
    secrets = [key.encode(errors="surrogatepass") for key in keys]
    return Excerpt(why, beginning(data, secrets), len(data), doubtful)


def beginning(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """At most `SHOWN` bytes, without the secrets; shown a second time it is the same."""
    secrets = tuple(secrets)
    margin = 2 * max(map(len, secrets), default=0)
    blotted = _blotted(data[: SHOWN + margin], secrets)
    shown = blotted[:SHOWN]
    narrow, hidden = blotted.replace(b"\0", b""), _inflatable(data[:SHOWN])
    if len(hidden) > SEARCHED or any(_blotted(each, secrets) != each for each in (narrow, hidden)):
        return shown[:HEADER] + b"*" * (len(shown) - HEADER)
    return shown


def _blotted(data: bytes, secrets: Iterable[bytes]) -> bytes:
    for secret in secrets:
        data = data.replace(secret, b"*" * len(secret))
    return _SECRET.sub(lambda found: b"*" * len(found[0]), data)


def _inflatable(data: bytes) -> bytes:
    """What comes out of the data, by gzip or zlib, before it breaks; more than `SEARCHED` bytes if it is more."""
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
