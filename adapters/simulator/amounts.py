"""Amounts as the simulated venue writes them: exact decimals in, text out, never through a float."""

from __future__ import annotations

from decimal import Decimal

ZERO = Decimal(0)
SATOSHI = Decimal("0.00000001")


def booked(amount: Decimal) -> Decimal:
    """The amount to eight decimals, as money is booked."""
    return amount.quantize(SATOSHI)


def eight(amount: Decimal) -> str:
    """The amount with eight decimals, as frames write most amounts, without a negative zero."""
    return f"{amount + ZERO:.8f}"


def plain(amount: Decimal) -> str:
    """The amount in canonical form: without exponent, trailing zeros or a negative zero."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
