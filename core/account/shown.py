"""The figures that an order has shown last, in a fill or a report, by which a report of it is stale or not."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ..events import ZERO
from ..execution import Execution
from ..reports import OrderReport

EXECUTING = frozenset({"PARTIALLY_FILLED", "FILLED"})
NOT_FOUND = "NOT_FOUND"
"""The status of an order that the venue denies."""
FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", NOT_FOUND})


class Reported(Struct, frozen=True, gc=False):
    """The part of a report that the next one is compared with. Quantities, prices and amounts as in `OrderReport`."""

    cumulative_qty: Decimal
    qty: Decimal | None
    price: Decimal | None
    fee: Decimal | None
    realized_pnl: Decimal | None
    exchange_ts: int | None


Shown = Execution | Reported


def reported(report: OrderReport) -> Reported:
    """Return the part of a report that is kept."""
    return Reported(
        report.cumulative_qty, report.qty, report.price, report.fee, report.realized_pnl, report.exchange_ts
    )


def outdates(shown: Shown, report: OrderReport) -> bool:
    """True if the order has shown more than this report, or something later."""
    if report.cumulative_qty != shown.cumulative_qty or report.status in FINAL:
        # No matter of time, which frames may take from several fields.
        return report.cumulative_qty < shown.cumulative_qty
    return report.exchange_ts is not None and shown.exchange_ts is not None and report.exchange_ts < shown.exchange_ts


def costs_since(shown: Shown | None, start: Decimal, report: OrderReport) -> tuple[Decimal | None, Decimal | None]:
    """Return fee and PnL of a report's fill, which begins at `start`, where reports give the costs of the order so far.

    None where they cannot be separated from those before.
    """
    if start == ZERO:
        return report.fee, report.realized_pnl
    if shown is None or shown.cumulative_qty != start:
        return None, None
    return _less(report.fee, shown.fee), _less(report.realized_pnl, shown.realized_pnl)


def _less(total: Decimal | None, before: Decimal | None) -> Decimal | None:
    return None if total is None or before is None else total - before
