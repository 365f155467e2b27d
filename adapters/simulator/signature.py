"""Who may call: the API key header, the HMAC over the query as it was sent, and the age of its timestamp."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

from .orders import OrderRefused

DEFAULT_WINDOW_MS = 5000


def sign(secret: str, text: str) -> str:
    """The lower-case hex HMAC-SHA256 of the text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_key(expected: str, given: str | None) -> None:
    """Raises `OrderRefused` 100413 unless the header is the account's API key."""
    if given is None or not hmac.compare_digest(expected.encode(), given.encode()):
        raise OrderRefused(100413, "Incorrect apiKey, please check your valid api key in the API management page")


def check_signature(secret: str, query: str) -> None:
    """Raises 100412 when the raw query has no signature, 100001 when it is not the secret's."""
    parts = query.split("&") if query else []
    given = [part.partition("=")[2] for part in parts if part.startswith("signature=")]
    if not given or not given[0]:
        raise OrderRefused(100412, "Null signature")
    text = "&".join(part for part in parts if not part.startswith("signature="))
    candidates = (sign(secret, text), sign(secret, unquote(text)))
    if not any(hmac.compare_digest(each.encode(), given[0].encode()) for each in candidates):
        raise OrderRefused(100001, "Signature verification failed due to signature mismatch")


def check_timestamp(params: Mapping[str, str], now: int, *, tolerant: bool) -> None:
    """Raises 100421 when the timestamp is missing, no number, or (unless tolerant) outside `recvWindow`."""
    stamp, window = params.get("timestamp", ""), params.get("recvWindow", "")
    if not stamp.isdecimal():
        raise OrderRefused(100421, "Null timestamp or timestamp mismatch")
    allowed = int(window) if window.isdecimal() and int(window) > 0 else DEFAULT_WINDOW_MS
    if not tolerant and abs(now - int(stamp)) > allowed:
        raise OrderRefused(100421, "Null timestamp or timestamp mismatch")
