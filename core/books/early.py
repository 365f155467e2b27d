"""Fees that were booked before their fills were delivered, where no row names a trade that we know.

A venue may show a fill in its list of income before it shows it in its list of fills. The row is then known again by
its symbol, its time and its amount.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from ..execution import Execution
from ..grain import floor
from ..kinds import IncomeKind
from ..reports import IncomeReport

_Mark = tuple[str, int, Decimal]
"""A symbol, an exchange time, ms, as exact as lists are, and a fee."""


class EarlyFees:
    """Booked fees that wait for their fills. `grain` is that of the venue's lists, ms."""

    def __init__(self, grain: int) -> None:
        self._grain = grain
        self.waiting: Counter[_Mark] = Counter()
        """Fees whose fills have not been delivered yet."""

    def note(self, rows: Iterable[IncomeReport], fills: Iterable[Execution]) -> None:
        """These rows are booked for fills of which only these are known."""
        known = Counter(mark for fill in fills if (mark := self._mark(fill)) is not None)
        fees = Counter(
            (row.symbol or "", floor(row.exchange_ts, self._grain), -row.amount)
            for row in rows
            if row.kind is IncomeKind.FEE
        )
        self.waiting += fees - known

    def take(self, fill: Execution) -> bool:
        """True if the fee of this fill, delivered just now, is booked already; it does not wait any more."""
        mark = self._mark(fill)
        if mark is None or not self.waiting[mark]:
            return False
        self.waiting -= Counter([mark])
        return True

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        self.waiting = Counter({mark: n for mark, n in self.waiting.items() if mark[1] >= exchange_ms})

    def _mark(self, fill: Execution) -> _Mark | None:
        if fill.fee is None or fill.exchange_ts is None:
            return None
        return fill.symbol, floor(fill.exchange_ts, self._grain), fill.fee
