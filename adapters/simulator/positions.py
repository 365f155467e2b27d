"""A position computed from its fills, with exact cost and exact realised PnL."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from .amounts import SATOSHI, ZERO, booked


class Position(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position: `qty` and `cost` are negative for a short; `realised` is PnL less fees since it was last flat."""

    symbol: str
    side: str
    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    updated: int = 0

    @property
    def entry(self) -> Decimal:
        """The average entry price to eight decimals, 0 when flat."""
        return (self.cost / self.qty).quantize(SATOSHI) if self.qty else ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        """The PnL that closing at this price would realise, without fees."""
        return self.qty * mark - self.cost

    def margin(self, leverage: int) -> Decimal:
        """The margin that it binds."""
        return booked(abs(self.cost) / leverage)

    def after(self, traded: Decimal, price: Decimal, fee: Decimal, ts: int) -> tuple[Position, Decimal]:
        """Return the position after a trade of a signed quantity, and the PnL that this realised, without fees."""
        qty, cost, pnl = self.qty, self.cost, ZERO
        begun = self.realised if qty else ZERO
        if qty and (qty > 0) != (traded > 0):
            closed = min(abs(traded), abs(qty))
            released = cost if closed == abs(qty) else booked(cost * closed / abs(qty))
            pnl = (closed if qty > 0 else -closed) * price - released
            moved = -closed if qty > 0 else closed
            qty, cost, traded = qty + moved, cost - released, traded - moved
        qty, cost = qty + traded, cost + traded * price
        realised = begun + pnl - fee
        position = Position(symbol=self.symbol, side=self.side, qty=qty, cost=cost, realised=realised, updated=ts)
        return position, pnl
