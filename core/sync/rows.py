"""The rows of a read, by order and by what they name: which of them a delivered fill was, and what they say of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..books.estimates import FEE, PNL
from ..events import ZERO
from ..execution import Execution
from ..reports import FillReport, IncomeReport, OrderRef, OrderReport
from .figures import Part
from .scope import Scope, age, align


class Rows:
    """The rows of a read by order, and their intervals in it, if those are sure."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.of: defaultdict[OrderRef, list[FillReport]] = defaultdict(list)
        self._counts: Counter[tuple[str, str | None]] = Counter()
        for row in scope.account.fills:
            self.of[OrderRef(row.symbol, row.order_id)].append(row)
            self._counts[row.symbol, row.trade_id] += 1
        self._reports = {OrderRef(report.symbol, report.order_id): report for report in scope.account.orders}
        self._placed: dict[OrderRef, dict[Decimal, int] | None] = {}

    def placed(self, ref: OrderRef) -> dict[Decimal, int] | None:
        """How many of the order's rows, oldest first, lie below each of their ends; None if that is not sure."""
        if ref not in self._placed:
            self._placed[ref] = self._align(ref)
        return self._placed[ref]

    def stretch(self, fill: Execution) -> Sequence[FillReport]:
        """The rows that the fill was; none if that is not sure."""
        ref = OrderRef(fill.symbol, fill.order_id)
        rows = self.of[ref]
        ends = self.placed(ref)
        if ends is not None:
            low, high = ends.get(fill.cumulative_qty - fill.fill_qty), ends.get(fill.cumulative_qty)
            if low is not None and high is not None:
                return rows[low:high]
        return [row for row in rows if fill.trade_id is not None and _is_row_of(row, fill)]

    def part(self, row: FillReport) -> Part:
        """Return the row's figures."""
        own = self._counts[row.symbol, row.trade_id] == 1
        return Part(row.trade_id if own else None, row.fee, row.fee_asset, row.realized_pnl)

    def average(self, fill: Execution) -> Decimal | None:
        """The average price of the fill's order."""
        report = self._reports.get(OrderRef(fill.symbol, fill.order_id))
        return None if report is None else report.average_price

    def _align(self, ref: OrderRef) -> dict[Decimal, int] | None:
        report, rows = self._reports.get(ref), self.of[ref]
        rows.sort(key=age)
        if report is None or not rows:
            return None
        end = ZERO
        if not self.scope.is_anchored(report):  # else the newest may be missing, the others lie where they lie
            placed = align(report, rows, self.scope)
            if placed is None or not (self.scope.was_alone(report) or self._is_quiet(report, rows)):
                return None
            end = placed[0].start
        ends = {end: 0}
        for count, row in enumerate(rows, 1):
            end += row.qty
            ends[end] = count
        return ends

    def _is_quiet(self, report: OrderReport, rows: Sequence[FillReport]) -> bool:
        """True if all reports of the order are old enough to be listed."""
        latest = max(report.exchange_ts or 0, rows[-1].exchange_ts)
        return report.exchange_ts is not None and latest + self.scope.grain <= self.scope.shown_until


class Income:
    """Income rows by type, symbol and trade; if two name the same trade, neither counts."""

    def __init__(self, income: Iterable[IncomeReport]) -> None:
        self._rows: dict[tuple[str, str | None, str], IncomeReport | None] = {}
        for row in income:
            if row.trade_id is not None and row.kind in (FEE, PNL):
                key = (row.kind, row.symbol, row.trade_id)
                self._rows[key] = None if key in self._rows else row

    def complete(self, symbol: str, part: Part) -> Part:
        """The part with what income says of its trade, which goes before its row."""
        if part.trade_id is None:
            return part
        fee, pnl = self._rows.get((FEE, symbol, part.trade_id)), self._rows.get((PNL, symbol, part.trade_id))
        if fee is not None:
            part = part._replace(fee=ZERO - fee.amount, fee_asset=fee.asset or part.fee_asset)
        return part if pnl is None else part._replace(realized_pnl=pnl.amount)


def _is_row_of(row: FillReport, fill: Execution) -> bool:
    return row.trade_id == fill.trade_id and row.qty == fill.fill_qty
