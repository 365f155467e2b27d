"""Bounded gzip: a frame is inflated to at most so many bytes, whatever it claims to be."""

from __future__ import annotations

import zlib

MEMBERS = 16
"""More gzip members than this in one frame are an attack: each costs a copy of all that is behind it."""


class NotInflatable(ValueError):
    """The bytes are not whole gzip members, or trail something behind them."""


class Oversized(ValueError):
    """The bytes would inflate past the limit."""


def inflate(data: bytes, limit: int) -> bytes:
    """The content of the gzip members in `data`, of at most `limit` bytes. Raises `NotInflatable` or `Oversized`."""
    parts: list[bytes] = []
    room = limit
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            part = member.decompress(data, room + 1)
        except zlib.error as error:
            raise NotInflatable(str(error)) from None
        room -= len(part)
        if room < 0:
            raise Oversized(f"more than {limit} bytes")
        if not member.eof:
            raise NotInflatable("the gzip member is truncated")
        parts.append(part)
        data = member.unused_data
        if len(parts) > MEMBERS:
            raise NotInflatable(f"more than {MEMBERS} gzip members")
    if not parts:
        raise NotInflatable("the frame is empty")
    return b"".join(parts)
