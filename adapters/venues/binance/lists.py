"""Reads the venue's long lists - fills, orders, income - completely for any window, with its pages and limits.

Fills are paged by trade id: a page that begins with the last trade of the one before loses nothing, also not the second
row of a trade between two orders of ours. Paging by time could lose rows, since no document states which end of a
window a full page has; so a full page by time only shows that the window is too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from ....core.refusal import Refusal, RefusalKind
from ....core.reports import FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.service import Service
from ..amounts import moment
from ..refusals import malformed
from .codes import is_unknown_symbol
from .rest import Rest
from .rows import Row, fill, income, listed, order, trade_number
from .signing import Params
from .weights import FILLS, INCOME, ORDERS

T = TypeVar("T")
DAY = 86_400_000
LONGEST_WINDOW = 7 * DAY - 1000
HISTORY = 89 * DAY
"""The age, ms, up to which fills and income are listed: three months, the shortest. Older orders are cleaned up."""
PAGE = 1000


class Listing(NamedTuple, Generic[T]):
    """A list that was read: `rows`, oldest first, and `odd` ones, which are not in `rows`; or the `refusal` of it."""

    rows: tuple[T, ...]
    odd: tuple[OddRow, ...] = ()
    refusal: Refusal | None = None


def parted(found: list[T | OddRow]) -> Listing[T]:
    """Return the rows that are understood, and the odd ones."""
    rows = tuple(row for row in found if not isinstance(row, OddRow))
    return Listing(rows, tuple(dict.fromkeys(row for row in found if isinstance(row, OddRow))))


class Lists:
    """Reads lists in windows of exchange time, ms, both ends included. Services raise `RequestRefused` rather than
    leave rows out. A page has at most `page` rows, one of fills `fills_page`.
    """

    def __init__(self, rest: Rest, *, page: int = PAGE, fills_page: int | None = None) -> None:
        self._rest = rest
        self._size = page
        self._fills_size = page if fills_page is None else fills_page

    def fills(self, symbol: str, since: int, until: int) -> Service[Listing[FillReport]]:
        """The fills of a symbol; none if the symbol does not exist any more."""
        rows: list[Row] = []
        try:
            for start, end in windows(since, until):
                rows += yield from self._fills_of(symbol, start, end)
        except RequestRefused as error:
            if not is_unknown_symbol(error.refusal):
                raise
        return _unique(rows, since, until)

    def of_order(self, ref: OrderRef, since: int, until: int) -> Service[Listing[FillReport]]:
        """The fills of one order, asked for by its id; if they fill a page, by time and trade."""
        params: dict[str, str | int] = {"symbol": ref.symbol, "orderId": ref.order_id, "limit": self._fills_size}
        try:
            rows = listed((yield from self._rest.get(FILLS, params)))
        except RequestRefused as error:
            if not is_unknown_symbol(error.refusal):
                raise
            rows = []
        if len(rows) < self._fills_size:
            found = _unique(rows, 0, until)
        else:
            found = yield from self.fills(ref.symbol, since, until)
        own = tuple(row for row in found.rows if row.order_id == ref.order_id)
        return Listing(own, tuple(row for row in found.odd if row.order_id in (None, ref.order_id)))

    def orders(self, since: int, until: int, symbol: str | None = None) -> Service[Listing[OrderReport]]:
        """The orders of the window, each once in its last state: of all symbols, or of one, which may be delisted."""
        narrow = {} if symbol is None else {"symbol": symbol}
        try:
            listing = yield from self._rows(ORDERS, since, until, narrow)
        except RequestRefused as error:
            if symbol is None or not is_unknown_symbol(error.refusal):
                raise
            listing = []
        rows, odd, _ = parted(list(map(order, listing)))
        found: dict[OrderRef, OrderReport] = {}
        # No document states by which of its times an order is listed, so none is left out by time.
        for report in sorted(rows, key=lambda report: report.exchange_ts or 0):
            found[OrderRef(report.symbol, report.order_id)] = report
        return Listing(tuple(found.values()), odd)

    def income(self, since: int, until: int) -> Service[Listing[IncomeReport]]:
        """The income of the window; if it is refused for good, the listing has the refusal."""
        since = max(since, until - HISTORY)
        try:
            rows, odd, _ = parted(list(map(income, (yield from self._rows(INCOME, since, until, {})))))
        except RequestRefused as error:
            if error.refusal.kind is not RefusalKind.FATAL:
                raise
            return Listing((), refusal=error.refusal)
        within = (report for report in rows if since <= report.exchange_ts <= until)
        found = {(report.tran_id, report.income_type): report for report in within}
        return Listing(tuple(sorted(found.values(), key=lambda report: report.exchange_ts)), odd)

    def _fills_of(self, symbol: str, start: int, end: int) -> Service[list[Row]]:
        """The rows of a window: a first page by time that is not full, then the rest by trade id."""
        found: list[Row] = []
        first, last = start, end
        while first <= end:
            rows = yield from self._page(FILLS, first, last, {"symbol": symbol}, self._fills_size)
            if len(rows) >= self._fills_size:
                last = parting(rows, first, last)
            elif last == end:
                return found + rows
            elif not _trades(rows):  # none, or none that can be read
                found, first, last = found + rows, last + 1, end
            else:
                return found + rows + (yield from self._pages(symbol, rows, end))
        return found

    def _pages(self, symbol: str, rows: list[Row], end: int) -> Service[list[Row]]:
        """Read the rows after these by trade id, up to the end of the window and perhaps beyond it."""
        found: list[Row] = []
        seen = {_name(row) for row in rows}
        last = max(_trades(rows))
        while True:
            params: Params = {"symbol": symbol, "fromId": last, "limit": self._fills_size}
            page = listed((yield from self._rest.get(FILLS, params)))
            new = [row for row in page if _name(row) not in seen]
            found += new
            seen |= {_name(row) for row in new}
            if len(page) < self._fills_size or any((moment(row.get("time")) or 0) > end for row in new):
                return found
            if (newest := max(_trades(new), default=last)) == last:
                raise malformed("a page of fills that leads no further")
            last = newest

    def _rows(self, path: str, since: int, until: int, narrow: dict[str, str]) -> Service[list[Row]]:
        """All rows of a list with a limit but no pages: a window whose answer is full is asked for in two parts."""
        found: list[Row] = []
        left = list(windows(since, until))
        while left:
            start, end = left.pop()
            rows = yield from self._page(path, start, end, narrow, self._size)
            if len(rows) < self._size:
                found += rows
            else:
                middle = parting(rows, start, end)
                left += [(start, middle), (middle + 1, end)]
        return found

    def _page(self, path: str, start: int, end: int, narrow: Params, size: int) -> Service[list[Row]]:
        """A page of a window; no document states if ends are included, so rows just beside them may come too."""
        window: Params = {"startTime": start - 1, "endTime": end + 1, "limit": size}
        return listed((yield from self._rest.get(path, {**narrow, **window})))


def windows(since: int, until: int) -> Iterator[tuple[int, int]]:
    """Cut an interval, ms, into windows of the allowed length, oldest first."""
    starts = [since, *range(since + LONGEST_WINDOW, until, LONGEST_WINDOW), max(since, until) + 1]
    return ((start, end - 1) for start, end in pairwise(starts))


def parting(rows: list[Row], start: int, end: int) -> int:
    """The last ms of the first part of a window: any one is right, and the middle of the rows needs few requests."""
    if start >= end:
        raise malformed("more rows in a millisecond than the venue lists")
    within = sorted(at for row in rows if (at := moment(row.get("time"))) is not None and start <= at < end)
    middle = (start + end) // 2
    return min(middle, within[len(within) // 2]) if within else middle


def _unique(rows: list[Row], since: int, until: int) -> Listing[FillReport]:
    """The fills of a window, each once; in a trade between two orders of ours each has a fill with the same id."""
    reports, odd, _ = parted(list(map(fill, rows)))
    found = {(row.order_id, row.trade_id): row for row in reports if since <= row.exchange_ts <= until}
    return Listing(tuple(sorted(found.values(), key=lambda row: (row.exchange_ts, trade_number(row)))), odd)


def _trades(rows: list[Row]) -> list[int]:
    return [trade_number(report) for row in rows if not isinstance(report := fill(row), OddRow)]


def _name(row: Row) -> tuple[str, str]:
    return str(row.get("orderId")), str(row.get("id"))
