"""Looks for any eight characters of a secret in text or bytes, plain and decoded."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from random import Random
from urllib.parse import unquote_to_bytes

ALPHABET = "QXZJqxzj+/"
"""Characters of which other text has never eight in a row; two are escaped in URLs, and one in JSON."""
PIECE = 8
_RUN = re.compile(rb"[%s]{%d,}" % (re.escape(ALPHABET).encode(), PIECE))
_BASE64 = re.compile(rb"[0-9A-Za-z+/_-]{11,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{16,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def secret(draw: Random, length: int = 48) -> str:
    """Return a random secret that the finder can recognise."""
    return "".join(draw.choices(ALPHABET, k=length))


class Finder:
    """Searches for the pieces of secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [each.encode() for each in secrets]
        self._pieces = {each[at : at + PIECE] for each in known for at in range(len(each) - PIECE + 1)}

    def leak(self, *said: bytes | str) -> str | None:
        """Return the first piece of a secret with the text around it, or None if there is none."""
        parts = (part.encode(errors="surrogatepass") if isinstance(part, str) else part for part in said)
        data = b"\n".join(dict.fromkeys(parts))
        for text in (data, *_decoded(data)):
            for run in _RUN.finditer(text):
                for at in range(run.start(), run.end() - PIECE + 1):
                    if text[at : at + PIECE] in self._pieces:
                        return repr(text[max(0, at - 60) : at + 60])
        return None


def _decoded(data: bytes) -> Iterator[bytes]:
    if b"\0" in data:
        yield data.replace(b"\0", b"")
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"\\" in data:
        yield data.replace(b"\\", b"")
    for run in set(_HEX.findall(data)):
        for first in (0, 1):
            yield bytes.fromhex(run[first : first + (len(run) - first) // 2 * 2].decode())
    for run in set(_BASE64.findall(data)):
        letters = run.translate(_STANDARD)
        for first in range(4):
            yield base64.b64decode(letters[first : first + (len(letters) - first) // 4 * 4])
