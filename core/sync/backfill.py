"""The orders in a read of the account: which of their fills are new, and which orders do not add up.

Rows that are aligned downward (`scope.py`) suffice to see that nothing is missing, but not to deliver: a list of fills
may lag behind the orders, and then every fill would be placed too high. So an order with something to deliver is read
alone, with all its fills.

An order adds up when its coverage then reaches the executed quantity and whatever a frame has shown; until then nothing
of it is delivered. Only what is older than the venue's history is written off.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ..account import translate
from ..account.order import Order
from ..account.orders import Orders
from ..account.shown import FINAL, Shown
from ..context import Context
from ..events import ZERO, Fill, OrderState
from ..grain import floor
from ..reports import FillReport, OrderRef, OrderReport
from .scope import Placed, Scope, age, align


class Finding(NamedTuple):
    """One order in a read; `fills` are those that are due, oldest first, or of them those that are `sure`.

    If not all are sure, the account has to be read again.
    """

    ref: OrderRef
    report: OrderReport
    base: Decimal
    fills: tuple[Placed, ...]
    sure: bool = True


def examine(scope: Scope, orders: Orders) -> tuple[list[Finding], tuple[OrderRef, ...]]:
    """The findings, and the orders that do not add up."""
    rows: dict[OrderRef, list[FillReport]] = defaultdict(list)
    for row in scope.account.fills:
        rows[OrderRef(row.symbol, row.order_id)].append(row)
    reports = {OrderRef(report.symbol, report.order_id): report for report in scope.account.orders}
    findings, inconsistent = [], []
    for ref in sorted(rows.keys() | reports.keys() | orders.doubtful()):
        if scope.is_aside(ref):
            continue
        fills = sorted(rows.get(ref, ()), key=age)
        report, order = reports.get(ref), orders.by_ref.get(ref)
        placed = None if report is None else align(report, fills, scope)
        if scope.cautious and _may_wait(report, fills, placed, order, scope):
            continue
        finding = None
        if report is not None and placed is not None:
            finding = _finding(ref, report, placed, orders, scope)
        if finding is None:
            inconsistent.append(ref)
        else:
            findings.append(finding)
    return findings, tuple(inconsistent)


class Backfill(NamedTuple):
    """The events of the findings: all fills by time, and one state for each order that has a new one."""

    fills: tuple[Fill, ...]
    states: tuple[OrderState, ...]
    latest_ts: int | None
    """Exchange time of the latest recovered fill."""
    out_of_order: bool
    """One of the fills lies below what had been delivered before."""

    def deliver(self, orders: Orders, context: Context) -> None:
        """Deliver the events."""
        for fill in self.fills:
            orders.deliver(fill)
        for state in self.states:
            context.deliver(state)


def cover(findings: list[Finding], orders: Orders, context: Context, sure_until: float) -> Backfill:
    """Cover the findings' intervals; return the events to deliver.

    An order that ended after `sure_until`, exchange time in ms, may have fills that are listed later: its end is left
    to the next read.
    """
    fills: list[tuple[FillReport, Fill]] = []
    states = []
    out_of_order = False
    for finding in findings:
        order, report = orders.by_ref.get(finding.ref) or orders.track(finding.ref), finding.report
        top = order.coverage.top
        order.begin(finding.base)
        order.seen = max(order.seen, report.cumulative_qty)
        ends = False
        for placed in finding.fills:
            for piece in order.cover(placed.start, placed.end, placed.row.price):
                fills.append((placed.row, translate.recovered_fill(placed.row, piece, report)))
                out_of_order = out_of_order or piece.end <= top
                ends = ends or piece.end >= report.cumulative_qty
        order.value(report.cumulative_qty, report.average_price)
        report = _overtaken(report, finding.fills)
        if report.status in FINAL and translate.is_state(report) and (report.exchange_ts or 0) > sure_until:
            continue
        if _is_news(order, report, orders, context.grain, ends=ends):
            event_id = translate.state_id(report)
            states.append(translate.state(report, event_id, "poll"))
            order.state_id = event_id
        if not order.is_stale(report):
            orders.note(order, report)
    fills.sort(key=lambda pair: age(pair[0]))
    latest_ts = fills[-1][0].exchange_ts if fills else None
    return Backfill(tuple(fill for _, fill in fills), tuple(states), latest_ts, out_of_order)


def _overtaken(report: OrderReport, fills: tuple[Placed, ...]) -> OrderReport:
    """The order as the later list of its fills shows it, if that has fills which the list of orders had not."""
    if not fills or report.status not in ("NEW", "PARTIALLY_FILLED") or fills[-1].end <= report.cumulative_qty:
        return report
    end = fills[-1].end
    status = "FILLED" if report.qty and end >= report.qty else "PARTIALLY_FILLED"
    return msgspec.structs.replace(
        report, status=status, cumulative_qty=end, average_price=None, fee=None, realized_pnl=None
    )


def _may_wait(
    report: OrderReport | None,
    fills: list[FillReport],
    placed: tuple[Placed, ...] | None,
    order: Order | None,
    scope: Scope,
) -> bool:
    """True if an audit can leave this order to the next one: its rows are newer than the overlap, or its older part is
    covered.
    """
    times = [report.exchange_ts] if report is not None else []
    times.extend(row.exchange_ts + scope.grain for row in fills[-1:])
    if all(ts is None or ts <= scope.shown_until for ts in times):
        return False
    if placed is None:
        return scope.alone is not None
    old = [each for each in placed if each.row.exchange_ts + scope.grain <= scope.shown_until]
    if order is None or (base := order.coverage.base) is None:
        return not old
    return all(base <= each.start and each.end <= order.coverage.contiguous for each in old)


def _finding(
    ref: OrderRef, report: OrderReport, placed: tuple[Placed, ...], orders: Orders, scope: Scope
) -> Finding | None:
    order = orders.by_ref.get(ref)
    due_from = orders.due_from(order)
    due = tuple(each for each in placed if due_from is None or each.row.exchange_ts >= floor(due_from, scope.grain))
    listed = len(due)
    while due and _may_fill_the_order(report, due[-1], order, scope):
        placed, due = placed[:-1], due[:-1]
    report = _as_amended(report, order, more=len(due) < listed)
    end = placed[-1].end if placed else report.cumulative_qty
    base = due[0].start if due else end
    finding = Finding(ref, report, base, due, len(due) == listed)
    certain = scope.is_anchored(report) or scope.was_alone(report)
    if order is None or (known := order.coverage.base) is None:
        if order is not None and (end < order.seen or _lags_behind(order, base, due_from, scope)):
            return None
        return finding if certain or not due else None
    contiguous = order.coverage.contiguous
    if base >= known and order.whole and end <= contiguous:
        return finding._replace(base=known)
    if not certain:
        return None
    # What lies below the due fills is not due if all fills are known, and lost if the history does not reach so far.
    low = min(base, contiguous) if scope.is_anchored(report) or not scope.reaches else base
    if order.coverage.contiguous_with(low, end) < max(order.seen, report.cumulative_qty):
        return None
    return finding._replace(base=known) if known <= base <= contiguous else finding


def _may_fill_the_order(report: OrderReport, last: Placed, order: Order | None, scope: Scope) -> bool:
    """True if a fill made during the read fills the order, by the quantity in a row from before it.

    The order may have been amended just as well. The fill is left to its frame or the next read, which know.
    """
    return (
        report.status not in FINAL
        and report.qty is not None
        and last.end >= report.qty > report.cumulative_qty
        and last.row.exchange_ts + scope.grain > scope.account.as_of
        and (order is None or order.seen < last.end)
    )


def _as_amended(report: OrderReport, order: Order | None, *, more: bool) -> OrderReport:
    """The open order with the quantity that frames know, None if nobody does, if the listed one is from before an
    amendment: frames have shown that it is open with as much executed, or the read has `more` fills than are due.
    """
    if order is not None and order.open and report.qty is not None and report.status not in FINAL:
        known: list[Shown | OrderReport] = [each for each, _ in order.waiting if each.status not in FINAL]
        known += [] if order.shown is None else [order.shown]
        last = max(known, key=lambda each: each.cumulative_qty, default=None)
        if last is not None and last.cumulative_qty >= report.qty:
            return msgspec.structs.replace(report, qty=last.qty)
        if more and order.seen >= report.qty:
            return msgspec.structs.replace(report, qty=None)
    return report


def _lags_behind(order: Order, base: Decimal, due_from: int | None, scope: Scope) -> bool:
    """True if a waiting frame may report a fill that is due and that the list of fills does not show yet."""
    return any(
        ZERO < report.cumulative_qty <= base
        and report.status not in translate.STATES
        and (report.exchange_ts is None or report.exchange_ts > max(due_from or 0, scope.shown_until))
        for report, _ in order.waiting
    )


def _is_news(order: Order, report: OrderReport, orders: Orders, grain: int, *, ends: bool) -> bool:
    """True if the state deserves an event: it differs, no fill made it, and it is not older than the stream.

    `ends`: this read delivers a fill that implies the state.
    """
    if order.is_stale(report) or translate.state_id(report) == order.state_id:
        return False
    shown = order.shown
    belied = report.status == "FILLED" and order.coverage.top > ZERO
    if translate.is_state(report) and not belied:
        due_from = orders.due_from(order)
        recent = due_from is None or report.exchange_ts is None or report.exchange_ts >= due_from - grain
        return shown is not None or report.status not in FINAL or recent
    if report.status != "PARTIALLY_FILLED":
        return shown is not None and not ends and translate.is_end(report, order.coverage.top)
    return shown is None or (report.qty, report.price) != (shown.qty, shown.price)
