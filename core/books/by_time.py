"""Differences between wallets and books that are no drift: costs that are booked already, and trades listed late.

Where no row names a trade that we know, rows are booked by time. A row may come before its fill is listed, and a frame
may date a fill later than its row: such a fill would count once more, until the next row comes. Where rows do name
trades, the list of fills may be behind that of income. Neither is drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ..events import ZERO
from ..execution import Execution
from ..reports import IncomeReport

FILLS_BEHIND_MS = 600_000
"""So long after a row its trade may be listed yet; after that a row of a trade that is not known is drift."""


def are_booked(fills: Iterable[Execution], differences: Mapping[str, Decimal]) -> bool:
    """True if the differences, what each wallet has beyond the books, are exactly what these fills have cost."""
    left = dict(differences)
    for fill in fills:
        for asset, gain in fill.gains:
            if gain is None or asset is None:
                return False
            left[asset] = left.get(asset, ZERO) + gain
    return not any(left.values())


def undecided(rows: Iterable[IncomeReport], fills: Iterable[Execution], as_of: int) -> set[str | None]:
    """The assets of rows whose trades may be listed yet, and of fills whose rows may be booked already or come yet."""
    found = {row.asset for row in rows if row.exchange_ts >= as_of - FILLS_BEHIND_MS}
    return found | {asset for fill in fills for asset, _ in fill.gains}
