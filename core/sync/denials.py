"""Orders that the venue denies: an order that is in no list any more, and that a request by its id does not find, is
over.

Closed conditional orders and old cancelled ones come to that. Nothing reports how they ended, so it takes two reads:
one that denies the order, and a later one that does not list it either. Then its end is delivered, once, and it is not
asked for again. Its fills are still listed, and then it is what they show.

If frames have shown a larger execution than was delivered, and no list shows a fill of it either, those two reads
cannot pass, but the second one closes the order all the same: what frames report is delivered, the rest never will be,
and the gap that is open for it closes as not proven.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from ..account import translate
from ..account.order import UNSURE, Order
from ..account.orders import Orders
from ..account.shown import NOT_FOUND, Reported, Shown
from ..context import Context
from ..events import ZERO
from ..grain import floor
from ..reports import Account, FillReport, OrderRef, OrderReport
from .gap import Gap

_FillFacts = tuple[int, str | None, Decimal]


class Denials:
    """Keeps for each denied order when, exchange time, the first read began that passed and did not list it."""

    def __init__(self, context: Context, orders: Orders, gap: Gap) -> None:
        self._context = context
        self._orders = orders
        self._gap = gap
        self._since: dict[OrderRef, int | None] = {}
        self._alone: dict[OrderRef, frozenset[_FillFacts]] = {}
        """The fills of those that were read alone, for as long as whole reads list some of them."""
        self._silent: dict[OrderRef, int] = {}
        """Those that do not add up and of which nothing was listed, though they were read alone, and since when."""

    def last(self, refs: Iterable[OrderRef]) -> tuple[OrderRef, ...]:
        """The orders in the order in which they should be asked for: those that were denied before come last."""
        return tuple(sorted(refs, key=self._since.__contains__))

    def note(self, account: Account, shown_until: int, *, alone: bool) -> None:
        """A read denies some orders. Of one of which nothing was ever seen executed nothing can be missing.

        One that does not add up is settled if all its fills were read with it, `alone`, now and in a read that began
        before `shown_until`, exchange time, and there were none.
        """
        listed = _listed(account) if account.denied or self._silent else frozenset()
        for ref in sorted(self._silent.keys() & listed):
            del self._silent[ref]
        for ref in sorted(account.denied):
            self._since.setdefault(ref, None)
            order = self._orders.by_ref.get(ref)
            if order is None or order.whole:
                continue
            if order.coverage.base is None and order.seen == ZERO:
                order.begin(ZERO)
            elif not alone or ref in listed or _may_be_odd(ref, account):
                continue
            elif self._silent.setdefault(ref, account.as_of) <= shown_until:
                self._close(order, account.as_of)

    def passed(self, account: Account, shown_until: int) -> None:
        """A read has passed. What it lists neither is over, if that was so before `shown_until`, exchange time."""
        if not self._since:
            return
        listed = _listed(account)
        for ref, since in sorted(self._since.items()):
            if ref in listed or not self._may_be_over(ref, shown_until):
                del self._since[ref]
            elif since is None:
                self._since[ref] = account.as_of
            elif since <= shown_until:
                del self._since[ref]
                self._deliver_end(ref, account.as_of)

    def shown_by_fills(self, account: Account) -> Account:
        """Return the account with the orders that it does not list, as far as its fills show them.

        Fills add nothing to an order that was executed and delivered in full; nor do those that were all there was of a
        denied order, when it was read alone. If a denied order was read alone just now, and began with the stream, its
        listed fills are all that it has, unless the venue lists none so old: then they follow what was seen of it.
        """
        if not account.fills:
            if account.whole:
                self._alone.clear()
            return account
        listed = {OrderRef(report.symbol, report.order_id) for report in account.orders}
        unlisted: dict[OrderRef, list[FillReport]] = defaultdict(list)
        for row in account.fills:
            ref = OrderRef(row.symbol, row.order_id)
            if ref not in listed:
                unlisted[ref].append(row)
        if account.whole:
            self._alone = {ref: rows for ref, rows in self._alone.items() if ref in unlisted}
        else:
            self._alone |= {
                ref: frozenset(map(_facts, rows)) for ref, rows in unlisted.items() if ref in account.denied
            }
        shown = []
        for ref, rows in unlisted.items():
            order = self._orders.by_ref.get(ref)
            if order is not None and (_is_executed(order) or (account.whole and self._is_delivered(order, rows))):
                shown.append(_report(ref, order, order.coverage.contiguous, rows))
            elif not account.whole and ref in account.denied:
                executed = _executed(order, rows, all_of_them=account.since is None)
                shown += [] if executed is None else [_report(ref, order, executed, rows)]
        return msgspec.structs.replace(account, orders=(*account.orders, *shown)) if shown else account

    def _is_delivered(self, order: Order, rows: Iterable[FillReport]) -> bool:
        """True if these fills are of a denied order that began with the stream, and all were there when it was read."""
        alone = self._alone.get(order.ref, frozenset())
        return order.whole and not order.coverage.base and alone.issuperset(map(_facts, rows))

    def _may_be_over(self, ref: OrderRef, shown_until: int) -> bool:
        """True if the order is open as far as is known, and no report of it is waiting or too recent."""
        order = self._orders.by_ref.get(ref)
        if order is None or not order.open or order.waiting or not order.whole:
            return False
        return order.shown is None or (order.shown.exchange_ts or 0) <= shown_until

    def _close(self, order: Order, as_of: int) -> None:
        """Nobody will say more of the order than frames have."""
        del self._silent[order.ref]
        if order.coverage.base is None:
            order.begin(self._start(order))
        order.sure_in = UNSURE
        self._orders.resume(order, force=True)
        order.begin(order.seen)
        self._gap.write_off()
        if order.open:
            self._deliver_end(order.ref, as_of)

    def _start(self, order: Order) -> Decimal:
        """Return the base of an order that only frames know.

        It lies above the frames from before `due_from`: they are of an order that was delivered and forgotten. A newer
        order has begun with the stream, unless no read has shown yet which orders were running.
        """
        due_from = floor(self._orders.due_from(order) or 0, self._context.grain)
        start, due = ZERO, []
        for report, _ in order.waiting:
            if report.exchange_ts is not None and report.exchange_ts < due_from:
                start = max(start, report.cumulative_qty)
            else:
                due.append(report.cumulative_qty)
        return start if self._orders.complete else max(start, min(due, default=ZERO))

    def _deliver_end(self, ref: OrderRef, as_of: int) -> None:
        order = self._orders.by_ref[ref]
        shown = order.shown
        report = OrderReport(
            symbol=ref.symbol,
            order_id=ref.order_id,
            status=NOT_FOUND,
            cumulative_qty=order.coverage.contiguous,
            price=None if shown is None else shown.price,
            qty=None if shown is None else shown.qty,
            exchange_ts=as_of,
        )
        event_id = translate.state_id(report)
        self._context.deliver(translate.state(report, event_id, "poll"))
        self._orders.note(order, report, event_id)


def _listed(account: Account) -> frozenset[OrderRef]:
    """The orders of which a row says something."""
    listed = {OrderRef(report.symbol, report.order_id) for report in account.orders}
    listed |= {OrderRef(row.symbol, row.order_id) for row in account.fills}
    listed |= {OrderRef(row.symbol, row.order_id) for row in account.odd if row.symbol and row.order_id}
    return frozenset(listed)


def _may_be_odd(ref: OrderRef, account: Account) -> bool:
    """True if a row that cannot be read, and names no order, may be about this one."""
    return any(row.order_id is None and row.symbol in (None, ref.symbol) for row in account.odd)


def _facts(row: FillReport) -> _FillFacts:
    """Return the facts that separate a fill of an order from its others, whatever else is known of it."""
    return row.exchange_ts, row.trade_id, row.qty


def _is_executed(order: Order) -> bool:
    """True if the order is known to be over and executed in full."""
    qty = None if order.shown is None else order.shown.qty
    return not order.open and order.whole and qty is not None and order.coverage.contiguous >= qty


def _executed(order: Order | None, rows: Sequence[FillReport], *, all_of_them: bool) -> Decimal | None:
    """Return how much of a denied order was executed, of which these are the fills, its last ones or `all_of_them`."""
    total = sum((row.qty for row in rows), ZERO)
    if order is None or order.coverage.base is None or (all_of_them and not order.coverage.base):
        return total
    if all_of_them:
        return None
    known = [word for word in (order.shown, *(report for report, _ in order.waiting)) if word is not None]
    last = max(known, key=lambda word: word.exchange_ts or 0, default=None)
    later = sum((row.qty for row in rows if last is None or _is_later(row, last)), ZERO)
    return max(total, order.seen + later)


def _is_later(row: FillReport, last: Shown | OrderReport) -> bool:
    """True if a fill was made after what is known last, by its trade where both have a number."""
    trade_id = None if isinstance(last, Reported) else last.trade_id
    if trade_id is not None and row.trade_id is not None and trade_id.isdecimal() and row.trade_id.isdecimal():
        return int(row.trade_id) > int(trade_id)
    return row.exchange_ts > (last.exchange_ts or 0)


def _report(ref: OrderRef, order: Order | None, executed: Decimal, rows: Sequence[FillReport]) -> OrderReport:
    """Return the order as far as it was delivered, with so much executed by its fills."""
    shown = None if order is None else order.shown
    qty = None if shown is None else shown.qty
    return OrderReport(
        symbol=ref.symbol,
        order_id=ref.order_id,
        status="FILLED" if qty is not None and executed >= qty else "PARTIALLY_FILLED",
        cumulative_qty=executed,
        side=rows[0].side,
        position_side=rows[0].position_side,
        price=None if shown is None else shown.price,
        qty=qty,
        exchange_ts=max(row.exchange_ts for row in rows),
    )
