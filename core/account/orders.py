"""All orders: takes reports of orders, delivers what is new in them, and keeps what must wait.

Where the venue does not give the quantity of each fill, a frame after a lost one stands for both fills, and its fee,
PnL and trade id are the second's. So whoever knows that frames may be missing calls `doubt`: then every order, or one,
is *unsure*, and its next fill is delivered with None for the three. A generation number marks each doubt, so that no
call walks over all orders.

A report with a hole below it waits for `reorder_window`; then its order is in `overdue`, and the caller either fills
the hole from a read or flushes the reports with a gap open. An order whose base is unknown waits for a read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from ..context import Context
from ..events import ZERO, Fill
from ..execution import Execution, execution
from ..frames import Frame, decoded
from ..reports import OrderRef, OrderReport
from ..timers import Timer
from . import translate
from .known_orders import KnownOrders
from .order import Order
from .shown import FINAL, costs_since, reported
from .unknowns import Unknowns, shape_of

MOST_DOUBTED = 10_000
"""Orders that are doubted one by one; past that all are."""


class Orders(KnownOrders):
    """Of all orders, what waits of them and which of them are in doubt."""

    def __init__(self, context: Context, cumulative_costs: bool, unknowns: Unknowns) -> None:
        super().__init__(context)
        self._cumulative_costs = cumulative_costs
        self._unknowns = unknowns
        self.remember: Callable[[Execution], None] = lambda _fill: None
        """Called with every delivered fill."""
        self.stuck: dict[OrderRef, float] = {}
        """Orders with reports waiting above a hole, and until when these wait; infinite once the order was in
        `overdue`.
        """
        self.without_base: set[OrderRef] = set()
        """Orders whose beginning is not known and of which reports are waiting."""
        self.merges = False
        """The venue does not give the quantity of a fill: a frame stands for everything since the one before."""
        self._generation = 0
        self._doubted = 0
        """The generation of the last doubt of every order, and of some, that no read has settled since."""
        self._doubted_orders: dict[OrderRef, int] = {}
        self._doubted_at = float("-inf")
        self.bare_at = float("-inf")
        """When the last fill was delivered without figures, since its order was unsure."""

    def doubt(self, ref: OrderRef | None = None) -> None:
        """Frames of this order, or of any, may be missing: an order is unsure from now on."""
        self._generation += 1
        self._doubted_at = self._context.now
        if ref is None or len(self._doubted_orders) >= MOST_DOUBTED:
            self._doubted = self._generation
            self._doubted_orders.clear()
        else:
            self._doubted_orders[ref] = self._generation

    def clear_doubts(self, shown_at: float, aside: Iterable[OrderRef] = ()) -> None:
        """A read has passed that must have shown all until then: what was doubted before is sure, but not `aside`."""
        if shown_at >= self._doubted_at:
            left = {ref: doubted for ref in aside if (doubted := self._doubt_of(ref))}
            self._doubted = 0
            self._doubted_orders = left

    def take(self, report: OrderReport, frame: Frame) -> bool:
        """Deliver what is new in the report, or keep it; True if its order's base is needed now, for the first time.

        Nearly every report is the next fill of an order without a hole, and takes a short way.
        """
        order = self.by_ref.get((report.symbol, report.order_id)) or self.track_new(report)
        qty = None if order.waiting else order.extend(report)
        if qty is None:
            return self._weigh(order, report, frame)
        fee, pnl, end = report.fee, report.realized_pnl, report.cumulative_qty
        if self._cumulative_costs:
            fee, pnl = costs_since(order.shown, end - qty, report)
        fill = self.deliver(translate.fill(order.ref, report, frame, end, qty, report.last_price, fee, pnl))
        order.shown = reported(report) if self._cumulative_costs else fill
        if not order.open:
            self.close(order)
        return False

    def deliver(self, fill: Fill) -> Execution:
        """Deliver a fill; what is remembered of it."""
        self._context.deliver(fill)
        remembered = execution(fill, self._context.settlement(fill.symbol, fill.fee_asset))
        self.remember(remembered)
        return remembered

    def _weigh(self, order: Order, report: OrderReport, frame: Frame) -> bool:
        if report.cumulative_qty > order.seen:
            order.seen = report.cumulative_qty
        if order.coverage.base is None and not self.complete:
            self._infer_base(order, report)
        claim = order.claim(report)
        if order.coverage.base is None or order.lacks(report, claim):
            return self._keep(order, report, frame)
        self._deliver(order, report, frame, claim)
        if order.waiting:
            self.resume(order)
        return False

    def resume(self, order: Order, force: bool = False) -> None:
        """Deliver the reports that waited and need not wait any more; with `force`, all, leaving holes behind."""
        ref = order.ref
        if order.coverage.base is None:
            return
        self.without_base.discard(ref)
        waiting, order.waiting = sorted(order.waiting, key=_delivery_order), []
        for report, frame in waiting:
            claim = order.claim(report)
            if order.lacks(report, claim) and not force:
                order.waiting.append((report, frame))
            else:
                self._deliver(order, report, frame, claim)
        if order.waiting:
            self._mark_stuck(ref)
        else:
            self.stuck.pop(ref, None)

    def overdue(self) -> tuple[OrderRef, ...]:
        """Orders whose reports have waited for `reorder_window`; each is named once."""
        due = tuple(ref for ref, until in self.stuck.items() if until <= self._context.now)
        for ref in due:
            self.stuck[ref] = float("inf")
        self._arm()
        return due

    def doubtful(self) -> set[OrderRef]:
        """Return the orders of which more has been seen than delivered, but for those that only wait for
        `reorder_window`.
        """
        return {
            OrderRef(*key)
            for key, order in self.by_ref.items()
            if not order.whole and self.stuck.get(OrderRef(*key), float("inf")) == float("inf")
        }

    def flush(self, *, all_of_it: bool = False) -> None:
        """Deliver everything that waits above a hole that was overdue, or above any."""
        for ref, until in tuple(self.stuck.items()):
            if all_of_it or until == float("inf"):
                self.resume(self.by_ref[ref], force=True)

    def _infer_base(self, order: Order, report: OrderReport) -> None:
        if report.last_qty is not None and report.last_qty > ZERO:
            order.begin(max(ZERO, report.cumulative_qty - report.last_qty))
        elif report.cumulative_qty == ZERO:
            order.begin(ZERO)

    def _keep(self, order: Order, report: OrderReport, frame: Frame) -> bool:
        ref = order.ref
        order.waiting.append((report, frame))
        if order.coverage.base is not None:
            self._mark_stuck(ref)
            return False
        first = ref not in self.without_base
        self.without_base.add(ref)
        return first

    def _mark_stuck(self, ref: OrderRef) -> None:
        if ref not in self.stuck:
            self.stuck[ref] = self._context.now + self._context.policy.reorder_window
            self._arm()

    def _arm(self) -> None:
        self._context.timers.cancel((Timer.REORDER, 0))
        due = min(self.stuck.values(), default=float("inf"))
        if due < float("inf"):
            self._context.timers.arm((Timer.REORDER, 0), due)

    def _deliver(self, order: Order, report: OrderReport, frame: Frame, claim: tuple[Decimal, Decimal] | None) -> None:
        if claim is not None:
            self._deliver_fill(order, report, frame, *claim)
        elif translate.is_state(report) or _amended(order, report) or translate.is_end(report, order.coverage.top):
            self._deliver_state(order, report, frame)
        elif report.status not in ("PARTIALLY_FILLED", "FILLED"):
            content = decoded(frame)
            event = translate.unknown(report.exchange_ts, content, frame, report.place)
            self._unknowns.take(shape_of(content), event)

    def _deliver_fill(self, order: Order, report: OrderReport, frame: Frame, start: Decimal, end: Decimal) -> None:
        if report.last_qty:
            pieces = order.cover(start, end, report.last_price)
        else:
            pieces = order.cover_average(start, end, report.average_price)
            report = self._sure(order, report)
        costs = costs_since(order.shown, start, report) if self._cumulative_costs else (report.fee, report.realized_pnl)
        for piece in pieces:
            own = costs if piece.whole else (None, None)
            qty = piece.end - piece.start
            self.deliver(translate.fill(order.ref, report, frame, piece.end, qty, piece.price, *own))
        if report.status in translate.STATES or (not pieces and translate.is_end(report, order.coverage.top)):
            self._deliver_state(order, report, frame)
        elif not order.is_stale(report) and (pieces or report.status in FINAL):
            self.note(order, report)

    def _doubt_of(self, ref: OrderRef) -> int:
        """The generation of the last doubt of an order, 0 if there is none."""
        return max(self._doubted, self._doubted_orders.get(ref, 0))

    def _sure(self, order: Order, report: OrderReport) -> OrderReport:
        """Return the report without the figures that a frame which stands for several fills leaves unsure."""
        self.merges = True
        doubted = self._doubt_of(order.ref)
        if doubted > order.sure_in:
            report = msgspec.structs.replace(report, trade_id=None)
            if not self._cumulative_costs:  # else they are the order's, whatever was missed
                report = msgspec.structs.replace(report, fee=None, realized_pnl=None)
                self.bare_at = self._context.now
        order.sure_in = self._generation
        return report

    def _deliver_state(self, order: Order, report: OrderReport, frame: Frame) -> None:
        if not order.is_stale(report):
            event_id = translate.state_id(report)
            order.sure_in = self._generation if report.cumulative_qty == order.coverage.top else order.sure_in
            if event_id != order.state_id:
                self._context.deliver(translate.state(report, event_id, "ws", frame))
                self.note(order, report, event_id)


def _delivery_order(waiting: tuple[OrderReport, Frame]) -> tuple[Decimal, bool]:
    """Sort key of the waiting reports of an order: a fill goes before the cancel that shows the same quantity."""
    report, _ = waiting
    return report.cumulative_qty, translate.is_state(report)


def _amended(order: Order, report: OrderReport) -> bool:
    shown = order.shown
    return (
        report.status == "PARTIALLY_FILLED"
        and shown is not None
        and (report.qty, report.price) != (shown.qty, shown.price)
    )
