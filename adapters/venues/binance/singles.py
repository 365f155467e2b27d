"""Reads orders one by one: each with all its fills, between two readings of the order itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ....core.events import ZERO
from ....core.reports import Account, FillReport, OddRow, OrderRef, OrderReport
from ....ports.errors import RequestRefused
from ....ports.service import Service, both
from .codes import is_unknown_order, is_unknown_symbol
from .lists import HISTORY, Listing, Lists
from .rest import Rest
from .rows import the_order
from .weights import OPEN_ORDER, ORDER
from .words import OPEN

TRIES = 3


class _Single(NamedTuple):
    """An order with its fills; `since` is None if they reach back to its creation. An order of None is denied."""

    order: OrderReport | OddRow | None
    fills: Listing[FillReport] = Listing(())
    since: int | None = None
    still: bool = True


class Singles:
    """Reads orders that the lists do not show, or whose fills do not add up. A query of an unknown order costs only
    its weight.
    """

    def __init__(self, rest: Rest, lists: Lists) -> None:
        self._rest = rest
        self._lists = lists

    def read(self, refs: Sequence[OrderRef]) -> Service[Account]:
        """Read these orders and all their fills, as far back as the venue has them; unknown orders are denied."""
        wanted = list(dict.fromkeys(refs))
        as_of, found = yield from both(self._rest.ask_time(), self._all(wanted))
        singles = list(zip(wanted, found, strict=True))
        orders = tuple(single.order for _, single in singles if isinstance(single.order, OrderReport))
        odd = [row for _, single in singles for row in single.fills.odd]
        odd += [single.order for _, single in singles if isinstance(single.order, OddRow)]
        moving = frozenset(ref.order_id for ref, single in singles if not single.still)
        return Account(
            as_of=as_of,
            exchange_ms=(yield from self._rest.now()),
            since=max((single.since for _, single in singles if single.since is not None), default=None),
            whole=False,
            settled=not moving,
            moving=moving,
            orders=orders,
            open_orders=frozenset(report.order_id for report in orders if report.status in OPEN),
            denied=frozenset(ref for ref, single in singles if single.order is None),
            fills=tuple(row for _, single in singles for row in single.fills.rows),
            odd=tuple(dict.fromkeys(odd)),
        )

    def each(self, refs: Iterable[OrderRef]) -> Service[dict[OrderRef, OrderReport | OddRow | None]]:
        """Return these orders as they are now; None for those that the venue does not know."""
        wanted = list(refs)
        return dict(zip(wanted, (yield from both(*map(self._order, wanted))), strict=True))

    def _all(self, wanted: Sequence[OrderRef]) -> Service[tuple[_Single, ...]]:
        return (yield from both(*map(self._single, wanted)))

    def _order(self, ref: OrderRef) -> Service[OrderReport | OddRow | None]:
        """The order; None if the venue does not know it. After three months it knows only open orders."""
        for path in (ORDER, OPEN_ORDER):
            try:
                data = yield from self._rest.get(path, {"symbol": ref.symbol, "orderId": ref.order_id})
            except RequestRefused as error:
                if not (is_unknown_order(error.refusal) or is_unknown_symbol(error.refusal)):
                    raise
            else:
                return the_order(data, ref)
        return None

    def _single(self, ref: OrderRef) -> Service[_Single]:
        before = yield from self._order(ref)
        for _ in range(TRIES):
            now = yield from self._rest.horizon()
            created = (before.created_ts or 0) if isinstance(before, OrderReport) else 0
            start = max(created, now - HISTORY)
            fills = yield from self._fills(ref, before, start, now)
            if not isinstance(before, OrderReport):
                return _Single(before, fills, start if before is None else None)
            after = yield from self._order(ref)
            if not isinstance(after, OrderReport):
                return _Single(after, fills, start if after is None else None)
            since = None if after.created_ts is not None and start <= after.created_ts else start
            if (after.status, after.cumulative_qty) == (before.status, before.cumulative_qty):
                return _Single(after, fills, since)
            before = after
        return _Single(before, fills, since, still=False)

    def _fills(
        self, ref: OrderRef, order: OrderReport | OddRow | None, start: int, until: int
    ) -> Service[Listing[FillReport]]:
        """The fills of the order, by its id. They are read by time too if those are fewer than the executed quantity,
        since the list by id may reach back only days, and if the executed quantity is unknown.
        """
        found = yield from self._lists.of_order(ref, start, until)
        total = sum((row.qty for row in found.rows), ZERO)
        is_whole = isinstance(order, OrderReport) and total >= order.cumulative_qty
        if is_whole or isinstance(order, OddRow) or found.odd:
            return found
        listed = yield from self._lists.fills(ref.symbol, start, until)
        own = tuple(row for row in listed.rows if row.order_id == ref.order_id)
        return Listing(own, tuple(row for row in listed.odd if row.order_id in (None, ref.order_id)))
