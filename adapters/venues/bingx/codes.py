"""Classifies BingX's error codes by the next attempt, and cleans its messages of secrets.

Codes and their classes are section 1.7 of the venue's fact sheet: those of the error-code page, plus what was captured.
"""

from __future__ import annotations

import re
from typing import Any

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ..amounts import whole
from ..refusals import NONE, redacted

FATAL = frozenset({100001, 100004, 100412, 100413, 100414, 100419})
"""Codes about signature, permission, API key, risk control or IP whitelist, where a person has to change something."""

CREDENTIALS = FATAL - {100414}
"""Those of them that are about the credentials."""

KEY_EXPIRED = 100401
RATE_LIMITED = frozenset({100409, 100410, 109429})
"""Codes of rate limits; futures have 109429 since October 2025. 100410 is also the error-rate limiter, or overload."""

RESTRICTED = {109403: 300.0}
"""The wait, s, after a block by risk control: none is documented, so it is five minutes."""

_UNKNOWN_ORDER = frozenset({"80016", "109421", "109425"})
"""Two codes of an unknown order, and that of an unknown symbol, which a delisted one becomes."""
_ORDER_GONE = re.compile(r"\border\b.{0,20}not exist", re.IGNORECASE)

BRIEF = 1.5
"""The longest lock, s, that is waited for, so that a read of many requests is not lost for one of them."""

LONGEST_WAIT = 86400.0
"""The longest wait, s; a later time that the venue names is not believed."""

_CLOCK = frozenset({100421, 80014, 109400})
_UNLOCK = re.compile(r"(?<![0-9])(1[0-9]{12})(?![0-9])")
_KEY_GONE = re.compile(r"listen\s*key.{0,40}(?:not exist|expire|invalid)", re.IGNORECASE)


def is_success(code: Any) -> bool:
    """True for 0, or "0" as some endpoints write it."""
    return whole(code) == 0


def refusal(
    code: Any,
    message: str,
    *,
    about_key: bool = False,
    exchange_ms: int | None = None,
    secrets: Secrets = NONE,
) -> Refusal:
    """Return the refusal for an error code. With `about_key` the request named a listen key, which can be GONE.

    An unlock time in the message is exchange time, so a delay needs the exchange's clock, `exchange_ms`.
    """
    number = whole(code)
    kind = RefusalKind.RETRY
    wait: float | None = None
    if number in FATAL:
        kind = RefusalKind.FATAL
    elif about_key and (number == KEY_EXPIRED or _KEY_GONE.search(message)):
        kind = RefusalKind.GONE
    elif number in RATE_LIMITED:
        wait = _until(message, exchange_ms)
    elif number in RESTRICTED:
        wait = RESTRICTED[number]
    text = str(number) if number is not None else redacted(str(code), secrets)[:32]
    return Refusal(kind, text, redacted(message, secrets), wait)


def is_rate_limit(found: Refusal) -> bool:
    """True for a rate limit, which is no error of the request itself."""
    return found.code is not None and whole(found.code) in RATE_LIMITED


def is_brief(found: Refusal) -> bool:
    """True for a rate limit that ends within `BRIEF` seconds."""
    return is_rate_limit(found) and found.retry_after is not None and found.retry_after <= BRIEF


def is_clock_problem(found: Refusal) -> bool:
    """True if the venue refused the request's timestamp, so that its clock must be read again.

    100421 also means a restricted pair or order, 80014 and 109400 any invalid parameter: the message decides.
    """
    if found.code is None or whole(found.code) not in _CLOCK:
        return False
    message = found.message.lower()
    return "timestamp" in message or "recvwindow" in message or (found.code == "100421" and not message)


def is_unknown_order(found: Refusal) -> bool:
    """True if the order does not exist."""
    return found.code in _UNKNOWN_ORDER or _ORDER_GONE.search(found.message) is not None


def wants_symbol(found: Refusal) -> bool:
    """True if a list requires a symbol, as one of two documents states; by the other it is optional."""
    return found.code in ("109400", "100400", "80014") and "symbol" in found.message.lower()


def passes(found: Refusal) -> bool:
    """True if a read that failed with this may succeed when it is sent again at once."""
    if found.kind is not RefusalKind.RETRY or found.retry_after is not None:
        return False
    return not (is_rate_limit(found) or is_unknown_order(found) or wants_symbol(found))


def _until(message: str, exchange_ms: int | None) -> float | None:
    found = _UNLOCK.search(message)
    if found is None:
        return None
    if exchange_ms is None:
        return 60.0
    return min(max(int(found[1]) - exchange_ms, 0) / 1000, LONGEST_WAIT)
