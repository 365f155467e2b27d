"""Parameters of a REST call, read as strictly as the venue does."""

from __future__ import annotations

from collections.abc import Mapping

from .orders import OrderRefused
from .rules import INVALID

Params = Mapping[str, str]
WEEK_MS = 7 * 86_400_000
MOST_ROWS = 1000


def integer(params: Params, name: str, default: int | None = None) -> int:
    """A whole number. Raises `OrderRefused` when it is none, or missing without a default."""
    text = params.get(name, "")
    if text == "" and default is not None:
        return default
    if not text.isdecimal():
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be a number")
    return int(text)


def row_limit(params: Params, name: str, default: int) -> int:
    """How many rows are wanted, at most 1000."""
    limit = integer(params, name, default)
    if not 0 < limit <= MOST_ROWS:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be within 1 and {MOST_ROWS}")
    return limit


def window(params: Params, now: int, first: str, last: str, longest_ms: int) -> tuple[int, int]:
    """The two ends of a window, ms; by default the last seven days."""
    end = integer(params, last, now)
    start = integer(params, first, end - WEEK_MS)
    if start > end or end - start > longest_ms:
        raise OrderRefused(INVALID, "Invalid parameters, err:the query range is more than seven days")
    return start, end
