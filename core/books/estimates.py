"""What fills are thought to have cost, until the venue's income rows say.

A row names a trade, but a fill may not: then the fill list says of which order a trade is and how much it was, and
what was told of the order (`tabs`) is given up for it.

Nearly every trade is told once, listed as it was told and paid by one row or two. It is one entry until it is paid:
only what is said otherwise of a trade makes sides of it. Two symbols may have a trade of the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from decimal import Decimal

import msgspec

from ..events import ZERO, FillRevised
from ..execution import Execution
from ..kinds import IncomeKind
from ..reports import FillReport, IncomeReport
from .tabs import Tabs

FEE, PNL = IncomeKind.FEE, IncomeKind.PNL

_Place = tuple[str, str, str]
"""A symbol, a trade id and an order id."""


class _Side(msgspec.Struct, gc=False):
    """The part that one of our orders has in a trade; a trade with ourselves has two."""

    symbol: str
    order_id: str
    exchange_ts: int
    listed: Decimal = ZERO
    """Its quantity by the list of fills, 0 until that was read."""
    told: Decimal = ZERO
    """What was told of it under the trade's own id."""
    paid: bool = False


class Estimates:
    """Every fill that was told, until it is paid; what of its fee and PnL is booked already is 0."""

    def __init__(self) -> None:
        self._lone: dict[str, Execution] = {}
        """By trade id, fills of which nothing else was said than what they are."""
        self._listed: set[str] = set()
        """Trade ids of those that the list of fills has shown."""
        self._named: dict[_Place, Execution] = {}
        self._sides: dict[str, MutableSequence[_Side]] = {}
        """By trade id, of all that are not lone."""
        self._tabs = Tabs()
        self._early: dict[tuple[str, str], int] = {}
        """By symbol and trade id."""

    def __iter__(self) -> Iterator[Execution]:
        yield from self._lone.values()
        yield from self._named.values()
        if self._tabs.unpaid:
            yield from self._tabs

    def tell(self, fill: Execution) -> int:
        """A fill was told; how many there are now."""
        trade_id = fill.trade_id
        if trade_id is None:
            self._tabs.tell(fill)
        elif (
            trade_id in self._sides
            or (self._early and (fill.symbol, trade_id) in self._early)
            or self._lone.setdefault(trade_id, fill) is not fill
        ):
            self._tell_side(fill, trade_id)
        return len(self._lone) + len(self._named) + self._tabs.unpaid

    def revise(self, fill: FillRevised) -> None:
        """A fill was put right. What of it is booked already has had the last word."""
        if fill.trade_id is None:
            self._tabs.revise(fill)
            return
        self._part(fill.trade_id)
        place = (fill.symbol, fill.trade_id, fill.order_id)
        thought = self._named.get(place)
        if thought is not None and thought.cumulative_qty == fill.cumulative_qty:
            fee = fill.fee if thought.fee != ZERO else ZERO
            pnl = fill.realized_pnl if thought.realized_pnl != ZERO else ZERO
            self._named[place] = msgspec.structs.replace(thought, fee=fee, fee_asset=fill.fee_asset, realized_pnl=pnl)

    def list(self, rows: Iterable[FillReport]) -> None:
        """Rows of the fill list say which order a trade is of."""
        for row in rows:
            trade_id = row.trade_id
            if trade_id is None:
                continue
            fill = self._lone.get(trade_id)
            if fill is not None and _is_shown_by(row, fill):
                self._listed.add(trade_id)
                continue
            side = self._side(row.symbol, trade_id, row.order_id, row.exchange_ts)
            if side.listed:
                continue
            side.listed = row.qty
            if side.paid or row.fee == ZERO:  # of nothing there may be no row
                self._paid(side)

    def pay(self, row: IncomeReport) -> bool:
        """A row of a fill's fee or PnL takes the place of what was thought; False if its trade is not known."""
        symbol, trade_id, is_fee = row.symbol or "", row.trade_id or "", row.kind is FEE
        fill = self._lone.get(trade_id)
        if fill is not None and fill.symbol == symbol and self._pay_lone(fill, trade_id, fee=is_fee):
            return True
        sides = [side for side in self._part(trade_id) if side.symbol == symbol]
        if is_fee:
            unpaid = next((side for side in sides if not side.paid), None)
            if unpaid is not None:
                self._paid(unpaid)
                self._book(trade_id, unpaid, fee=True)
        else:
            for side in sides:
                if self._book(trade_id, side, fee=False):
                    break
        return bool(sides)

    def pay_early(self, row: IncomeReport) -> None:
        """A fee was booked whose trade is not known: when it is, there is nothing left to pay."""
        if row.kind is FEE and row.trade_id is not None:
            self._early[row.symbol or "", row.trade_id] = row.exchange_ts

    def pay_until(self, exchange_ms: int) -> None:
        """All fills before this exchange time are paid."""
        for trade_id, fill in tuple(self._lone.items()):
            if (fill.exchange_ts or exchange_ms) < exchange_ms:
                self._part(trade_id)
        for place, fill in tuple(self._named.items()):
            if (fill.exchange_ts or exchange_ms) < exchange_ms:
                del self._named[place]
        self._tabs.pay_until(exchange_ms)

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        if self._sides:
            waiting = {trade_id for _, trade_id, _ in self._named}
            self._sides = {
                trade_id: sides
                for trade_id, sides in self._sides.items()
                if trade_id in waiting or any(side.exchange_ts >= exchange_ms for side in sides)
            }
        if self._early:
            self._early = {trade: ts for trade, ts in self._early.items() if ts >= exchange_ms}
        self._tabs.forget(exchange_ms)

    def give_up(self) -> Execution:
        """The fill that has waited longest, or nearly so, which is no more."""
        trade_id, place = next(iter(self._lone), None), next(iter(self._named), None)
        if trade_id is not None and (place is None or _is_older(self._lone[trade_id], self._named[place])):
            self._listed.discard(trade_id)
            return self._lone.pop(trade_id)
        if place is not None:
            symbol, trade_id, order_id = place
            sides = [side for side in self._sides[trade_id] if (side.symbol, side.order_id) != (symbol, order_id)]
            if sides:
                self._sides[trade_id] = sides
            else:
                del self._sides[trade_id]
            return self._named.pop(place)
        return self._tabs.give_up()

    def _tell_side(self, fill: Execution, trade_id: str) -> None:
        """More was said of this trade than that this fill is one."""
        side = self._side(fill.symbol, trade_id, fill.order_id, fill.exchange_ts or 0)
        side.told += fill.fill_qty
        if not side.paid:
            self._named[fill.symbol, trade_id, fill.order_id] = fill
        elif side.listed:
            self._tabs.take_back(side.symbol, side.order_id, fill.fill_qty, side.exchange_ts)

    def _pay_lone(self, fill: Execution, trade_id: str, *, fee: bool) -> bool:
        """Book a row of a fee that is all that is left, or of a PnL that is not; False if the trade needs sides."""
        if fee:
            if fill.realized_pnl:
                return False
            del self._lone[trade_id]
            self._sides[trade_id] = [self._lone_side(fill, trade_id, paid=True)]
            return True
        if fill.realized_pnl != ZERO:
            if fill.fee == ZERO:
                return False
            self._lone[trade_id] = msgspec.structs.replace(fill, realized_pnl=ZERO)
        return True

    def _side(self, symbol: str, trade_id: str, order_id: str, exchange_ts: int) -> _Side:
        sides = self._part(trade_id)
        for side in sides:
            if side.order_id == order_id and side.symbol == symbol:
                return side
        paid = self._early.pop((symbol, trade_id), None) is not None
        side = _Side(symbol, order_id, exchange_ts, paid=paid)
        self._sides.setdefault(trade_id, sides).append(side)
        return side

    def _part(self, trade_id: str) -> MutableSequence[_Side]:
        """The sides of a trade, none if it is not known; its lone fill is one of them from now on."""
        fill = self._lone.pop(trade_id, None)
        if fill is None:
            return self._sides.get(trade_id, [])
        sides = self._sides[trade_id] = [self._lone_side(fill, trade_id)]
        self._named[fill.symbol, trade_id, fill.order_id] = fill
        return sides

    def _lone_side(self, fill: Execution, trade_id: str, *, paid: bool = False) -> _Side:
        listed = ZERO
        if trade_id in self._listed:
            self._listed.discard(trade_id)
            listed = fill.fill_qty
        return _Side(fill.symbol, fill.order_id, fill.exchange_ts or 0, listed, fill.fill_qty, paid)

    def _paid(self, side: _Side) -> None:
        side.paid = True
        if side.listed > side.told:
            self._tabs.pay(side.symbol, side.order_id, side.listed - side.told, side.exchange_ts)

    def _book(self, trade_id: str, side: _Side, *, fee: bool) -> bool:
        """A part of what this side cost is booked; False if nothing was thought of it."""
        place = (side.symbol, trade_id, side.order_id)
        fill = self._named.get(place)
        if fill is None or (not fee and fill.realized_pnl == ZERO):
            return False
        fill = msgspec.structs.replace(fill, **{"fee" if fee else "realized_pnl": ZERO})
        self._named[place] = fill
        if fill.fee == ZERO and not fill.realized_pnl:
            del self._named[place]
        return True


def _is_shown_by(row: FillReport, fill: Execution) -> bool:
    """Whether the row says what was told, and that it cost something."""
    return (row.symbol, row.order_id, row.qty) == (fill.symbol, fill.order_id, fill.fill_qty) and row.fee != ZERO


def _is_older(one: Execution, other: Execution) -> bool:
    return (one.exchange_ts or 0) < (other.exchange_ts or 0)
