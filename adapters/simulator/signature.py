"""The checks of a call's credentials: API key header, HMAC over the parameters, and age of their timestamp."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from .orders import OrderRefused
from .parameters import SIGNATURE, parameters

DEFAULT_WINDOW_MS = 5000


def sign(secret: str, text: str) -> str:
    """The lower-case hex HMAC-SHA256 of the text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_key(credentials: Mapping[str, str], given: str | None, hint: str = "") -> str:
    """Return the secret of the API key in the header. Raises `OrderRefused` 100413 if the account has no such key."""
    if given is None or given not in credentials:
        hint = hint or "please check your valid api key in the API management page"
        raise OrderRefused(100413, f"Incorrect apiKey, {hint}")
    return credentials[given]


def check_signature(secret: str, query: str, body: bytes = b"", hint: str = "") -> None:
    """Raise `OrderRefused` 100412 if the call has no signature, 100001 if it does not fit the secret."""
    values, signed = parameters(query, body)
    given = values.get(SIGNATURE, "")
    if not given:
        raise OrderRefused(100412, "Null signature")
    if not any(hmac.compare_digest(sign(secret, text).encode(), given.encode()) for text in signed):
        said = "Signature verification failed due to signature mismatch"
        raise OrderRefused(100001, f"{said}, {hint}" if hint else said)


def check_timestamp(params: Mapping[str, str], now: int, *, tolerant: bool) -> None:
    """Raise `OrderRefused` 100421 if the timestamp is no number, or outside `recvWindow` (unless `tolerant`)."""
    stamp, window = params.get("timestamp", ""), params.get("recvWindow", "")
    if not stamp.isdecimal():
        raise OrderRefused(100421, "Null timestamp or timestamp mismatch")
    allowed = int(window) if window.isdecimal() and int(window) > 0 else DEFAULT_WINDOW_MS
    if not tolerant and abs(now - int(stamp)) > allowed:
        raise OrderRefused(100421, "Null timestamp or timestamp mismatch")
