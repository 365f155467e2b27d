"""Bounded gzip: a frame is inflated to at most so many bytes, whatever it claims to be."""

from __future__ import annotations

import zlib

MEMBERS = 16
"""More gzip members than this in one frame are an attack: each costs a copy of all that is behind it."""


LARGEST_RATIO = 1032
"""Deflate cannot shrink anything by more than this (zlib's own documentation)."""


class NotInflatable(ValueError):
    """The bytes are not whole gzip members, or trail something behind them."""


class Oversized(ValueError):
    """The bytes would inflate past the limit."""


def inflate(data: bytes, limit: int) -> bytes:
    """The content of the gzip members in `data`, of at most `limit` bytes. Raises `NotInflatable` or `Oversized`."""
    if len(data) * LARGEST_RATIO <= limit and (whole := _small(data)) is not None:
        return whole
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
        if len(parts) > MEMBERS:
            raise NotInflatable(f"more than {MEMBERS} gzip members")
        data = member.unused_data
    if not parts:
        raise NotInflatable("the frame is empty")
    return b"".join(parts)


def _small(data: bytes) -> bytes | None:
    """The content of a single member that cannot be large whatever it claims; None if it is anything else."""
    try:
        content = zlib.decompress(data, wbits=31)
    except zlib.error:
        return None
    # One member ends with the size of its content; more of them, or anything behind, will not agree.
    return content if int.from_bytes(data[-4:], "little") == len(content) else None
