"""Translates BingX's values in pushes and REST rows to the core's; an unknown value passes through as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..amounts import amount, positive, text, whole

_STATUS = {
    "NEW": "NEW",
    "PENDING": "NEW",
    "WORKING": "NEW",
    "PARTIALLY_FILLED": "PARTIALLY_FILLED",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "CANCELLED": "CANCELED",
    "FAILED": "REJECTED",
    "REJECTED": "REJECTED",
    "EXPIRED": "EXPIRED",
}


OVER = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED"})
"""The core's statuses of finished orders."""


def status(value: str) -> str:
    """The core's status of an order; coin-M writes some in title case."""
    return _STATUS.get(value) or _STATUS.get(value.upper(), value)


def side(value: Any) -> str | None:
    """BUY or SELL; fill lists write them in lower case."""
    return value.upper() if type(value) is str and value else None


def position_side(value: Any) -> str | None:
    """LONG or SHORT; None in one-way mode, where the wire has BOTH."""
    found = side(value)
    return None if found == "BOTH" else found


def held(named_side: Any, quantity: Decimal) -> str | None:
    """The direction of a position: the named side, else by the sign; a negative LONG is a SHORT.

    In hedge mode a SHORT has a positive amount, so the sign alone proves nothing.
    """
    named = position_side(named_side)
    if named is not None and not (named == "LONG" and quantity < 0):
        return named
    if quantity == 0:
        return None
    return "LONG" if quantity > 0 else "SHORT"


def margin_mode(value: Any) -> str | None:
    """`cross` or `isolated`; coin-M capitalises them."""
    found = text(value)
    return found and found.lower()


def limit_price(order_type: str | None, value: Any) -> Decimal | None:
    """The price of an order; None for market-like types, for which the wire has only a protective price."""
    return None if order_type is not None and is_market(order_type) else positive(value)


def is_market(order_type: str) -> bool:
    """True if orders of this type execute at the market's prices."""
    return "MARKET" in order_type or order_type.startswith("TRAILING") or order_type == "LIQUIDATION"


def executed(state: str, cumulative: Any, quantity: Decimal | None, paid: Any) -> Decimal | None:
    """The executed quantity, or None if it cannot be known.

    A FILLED order with 0 was executed completely if `paid`, its average price or total value, is above 0. Else nothing
    was executed: it is a conditional order that was triggered, and another order executes.
    """
    found = amount(cumulative)
    if found is None or found < 0:
        return None
    if found == 0 and state == "FILLED" and positive(paid) is not None:
        return quantity if quantity else None
    return found


def last_fill(execution: Any, quantity: Any, price: Any) -> tuple[Decimal | None, Decimal | None]:
    """Quantity and price of the fill that caused a frame, if the wire has both.

    A quantity of 0 means that no fill caused it, unless the frame came for one: then it is unknown.
    """
    last_qty, last_price = amount(quantity), amount(price)
    if last_qty is None or last_price is None or last_qty < 0:
        return None, None
    if not last_qty:
        return (None if caused_by_fill(execution) else last_qty), None
    return (last_qty, last_price) if last_price > 0 else (None, None)


def caused_by_fill(execution: Any) -> bool:
    """True if a frame's fee and PnL are those of a fill: its cause is a trade, or is missing."""
    return execution in ("TRADE", "CALCULATED") or text(execution) is None


def leverage(value: Any) -> int | None:
    """A leverage, which REST also writes as `"15X"`; None for the empty text of an unknown one."""
    found = whole(value[:-1] if isinstance(value, str) and value[-1:] in ("X", "x") else value)
    return found if found is not None and 0 < found < 10**6 else None


def cost(value: Any) -> Decimal | None:
    """A fee as a cost: a paid fee is negative on the wire, and becomes positive."""
    found = amount(value)
    if found is None:
        return None
    return found.copy_negate() if found else found.copy_abs()
