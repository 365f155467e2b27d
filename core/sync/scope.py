"""The scope of a read: how much it can prove, and which interval of its order each listed fill has.

REST names no intervals. The fills of an order are aligned end to end: from 0 upward when all of them were read, else
downward from the executed quantity, which counts only if the order did not move while it was read.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from ..events import ZERO
from ..reports import Account, FillReport, OrderRef, OrderReport


class Scope(NamedTuple):
    """How much a read can prove."""

    account: Account
    alone: Account | None
    """The part that was read of single orders."""
    shown_until: int
    """Exchange time, ms: anything older is listed, even by a venue that lists late."""
    cautious: bool = False
    """Of what is newer nothing is judged: the socket may be about to bring it."""
    reaches: bool = True
    """Its history goes back to where it should."""
    is_aside: Callable[[OrderRef], bool] = lambda _ref: False
    """True if a row about this order cannot be read, so that the order is not judged."""
    grain: int = 1
    """How exact the times of its lists are, ms."""

    def is_anchored(self, report: OrderReport) -> bool:
        """True if all fills of the order were read."""
        since = self.account.since
        if self.was_alone(report):
            assert self.alone is not None
            since = self.alone.since
            if since is None:
                return True
        return since is not None and report.created_ts is not None and report.created_ts > since + self.grain

    def was_alone(self, report: OrderReport) -> bool:
        """True if the order was read alone."""
        return self.alone is not None and report in self.alone.orders


class Placed(NamedTuple):
    """A row of the list of fills and its interval in the order."""

    start: Decimal
    end: Decimal
    row: FillReport


def age(row: FillReport) -> tuple[int, int, str]:
    """By this rows are in the order of their trades."""
    trade_id = row.trade_id or ""
    return row.exchange_ts, int(trade_id) if trade_id.isdecimal() else 0, trade_id


def align(report: OrderReport, fills: list[FillReport], scope: Scope) -> tuple[Placed, ...] | None:
    """Return the fills with their intervals; None if they cannot all have one, or not all are listed yet."""
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


def merge(account: Account, alone: Account) -> Account:
    """The account with what was read of single orders in place of what it had of them."""
    reread = {(report.symbol, report.order_id) for report in alone.orders}
    before = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
    over = {(row.symbol, row.order_id) for row in account.odd if row.order is not None}  # and executed nothing since
    movable = (row for row in alone.orders if (row.symbol, row.order_id) not in over)
    moved = any(before.get((row.symbol, row.order_id)) != row.cumulative_qty for row in movable)
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
