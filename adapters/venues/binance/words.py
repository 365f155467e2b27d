"""Translates Binance's values in pushes and REST rows to the core's; an unknown value passes through as it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..amounts import positive, text

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
"""The core's statuses of open orders."""
OVER = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED"})
_BY_QUANTITY = frozenset({"NEW", "NEW_INSURANCE", "NEW_ADL"})
"""Statuses after which the executed quantity decides: for orders of the venue itself they only name who takes over."""
_LIQUIDATION = ("autoclose-", "adl_autoclose")
_SETTLEMENT = ("settlement_autoclose-", "delivery_autoclose-", "delivery-")
_OWN = (*_LIQUIDATION, *_SETTLEMENT)
"""The beginnings of client order ids of the venue's own orders."""

_MARGINS = ("USDT", "USDC", "FDUSD", "USD1", "BUSD", "BTC")
"""Assets in which USDⓈ-M contracts are settled; a symbol ends with its own, before the date of delivery."""


def settlement(symbol: str, fee_asset: str | None) -> str | None:
    """The asset of the PnL of a fill whose fee was paid in BNB or an unknown asset; None if it is not known.

    Any other fee is paid in the asset of the margin, which for some accounts is none of the symbol.
    """
    if fee_asset not in (None, "BNB"):
        return None
    pair = symbol.partition("_")[0]
    return next((asset for asset in _MARGINS if pair.endswith(asset)), None)


def status(value: str, cumulative: Decimal, quantity: Decimal | None) -> str:
    """The core's status of an order; an order with executed quantity is not NEW."""
    if value == "EXPIRED_IN_MATCH":  # by the prevention of self-trades
        return "EXPIRED"
    if value not in _BY_QUANTITY:
        return value
    if not cumulative:
        return "NEW"
    return "FILLED" if quantity and cumulative >= quantity else "PARTIALLY_FILLED"


def is_liquidation(client_order_id: str | None, order_type: str | None, execution: Any = None) -> bool:
    """True for an order of a liquidation or auto-deleveraging; the client order id is checked first."""
    if client_order_id is not None and client_order_id.startswith(_OWN):
        return client_order_id.startswith(_LIQUIDATION)
    return order_type == "LIQUIDATION" or execution == "CALCULATED"


def position_side(value: Any) -> str | None:
    """LONG or SHORT; None in one-way mode, where the wire has BOTH."""
    found = text(value)
    return None if found == "BOTH" else found


def held(side: Any, quantity: Decimal) -> str | None:
    """The direction of a position: its side, else by the sign, which is negative for a SHORT in hedge mode too."""
    named = position_side(side)
    if named is not None or not quantity:
        return named
    return "LONG" if quantity > 0 else "SHORT"


def margin_mode(value: Any) -> str | None:
    """`cross` or `isolated`."""
    found = text(value)
    if found is None:
        return None
    mode = found.lower()
    return "cross" if mode == "crossed" else mode


def limit_price(order_type: str | None, value: Any) -> Decimal | None:
    """The price of an order; None for a market order, even if the wire has a number."""
    return None if order_type is not None and "MARKET" in order_type else positive(value)


def sides(rows: list[dict[str, Any]], symbol: str, side: str) -> list[dict[str, Any]]:
    """The rows that are positions: in hedge mode a symbol also has a row BOTH, which is none."""
    if "BOTH" not in [row.get(side) for row in rows]:
        return rows
    hedged = {text(row.get(symbol)) for row in rows if position_side(row.get(side)) is not None} - {None}
    return [row for row in rows if row.get(side) != "BOTH" or text(row.get(symbol)) not in hedged]
