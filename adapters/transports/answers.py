"""Reads an HTTP answer, and inflates it, up to a bound.

Inflating is done here, not by the libraries, for two reasons: one bound then holds for both transports before and
after it, and httpx2, where it stops on an error in the middle of a body, abandons async generators, of which trio
warns.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Iterable, Mapping

from ...ports.errors import TransportFailed
from . import limits


def with_encodings(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request, with the encodings that `whole` can inflate."""
    return {"Accept-Encoding": "gzip", **headers}


async def whole(parts: AsyncIterable[bytes], encoding: str = "") -> bytes:
    """Read a body and inflate it. Raises `TransportFailed` as soon as it exceeds the bound or cannot be inflated."""
    body = bytearray()
    async for part in parts:
        body += part
        bounded(body)
    return decoded(bytes(body), encoding)


def decoded(body: bytes, encoding: str = "") -> bytes:
    """Inflate a complete body if it has an encoding. Raises `TransportFailed`."""
    coding = encoding.strip().lower()
    if coding in {"", "identity"}:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise TransportFailed("the answer has an encoding that was not asked for")
    return _inflated(body)


def bounded(body: bytearray) -> None:
    """Raise `TransportFailed` if the body exceeds the bound."""
    if len(body) > limits.ANSWER_BYTES:
        raise TransportFailed(f"the answer is larger than {limits.ANSWER_BYTES} bytes")


async def head(parts: AsyncIterable[bytes]) -> bytes:
    """The first `REFUSAL_BYTES` of a body."""
    body = bytearray()
    async for part in parts:
        body += part
        if len(body) >= limits.REFUSAL_BYTES:
            break
    return bytes(body[: limits.REFUSAL_BYTES])


def timing(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of a refusal with the time to try again, by lower-case name."""
    return {name: value for name, value in lowered(headers).items() if name in ("date", "retry-after")}


def lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; values of a repeated one are joined as in RFC 9110, section 5.3."""
    merged: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        merged[key] = f"{merged[key]}, {value}" if key in merged else value
    return merged


def _inflated(data: bytes) -> bytes:
    body = bytearray()
    while data:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            body += member.decompress(data, limits.ANSWER_BYTES + 1 - len(body))
        except zlib.error:
            raise TransportFailed("the answer is not the gzip that it claims to be") from None
        bounded(body)
        if not member.eof:
            raise TransportFailed("the answer is gzip without an end")
        data = member.unused_data
    return bytes(body)
