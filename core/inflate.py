"""Bounded gzip: a frame is inflated to at most so many bytes, whatever it claims to be."""

from __future__ import annotations

import zlib


class NotInflatable(ValueError):
    """The bytes are not one whole gzip member, or trail something behind it."""


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
    if not parts:
        raise NotInflatable("the frame is empty")
    return parts[0] if len(parts) == 1 else b"".join(parts)
