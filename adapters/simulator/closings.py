"""Closed positions, computed from their fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from .amounts import ZERO
from .clearing import Settlement
from .orders import Fill


@dataclass(slots=True)
class Closing:
    """A position from its first fill to its last; `side` is LONG or SHORT, `held` the open quantity, fees are costs."""

    symbol: str
    side: str
    position_side: str
    opened: int
    closed: int = 0
    held: Decimal = ZERO
    qty: Decimal = ZERO
    paid: Decimal = ZERO
    got: Decimal = ZERO
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO


def closings(fills: Iterable[Fill], settlements: Iterable[Settlement]) -> list[Closing]:
    """Return all closed positions, oldest first. A fill that reverses a position closes one and opens another."""
    running: dict[tuple[str, str], Closing] = {}
    over: list[Closing] = []
    for fill in fills:
        at = fill.symbol, fill.position_side
        towards, left = ("LONG" if fill.side == "BUY" else "SHORT"), fill.qty
        position = running.get(at)
        if position is not None and position.side != towards:
            part = min(left, position.held)
            position.held -= part
            position.got += part * fill.price
            position.pnl += fill.pnl
            position.fees += fill.fee * part / fill.qty
            left -= part
            if not position.held:
                position.closed = fill.ts
                over.append(running.pop(at))
        if left:
            position = running.setdefault(at, Closing(fill.symbol, towards, fill.position_side, fill.ts))
            position.held += left
            position.qty += left
            position.paid += left * fill.price
            position.fees += fill.fee * left / fill.qty
    for settlement in settlements:
        for each in over:
            if each.symbol == settlement.symbol and each.opened <= settlement.ts <= each.closed:
                each.funding += settlement.paid.get((each.position_side, each.side), ZERO)
    return over
