"""The covered ground of one order: which part of its execution has been delivered, and what a report adds to it.

A fill covers the interval (cumulative - quantity, cumulative] of its order. Delivered intervals never overlap; what a
report claims inside covered ground is dropped, whatever id it bears, and what overlaps in part is cut to the rest.

    0 ....... base ================= reach ......... [island] .... top
      not ours        delivered             hole      delivered

`base` is where the ground that is owed begins: 0 for an order that began with the stream, else what a read has shown.
Ground is contiguous up to `reach`; islands lie beyond holes and exist only while a gap is open.

There are two wires. One says of each fill how much it was, so its claim has a start; a start beyond `top` is a hole.
The other says only the cumulative quantity and the average price: its claim starts at `top`, a lost frame merges into
the next, and the price is the difference of two notionals, rounded to the shortest decimal that the precision of the
average allows.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import NamedTuple

from msgspec import Struct

from ..events import ZERO
from ..reports import OrderRef, OrderReport

EXECUTING = frozenset({"PARTIALLY_FILLED", "FILLED"})
NOT_FOUND = "NOT_FOUND"
"""The status of an order that the venue denies."""
UNSURE = -1
"""A generation before any: the order's next frame is unsure, whatever was settled."""
FINAL = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", NOT_FOUND})
_SHORTEST = 18
_WIDE = Context(prec=120)


class Piece(NamedTuple):
    """A stretch of an order that no event has covered so far, and its price per unit, if known."""

    start: Decimal
    end: Decimal
    price: Decimal | None
    whole: bool
    """Whether this is all that the report claimed, so that its fee and PnL are the piece's too."""


class Shown(Struct, frozen=True, gc=False):
    """What of a report must be known when the next one comes."""

    cumulative_qty: Decimal
    qty: Decimal | None
    price: Decimal | None
    fee: Decimal | None
    realized_pnl: Decimal | None
    exchange_ts: int | None


class _Island(NamedTuple):
    start: Decimal
    end: Decimal
    notional: Decimal | None


class Order:
    """One order. `base` is None until it is known; until then none of its ground is covered."""

    __slots__ = (
        "_islands",
        "_notional",
        "base",
        "closed_ts",
        "open",
        "owed_from",
        "reach",
        "ref",
        "seen",
        "shown",
        "state_id",
        "sure_in",
        "waiting",
    )

    def __init__(self, ref: OrderRef, base: Decimal | None = None) -> None:
        self.ref = ref
        self.base = base
        self.reach = base if base is not None else ZERO
        self._notional: Decimal | None = None if base else ZERO
        """Quantity times price of all ground below `reach`, None when a price in it is unknown."""
        self._islands: tuple[_Island, ...] = ()
        self.seen = ZERO
        """The highest cumulative quantity that any report has shown."""
        self.shown: Shown | None = None
        """What the last event showed."""
        self.state_id: str | None = None
        """The id of the last state event."""
        self.sure_in = 0
        """The generation of doubt in which a frame of it was last delivered, on a wire that does not say quantities."""
        self.owed_from: int | None = None
        """From when on, exchange time, its fills are owed; None as for any order."""
        self.open = True
        self.closed_ts: int | None = None
        self.waiting: list[tuple[OrderReport, bytes | str | None]] = []
        """Reports, with their frames, that came while there was a hole below them."""

    @property
    def top(self) -> Decimal:
        """The highest covered quantity."""
        return self._islands[-1].end if self._islands else self.reach

    @property
    def whole(self) -> bool:
        """Whether everything up to the highest quantity ever seen is covered."""
        return self.base is not None and self.reach >= self.seen  # an island lies above `reach`, and was seen

    def know(self, base: Decimal) -> None:
        """The owed ground begins here: set it for the first time, or lower it because an older fill turned up.

        A base beyond `reach` says that nothing below it is owed any more: the hole counts as covered.
        """
        if self.base is None or self.reach < base:
            self.base = base if self.base in (None, self.reach) else self.base
            self.reach = base
            self._notional = None if base else ZERO
            self._merge()
        elif base < self.base:
            if self.reach > self.base:
                self._islands = (_Island(self.base, self.reach, None), *self._islands)
            self.base = self.reach = base
            self._notional = None if base else ZERO

    def claim(self, report: OrderReport) -> tuple[Decimal, Decimal] | None:
        """The interval that a report says was executed just now, None if it speaks of no execution."""
        if report.last_qty is not None:
            start = max(ZERO, report.cumulative_qty - report.last_qty)
            return (start, report.cumulative_qty) if start < report.cumulative_qty else None
        if report.status in ("NEW", "CANCELED", "REJECTED", "EXPIRED") or report.cumulative_qty <= self.top:
            return None
        return self.top, report.cumulative_qty

    def lacks(self, report: OrderReport, claim: tuple[Decimal, Decimal] | None) -> bool:
        """Whether there is a hole below what the report says or claims: it must wait until that is filled."""
        return (report.cumulative_qty if claim is None else claim[0]) > self.top

    def is_stale(self, report: OrderReport) -> bool:
        """Whether the order has already shown more than this, or later."""
        shown = self.shown
        if shown is None:
            return False
        if not self.open or report.cumulative_qty < shown.cumulative_qty:
            return True
        if report.cumulative_qty > shown.cumulative_qty or report.status in FINAL:
            return False  # not a matter of time, which frames may take from several fields
        return (
            report.exchange_ts is not None and shown.exchange_ts is not None and report.exchange_ts < shown.exchange_ts
        )

    def note(self, report: OrderReport, state_id: str | None = None) -> None:
        """This report has been told to the consumer."""
        self.shown = Shown(
            report.cumulative_qty, report.qty, report.price, report.fee, report.realized_pnl, report.exchange_ts
        )
        if state_id is not None:
            self.state_id = state_id
        if report.status in FINAL:
            self.open = False
            self.closed_ts = report.exchange_ts

    def extend(self, report: OrderReport) -> bool:
        """Cover and note the fill of a report that begins where all that was ever seen ends; False for any other."""
        qty, cumulative_qty, status = report.last_qty, report.cumulative_qty, report.status
        if (
            qty is None
            or status not in EXECUTING
            or not self.open
            or self.base is None
            or not qty > ZERO
            or not cumulative_qty - qty == self.reach >= self.seen
        ):
            return False
        self.reach = self.seen = cumulative_qty
        if self._notional is not None:
            self._notional = None if report.last_price is None else self._notional + report.last_price * qty
        self.shown = Shown(
            cumulative_qty, report.qty, report.price, report.fee, report.realized_pnl, report.exchange_ts
        )
        if status == "FILLED":
            self.open = False
            self.closed_ts = report.exchange_ts
        return True

    def cover(self, start: Decimal, end: Decimal, price: Decimal | None) -> list[Piece]:
        """Cover the interval, executed at one price; what of it was not covered before."""
        pieces = self._uncovered(start, end)
        self.seen = max(self.seen, end)
        for low, high in pieces:
            self._add(low, high, None if price is None else price * (high - low))
        return [Piece(low, high, price, (low, high) == (start, end)) for low, high in pieces]

    def cover_average(self, start: Decimal, end: Decimal, average: Decimal | None) -> list[Piece]:
        """Cover the interval that ends at the top of all ground, given the average price of all up to `end`."""
        price = None
        if average is not None and not self._islands and self._notional is not None:
            price = _difference(average, end, self._notional, end - start)
        pieces = self.cover(start, end, price)
        if average is not None and not self._islands:
            self._notional = average * end
        return pieces

    def value(self, cumulative: Decimal, average: Decimal | None) -> None:
        """A read shows that all up to here was executed at this average price: the ground's notional, if unknown."""
        if average is not None and self._notional is None and cumulative == self.reach:
            self._notional = average * cumulative

    def missing(self, start: Decimal, end: Decimal) -> Decimal:
        """How much of the interval is not covered."""
        return sum((high - low for low, high in self._uncovered(start, end)), ZERO)

    def reach_with(self, start: Decimal, end: Decimal) -> Decimal:
        """How far the ground would be contiguous if this interval were covered too."""
        reach = max(self.reach, end) if start <= self.reach else self.reach
        for island in self._islands:
            if island.start <= reach:
                reach = max(reach, island.end)
        return reach

    def _uncovered(self, start: Decimal, end: Decimal) -> list[tuple[Decimal, Decimal]]:
        pieces = []
        low = max(start, self.reach)
        for island in self._islands:
            if low < island.start:
                if end <= island.start:
                    break
                pieces.append((low, island.start))
            low = max(low, island.end)
        if low < end:
            pieces.append((low, end))
        return pieces

    def _add(self, start: Decimal, end: Decimal, notional: Decimal | None) -> None:
        self._islands = tuple(sorted((*self._islands, _Island(start, end, notional))))
        self._merge()

    def _merge(self) -> None:
        while self._islands and self._islands[0].start <= self.reach:
            island, *others = self._islands
            self._islands = tuple(others)
            if island.end > self.reach:
                whole = island.start == self.reach
                self._notional = _sum(self._notional, island.notional if whole else None)
                self.reach = island.end


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other


def _difference(average: Decimal, cumulative: Decimal, notional: Decimal, qty: Decimal) -> Decimal:
    """The price of the last `qty`, as the shortest decimal that rounding of the average leaves possible."""
    exponent = average.as_tuple().exponent
    assert isinstance(exponent, int)
    with localcontext(_WIDE):
        price = (average * cumulative - notional) / qty
        # One unit in the last place: half of it from this average, half from the one that the notional stems from.
        slack = Decimal((0, (1,), exponent)) * cumulative / qty
        for places in range(_SHORTEST):
            short = round(price, places)
            if abs(short - price) <= slack:
                return short
        return price
