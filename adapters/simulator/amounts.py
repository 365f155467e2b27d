"""Amounts as the simulated venue writes them: exact decimals in, text out, never through a float."""

from __future__ import annotations

from decimal import Decimal

ZERO = Decimal(0)
SATOSHI = Decimal("0.00000001")


def booked(amount: Decimal) -> Decimal:
    """The amount to eight decimals, as money is booked."""
    return amount.quantize(SATOSHI)


def eight(amount: Decimal) -> str:
    """Eight decimals, as frames write most amounts; no negative zero."""
    return f"{amount + ZERO:.8f}"


def plain(amount: Decimal) -> str:
    """Canonical: no exponent, no trailing zeros, no negative zero."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
