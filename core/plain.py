"""How an amount is written, wherever it is written: in lines of JSON, in identities, in digests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def canonical(amount: Decimal) -> str:
    """The one way an amount is written: no exponent, no trailing zeros, no negative zero."""
    text = str(amount)
    if "E" in text:
        text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def printable(value: Any) -> Any:
    """The value with all amounts in it as texts; mappings and lists are made anew."""
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, dict):
        return {name: printable(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(inner) for inner in value]
    return value
