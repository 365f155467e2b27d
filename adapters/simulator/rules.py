"""The venue's rules for an order's own fields: symbol, quantity, prices and words."""

from __future__ import annotations

from decimal import Decimal

from .market import Market
from .orders import PRICED, STOPS, TYPES, OrderRefused

INVALID = 109400
LEAST_WORTH = 2
"""An order that opens is worth at least so much, in units of the margin asset."""
MOST_LEVERAGE = 125


def check_symbol(market: Market, symbol: str) -> str:
    """The symbol. Raises `OrderRefused` when the venue does not list it."""
    if symbol not in market.instruments:
        raise OrderRefused(109425, f"{symbol} not exist, please verify it")
    return symbol


def check_quantity(market: Market, symbol: str, qty: Decimal) -> None:
    """Raises `OrderRefused` unless the quantity is positive and on the symbol's grid."""
    if not market.countable(symbol, qty):
        raise OrderRefused(INVALID, f"quantity {qty} is not on the grid of {symbol}")


def check_price(market: Market, symbol: str, price: Decimal | None) -> None:
    """Raises `OrderRefused` unless there is a price and it is on the symbol's grid."""
    if price is None or not market.on_grid(symbol, price):
        raise OrderRefused(INVALID, f"price {price} is not on the grid of {symbol}")


def check_words(side: str, type: str, position_side: str | None, *, hedge: bool) -> None:
    """Raises `OrderRefused` unless side, type and position side are words that fit the position mode."""
    if side not in {"BUY", "SELL"} or type not in TYPES:
        raise OrderRefused(INVALID, f"Invalid parameters, err: {side} {type}")
    if position_side not in ({None, "LONG", "SHORT"} if hedge else {None, "BOTH"}):
        raise OrderRefused(INVALID, f"positionSide {position_side} does not fit the position mode")


def check_prices(market: Market, symbol: str, type: str, price: Decimal | None, stop_price: Decimal | None) -> None:
    """Raises `OrderRefused` unless the order's type has the prices that it needs."""
    if type in PRICED:
        check_price(market, symbol, price)
    if type in STOPS:
        check_price(market, symbol, stop_price)


def not_modelled(what: str) -> OrderRefused:
    """The refusal of what the venue may know and this exchange does not."""
    return OrderRefused(INVALID, f"Invalid parameters, err:{what}: not modelled by this simulated exchange")
