"""The book of one asset in the ledger, and whether it explains the balance that the venue reports."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec


class Reconciliation(StrEnum):
    """The result of comparing the books with the balance that the venue reports."""

    MATCHED = "MATCHED"
    DRIFTED = "DRIFTED"
    UNPROVEN = "UNPROVEN"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One asset's books. `drift` is what the venue reports less what the books explain, None while unproven."""

    asset: str
    status: Reconciliation
    drift: Decimal | None
    opening: Decimal | None
    realized_pnl: Decimal
    fees: Decimal
    funding: Decimal
    transfers: Decimal

    @property
    def k_capital(self) -> Decimal | None:
        """The balance that the books explain; None before the first settled read."""
        if self.opening is None:
            return None
        return self.opening + self.realized_pnl - self.fees + self.funding + self.transfers
