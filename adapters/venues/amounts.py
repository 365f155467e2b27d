"""Reads single values of a venue's JSON, where amounts are strings or numbers; a value that is none becomes None."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_DIGITS = r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?"
_NUMBER = re.compile(_DIGITS).fullmatch
"""Matches a text that may become a Decimal: finite, with few digits, so that later arithmetic cannot be blown up."""
_NUMBERS = re.compile(f"{_DIGITS}(?:,{_DIGITS})*").fullmatch

LATEST = 10**14
"""The latest time, ms, in the year 5138; a larger number is no time."""

_LONGEST_ID = 128
_NO_NUMBER = 10**_LONGEST_ID
_ZERO = Decimal(0)


def number(text: str) -> Decimal | str:
    """A JSON number with a fraction or exponent, exact; one of absurd size stays text, which `amount` refuses."""
    return Decimal(text) if _NUMBER(text) else text


def amount(value: Any) -> Decimal | None:
    """A finite amount of sane size; None for `""`, `"NaN"`, `1e400`, a boolean and all other values."""
    kind = type(value)
    if kind is str:
        return Decimal(value) if _NUMBER(value) else None
    if kind is int:
        return Decimal(value) if -(10**40) < value < 10**40 else None
    return value if kind is Decimal else None


def amounts(*values: Any) -> list[Decimal | None]:
    """The amount in each value, or None; it costs half if all values are texts, as usual."""
    try:
        joined = ",".join(values)
    except TypeError:
        return list(map(amount, values))
    if _NUMBERS(joined) and joined.count(",") == len(values) - 1:
        return list(map(Decimal, values))
    return list(map(amount, values))


def positive(value: Any) -> Decimal | None:
    """An amount above zero, else None: venues write zero for "none" in prices, averages and last fills."""
    found = amount(value)
    return found if found is not None and found > _ZERO else None


def moment(*values: Any) -> int | None:
    """The first of the values that is a time in ms since the epoch; 0 and missing values are skipped."""
    for value in values:
        found = value if type(value) is int else whole(value)
        if found is not None and 0 < found < LATEST:
            return found
    return None


def whole(value: Any) -> int | None:
    """An integer, from a number or a text of digits; None for others and for booleans."""
    if type(value) is int:
        return value
    if type(value) is str and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def identity(value: Any) -> str | None:
    """An id as text, exact beyond 2^53; None for 0, -1, "" and all that is no id."""
    if type(value) is int:
        return str(value) if 0 < value < _NO_NUMBER else None
    if type(value) is str and value not in _NO_ID and len(value) <= _LONGEST_ID:
        return value
    return None


def text(value: Any) -> str | None:
    """A text that is not empty, else None."""
    return value if type(value) is str and value else None


_NO_ID = frozenset({"", "0", "-1"})
