"""Brackets: an order's stop loss and take profit, placed as it is filled; if one is triggered, the other ends."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from .exchange import Exchange
from .orders import TRIGGERS, Order
from .terms import Leg, Terms


class Brackets:
    """Places and ends legs; `watch` is called with each leg that is placed."""

    def __init__(self, exchange: Exchange, watch: Callable[[Order, int], None]) -> None:
        self._exchange = exchange
        self._watch = watch
        self._legs: dict[tuple[int, str], int] = {}

    def filled(self, entry: Order, now: int) -> None:
        """Place the legs of an order, or enlarge them, so that they cover its executed quantity."""
        if not entry.executed:
            return
        for name, leg in (("stop_loss", entry.terms.stop_loss), ("take_profit", entry.terms.take_profit)):
            if leg is None:
                continue
            held = self._exchange.account.position(entry.symbol, entry.position_side).qty
            if not held or (held > 0) != (entry.side == "BUY"):
                continue
            qty = min(entry.executed, abs(held), entry.executed if leg.qty is None else leg.qty)
            placed = self._legs.get((entry.id, name))
            if placed is None:
                self._legs[entry.id, name] = self._place(entry, leg, qty, now).id
            elif (order := self._exchange.orders[placed]).open and qty > order.qty:
                self._exchange.amend(placed, qty, now=now)

    def triggered(self, order: Order, now: int) -> None:
        """Cancel the other legs of the position whose leg is triggered."""
        if not (order.terms.entry or order.terms.closes):
            return
        for other in list(self._exchange.open.values()):
            is_leg = bool(other.terms.entry or other.terms.closes) and other.type in TRIGGERS
            same = (other.symbol, other.position_side, other.side) == (order.symbol, order.position_side, order.side)
            if is_leg and same and other.id != order.id and not other.triggered:
                self._exchange.cancel(other.id, now=now)

    def _place(self, entry: Order, leg: Leg, qty: Decimal, now: int) -> Order:
        order = self._exchange.place(
            entry.symbol,
            "SELL" if entry.side == "BUY" else "BUY",
            qty,
            now=now,
            type=leg.type,
            position_side=entry.position_side if self._exchange.hedge else None,
            price=leg.price,
            stop_price=leg.stop_price,
            reduce_only=not self._exchange.hedge,
            terms=Terms(working=leg.working, entry=entry.id, reserves=False),
        )
        self._watch(order, now)
        return order
