"""Reads orders one by one: each with all its fills, between two readings of the order itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from functools import partial
from typing import NamedTuple

import msgspec

from ....core.backoff import FailureLimit
from ....core.refusal import RefusalKind
from ....core.reports import Account, FillReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.questions import QuestionStore
from .codes import is_unknown_order
from .costs import costed
from .listing import Listing
from .lists import FILL_HISTORY, Lists
from .questions import QUESTIONS, Questions
from .rest import Rest, malformed
from .rows import order
from .together import together

ORDER = "/openApi/swap/v2/trade/order"
TRIES = 3
RESERVED = 5
"""A whole read leaves room for so many orders at most that are in no list but have fills: those are wanted alone."""
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


class Silence(Enum):
    """Why there is nothing to say of an order."""

    DENIED = "the venue does not know it"
    UNASKED = "the endpoint lets nothing through now: the order is asked for another time, and no list waits for that"


class _Single(NamedTuple):
    order: OrderReport | OddRow | Silence
    fills: Listing[FillReport]
    since: int | None
    """None when the fills reach back to the order's creation."""
    still: bool


class Singles:
    """Orders that the lists do not show, or whose fills do not add up.

    An order that the lists of the last whole read have shown is there; any other may be denied, and is a question.
    """

    def __init__(self, rest: Rest, lists: Lists, store: QuestionStore | None = None) -> None:
        self._rest = rest
        self._lists = lists
        self._questions = Questions(store)
        self._shown: frozenset[str] = frozenset()

    def show(self, order_ids: Iterable[str]) -> None:
        """The lists of a whole read show these orders."""
        self._shown = frozenset(order_ids)
        self._questions.shown(self._shown)

    async def read(self, refs: Sequence[OrderRef]) -> Account:
        """These orders and all their fills, as far back as the venue shows any; unknown orders are denied."""
        as_of = await self._rest.ask_time()
        wanted = list(dict.fromkeys(refs))
        shown = [ref for ref in wanted if ref.order_id in self._shown]
        found = await self._found(shown, self._calls, as_of)
        found |= await self._found([ref for ref in wanted if ref not in found], self.room, as_of)
        wanted = [ref for ref in wanted if ref in found]
        singles = [found[ref] for ref in wanted]
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
            denied=frozenset(
                ref for ref, single in zip(wanted, singles, strict=True) if single.order is Silence.DENIED
            ),
            unasked=frozenset(refs) - found.keys(),
            fills=fills,
            odd=tuple(dict.fromkeys(odd)),
        )

    async def room(self) -> int:
        """How many orders that are in no list may be asked for at once, though the venue may not know any of them."""
        now = await self._rest.now()
        return min(self._calls_left(QUESTIONS), self._questions.room(now))

    async def denied(self, refs: Iterable[OrderRef]) -> frozenset[OrderRef]:
        """Those that the venue has denied lately, and no list has shown since: they need not be asked for again."""
        now = await self._rest.now()
        return frozenset(ref for ref in refs if self._questions.is_denied(ref, now))

    async def order(self, ref: OrderRef) -> OrderReport | OddRow | Silence:
        """The order now, or why it is not said. Raises `RequestRefused`."""
        is_question, asked = ref.order_id not in self._shown, False

        def sending() -> None:
            nonlocal asked
            if is_question and not asked:
                asked = True
                self._questions.ask(ref, self._rest.exchange_ms() or 0)

        if is_question and self._questions.is_denied(ref, await self._rest.now()):
            return Silence.DENIED
        try:
            data = await self._rest.call("GET", ORDER, {"symbol": ref.symbol, "orderId": ref.order_id}, sending=sending)
        except RequestRefused as error:
            if is_unknown_order(error.refusal):
                self._questions.denied(ref)
                return Silence.DENIED
            if error.refusal.kind is RefusalKind.RETRY and self._rest.is_closed("GET", ORDER):
                return Silence.UNASKED
            raise
        self._questions.found(ref)
        row = data.get("order", data) if isinstance(data, dict) else None
        if not isinstance(row, dict):
            raise malformed("no order")
        report = order(row)
        if isinstance(report, OddRow) and report.order_id is None:
            return msgspec.structs.replace(report, symbol=ref.symbol, order_id=ref.order_id)
        if report.order_id != ref.order_id:
            raise malformed("another order than the one asked for")
        return report

    async def _calls(self) -> int:
        """How many orders that are there may be asked for at once, though each of the calls may fail."""
        return self._calls_left(FailureLimit.calls)

    def _calls_left(self, most: int) -> int:
        return 0 if self._rest.is_closed("GET", ORDER) else max(0, most - self._rest.failures("GET", ORDER))

    async def _found(
        self, refs: Sequence[OrderRef], room: Callable[[], Awaitable[int]], as_of: int
    ) -> dict[OrderRef, _Single]:
        """These orders without those that may not be asked for now."""
        known = await self.denied(refs)
        found = await self._together(sorted(known), as_of)
        left = [ref for ref in refs if ref not in known]
        while left and (most := await room()):
            some, left = left[:most], left[most:]
            found |= await self._together(some, as_of)
        return found

    async def _together(self, refs: Sequence[OrderRef], as_of: int) -> dict[OrderRef, _Single]:
        singles = await together(*(partial(self._single, ref, as_of) for ref in refs))
        asked = zip(refs, singles, strict=True)
        return {ref: single for ref, single in asked if single.order is not Silence.UNASKED}

    async def _costed(self, fills: Sequence[FillReport], until: int) -> tuple[FillReport, ...]:
        bare = [report for report in fills if report.fee is None or report.realized_pnl is None]
        since = min((report.exchange_ts for report in bare), default=until)
        symbols = sorted({report.symbol for report in bare})
        now = await self._rest.horizon()
        lists = await together(*(partial(self._lists.earned, since, now, symbol=symbol) for symbol in symbols))
        return costed(fills, (row for listing in lists for row in listing.rows))

    async def _single(self, ref: OrderRef, as_of: int) -> _Single:
        before = await self.order(ref)
        if before is Silence.UNASKED:
            return _Single(before, Listing(()), None, still=True)
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
