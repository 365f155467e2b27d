"""One order: which part of its execution has been delivered, and what a report adds to it.

What a report claims inside covered intervals is dropped, whatever id it bears, and what overlaps in part is cut to the
rest. There are two wires. One says of each fill how much it was, so its claim has a start; a start beyond the top is a
hole. The other says only the cumulative quantity and the average price: its claim starts at the top, a lost frame
merges into the next, and the price is the difference of two notionals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ..events import ZERO
from ..reports import OrderRef, OrderReport
from .average import last_price
from .coverage import Coverage
from .shown import EXECUTING, FINAL, Shown, outdates, reported

UNSURE = -1
"""A generation before any: the order's next frame is unsure, whatever was settled."""


class Piece(NamedTuple):
    """A stretch of an order that no event has covered so far, and its price per unit, if known."""

    start: Decimal
    end: Decimal
    price: Decimal | None
    whole: bool
    """True if the piece is all that the report claimed, so that the report's fee and PnL are the piece's too."""


class Order:
    """One order, and the reports that wait until what lies below them is covered."""

    __slots__ = (
        "_notional",
        "closed_ts",
        "coverage",
        "due_from",
        "open",
        "ref",
        "seen",
        "shown",
        "state_id",
        "sure_in",
        "waiting",
    )

    def __init__(self, ref: OrderRef, base: Decimal | None = None) -> None:
        self.ref = ref
        self.coverage = Coverage(base)
        self._notional: Decimal | None = None if base else ZERO
        """Quantity times price of all that was executed up to the top, None where a price in it is unknown."""
        self.seen = ZERO
        """The highest cumulative quantity that any report has shown."""
        self.shown: Shown | None = None
        """The last event's figures."""
        self.state_id: str | None = None
        """The id of the last state event."""
        self.sure_in = 0
        """The generation of doubt in which a frame of it was last delivered, on a wire that does not say quantities."""
        self.due_from: int | None = None
        """From when on, exchange time, its fills are due; None as for any order."""
        self.open = True
        self.closed_ts: int | None = None
        self.waiting: list[tuple[OrderReport, bytes | str | None]] = []
        """Reports, with their frames, that came while there was a hole below them."""

    @property
    def whole(self) -> bool:
        """True if everything up to the highest quantity ever seen is covered."""
        coverage = self.coverage
        return coverage.base is not None and coverage.contiguous >= self.seen  # an island lies above it, and was seen

    def begin(self, base: Decimal) -> None:
        """Set the base, from which on executions are due."""
        coverage = self.coverage
        before = coverage.base, coverage.contiguous
        coverage.begin(base)
        if (coverage.base, coverage.contiguous) != before:
            self._notional = None if coverage.top > ZERO else ZERO

    def claim(self, report: OrderReport) -> tuple[Decimal, Decimal] | None:
        """The interval that a report says was executed just now, None if it speaks of no execution."""
        if report.last_qty is not None:
            start = max(ZERO, report.cumulative_qty - report.last_qty)
            return (start, report.cumulative_qty) if start < report.cumulative_qty else None
        if report.status in ("NEW", "CANCELED", "REJECTED", "EXPIRED") or report.cumulative_qty <= self.coverage.top:
            return None
        return self.coverage.top, report.cumulative_qty

    def lacks(self, report: OrderReport, claim: tuple[Decimal, Decimal] | None) -> bool:
        """True if there is a hole below the report or its claim: it must wait until that is filled."""
        return (report.cumulative_qty if claim is None else claim[0]) > self.coverage.top

    def is_stale(self, report: OrderReport) -> bool:
        """True if the order has already shown more than this, or something later."""
        return self.shown is not None and (not self.open or outdates(self.shown, report))

    def note(self, report: OrderReport, state_id: str | None = None) -> None:
        """Note that this report has been delivered."""
        self.shown = reported(report)
        if state_id is not None:
            self.state_id = state_id
        if report.status in FINAL:
            self.open = False
            self.closed_ts = report.exchange_ts

    def extend(self, report: OrderReport) -> Decimal | None:
        """Cover a report's fill that begins where all that was ever seen ends: its quantity; None for any other."""
        qty, cumulative_qty, status, coverage = report.last_qty, report.cumulative_qty, report.status, self.coverage
        if (
            qty is None
            or status not in EXECUTING
            or not self.open
            or coverage.base is None
            or not qty > ZERO
            or not cumulative_qty - qty == coverage.contiguous >= self.seen
        ):
            return None
        coverage.contiguous = self.seen = cumulative_qty
        if self._notional is not None:
            self._notional = None if report.last_price is None else self._notional + report.last_price * qty
        if status == "FILLED":
            self.open = False
            self.closed_ts = report.exchange_ts
        return qty

    def cover(self, start: Decimal, end: Decimal, price: Decimal | None) -> list[Piece]:
        """Cover the interval, executed at one price; what of it was not covered before."""
        added = self.coverage.add(start, end)
        self.seen = max(self.seen, end)
        for low, high in added:
            if self._notional is not None:
                self._notional = None if price is None else self._notional + price * (high - low)
        return [Piece(low, high, price, (low, high) == (start, end)) for low, high in added]

    def cover_average(self, start: Decimal, end: Decimal, average: Decimal | None) -> list[Piece]:
        """Cover the interval that ends at the top of all coverage, given the average price of all up to `end`."""
        price, is_contiguous = None, not self.coverage.has_holes
        if average is not None and is_contiguous and self._notional is not None:
            price = last_price(average, end, self._notional, end - start)
        pieces = self.cover(start, end, price)
        if average is not None and is_contiguous:
            self._notional = average * end
        return pieces

    def value(self, cumulative: Decimal, average: Decimal | None) -> None:
        """A read shows that all up to here was executed at this average price: the notional, if it is unknown."""
        coverage = self.coverage
        if average is not None and self._notional is None and cumulative == coverage.contiguous == coverage.top:
            self._notional = average * cumulative
