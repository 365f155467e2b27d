"""Reads numbers of the command line: each function returns the number, or raises an error with the allowed ones."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable


def positive(text: str) -> float:
    """A finite number above 0."""
    return _number(text, "a finite number above 0", lambda value: value > 0)


def amount(text: str) -> float:
    """A finite number from 0."""
    return _number(text, "a finite number from 0", lambda value: value >= 0)


def whole(text: str) -> int:
    """A whole number."""
    return _integer(text, "a whole number")


def count(text: str) -> int:
    """A whole number from 1."""
    return _integer(text, "a whole number from 1", low=1)


def port(text: str) -> int:
    """A port, 0 for any."""
    return _integer(text, "a port from 0 to 65535, 0 for any", 0, 65535)


def _number(text: str, allowed: str, fits: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and fits(value)):
        raise ArgumentTypeError(f"{text!r}: allowed is {allowed}")
    return value


def _integer(text: str, allowed: str, low: float = -math.inf, high: float = math.inf) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r}: allowed is {allowed}") from None
    if not low <= value <= high:
        raise ArgumentTypeError(f"{text!r}: allowed is {allowed}")
    return value
