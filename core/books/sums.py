"""The sums of one asset since its books opened."""

from __future__ import annotations

from decimal import Decimal

from ..events import ZERO


class Sums:
    """Amounts of the asset that are booked for good, and the balance that they began with."""

    __slots__ = ("fees", "funding", "opened_ts", "opening", "realized_pnl", "transfers")

    def __init__(self) -> None:
        self.opening: Decimal | None = None
        self.opened_ts = 0
        """Exchange time, ms, of the end of the read that gave the opening balance."""
        self.realized_pnl = self.fees = self.funding = self.transfers = ZERO
