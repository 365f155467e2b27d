"""Binance's error codes, and what they mean for the next attempt."""

from __future__ import annotations

import re
from typing import Any

from ....core.refusal import Refusal, RefusalKind
from ....core.secrets import Secrets
from ..amounts import whole
from ..refusals import NONE, redacted

BAD_KEY_FORMAT = -2014
CREDENTIALS = frozenset({-1002, -1005, -1011, -1022, -1099, -2008, BAD_KEY_FORMAT, -2015, -2017})
"""Codes about API key, permissions, signature or address, where a person has to change something."""
FATAL = CREDENTIALS | {-1109}
"""Those codes, and that of an account without futures."""
KEY_GONE = -1125
TOO_FAST = frozenset({-1003, -1015})
MAINTENANCE = frozenset({-1016, 239999})
WEIGHED, BANNED, FIREWALL = 60.0, 120.0, 300.0
"""Seconds to wait if the venue names none: for the weight of a new minute, the shortest ban, and the firewall.
During maintenance a request is tried once a minute."""
LONGEST_WAIT = 4 * 86400.0
"""The longest wait, s: a ban takes three days at most, so a later end is not believed."""

_CLOCK = frozenset({-1021, -5028, -4188})
_UNKNOWN_ORDER, _UNKNOWN_SYMBOL = "-2013", "-1121"
_WANTS_SYMBOL = frozenset({"-1102", "-1105", "-1106", "-1128"})
_UNTIL = re.compile(r"banned until ([0-9]{13})(?![0-9])")


def refusal(
    code: Any,
    message: str,
    *,
    about_key: bool = False,
    exchange_ms: int | None = None,
    secrets: Secrets = NONE,
) -> Refusal:
    """Return the refusal for an error code. With `about_key` the request was about the listen key, which can be GONE.

    The end of a ban is exchange time, so a delay needs the exchange's clock, `exchange_ms`.
    """
    number = whole(code)
    kind, wait = RefusalKind.RETRY, None
    if number in FATAL:
        kind = RefusalKind.FATAL
    elif number == KEY_GONE and about_key:
        kind = RefusalKind.GONE
    elif number in TOO_FAST:
        wait = _until(message, exchange_ms)
    elif number in MAINTENANCE:
        wait = WEIGHED
    text = str(number) if number is not None else redacted(str(code), secrets)[:32]
    return Refusal(kind, text, redacted(message, secrets), wait)


def is_too_fast(found: Refusal) -> bool:
    """True if this address must stop for now, by the code or the status."""
    return found.code in ("429", "418") or (found.code is not None and whole(found.code) in TOO_FAST)


def is_clock_problem(found: Refusal) -> bool:
    """True if the venue refused the request's timestamp, so that its clock must be read again."""
    return found.code is not None and whole(found.code) in _CLOCK


def is_unknown_order(found: Refusal) -> bool:
    """True if the order does not exist, or does not exist any more."""
    return found.code == _UNKNOWN_ORDER


def is_unknown_symbol(found: Refusal) -> bool:
    """True if the symbol does not exist, or does not exist any more."""
    return found.code == _UNKNOWN_SYMBOL


def wants_symbol(found: Refusal) -> bool:
    """True if a list requires a symbol, as before 2026-08, when it became optional."""
    return found.code in _WANTS_SYMBOL and "symbol" in found.message.lower()


def passes(found: Refusal) -> bool:
    """True if a read that failed with this may succeed when it is sent again at once."""
    if found.kind is not RefusalKind.RETRY or found.retry_after is not None:
        return False
    return not (is_unknown_order(found) or is_unknown_symbol(found) or wants_symbol(found))


def _until(message: str, exchange_ms: int | None) -> float | None:
    found = _UNTIL.search(message)
    if found is None or exchange_ms is None:
        return None
    return min(max(int(found[1]) - exchange_ms, 0) / 1000, LONGEST_WAIT)
