"""A binary frame: gzip members, a zlib stream, or the bytes as they are; bounded, whatever it claims to be."""

from __future__ import annotations

import zlib

MEMBERS = 16
"""More gzip members than this in one frame are an attack: each costs a copy of all that is behind it."""
_MAGIC = b"\x1f\x8b"


class NotInflatable(ValueError):
    """The bytes are nothing, or begin as gzip does and are not whole members, or trail something behind them."""


class Oversized(ValueError):
    """The bytes are more than the limit, or would be when inflated."""


def inflate(data: bytes, limit: int) -> bytes:
    """The content of the frame, of at most `limit` bytes. Raises `NotInflatable` or `Oversized`."""
    if not data:
        raise NotInflatable("the frame is empty")
    content, members = b"", 0
    while data:
        member = zlib.decompressobj(31)
        try:
            part = member.decompress(data, limit - len(content) + 1)
        except zlib.error as error:
            if not members and not data.startswith(_MAGIC):
                return _not_gzip(data, limit)
            raise NotInflatable(str(error)) from None
        content = content + part if members else part
        if len(content) > limit:
            raise Oversized(f"more than {limit} bytes")
        if not member.eof:
            if not members and not _MAGIC.startswith(data[:2]):
                return _not_gzip(data, limit)
            raise NotInflatable("the gzip member is truncated")
        data = member.unused_data
        members += 1
        if members > MEMBERS:
            raise NotInflatable(f"more than {MEMBERS} gzip members")
    return content


def _not_gzip(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(data, limit + 1)
    except zlib.error:
        content = b""
    if len(content) > limit:
        raise Oversized(f"more than {limit} bytes")
    if stream.eof and not stream.unused_data:
        return content
    if len(data) > limit:
        raise Oversized(f"more than {limit} bytes")
    return data
