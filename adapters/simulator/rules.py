"""The venue's rules for an order's own fields: symbol, quantity, prices, side, type and position side."""

from __future__ import annotations

from decimal import Decimal

from .market import Market
from .orders import PRICED, STOPS, TYPES, OrderRefused

INVALID = 109400
LEAST_WORTH = 2
"""The least value of an order that opens, in the margin asset."""
MOST_LEVERAGE = 125


def check_symbol(market: Market, symbol: str) -> str:
    """Return the symbol. Raises `OrderRefused` if the venue does not list it."""
    if symbol not in market.instruments:
        raise OrderRefused(109425, f"{symbol} not exist, please verify it")
    return symbol


def check_quantity(market: Market, symbol: str, qty: Decimal) -> None:
    """Raise `OrderRefused` unless the quantity is positive and on the symbol's grid."""
    if not market.countable(symbol, qty):
        raise OrderRefused(INVALID, f"quantity {qty} is not on the grid of {symbol}")


def check_price(market: Market, symbol: str, price: Decimal | None) -> None:
    """Raise `OrderRefused` unless there is a price and it is on the symbol's grid."""
    if price is None or not market.on_grid(symbol, price):
        raise OrderRefused(INVALID, f"price {price} is not on the grid of {symbol}")


def check_words(side: str, type: str, position_side: str | None, *, hedge: bool) -> None:
    """Raise `OrderRefused` unless side and type are known and the position side fits the position mode."""
    if side not in {"BUY", "SELL"} or type not in TYPES:
        raise OrderRefused(INVALID, f"Invalid parameters, err: {side} {type}")
    if position_side not in ({None, "LONG", "SHORT"} if hedge else {None, "BOTH"}):
        raise OrderRefused(INVALID, f"positionSide {position_side} does not fit the position mode")


def check_prices(market: Market, symbol: str, type: str, price: Decimal | None, stop_price: Decimal | None) -> None:
    """Raise `OrderRefused` unless the prices that the order's type needs are there and on the grid."""
    if type in PRICED:
        check_price(market, symbol, price)
    if type in STOPS:
        check_price(market, symbol, stop_price)


def not_modelled(what: str) -> OrderRefused:
    """Return the refusal of a feature that this exchange does not model."""
    return OrderRefused(INVALID, f"Invalid parameters, err:{what}: not modelled by this simulated exchange")
