"""Reads orders one by one: each with all its fills, between two readings of the order itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import NamedTuple, TypeVar

from ....core.refusal import RefusalKind
from ....core.reports import Account, FillReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.questions import QuestionStore
from ....ports.service import Service, both, clock
from .codes import is_unknown_order
from .costs import costed
from .facts import FAILING_CALLS
from .listing import Listing
from .lists import FILL_HISTORY, Lists
from .questions import QUESTIONS, Questions
from .rest import Rest
from .rows import the_order

T = TypeVar("T")
ORDER = "/openApi/swap/v2/trade/order"
TRIES = 3
RESERVED = 5
"""The most queries that a whole read leaves for orders in no list that have fills: those are read alone."""
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


class Silence(Enum):
    """The reason why there is no state of an order."""

    DENIED = "the venue does not know it"
    UNASKED = "the endpoint lets nothing through now: the order is asked for another time, and no list waits for that"


class _OrderRead(NamedTuple):
    """An order with its fills; `since` is None if they reach back to its creation."""

    order: OrderReport | OddRow | Silence
    fills: Listing[FillReport] = Listing(())
    since: int | None = None
    still: bool = True


class OrderReader:
    """Reads orders that the lists do not show, or whose fills do not add up.

    An order in the lists of the last whole read exists; a query of any other is a question, since it may be denied.
    """

    def __init__(self, rest: Rest, lists: Lists, store: QuestionStore | None = None) -> None:
        self._rest = rest
        self._lists = lists
        self._questions = Questions(store)
        self._endpoint = rest.endpoint("GET", ORDER)
        self._shown: frozenset[str] = frozenset()

    def show(self, order_ids: Iterable[str]) -> None:
        """Note the orders in the lists of a whole read."""
        self._shown = frozenset(order_ids)
        self._questions.shown(self._shown)

    def read(self, refs: Sequence[OrderRef]) -> Service[Account]:
        """Read these orders and all their fills, as far back as the venue has them; unknown orders are denied."""
        wanted = dict.fromkeys(refs)
        as_of, found = yield from both(self._rest.ask_time(), self._found(list(wanted)))
        reads = [(ref, read) for ref in wanted if isinstance(read := found.get(ref), _OrderRead)]
        listed = [read.fills for _, read in reads]
        fills = yield from self._costed([report for listing in listed for report in listing.rows], as_of)
        orders = [read.order for _, read in reads if isinstance(read.order, OrderReport)]
        odd = [row for listing in listed for row in listing.odd]
        odd += [read.order for _, read in reads if isinstance(read.order, OddRow)]
        moving = frozenset(ref.order_id for ref, read in reads if not read.still)
        return Account(
            as_of=as_of,
            exchange_ms=(yield from self._rest.now()),
            since=max((read.since for _, read in reads if read.since is not None), default=None),
            whole=False,
            settled=not moving,
            moving=moving,
            orders=tuple(orders),
            open_orders=frozenset(report.order_id for report in orders if report.status in OPEN),
            denied=frozenset(ref for ref, read in reads if read.order is Silence.DENIED),
            unasked=frozenset(refs) - found.keys(),
            fills=fills,
            odd=tuple(dict.fromkeys(odd)),
        )

    def _found(self, wanted: Sequence[OrderRef]) -> Service[dict[OrderRef, _OrderRead | Silence]]:
        shown = [ref for ref in wanted if ref.order_id in self._shown]
        found = yield from self.each(shown, self._order_read, shown=True)
        return found | (yield from self.each([ref for ref in wanted if ref not in found], self._order_read))

    def each(
        self, refs: Iterable[OrderRef], ask: Callable[[OrderRef], Service[T]], *, shown: bool = False, reserved: int = 0
    ) -> Service[dict[OrderRef, T]]:
        """Return the answers for these orders, as far as the limits of calls allow; those `shown` are no questions.

        An order that was denied lately is not asked for again, and needs no call.
        """
        exchange_ms = yield from self._rest.now()
        denied = sorted(ref for ref in refs if self._questions.is_denied(ref, exchange_ms))
        found = dict(zip(denied, (yield from both(*map(ask, denied))), strict=True))
        left = [ref for ref in refs if ref not in found]
        while left and (room := (yield from self._room(shown)) - reserved) > 0:
            now, left = left[:room], left[room:]
            found |= zip(now, (yield from both(*map(ask, now))), strict=True)
        return {ref: answer for ref, answer in found.items() if answer is not Silence.UNASKED}

    def _room(self, shown: bool) -> Service[int]:
        """The number of orders that may be asked for at once, even if all these calls fail."""
        now = yield from clock()
        if self._endpoint.is_closed(now):
            return 0
        most = FAILING_CALLS.calls if shown else QUESTIONS
        left = max(0, most - self._endpoint.failures(now))
        return left if shown else min(left, self._questions.room((yield from self._rest.now())))

    def order(self, ref: OrderRef) -> Service[OrderReport | OddRow | Silence]:
        """The order now, or the reason why there is no state."""
        is_question = ref.order_id not in self._shown
        if is_question and self._questions.is_denied(ref, (yield from self._rest.now())):
            return Silence.DENIED

        def sending(exchange_ms: int) -> None:
            nonlocal is_question
            if is_question:  # a repeat is no new question
                self._questions.ask(ref, exchange_ms)
            is_question = False

        params = {"symbol": ref.symbol, "orderId": ref.order_id}
        try:
            data = yield from self._rest.call("GET", ORDER, params, sending=sending)
        except RequestRefused as error:
            if is_unknown_order(error.refusal):
                self._questions.denied(ref)
                return Silence.DENIED
            now = yield from clock()
            if error.refusal.kind is not RefusalKind.RETRY or not self._endpoint.is_closed(now):
                raise
            return Silence.UNASKED
        self._questions.found(ref)
        return the_order(data, ref)

    def _order_read(self, ref: OrderRef) -> Service[_OrderRead | Silence]:
        before = yield from self.order(ref)
        for _ in range(TRIES):
            if before is Silence.UNASKED:
                return before
            created = (before.created_ts or 0) if isinstance(before, OrderReport) else 0
            now = yield from self._rest.horizon()
            start = max(created, now - FILL_HISTORY)
            fills = yield from self._lists.fills(start, now, symbol=ref.symbol, orderId=ref.order_id)
            if not isinstance(before, OrderReport):
                return _OrderRead(before, fills)
            after = yield from self.order(ref)
            if not isinstance(after, OrderReport):
                return after if after is Silence.UNASKED else _OrderRead(after, fills)
            since = None if after.created_ts is not None and start <= after.created_ts else start
            if (after.status, after.cumulative_qty) == (before.status, before.cumulative_qty):
                return _OrderRead(after, fills, since)
            before = after
        return _OrderRead(before, fills, since, still=False)

    def _costed(self, fills: Sequence[FillReport], until: int) -> Service[tuple[FillReport, ...]]:
        bare = [report for report in fills if report.fee is None or report.realized_pnl is None]
        since = min((report.exchange_ts for report in bare), default=until)
        symbols = sorted({report.symbol for report in bare})
        now = yield from self._rest.horizon()
        lists = yield from both(*(self._lists.income(since, now, symbol=symbol) for symbol in symbols))
        return costed(fills, (row for listing in lists for row in listing.rows))
