"""The venue's three long lists - fills, orders, income - whole for any window: pages, limits and history included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

from ....core.refusal import UNREACHED, Refusal, RefusalKind
from ....core.reports import FillReport, IncomeReport, OddRow, OrderReport
from ....ports.errors import RequestRefused
from .amounts import moment, whole
from .listing import Listing, parted
from .rest import Rest, malformed
from .rows import Row, fill, income, listed, order

SECOND = 1000
DAY = 86_400_000
LONGEST_WINDOW = 7 * DAY - SECOND
FILL_HISTORY = 7 * DAY - 60 * SECOND
"""Fills of the last 7 days; a minute less, since the venue's clock moves on while we ask."""
INCOME_HISTORY = 89 * DAY
"""Income of the last "3 months"; the shortest three there are."""
PAGE = 1000
MOST_FILLS = 1000
"""A document says that a list of fills holds no more, whatever the window. It does not say that the rest is lost."""

FILLS = "/openApi/swap/v2/trade/fillHistory"
ORDERS = "/openApi/swap/v2/trade/allOrders"
INCOME = "/openApi/swap/v2/user/income"


class Earned(NamedTuple):
    """The income of a window, or why it is not listed."""

    rows: tuple[IncomeReport, ...] = ()
    odd: tuple[OddRow, ...] = ()
    refusal: Refusal | None = None


class Lists:
    """Windows are exchange time in ms, left-open. Methods raise `RequestRefused` rather than leave anything out."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._unlisted: Refusal | None = None
        """Why income was not listed when it was last asked for."""

    async def fills(self, since: int, until: int, **narrow: str) -> Listing[FillReport]:
        """The fills of (since, until], oldest first; `narrow` is `symbol`, `orderId`.

        Times of fills are cut to the second, so the window opens at the second before `since`.
        """
        found: dict[object, FillReport] = {}
        strange: dict[OddRow, None] = {}
        for start, end in _pieces(since, until):
            for report in await self._fill_pages(start, end, narrow):
                if isinstance(report, OddRow):
                    strange[report] = None
                    continue
                # Within one second only the trade id tells rows apart; without one, each row counts.
                name = (report.symbol, report.order_id, report.trade_id) if report.trade_id else len(found)
                found.setdefault(name, report)
        wanted = narrow.get("orderId")
        chosen = (report for report in found.values() if wanted is None or report.order_id == wanted)
        odd = tuple(row for row in strange if wanted is None or row.order_id in (None, wanted))
        return Listing(tuple(sorted(chosen, key=_age)), odd)

    async def orders(self, since: int, until: int) -> Listing[OrderReport]:
        """The orders that finished in the window, each once."""
        found: dict[str, OrderReport] = {}
        rows, odd = parted(map(order, await self._split(ORDERS, "orders", since, until)))
        for report in rows:
            known = found.get(report.order_id)
            if known is None or (known.exchange_ts or 0) <= (report.exchange_ts or 0):
                found[report.order_id] = report
        return Listing(tuple(found.values()), tuple(dict.fromkeys(odd)))

    async def income(self, since: int, until: int, **narrow: str) -> Listing[IncomeReport]:
        """The income of the window, oldest first; `narrow` is `symbol`."""
        listed = await self._split(INCOME, "income", max(since, until - INCOME_HISTORY), until, **narrow)
        rows, odd = parted(map(income, listed))
        found = {(report.tran_id, report.income_type): report for report in rows}
        return Listing(tuple(sorted(found.values(), key=lambda report: report.exchange_ts)), tuple(dict.fromkeys(odd)))

    async def earned(self, since: int, until: int, **narrow: str) -> Earned:
        """The same, or that it is refused until a person changes something: all else can be read without.

        It is asked for again with each read, as far as failing calls are allowed.
        """
        try:
            found = await self.income(since, until, **narrow)
        except RequestRefused as error:
            if error.refusal.kind is RefusalKind.FATAL:
                self._unlisted = error.refusal
            elif error.refusal.code != UNREACHED or self._unlisted is None:
                raise
            return Earned(refusal=self._unlisted)
        self._unlisted = None
        return Earned(*found)

    async def _fill_pages(self, start: int, end: int, narrow: dict[str, str]) -> list[FillReport | OddRow]:
        found: list[FillReport | OddRow] = []
        before: list[Row] = []
        for page in count(1):
            params: dict[str, str | int] = {
                "startTs": start,
                "endTs": end,
                "pageIndex": page,
                "pageSize": PAGE,
                **narrow,
            }
            data = await self._rest.call("GET", FILLS, params)
            rows = listed(data, "fill_history_orders", "fill_orders", "fills")
            if rows and rows == before:  # pages are not turned: ask for less
                return await self._halves(start, end, narrow, found)
            found += map(fill, rows)
            total = whole(data.get("total")) if isinstance(data, dict) else None
            if not rows or (len(rows) < PAGE and (total is None or len(found) >= total)):
                break
            before = rows
        if len(found) == MOST_FILLS and end - start > SECOND:
            return await self._halves(start, end, narrow, found)
        times = [report.exchange_ts for report in found if not isinstance(report, OddRow)]
        newest_first = bool(times) and times[0] > times[-1]
        return found[::-1] if newest_first else found

    async def _halves(
        self, start: int, end: int, narrow: dict[str, str], shown: list[FillReport | OddRow]
    ) -> list[FillReport | OddRow]:
        # A row's time is that of its second's beginning: all of a second go into one part.
        times = (report.exchange_ts - 1 for report in shown if not isinstance(report, OddRow))
        middle = _busiest(times, start, end)
        earlier = await self._fill_pages(start, middle, narrow)
        return earlier + await self._fill_pages(middle, end, narrow)

    async def _split(self, path: str, name: str, since: int, until: int, **narrow: str) -> list[Row]:
        """All rows of a list that has a limit and no pages: a window that comes back full is asked for in two parts.

        No document says whether its bounds are open; windows overlap by 1 ms and callers drop what comes twice.
        """
        found: list[Row] = []
        windows = list(_pieces(since, until))
        while windows:
            start, end = windows.pop()
            params: dict[str, str | int] = {
                "startTime": start,
                "endTime": end if end == until else end + 1,
                "limit": PAGE,
                **narrow,
            }
            rows = listed(await self._rest.call("GET", path, params), name)
            if len(rows) < PAGE:
                found += rows
            else:
                middle = _busiest((moment(row.get("time")) for row in rows), start, end)
                windows += [(start, middle + 1), (middle, end)]
        return found


def same(first: Iterable[FillReport], second: Iterable[FillReport]) -> bool:
    """Whether two lists hold the same fills, whatever their order."""
    return Counter(map(_facts, first)) == Counter(map(_facts, second))


def beyond(first: Iterable[FillReport], second: Iterable[FillReport]) -> list[FillReport]:
    """What the second list has and the first has not, row for row."""
    left = Counter(map(_facts, first))
    extra: list[FillReport] = []
    for report in second:
        if left[_facts(report)] > 0:
            left[_facts(report)] -= 1
        else:
            extra.append(report)
    return extra


def _facts(report: FillReport) -> tuple[object, ...]:
    return (report.symbol, report.order_id, report.trade_id, report.qty, report.price, report.exchange_ts)


def _age(report: FillReport) -> tuple[int, int]:
    return (report.exchange_ts, whole(report.trade_id) or 0)


def _pieces(since: int, until: int) -> Iterator[tuple[int, int]]:
    start = min(since // SECOND * SECOND - SECOND, until - SECOND)
    while start < until:
        end = min(start + LONGEST_WINDOW, until)
        yield start, end
        start = end


def _busiest(times: Iterable[int | None], start: int, end: int) -> int:
    """Where to part a window so that both parts hold rows; any place within is right, this one is found soon."""
    middle = _middle(start, end)
    within = sorted(at for at in times if at is not None and start + 1 < at < end - 1)
    return within[len(within) // 2] if within else middle


def _middle(start: int, end: int) -> int:
    if end - start <= SECOND:
        raise malformed("more rows in a second than the venue lists")
    return (start + end) // 2
