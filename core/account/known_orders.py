"""All orders by their names: from when on their fills are due, and when those that are finished are forgotten."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from ..context import Context
from ..events import ZERO, Fill, OrderState
from ..grain import floor
from ..reports import Account, OrderRef, OrderReport
from .order import Order

FORGET_AFTER_MS = 60_000


class KnownOrders:
    """The orders that are known: all that are open, and what finished of late."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._closed: deque[OrderRef] = deque()
        self._symbols: dict[str, str] = {}
        """Each symbol, so that its orders share one text."""
        self.by_ref: dict[tuple[str, str], Order] = {}
        self.complete = False
        """A read has shown every order that was running: an unknown one is new, and its coverage begins at 0."""
        self.began: int | None = None
        """Exchange time at which the stream began; fills before it are not due."""
        self.proven_until: int | None = None

    def open_orders(self) -> tuple[OrderRef, ...]:
        """Orders that are not known to be finished."""
        return tuple(OrderRef(*key) for key, order in self.by_ref.items() if order.open)

    def track_new(self, report: OrderReport) -> Order:
        """Follow an order that a frame names and that was not known."""
        late = self.proven_until is not None and (report.exchange_ts or 0) < self.proven_until
        symbol = self._symbols.setdefault(report.symbol, report.symbol)
        ref = OrderRef(symbol, report.order_id)
        return self.track(ref, ZERO if self.complete and not late else None)

    def track(self, ref: OrderRef, base: Decimal | None = None) -> Order:
        """Keep the coverage of an order from now on."""
        order = self.by_ref[ref] = Order(ref, base)
        order.due_from = self.due_from(None)
        return order

    def untrack(self, ref: OrderRef) -> None:
        """Forget an order of which nothing has been reported, though it may have been denied."""
        order = self.by_ref.get(ref)
        if order is not None and order.seen == ZERO and order.shown is None and not order.waiting:
            del self.by_ref[ref]

    def has_delivered(self, account: Account) -> bool:
        """True if every fill that a read shows has been delivered."""
        for report in account.orders:
            order = self.by_ref.get((report.symbol, report.order_id))
            if report.cumulative_qty > ZERO and (order is None or order.coverage.contiguous < report.cumulative_qty):
                return False
        return True

    def note(self, order: Order, report: OrderReport, event_id: str | None = None) -> None:
        """Note that this report of an order has been delivered."""
        was_open = order.open
        order.note(report, event_id)
        if was_open and not order.open:
            self.close(order)

    def close(self, order: Order) -> None:
        """The order is finished; it is forgotten when the time of its end is well proven."""
        if order.closed_ts is None:
            order.closed_ts = self._context.exchange_time()
        self._closed.append(order.ref)

    def due_from(self, order: Order | None) -> int | None:
        """Return the exchange time, ms, from which this order's fills must be delivered; None before the stream has
        begun.

        An unknown order may be one that was delivered in full and forgotten, so for it the answer is at least
        `proven_until` less `FORGET_AFTER_MS`.
        """
        if order is not None:
            return order.due_from if order.due_from is not None else self.began
        if self.proven_until is None or self.began is None:
            return self.began
        return max(self.began, self.proven_until - FORGET_AFTER_MS)

    def recall(self, event: OrderState) -> None:
        """Take up an event of the run before. An order's coverage begins where the lowest of its events does."""
        ref = OrderRef(event.symbol, event.order_id)
        order = self.by_ref.get(ref)
        if order is None:
            order = self.by_ref[ref] = Order(ref)
        order.seen = max(order.seen, event.cumulative_qty)
        if isinstance(event, Fill):
            start = event.cumulative_qty - event.fill_qty
            order.begin(start if order.coverage.base is None else min(start, order.coverage.base))
            order.cover(start, event.cumulative_qty, event.fill_price)
        elif order.coverage.base is None:
            order.begin(event.cumulative_qty)
        report = OrderReport(
            symbol=event.symbol,
            order_id=event.order_id,
            status=event.status,
            cumulative_qty=event.cumulative_qty,
            client_order_id=event.client_order_id,
            side=event.side,
            position_side=event.position_side,
            order_type=event.order_type,
            price=event.price,
            qty=event.qty,
            exchange_ts=event.exchange_ts,
        )
        if not order.is_stale(report):
            self.note(order, report, None if isinstance(event, Fill) else event.event_id)

    def prove(self, until: int) -> None:
        """Everything up to this exchange time is delivered: forget finished orders from well before."""
        self.proven_until = until
        kept = []
        while self._closed:
            order = self.by_ref[self._closed[0]]
            # As exact as the times in a list of fills: `due_from` must separate all of them from newer ones.
            if (order.closed_ts or 0) >= floor(until - FORGET_AFTER_MS, self._context.grain):
                break
            self._closed.popleft()
            if order.whole and not order.waiting:
                del self.by_ref[order.ref]
            else:
                kept.append(order.ref)
        self._closed.extend(kept)
