"""Texts and answers with a secret in every form, behind a number of other characters; these fit any venue."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from listenkey.ports.http import HttpResponse

PAD = "- "
"""Padding that does not resemble a key."""
Packed = Callable[[str], bytes | str]


class Plant(NamedTuple):
    """A kind of frame, and a function that builds it with a text behind so many characters."""

    name: str
    frame: Callable[[str, int], bytes | str]


class Spoiled(NamedTuple):
    """A kind of answer, and a function that builds it with a text behind so many characters."""

    name: str
    answer: Callable[[str, int], HttpResponse]


def written(secret: str) -> Iterator[str]:
    """Yield the forms in which a secret may be written."""
    yield secret
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield quote(secret, safe="")
    yield quote(secret)
    yield secret.encode().hex()
    yield secret.encode().hex().upper()
    for before in range(3):
        yield base64.b64encode(b"x" * before + secret.encode() + b"yz").decode()
        yield base64.urlsafe_b64encode(b"x" * before + secret.encode()).decode()


def text(content: Any) -> str:
    """Return content as JSON in which existing backslashes are not doubled."""
    return json.dumps(content, separators=(",", ":")).replace("\\\\", "\\")


def behind(secret: str, pad: int) -> str:
    """Return a text with the secret behind so many characters."""
    return (PAD * (pad // 2 + 1))[:pad] + secret


def broken(packed: Packed) -> Iterator[Plant]:
    """Yield broken frames, packed as the venue packs its own."""
    yield Plant("unknown", lambda secret, pad: packed(text({"e": "NEWS", "what": {"of": [behind(secret, pad)]}})))
    yield Plant("unknown, key of an object", lambda secret, pad: packed(text({"e": "NEWS", behind(secret, pad): 1})))
    yield Plant("not JSON", lambda secret, pad: packed(behind(secret, pad)))
    yield Plant("not JSON, in a text frame", lambda secret, pad: behind(secret, pad) + " !")
    yield Plant("plain, in a binary frame", lambda secret, pad: b"\xff " + behind(secret, pad).encode())
    yield Plant("zlib", lambda secret, pad: zlib.compress(behind(secret, pad).encode()))
    yield Plant("zlib, cut", lambda secret, pad: zlib.compress(behind(secret, pad).encode())[:-3])
    yield Plant("gzip, cut", lambda secret, pad: _gzip(behind(secret, pad))[:-9])
    yield Plant("gzip, cut within", lambda secret, pad: _gzip(behind(secret, pad))[: -9 - pad % 40])
    yield Plant("gzip that compresses nothing, cut", lambda secret, pad: _gzip(behind(secret, pad), 0)[: -9 - pad % 40])
    yield Plant("two bytes a letter", lambda secret, pad: behind(secret, pad).encode("utf-16"))
    yield Plant("oversized", lambda secret, pad: gzip.compress(b"x" * 70_000 + secret.encode(), mtime=0))


def pages() -> Iterator[Spoiled]:
    """Yield answers that are no document of the venue."""
    yield Spoiled("page", lambda secret, pad: page(200, behind(secret, pad)))
    yield Spoiled("page, server error", lambda secret, pad: page(502, behind(secret, pad)))
    yield Spoiled("page, not found", lambda secret, pad: page(404, behind(secret, pad)))
    yield Spoiled("page, two bytes a letter", lambda secret, pad: page(500, behind(secret, pad), "utf-16"))
    yield Spoiled("page, on many lines", lambda secret, pad: page(500, "\n\x1b[31m" + behind(secret, pad) + "\n\x07"))
    yield Spoiled("page, cut", lambda secret, pad: page(500, behind(secret, pad)[: pad + 8 + pad % 32]))
    yield Spoiled("JSON, cut", lambda secret, pad: page(200, text({"data": behind(secret, pad)})[: pad + 20]))
    yield Spoiled(
        "headers", lambda secret, pad: _headed(503, {"retry-after": secret, "date": secret, "x-sent": secret})
    )
    yield Spoiled(
        "elsewhere", lambda secret, pad: _headed(302, {"location": f"https://venue.test/?signature={secret}"})
    )
    yield Spoiled("no envelope", lambda secret, pad: bare({behind(secret, pad): secret}))


def bare(content: Any, status: int = 200) -> HttpResponse:
    """Return an answer with content as JSON."""
    return HttpResponse(status, {}, text(content).encode())


def page(status: int, content: str, encoding: str = "utf-8") -> HttpResponse:
    """Return an answer whose body is no JSON."""
    return HttpResponse(status, {}, content.encode(encoding))


def _headed(status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(status, headers, text(headers).encode())


def _gzip(content: str, level: int = 6) -> bytes:
    return gzip.compress(content.encode(), level, mtime=0)
