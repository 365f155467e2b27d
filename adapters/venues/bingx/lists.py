"""Reads the venue's long lists - fills, orders, income - completely for any window, with its pages and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Literal, TypeVar

from ....core.refusal import UNREACHED, Refusal, RefusalKind
from ....core.reports import FillReport, IncomeReport, OddRow, OrderReport
from ....ports.errors import RequestRefused
from ....ports.service import Service
from ..amounts import moment, whole
from .listing import DAY, SECOND, Listing, age, crowded, parted, parts, windows
from .rest import Rest
from .rows import Row, fill, income, listed, order

FILL_HISTORY = 7 * DAY - 60 * SECOND
"""The age, ms, up to which fills are listed: 7 days, less a minute in which the venue's clock moves on."""
INCOME_HISTORY = 89 * DAY
"""The age, ms, up to which income is listed: "3 months", the shortest there are."""
PAGE = 1000
MOST_FILLS = 1000
"""The most fills in a list for any window, by a document, which does not state what becomes of the rest."""

FILLS = "/openApi/swap/v2/trade/fillHistory"
ORDERS = "/openApi/swap/v2/trade/allOrders"
INCOME = "/openApi/swap/v2/user/income"
FillRow = FillReport | OddRow
T = TypeVar("T")


class Lists:
    """Reads lists in windows of exchange time, ms, left-open. Services raise `RequestRefused` rather than skip rows.

    A full list that cannot be narrowed further gets an odd row in place of those that it may leave out.
    """

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._unlisted: Refusal | None = None
        """The refusal of income when it was last asked for; None if it was listed."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The paths that a whole read needs."""
        return (FILLS, ORDERS, INCOME) if self._unlisted is None else (FILLS, ORDERS)

    def fills(self, since: int, until: int, symbols: Iterable[str] = (), **narrow: str) -> Service[Listing[FillReport]]:
        """The fills of (since, until], oldest first; `narrow` is `symbol`, `orderId`.

        Times of fills are cut to the second, so the window begins a second before `since`. A millisecond with more
        rows than the venue lists is asked for by symbol: the symbols of its rows, and `symbols`.
        """
        reports: list[FillRow] = []
        left = [(*window, narrow) for window in windows(since, until)[::-1]]
        by_symbol = False
        while left:
            start, end, narrowed = left.pop()
            shown, are_all = yield from self._fill_pages(start, end, narrowed)
            times = (row.exchange_ts for row in shown if isinstance(row, FillReport))
            if are_all:
                reports += shown
            elif parted_in := parts(times, start, end):
                left += [(*window, narrowed) for window in parted_in[::-1]]
            elif "symbol" not in narrowed:
                by_symbol = True
                reports += (row for row in shown if isinstance(row, OddRow))
                named = {row.symbol for row in shown if row.symbol is not None}.union(symbols)
                left += [(start, end, {**narrowed, "symbol": symbol}) for symbol in sorted(named, reverse=True)]
            else:
                reports += [*shown, crowded("fill", "fillHistory", end, narrowed)]
        rows, odd, *_ = parted(reports)
        found: dict[object, FillReport] = {}
        for index, row in enumerate(rows):
            # Within one second only the trade id distinguishes rows; without one, each row counts.
            found.setdefault((row.symbol, row.order_id, row.trade_id or index), row)
        wanted = narrow.get("orderId")
        chosen = (row for row in found.values() if wanted in (None, row.order_id))
        strange = (row for row in odd if wanted is None or row.order_id in (None, wanted))
        return Listing(tuple(sorted(chosen, key=age)), tuple(dict.fromkeys(strange)), by_symbol=by_symbol)

    def orders(self, since: int, until: int) -> Service[Listing[OrderReport]]:
        """The orders that finished in the window, each once."""
        found: dict[str, OrderReport] = {}
        rows, odd, *_ = yield from self._rows(ORDERS, "orders", order, since, until, {})
        for report in rows:
            if (found.get(report.order_id, report).exchange_ts or 0) <= (report.exchange_ts or 0):
                found[report.order_id] = report
        return Listing(tuple(found.values()), tuple(dict.fromkeys(odd)))

    def income(self, since: int, until: int, **narrow: str) -> Service[Listing[IncomeReport]]:
        """The income of the window, oldest first; `narrow` is `symbol`.

        If it is refused for good, the listing has the refusal, since the rest can be read without income. It is asked
        for again with each read, as far as failing calls are allowed.
        """
        since = max(since, until - INCOME_HISTORY)
        try:
            rows, odd, *_ = yield from self._rows(INCOME, "income", income, since, until, narrow)
        except RequestRefused as error:
            if error.refusal.kind is RefusalKind.FATAL:
                self._unlisted = error.refusal
            elif error.refusal.code != UNREACHED or self._unlisted is None:
                raise
            return Listing((), refusal=self._unlisted)
        self._unlisted = None
        found = {(report.tran_id, report.income_type): report for report in rows}
        return Listing(tuple(sorted(found.values(), key=lambda report: report.exchange_ts)), tuple(dict.fromkeys(odd)))

    def _fill_pages(self, start: int, end: int, narrow: dict[str, str]) -> Service[tuple[list[FillRow], bool]]:
        """The rows of a window, oldest first, and True if none is missing."""
        found: list[FillRow] = []
        before: list[Row] = []
        for page in count(1):
            window: dict[str, str | int] = {"startTs": start, "endTs": end, "pageIndex": page, "pageSize": PAGE}
            data = yield from self._rest.call("GET", FILLS, {**window, **narrow})
            rows = listed(data, "fill_history_orders", "fill_orders", "fills")
            if rows and rows == before:  # the venue ignores `pageIndex`
                return found, False
            found += map(fill, rows)
            total = whole(data.get("total")) if isinstance(data, dict) else None
            if not rows or (len(rows) < PAGE and (total is None or len(found) >= total)):
                break
            before = rows
        times = [report.exchange_ts for report in found if not isinstance(report, OddRow)]
        newest_first = bool(times) and times[0] > times[-1]
        return found[::-1] if newest_first else found, len(found) != MOST_FILLS

    def _rows(
        self,
        path: str,
        name: Literal["orders", "income"],
        report: Callable[[Row], T | OddRow],
        since: int,
        until: int,
        narrow: dict[str, str],
    ) -> Service[Listing[T]]:
        """All rows of a list with a limit but no pages: a window whose answer is full is asked for in parts.

        No document states if the ends are included, so windows overlap by 1 ms, and callers drop repeated rows.
        """
        found: list[T | OddRow] = []
        left = windows(since, until)
        while left:
            start, end = left.pop()
            window = {"startTime": start, "endTime": end if end == until else end + 1, "limit": PAGE}
            rows = listed((yield from self._rest.call("GET", path, {**window, **narrow})), name)
            is_full = len(rows) >= PAGE
            if is_full and (parted_in := parts((moment(row.get("time")) for row in rows), start, end)):
                left += parted_in
                continue
            found += map(report, rows)
            if is_full:
                found.append(crowded("income" if name == "income" else "order", path.rsplit("/", 1)[1], end, narrow))
        return parted(found)
