"""The register of the secrets of one account, and the search for them in whatever is kept or shown.

A text is searched whole, before it is decoded for delivery, stored, cut or logged; what is found becomes as many stars.
It is found as it is, as JSON escapes it, percent-encoded, in hexadecimal and in base64, each also with two bytes a
letter; and, where the text ends in the middle of it, by its first eight characters. Signatures, which are letters and
digits already and many, are found as they are. A search takes some microseconds, so a frame is not searched if the
longest of its texts is shorter than any secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

SHORTEST = 8
"""Bytes; what is shorter is no secret, and would be found where it is not. No shorter piece of one is hidden."""
SIGNATURES = 64
"""Signatures that are known: those of the requests that were made last."""
FOREIGN = 16
"""Keys of other streams of the account that are known: those that the venue named last."""
_LONGEST_FOREIGN = 512
_NONE = 1 << 62
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""Bytes that nobody percent-encodes."""
_FOR_PAGES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
_FOR_URLS = bytes.maketrans(b"+/", b"-_")

Text = TypeVar("Text", bytes, str, bytes | str)


class Secrets:
    """Credentials, which stay; listen keys, for two of their validities; signatures and foreign keys, the last ones."""

    __slots__ = ("_credentials", "_foreign", "_keys", "_needles", "_signatures", "shortest")

    def __init__(self, credentials: Iterable[str] = ()) -> None:
        every = (piece for credential in credentials for piece in pieces(credential))
        self._credentials = tuple(data for data in map(_bytes, every) if len(data) >= SHORTEST)
        self._keys: dict[bytes, float] = {}
        self._foreign: tuple[bytes, ...] = ()
        self._signatures: tuple[bytes, ...] = ()
        self._needles: tuple[bytes, ...] | None = None
        self.shortest = 0
        """The length of the shortest secret: what is shorter holds none."""
        self._changed()

    def __repr__(self) -> str:
        return f"Secrets({len(tuple(self._known()))} known)"

    def grant(self, key: str, *, now: float, valid_for: float) -> None:
        """A listen key was granted or extended; it is known for two validities, in seconds, from now on."""
        name, until = _bytes(key), now + 2 * valid_for
        gone = [each for each, end in self._keys.items() if end < now]
        for each in gone:
            del self._keys[each]
        if gone or (name not in self._keys and len(name) >= SHORTEST):
            self._changed()
        if len(name) >= SHORTEST:
            self._keys[name] = until
            self.shortest = min(self.shortest, len(name))

    def name(self, key: str) -> None:
        """The venue has named a listen key, which may be that of another stream of the account."""
        name = _bytes(key)
        if SHORTEST <= len(name) <= _LONGEST_FOREIGN and name not in self._keys and name not in self._foreign:
            self._foreign = (*self._foreign, name)[-FOREIGN:]
            self._changed()

    def sign(self, signature: str) -> None:
        """A request is about to be made with this signature."""
        name = _bytes(signature)
        if len(name) >= SHORTEST:
            self._signatures = (*self._signatures, name)[-SIGNATURES:]
            self.shortest = min(self.shortest, len(name))

    def redact(self, text: Text) -> Text:
        """The text with stars in place of what is secret, one for each byte of UTF-8.

        Searched again it is the same, unless a secret has stars in it.
        """
        if isinstance(text, bytes):
            return self._blotted(text)
        data = _bytes(text)
        found = self._blotted(data)
        return text if found is data else found.decode(errors="surrogatepass")

    def _blotted(self, data: bytes) -> bytes:
        if len(data) < SHORTEST:
            return data
        if self._needles is None:
            self._needles = tuple(self._forms())
        needles = (*self._needles, *self._signatures)
        found: list[tuple[int, int]] = []
        for needle in needles:
            if needle in data or needle[:SHORTEST] in data[1 - len(needle) :]:
                found += _spans(data, needle, SHORTEST)
        if b"\0" in data:
            for needle in needles:
                wide = b"\0".join(needle[at : at + 1] for at in range(len(needle)))
                found += _spans(data, wide, 2 * SHORTEST - 1)
        return _starred(data, found) if found else data

    def _known(self) -> Iterator[bytes]:
        yield from self._credentials
        yield from self._keys
        yield from self._foreign
        yield from self._signatures

    def _changed(self) -> None:
        self._needles = None
        self.shortest = min(map(len, self._known()), default=_NONE)

    def _forms(self) -> list[bytes]:
        lasting = (*self._credentials, *self._keys, *self._foreign)
        found = dict.fromkeys(form for secret in lasting for form in _forms(secret) if len(form) >= SHORTEST)
        return sorted(found, key=len, reverse=True)


def pieces(secret: str) -> tuple[str, ...]:
    """A secret and, of one in several lines, each line: a private key is shown line by line. Line ends may be written
    out. A line of dashes says what it is, and is none.
    """
    lines = [line.strip() for line in secret.replace("\\n", "\n").splitlines()]
    return (secret, *(line for line in lines if line and not line.startswith("-----"))) if len(lines) > 1 else (secret,)


def _spans(data: bytes, needle: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Where the needle stands, also across another one or itself, and its beginning of so many bytes at the end."""
    at = data.find(needle[:least])
    while at >= 0:
        piece = data[at : at + len(needle)]
        if needle.startswith(piece):
            yield at, at + len(piece)
        at = data.find(needle[:least], at + 1)


def _starred(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    starred = bytearray(data)
    for start, end in spans:
        starred[start:end] = b"*" * (end - start)
    return bytes(starred)


def _forms(secret: bytes) -> Iterator[bytes]:
    """How a secret may be written, itself among them."""
    text = secret.decode(errors="surrogatepass")
    yield secret
    for escaped in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield _bytes(escaped)
        yield _bytes(escaped.replace("/", "\\/"))
        yield _bytes(escaped.translate(_FOR_PAGES))
    for kept in (_PLAIN, _PLAIN | frozenset(b"/")):
        yield _percent(secret, b"%%%02X", kept)
        yield _percent(secret, b"%%%02x", kept)
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):
        middle = _base64(secret, before)
        yield middle
        yield middle.translate(_FOR_URLS)


def _percent(secret: bytes, form: bytes, kept: frozenset[int]) -> bytes:
    return b"".join(bytes([byte]) if byte in kept else form % byte for byte in secret)


def _base64(secret: bytes, before: int) -> bytes:
    """The letters of base64 that are the secret's alone when so many bytes, modulo three, go before it."""
    text: str = msgspec.to_builtins(bytes(before) + secret).rstrip("=")
    return text[before + 1 if before else 0 : len(text) - ((before + len(secret)) % 3 > 0)].encode()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
