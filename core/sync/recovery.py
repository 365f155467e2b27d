"""What a read of the account shows of orders: which fills are new, and which orders do not add up.

REST names no intervals. The fills of an order are laid end to end: from 0 upward when all of them were read, else
downward from the executed quantity, which counts only if the order did not move while it was read. The second way is
good enough to see that nothing is missing, but not to tell what is: a list of fills may lag behind the orders, and then
every fill would come to lie too high. So an order with something to tell is read alone, with all its fills.

They add up when covered ground then reaches the executed quantity and whatever a frame has shown; until an order adds
up nothing of it is told. Only what is older than the venue's history is written off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ..account import narration
from ..account.ground import Ground
from ..account.order import Order
from ..account.shown import FINAL
from ..events import ZERO, Fill
from ..grain import floor
from ..reports import Account, FillReport, OrderRef, OrderReport
from ..turn import Turn


class Scope(NamedTuple):
    """What a read can say."""

    account: Account
    alone: Account | None
    """What of it was read of single orders."""
    shown_until: int
    """What is older than this, exchange time, even a venue that shows things late has shown."""
    cautious: bool = False
    """Of what is newer nothing is judged: the socket may be about to bring it."""
    reaches: bool = True
    """Its history goes back to where it should."""
    is_aside: Callable[[OrderRef], bool] = lambda _ref: False
    """Whether a row about this order cannot be read, so that nothing of it is judged."""
    grain: int = 1
    """How exact the times of its lists are, ms."""

    def is_anchored(self, report: OrderReport) -> bool:
        """Whether all fills of the order were read."""
        since = self.account.since
        if self.was_alone(report):
            assert self.alone is not None
            since = self.alone.since
            if since is None:
                return True
        return since is not None and report.created_ts is not None and report.created_ts > since + self.grain

    def was_alone(self, report: OrderReport) -> bool:
        """Whether the order was read alone."""
        return self.alone is not None and report in self.alone.orders


class Placed(NamedTuple):
    """A row of the fill list and its place on the order's ground."""

    start: Decimal
    end: Decimal
    row: FillReport


class Finding(NamedTuple):
    """What a read shows of one order; `fills` are those that are owed, oldest first; or of them those that are `sure`.

    If not all are, the account has to be read again.
    """

    ref: OrderRef
    report: OrderReport
    base: Decimal
    fills: tuple[Placed, ...]
    sure: bool = True


def examine(scope: Scope, ground: Ground) -> tuple[list[Finding], tuple[OrderRef, ...]]:
    """The findings, and the orders that do not add up."""
    rows: dict[OrderRef, list[FillReport]] = defaultdict(list)
    for row in scope.account.fills:
        rows[OrderRef(row.symbol, row.order_id)].append(row)
    reports = {OrderRef(report.symbol, report.order_id): report for report in scope.account.orders}
    findings, troubled = [], []
    for ref in sorted(rows.keys() | reports.keys() | ground.doubtful()):
        if scope.is_aside(ref):
            continue
        fills = sorted(rows.get(ref, ()), key=age)
        report, order = reports.get(ref), ground.orders.get(ref)
        placed = None if report is None else lay(report, fills, scope)
        if scope.cautious and _may_wait(report, fills, placed, order, scope):
            continue
        finding = None
        if report is not None and placed is not None:
            finding = _finding(ref, report, placed, ground, scope)
        if finding is None:
            troubled.append(ref)
        else:
            findings.append(finding)
    return findings, tuple(troubled)


class Told(NamedTuple):
    """What came of the findings."""

    recovered: int
    latest_ts: int | None
    """Exchange time of the latest recovered fill."""
    out_of_order: bool
    """One of them lies below what had been told before."""


def tell(findings: list[Finding], ground: Ground, turn: Turn, sure_until: float) -> Told:
    """Cover what the findings show and tell it: all fills by time, then one state for each order that has a new one.

    An order that ended after `sure_until`, exchange time, may have fills that are shown later: the next read tells.
    """
    fills: list[tuple[FillReport, Fill]] = []
    states = []
    out_of_order = False
    for finding in findings:
        order, report = ground.orders.get(finding.ref) or ground.follow(finding.ref), finding.report
        top = order.coverage.top
        order.begin(finding.base)
        order.seen = max(order.seen, report.cumulative_qty)
        ends = False
        for placed in finding.fills:
            for piece in order.cover(placed.start, placed.end, placed.row.price):
                fills.append((placed.row, narration.recovered_fill(placed.row, piece, report)))
                out_of_order = out_of_order or piece.end <= top
                ends = ends or piece.end >= report.cumulative_qty
        order.value(report.cumulative_qty, report.average_price)
        report = _overtaken(report, finding.fills)
        if report.status in FINAL and narration.is_state(report) and (report.exchange_ts or 0) > sure_until:
            continue
        if _is_news(order, report, ground, turn.grain, ends=ends):
            event_id = narration.state_id(report)
            states.append(narration.state(report, event_id, "poll"))
            order.state_id = event_id
        if not order.is_stale(report):
            ground.note(order, report)
    fills.sort(key=lambda told: age(told[0]))
    for _, fill in fills:
        ground.tell(fill)
    for state in states:
        turn.deliver(state)
    return Told(len(fills), fills[-1][0].exchange_ts if fills else None, out_of_order)


def merge(account: Account, alone: Account) -> Account:
    """The account with what was read of single orders in place of what it had of them."""
    reread = {(report.symbol, report.order_id) for report in alone.orders}
    before = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
    moved = any(before.get((row.symbol, row.order_id)) != row.cumulative_qty for row in alone.orders)
    return Account(
        as_of=account.as_of,
        exchange_ms=account.exchange_ms,  # what is pushed since then is not in its balances
        since=account.since,
        whole=account.whole,
        settled=account.settled and not moved,  # balances and positions were read before
        one_way=account.one_way,
        moving=(account.moving - {order_id for _, order_id in reread}) | alone.moving,
        denied=account.denied | alone.denied,
        unasked=alone.unasked,
        balances=account.balances,
        positions=account.positions,
        orders=(*(row for row in account.orders if (row.symbol, row.order_id) not in reread), *alone.orders),
        open_orders=(account.open_orders - {order_id for _, order_id in reread}) | alone.open_orders,
        fills=(*(row for row in account.fills if (row.symbol, row.order_id) not in reread), *alone.fills),
        income=account.income,
        odd=(*account.odd, *(row for row in alone.odd if row not in account.odd)),
        positions_listed=account.positions_listed,
        income_refused=account.income_refused,
    )


def _overtaken(report: OrderReport, fills: tuple[Placed, ...]) -> OrderReport:
    """The order as the later list of its fills shows it, if that has fills which the list of orders had not."""
    if not fills or report.status not in ("NEW", "PARTIALLY_FILLED") or fills[-1].end <= report.cumulative_qty:
        return report
    end = fills[-1].end
    status = "FILLED" if report.qty and end >= report.qty else "PARTIALLY_FILLED"
    return msgspec.structs.replace(
        report, status=status, cumulative_qty=end, average_price=None, fee=None, realized_pnl=None
    )


def age(row: FillReport) -> tuple[int, int, str]:
    trade_id = row.trade_id or ""
    return row.exchange_ts, int(trade_id) if trade_id.isdecimal() else 0, trade_id


def lay(report: OrderReport, fills: list[FillReport], scope: Scope) -> tuple[Placed, ...] | None:
    """The fills on the order's ground; None if they cannot all lie on it, or not all are there yet."""
    total = sum((row.qty for row in fills), ZERO)
    if scope.is_anchored(report):
        start = ZERO
    elif report.order_id in scope.account.moving:
        return None
    else:
        start = report.cumulative_qty - total
    if start < ZERO or start + total < report.cumulative_qty:
        return None
    placed = []
    for row in fills:
        placed.append(Placed(start, start + row.qty, row))
        start += row.qty
    return tuple(placed)


def _may_wait(
    report: OrderReport | None,
    fills: list[FillReport],
    placed: tuple[Placed, ...] | None,
    order: Order | None,
    scope: Scope,
) -> bool:
    """Whether all that the read shows of an order is too recent to be judged, or is covered as far as it is not."""
    times = [report.exchange_ts] if report is not None else []
    times.extend(row.exchange_ts + scope.grain for row in fills[-1:])
    if all(ts is None or ts <= scope.shown_until for ts in times):
        return False
    if placed is None:
        return scope.alone is not None
    old = [place for place in placed if place.row.exchange_ts + scope.grain <= scope.shown_until]
    if order is None or (base := order.coverage.base) is None:
        return not old
    return all(base <= place.start and place.end <= order.coverage.contiguous for place in old)


def _finding(
    ref: OrderRef, report: OrderReport, placed: tuple[Placed, ...], ground: Ground, scope: Scope
) -> Finding | None:
    order = ground.orders.get(ref)
    owed_from = ground.owed_from(order)
    owed = tuple(
        place for place in placed if owed_from is None or place.row.exchange_ts >= floor(owed_from, scope.grain)
    )
    listed = len(owed)
    while owed and _may_fill_the_order(report, owed[-1], order, scope):
        placed, owed = placed[:-1], owed[:-1]
    end = placed[-1].end if placed else report.cumulative_qty
    base = owed[0].start if owed else end
    finding = Finding(ref, report, base, owed, len(owed) == listed)
    certain = scope.is_anchored(report) or scope.was_alone(report)
    if order is None or (known := order.coverage.base) is None:
        if order is not None and (end < order.seen or _lags_behind(order, base, owed_from, scope)):
            return None
        return finding if certain or not owed else None
    contiguous = order.coverage.contiguous
    if base >= known and order.whole and end <= contiguous:
        return finding._replace(base=known)
    if not certain:
        return None
    # What lies below the owed fills is not owed if all fills are known, and lost if the history does not reach so far.
    low = min(base, contiguous) if scope.is_anchored(report) or not scope.reaches else base
    if order.coverage.contiguous_with(low, end) < max(order.seen, report.cumulative_qty):
        return None
    return finding._replace(base=known) if known <= base <= contiguous else finding


def _may_fill_the_order(report: OrderReport, last: Placed, order: Order | None, scope: Scope) -> bool:
    """Whether a fill that came while the read was made fills the order by a row from before it.

    The order may have been amended just as well. The fill is left to its frame or the next read, which say what it is.
    """
    return (
        report.status not in FINAL
        and report.qty is not None
        and last.end >= report.qty > report.cumulative_qty
        and last.row.exchange_ts + scope.grain > scope.account.as_of
        and (order is None or order.seen < last.end)
    )


def _lags_behind(order: Order, base: Decimal, owed_from: int | None, scope: Scope) -> bool:
    """Whether a frame that waits may tell of a fill that is owed and that the list of fills does not show yet."""
    return any(
        ZERO < report.cumulative_qty <= base
        and report.status not in narration.STATES
        and (report.exchange_ts is None or report.exchange_ts > max(owed_from or 0, scope.shown_until))
        for report, _ in order.waiting
    )


def _is_news(order: Order, report: OrderReport, ground: Ground, grain: int, *, ends: bool) -> bool:
    """Whether the state is worth an event: it differs, it was not a fill that made it so, and it is of our time.

    `ends`: this read tells a fill that says all that the state does.
    """
    if order.is_stale(report) or narration.state_id(report) == order.state_id:
        return False
    shown = order.shown
    belied = report.status == "FILLED" and order.coverage.top > ZERO
    if narration.is_state(report) and not belied:
        owed_from = ground.owed_from(order)
        recent = owed_from is None or report.exchange_ts is None or report.exchange_ts >= owed_from - grain
        return shown is not None or report.status not in FINAL or recent
    if report.status != "PARTIALLY_FILLED":
        return shown is not None and not ends and narration.is_end(report, order.coverage.top)
    return shown is None or (report.qty, report.price) != (shown.qty, shown.price)
