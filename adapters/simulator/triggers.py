"""Triggers of conditional orders: a price level, or a trailing stop that the market reaches when it turns."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from .orders import STOP_LOSSES, TAKE_PROFITS, TRAILING, Order


class Trigger(Protocol):
    """The trigger of one order; it is called with every price of the market."""

    def reached(self, price: Decimal) -> bool:
        """True if the order is triggered at this price."""
        ...


class Level:
    """A trigger at a level to which the market must fall, or rise."""

    def __init__(self, level: Decimal, *, falling: bool) -> None:
        self._level = level
        self._falling = falling

    def reached(self, price: Decimal) -> bool:
        """True if the market is at the level or beyond."""
        return price <= self._level if self._falling else price >= self._level


class Trail:
    """A trigger that follows the market from its activation on, until the market turns by a rate or a distance."""

    def __init__(self, order: Order) -> None:
        terms = order.terms
        self._sells = order.side == "SELL"
        self._rate, self._distance = terms.rate, terms.distance
        self._activation = terms.activation
        self._extreme: Decimal | None = None

    def reached(self, price: Decimal) -> bool:
        """True if the market has turned far enough from the best price since the activation."""
        if self._extreme is None and not self._is_active(price):
            return False
        best = price if self._extreme is None else self._extreme
        self._extreme = best = max(best, price) if self._sells else min(best, price)
        turned = best * self._rate or self._distance
        return price <= best - turned if self._sells else price >= best + turned

    def _is_active(self, price: Decimal) -> bool:
        if self._activation is None:
            return True
        return price >= self._activation if self._sells else price <= self._activation


def trigger_of(order: Order, market: Decimal) -> Trigger:
    """Return the trigger of a conditional order that is placed while the market is at this price."""
    if order.type == TRAILING or order.stop_price is None:
        return Trail(order)
    if order.type in STOP_LOSSES:
        falling = order.side == "SELL"
    elif order.type in TAKE_PROFITS:
        falling = order.side == "BUY"
    else:
        falling = order.stop_price < market
    return Level(order.stop_price, falling=falling)
