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
    if not data:
        raise NotInflatable("the frame is empty")
    content, members = b"", 0
    while data:
        member = zlib.decompressobj(31)
        try:
            part = member.decompress(data, limit - len(content) + 1)
        except zlib.error as error:
            raise NotInflatable(str(error)) from None
        content = content + part if members else part
        if len(content) > limit:
            raise Oversized(f"more than {limit} bytes")
        if not member.eof:
            raise NotInflatable("the gzip member is truncated")
        data = member.unused_data
        members += 1
        if members > MEMBERS:
            raise NotInflatable(f"more than {MEMBERS} gzip members")
    return content
