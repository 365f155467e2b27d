"""Reads orders one by one: each with all its fills, between two readings of the order itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from ....core.backoff import FailureLimit
from ....core.reports import Account, FillReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from .codes import is_unknown_order
from .costs import costed
from .listing import Listing
from .lists import FILL_HISTORY, Lists
from .rest import Rest, malformed
from .rows import order
from .together import together

ORDER = "/openApi/swap/v2/trade/order"
TRIES = 3
QUESTIONS = 10
"""A whole read asks for orders that are in no list until so many such calls have failed in 480 s. "No such order" is a
failing call to the venue, and the rest of what it bears is for orders whose fills do not add up."""
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


class _Single(NamedTuple):
    order: OrderReport | OddRow | None
    """None where the venue denies it."""
    fills: Listing[FillReport]
    since: int | None
    """None when the fills reach back to the order's creation."""
    still: bool


class Singles:
    """Orders that the lists do not show, or whose fills do not add up."""

    def __init__(self, rest: Rest, lists: Lists) -> None:
        self._rest = rest
        self._lists = lists

    async def read(self, refs: Sequence[OrderRef]) -> Account:
        """These orders and all their fills, as far back as the venue shows any; unknown orders are denied."""
        as_of = await self._rest.ask_time()
        wanted = list(dict.fromkeys(refs))
        singles: list[_Single] = []
        while len(singles) < len(wanted):  # no more together than may be denied
            room = max(1, FailureLimit.calls - self._rest.failures("GET", ORDER))
            some = wanted[len(singles) : len(singles) + room]
            singles += await together(*(partial(self._single, ref, as_of) for ref in some))
        opened = [single.since for single in singles if single.since is not None]
        fills = await self._costed([report for single in singles for report in single.fills.rows], as_of)
        orders = [single.order for single in singles if isinstance(single.order, OrderReport)]
        odd = [row for single in singles for row in single.fills.odd]
        odd += [single.order for single in singles if isinstance(single.order, OddRow)]
        moving = frozenset(ref.order_id for ref, single in zip(wanted, singles, strict=True) if not single.still)
        return Account(
            as_of=as_of,
            exchange_ms=await self._rest.now(),
            since=max(opened, default=None),
            whole=False,
            settled=not moving,
            moving=moving,
            orders=tuple(orders),
            open_orders=frozenset(report.order_id for report in orders if report.status in OPEN),
            denied=frozenset(ref for ref, single in zip(wanted, singles, strict=True) if single.order is None),
            fills=fills,
            odd=tuple(dict.fromkeys(odd)),
        )

    def room(self) -> int:
        """How many orders that are in no list may be asked for at once, though the venue may not know any of them."""
        return max(0, QUESTIONS - self._rest.failures("GET", ORDER))

    async def order(self, ref: OrderRef) -> OrderReport | OddRow | None:
        """The order now, or None if the venue does not know it."""
        try:
            data = await self._rest.call("GET", ORDER, {"symbol": ref.symbol, "orderId": ref.order_id})
        except RequestRefused as error:
            if is_unknown_order(error.refusal):
                return None
            raise
        row = data.get("order", data) if isinstance(data, dict) else None
        if not isinstance(row, dict):
            raise malformed("no order")
        report = order(row)
        if isinstance(report, OddRow) and report.order_id is None:
            return msgspec.structs.replace(report, symbol=ref.symbol, order_id=ref.order_id)
        if report.order_id != ref.order_id:
            raise malformed("another order than the one asked for")
        return report

    async def _costed(self, fills: Sequence[FillReport], until: int) -> tuple[FillReport, ...]:
        bare = [report for report in fills if report.fee is None or report.realized_pnl is None]
        since = min((report.exchange_ts for report in bare), default=until)
        symbols = sorted({report.symbol for report in bare})
        now = await self._rest.horizon()
        lists = await together(*(partial(self._lists.earned, since, now, symbol=symbol) for symbol in symbols))
        return costed(fills, (row for listing in lists for row in listing.rows))

    async def _single(self, ref: OrderRef, as_of: int) -> _Single:
        before = await self.order(ref)
        if not isinstance(before, OrderReport):
            fills, _ = await self._fills(ref, 0)
            return _Single(before, fills, None, still=True)
        fills, start = Listing[FillReport](()), as_of
        for _ in range(TRIES):
            fills, start = await self._fills(ref, before.created_ts or 0)
            after = await self.order(ref)
            if not isinstance(after, OrderReport):
                return _Single(after, fills, None, still=True)
            if (after.status, after.cumulative_qty) == (before.status, before.cumulative_qty):
                return _Single(after, fills, _reach(after, start), still=True)
            before = after
        return _Single(before, fills, _reach(before, start), still=False)

    async def _fills(self, ref: OrderRef, created: int) -> tuple[Listing[FillReport], int]:
        """The fills of an order that was made then, and since when they were read."""
        now = await self._rest.horizon()
        start = max(created, now - FILL_HISTORY)
        return await self._lists.fills(start, now, symbol=ref.symbol, orderId=ref.order_id), start


def _reach(report: OrderReport, start: int) -> int | None:
    return None if report.created_ts is not None and start <= report.created_ts else start
