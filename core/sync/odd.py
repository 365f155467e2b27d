"""Rows that cannot be read: each sets aside what it is about, and the rest of the account is delivered.

A fill of quantity 0 covers nothing. An order that is over and does not say how much was executed is what its fills
show, if they add up. Any other row leaves something unproven: a gap is open and the watermark stays, until the row can
be read or is gone, or until it has been met in three reads over two audit intervals. Then it is written off.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ..account.order import Order
from ..account.orders import Orders
from ..context import Context
from ..events import ZERO
from ..reports import Account, OddRow, OrderRef, OrderReport
from .gap import Gap
from .lapse import INTERVALS, Lapse

READS = 3
"""So many reads must meet a row before it is written off."""
REMEMBERED = 1000
"""Rows that were reported, or written off, and are remembered as such."""
Key = tuple[str, str | None, str | None, str | None, str]


class OddRows:
    """Keeps since when each row that leaves something unproven has been met, and in how many reads."""

    def __init__(self, context: Context, orders: Orders, lapse: Lapse, gap: Gap) -> None:
        self._context = context
        self._orders = orders
        self._lapse = lapse
        self._gap = gap
        self._reported: dict[Key, None] = {}
        self._written_off: dict[Key, None] = {}
        self._met: dict[Key, tuple[float, int]] = {}
        self._rows: tuple[OddRow, ...] = ()
        """Those of the read in hand that leave something unproven."""
        self._tracked: dict[OrderRef, bool] = {}
        """Orders that are followed only because a row named them, and whether they began with the stream."""

    def mend(self, account: Account) -> Account:
        """The account with the orders that are what their fills show, and without the rows that say nothing."""
        if not account.odd:
            return account
        for row in account.odd:
            self._report(row)
        left, mended = [], []
        for row in account.odd:
            report = self._added_up(row, account)
            if report is not None:
                mended.append(report)
            elif row.kind != "fill" or row.qty != ZERO:
                left.append(row)
        return msgspec.structs.replace(account, odd=tuple(left), orders=(*account.orders, *mended))

    def look(self, account: Account) -> tuple[OrderRef, ...]:
        """Take a read in hand; the orders to be read alone, since their fills may add up then."""
        if not account.odd and not self._tracked:
            self._rows = ()
            return ()
        known = {OrderRef(report.symbol, report.order_id) for report in account.orders}
        self._rows = tuple(row for row in account.odd if row.order is None or _ref(row.order) not in known)
        for ref in tuple(self._tracked):
            if not self.is_aside(ref):
                del self._tracked[ref]
                self._orders.untrack(ref)
        return tuple(sorted({_ref(row.order) for row in self._rows if row.order is not None}))

    def is_aside(self, ref: OrderRef) -> bool:
        """True if a row of the current read is about this order."""
        rows = self._rows
        return bool(rows) and any(row.order_id == ref.order_id and row.symbol in (None, ref.symbol) for row in rows)

    def excuses(self, ref: OrderRef) -> bool:
        """True if a row that names no order may be about this one: if it does not add up, it is set aside too."""
        return any(
            row.kind in ("fill", "order") and row.order_id is None and row.symbol in (None, ref.symbol)
            for row in self._rows
        )

    @property
    def named(self) -> bool:
        """True if each row that is about an order names it, so that any other order is fully known."""
        return all(row.kind in ("position", "income") or (row.symbol and row.order_id) for row in self._rows)

    def pending(self) -> bool:
        """The read in hand is at its end: count its rows, and write off what is due; whether any is left.

        The orders that are set aside are followed: their beginning is not known, so their frames wait.
        """
        now, before, self._met = self._context.now, self._met, {}
        if not self._rows:
            return False
        pending = False
        for key, row in {_key(row): row for row in self._rows}.items():
            if key in self._written_off:
                self._flush(row)
                continue
            since, reads = before.get(key, (now, 0))
            if reads + 1 >= READS and now - since >= INTERVALS * self._lapse.interval:
                self._write_off(key, row)
            else:
                self._met[key] = since, reads + 1
                pending = True
        self._track()
        return pending

    @property
    def aside(self) -> tuple[OrderRef, ...]:
        """The orders that rows of the read in hand name."""
        return tuple(OrderRef(row.symbol, row.order_id) for row in self._rows if row.symbol and row.order_id)

    @property
    def any_left(self) -> bool:
        """True if the current read has rows that cannot be read, written off or not."""
        return bool(self._rows)

    def _track(self) -> None:
        for row in self._rows:
            if row.kind in ("fill", "order") and row.symbol is not None and row.order_id is not None:
                ref = OrderRef(row.symbol, row.order_id)
                if ref not in self._orders.by_ref:
                    self._orders.track(ref)
                    self._tracked[ref] = self._orders.complete

    def _added_up(self, row: OddRow, account: Account) -> OrderReport | None:
        """The order that is over, with what its fills add up to; None if they may not be all."""
        report = row.order
        if report is None:
            return None
        if account.whole:
            since, created = account.since, report.created_ts
            if since is None or created is None or created <= since + self._context.grain:
                return None
        ref = _ref(report)
        if any(
            other.kind == "fill" and other.order_id in (None, ref.order_id) and other.qty != ZERO
            for other in account.odd
        ):
            return None
        total = sum((fill.qty for fill in account.fills if OrderRef(fill.symbol, fill.order_id) == ref), ZERO)
        order = self._orders.by_ref.get(ref)
        seen = ZERO if order is None else max(order.seen, order.coverage.contiguous)
        filled = report.status == "FILLED" and report.average_price is not None  # else it triggered another order
        whole = report.qty if filled and report.qty is not None else seen
        if total < max(seen, whole) or (report.qty is not None and total > report.qty):
            return None
        return msgspec.structs.replace(report, cumulative_qty=total)

    def _write_off(self, key: Key, row: OddRow) -> None:
        _remember(self._written_off, key)
        self._gap.write_off()
        self._context.report(f"row written off: {_subject(row)}", f"{row.endpoint} {row.excerpt}")
        self._flush(row)

    def _flush(self, row: OddRow) -> None:
        """No read will show what reports wait for of the orders that a row written off may be about."""
        for ref, order in self._orders.by_ref.items():
            if order.whole or not order.waiting or not _may_be_about(OrderRef(*ref), row):
                continue
            if order.coverage.base is None:
                order.begin(self._start(order))
            elif self._orders.stuck.get(order.ref) == float("inf"):
                self._orders.resume(order, force=True)
            self._gap.write_off()

    def _start(self, order: Order) -> Decimal:
        """Return the base of an order, as far as is known: 0 if it is newer than the stream."""
        reports = [report for report, _ in order.waiting]
        if self._tracked.get(order.ref) and all(
            (report.exchange_ts or 0) > (order.due_from or 0) for report in reports
        ):
            return ZERO
        return min(max(ZERO, report.cumulative_qty - (report.last_qty or ZERO)) for report in reports)

    def _report(self, row: OddRow) -> None:
        key = _key(row)
        if key not in self._reported:
            _remember(self._reported, key)
            self._context.report(f"odd row: {_subject(row)}", f"{row.endpoint} {row.excerpt}")


def _may_be_about(ref: OrderRef, row: OddRow) -> bool:
    return row.symbol in (None, ref.symbol) and row.order_id in (None, ref.order_id)


def _key(row: OddRow) -> Key:
    """Return the identity of a row: of an order, or a side of a position, there is one, and its figures move."""
    named = row.symbol is not None and row.kind in ("order", "position")
    return row.kind, row.symbol, row.side, row.order_id, "" if named else row.excerpt


def _ref(report: OrderReport) -> OrderRef:
    return OrderRef(report.symbol, report.order_id)


def _subject(row: OddRow) -> str:
    return f"{row.kind} of {row.symbol or 'no symbol'}" + (f", order {row.order_id}" if row.order_id else "")


def _remember(keys: dict[Key, None], key: Key) -> None:
    keys[key] = None
    if len(keys) > REMEMBERED:
        del keys[next(iter(keys))]
