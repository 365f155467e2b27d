"""Completes fills with the fee and PnL that only the income list has, by their trade ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from ....core.kinds import IncomeKind
from ....core.reports import FillReport, IncomeReport
from .vocabulary import cost

_Trade = tuple[str | None, str | None]


def costed(fills: Iterable[FillReport], income: Iterable[IncomeReport]) -> tuple[FillReport, ...]:
    """Return the fills, completed; income of a trade of two of our orders, or with two rows of a type, is not used."""
    listed = tuple(fills)
    rows: dict[tuple[IncomeKind, _Trade], list[IncomeReport]] = {}
    for row in income:
        if row.trade_id is not None:
            rows.setdefault((row.kind, (row.symbol, row.trade_id)), []).append(row)
    counts: Counter[_Trade] = Counter((report.symbol, report.trade_id) for report in listed)

    def the(kind: IncomeKind, trade: _Trade) -> IncomeReport | None:
        found = rows.get((kind, trade), [])
        return found[0] if len(found) == 1 and counts[trade] == 1 else None

    def complete(report: FillReport) -> FillReport:
        trade = (report.symbol, report.trade_id)
        if report.trade_id is None or (report.fee is not None and report.realized_pnl is not None):
            return report
        fee, asset, pnl = report.fee, report.fee_asset, report.realized_pnl
        if fee is None and (row := the(IncomeKind.FEE, trade)) is not None:
            fee, asset = cost(row.amount), asset or row.asset
        if pnl is None and (row := the(IncomeKind.PNL, trade)) is not None:
            pnl = row.amount
        return msgspec.structs.replace(report, fee=fee, fee_asset=asset, realized_pnl=pnl)

    return tuple(complete(report) for report in listed)
