"""What a read of the account shows of orders: which fills are new, and which orders do not add up.

REST names no intervals. The fills of an order are laid end to end: from 0 upward when the order began inside the
window, else downward from the executed quantity, which counts only if the order did not move while it was read. They
add up when covered ground then reaches the executed quantity and whatever a frame has shown; an order that does not is
read alone, and until it adds up nothing of it is told.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from . import narration
from .events import Fill
from .ground import Ground
from .order import FINAL, ZERO, Order
from .reports import Account, FillReport, OrderRef, OrderReport
from .turn import Turn

SECOND_MS = 1000


class Placed(NamedTuple):
    """A row of the fill list and its place on the order's ground."""

    start: Decimal
    end: Decimal
    row: FillReport


class Finding(NamedTuple):
    """What a read shows of one order; `fills` are those that are owed, oldest first."""

    ref: OrderRef
    report: OrderReport
    base: Decimal
    fills: tuple[Placed, ...]


def examine(account: Account, ground: Ground, judged_until: int | None) -> tuple[list[Finding], tuple[OrderRef, ...]]:
    """The findings, and the orders that do not add up. Past `judged_until` (exchange time) nothing is judged."""
    rows: dict[OrderRef, list[FillReport]] = defaultdict(list)
    for row in account.fills:
        rows[OrderRef(row.symbol, row.order_id)].append(row)
    reports = {OrderRef(report.symbol, report.order_id): report for report in account.orders}
    findings, troubled = [], []
    for ref in rows.keys() | reports.keys() | ground.unfounded:
        fills = sorted(rows.get(ref, ()), key=_age)
        if judged_until is not None and _is_recent(reports.get(ref), fills, judged_until):
            continue
        finding = _finding(ref, reports.get(ref), fills, account, ground)
        if finding is None:
            troubled.append(ref)
        else:
            findings.append(finding)
    return findings, tuple(sorted(troubled))


class Told(NamedTuple):
    """What came of the findings."""

    recovered: int
    latest_ts: int | None
    """Exchange time of the latest recovered fill."""


def tell(findings: list[Finding], ground: Ground, turn: Turn) -> Told:
    """Cover what the findings show and tell it: all fills by time, then one state for each order that has a new one."""
    fills: list[tuple[int, int, Fill]] = []
    states = []
    for finding in findings:
        order, report = _follow(finding, ground), finding.report
        order.seen = max(order.seen, report.cumulative_qty)
        for placed in finding.fills:
            for piece in order.cover(placed.start, placed.end, placed.row.price):
                event = narration.recovered_fill(placed.row, piece, report)
                fills.append((placed.row.exchange_ts, len(fills), event))
        if _is_news(order, report, ground):
            event_id = narration.state_id(report)
            states.append(narration.state(report, event_id, "poll"))
            order.state_id = event_id
        was_open = order.open
        if not order.is_stale(report):
            order.note(report)
        if was_open and not order.open:
            ground.close(order)
    for _, _, event in sorted(fills):
        turn.deliver(event)
    for state in states:
        turn.deliver(state)
    return Told(len(fills), max((ts for ts, _, _ in fills), default=None))


def merge(account: Account, alone: Account) -> Account:
    """The account with what was read of single orders in place of what it had of them."""
    reread = {(report.symbol, report.order_id) for report in alone.orders}
    return Account(
        as_of=account.as_of,
        exchange_ms=alone.exchange_ms,
        since=account.since,
        whole=account.whole,
        settled=account.settled,
        one_way=account.one_way,
        moving=(account.moving - {order_id for _, order_id in reread}) | alone.moving,
        balances=account.balances,
        positions=account.positions,
        orders=(*(row for row in account.orders if (row.symbol, row.order_id) not in reread), *alone.orders),
        open_orders=(account.open_orders - {order_id for _, order_id in reread}) | alone.open_orders,
        fills=(*(row for row in account.fills if (row.symbol, row.order_id) not in reread), *alone.fills),
        income=account.income,
    )


def _age(row: FillReport) -> tuple[int, int, str]:
    trade_id = row.trade_id or ""
    return row.exchange_ts, int(trade_id) if trade_id.isdecimal() else 0, trade_id


def _is_recent(report: OrderReport | None, fills: list[FillReport], judged_until: int) -> bool:
    times = [report.exchange_ts] if report is not None else []
    times.extend(row.exchange_ts + SECOND_MS for row in fills[-1:])
    return any(ts is not None and ts > judged_until for ts in times)


def _finding(
    ref: OrderRef, report: OrderReport | None, fills: list[FillReport], account: Account, ground: Ground
) -> Finding | None:
    if report is None:
        return None
    order = ground.orders.get(ref)
    start = _start(report, fills, account, order)
    if start is None:
        return None
    placed = []
    for row in fills:
        placed.append(Placed(start, start + row.qty, row))
        start += row.qty
    owed_from = ground.owed_from(order)
    owed = tuple(
        place for place in placed if owed_from is None or place.row.exchange_ts >= owed_from // SECOND_MS * SECOND_MS
    )
    base = owed[0].start if owed else report.cumulative_qty
    if order is None or order.base is None:
        reach, seen = max(report.cumulative_qty, start), order.seen if order is not None else ZERO
        if order is not None and any(row.cumulative_qty <= base and _tells_fill(row) for row, _ in order.waiting):
            return None
    else:
        reach = order.reach_with(owed[0].start, owed[-1].end) if owed else order.reach_with(ZERO, ZERO)
        seen = order.seen
        base = min(base, order.base)
    return Finding(ref, report, base, owed) if reach >= max(seen, report.cumulative_qty) else None


def _start(report: OrderReport, fills: list[FillReport], account: Account, order: Order | None) -> Decimal | None:
    total = sum((row.qty for row in fills), ZERO)
    began_inside = (
        account.since is not None and report.created_ts is not None and report.created_ts > account.since + SECOND_MS
    )
    if began_inside:
        return ZERO if total >= report.cumulative_qty else None
    if report.order_id in account.moving:
        return None
    start = report.cumulative_qty - total
    return start if start >= ZERO else None


def _tells_fill(report: OrderReport) -> bool:
    return report.status not in ("NEW", "CANCELED", "REJECTED", "EXPIRED") and report.cumulative_qty > ZERO


def _follow(finding: Finding, ground: Ground) -> Order:
    order = ground.orders.get(finding.ref)
    if order is None:
        order = ground.orders[finding.ref] = Order(*finding.ref)
    order.know(finding.base)
    return order


def _is_news(order: Order, report: OrderReport, ground: Ground) -> bool:
    """Whether the state is worth an event: it differs, it was not a fill that made it so, and it is of our time."""
    if order.is_stale(report) or narration.state_id(report) == order.state_id:
        return False
    shown = order.shown
    if report.status in narration.STATES:
        recent = ground.began is None or report.exchange_ts is None or report.exchange_ts >= ground.began - SECOND_MS
        return shown is not None or report.status not in FINAL or recent
    if report.status != "PARTIALLY_FILLED":
        return False
    return shown is None or (report.qty, report.price) != (shown.qty, shown.price)
