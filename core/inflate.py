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
    member = zlib.decompressobj(31)
    try:
        content = member.decompress(data, limit + 1)
    except zlib.error as error:
        if data.startswith(_MAGIC):
            raise NotInflatable(str(error)) from None
        return _not_gzip(data, limit)
    if len(content) > limit:
        raise Oversized(f"more than {limit} bytes")
    if not member.eof:
        if not _MAGIC.startswith(data[:2]):
            return _not_gzip(data, limit)
        raise NotInflatable("the gzip member is truncated" if data else "the frame is empty")
    return _joined(content, member.unused_data, limit) if member.unused_data else content


def _joined(content: bytes, data: bytes, limit: int) -> bytes:
    """The content of the first member and of those behind it."""
    for _ in range(1, MEMBERS):
        member = zlib.decompressobj(31)
        try:
            content += member.decompress(data, limit - len(content) + 1)
        except zlib.error as error:
            raise NotInflatable(str(error)) from None
        if len(content) > limit:
            raise Oversized(f"more than {limit} bytes")
        if not member.eof:
            raise NotInflatable("the gzip member is truncated")
        data = member.unused_data
        if not data:
            return content
    raise NotInflatable(f"more than {MEMBERS} gzip members")


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
