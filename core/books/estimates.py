"""Estimated costs of fills, until the venue's income rows give the true ones.

A row names a trade, but a fill may not: then the list of fills gives the order and the quantity of a trade, and
delivered fills of that order (`unnamed`) are matched with it.

Nearly every trade is delivered once, listed with the same figures and paid by one row or two. It is one entry until it
is paid: only figures that differ make legs of it. Two symbols may have a trade of the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from decimal import Decimal

import msgspec

from ..events import ZERO, FillRevised
from ..execution import Execution
from ..kinds import IncomeKind
from ..reports import FillReport, IncomeReport
from .unnamed import UnnamedFills

FEE, PNL = IncomeKind.FEE, IncomeKind.PNL

_TradeKey = tuple[str, str, str]
"""A symbol, a trade id and an order id."""


class _Leg(msgspec.Struct, gc=False):
    """The part that one of our orders has in a trade; a trade with ourselves has two."""

    symbol: str
    order_id: str
    exchange_ts: int
    listed: Decimal = ZERO
    """Its quantity by the list of fills, 0 until that was read."""
    delivered: Decimal = ZERO
    """The quantity delivered under the trade's own id."""
    paid: bool = False


class Estimates:
    """Every delivered fill until it is paid; a fee or PnL that is booked already is 0 here."""

    def __init__(self) -> None:
        self._lone: dict[str, Execution] = {}
        """By trade id, fills without any other report about their trade."""
        self._listed: set[str] = set()
        """Trade ids of those that the list of fills has shown."""
        self._named: dict[_TradeKey, Execution] = {}
        self._legs: dict[str, MutableSequence[_Leg]] = {}
        """By trade id, of all that are not lone."""
        self._unnamed = UnnamedFills()
        self._ahead: dict[tuple[str, str], int] = {}
        """By symbol and trade id."""

    def __iter__(self) -> Iterator[Execution]:
        yield from self._lone.values()
        yield from self._named.values()
        if self._unnamed.unpaid:
            yield from self._unnamed

    def add(self, fill: Execution) -> int:
        """Add a delivered fill; return how many there are now."""
        trade_id = fill.trade_id
        if trade_id is None:
            self._unnamed.add(fill)
        elif (
            trade_id in self._legs
            or (self._ahead and (fill.symbol, trade_id) in self._ahead)
            or self._lone.setdefault(trade_id, fill) is not fill
        ):
            self._add_to_leg(fill, trade_id)
        return len(self._lone) + len(self._named) + self._unnamed.unpaid

    def revise(self, fill: FillRevised) -> None:
        """A fill was put right. What of it is booked already has had the last word."""
        if fill.trade_id is None:
            self._unnamed.revise(fill)
            return
        self._part(fill.trade_id)
        key = (fill.symbol, fill.trade_id, fill.order_id)
        thought = self._named.get(key)
        if thought is not None and thought.cumulative_qty == fill.cumulative_qty:
            fee = fill.fee if thought.fee != ZERO else ZERO
            pnl = fill.realized_pnl if thought.realized_pnl != ZERO else ZERO
            self._named[key] = msgspec.structs.replace(thought, fee=fee, fee_asset=fill.fee_asset, realized_pnl=pnl)

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
            leg = self._leg(row.symbol, trade_id, row.order_id, row.exchange_ts)
            if leg.listed:
                continue
            leg.listed = row.qty
            if leg.paid or row.fee == ZERO:  # of nothing there may be no row
                self._paid(leg)

    def pay(self, row: IncomeReport) -> bool:
        """A row of a fill's fee or PnL takes the place of what was thought; False if its trade is not known."""
        symbol, trade_id, is_fee = row.symbol or "", row.trade_id or "", row.kind is FEE
        fill = self._lone.get(trade_id)
        if fill is not None and fill.symbol == symbol and self._pay_lone(fill, trade_id, fee=is_fee):
            return True
        legs = [leg for leg in self._part(trade_id) if leg.symbol == symbol]
        if is_fee:
            unpaid = next((leg for leg in legs if not leg.paid), None)
            if unpaid is not None:
                self._paid(unpaid)
                self._book(trade_id, unpaid, fee=True)
        else:
            for leg in legs:
                if self._book(trade_id, leg, fee=False):
                    break
        return bool(legs)

    def match_ahead(self, row: IncomeReport) -> None:
        """A fee was booked whose trade is not known: when it is, there is nothing left to pay."""
        if row.kind is FEE and row.trade_id is not None:
            self._ahead[row.symbol or "", row.trade_id] = row.exchange_ts

    def pay_until(self, exchange_ms: int) -> None:
        """All fills before this exchange time are paid."""
        for trade_id, fill in tuple(self._lone.items()):
            if (fill.exchange_ts or exchange_ms) < exchange_ms:
                self._part(trade_id)
        for key, fill in tuple(self._named.items()):
            if (fill.exchange_ts or exchange_ms) < exchange_ms:
                del self._named[key]
        self._unnamed.pay_until(exchange_ms)

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        if self._legs:
            waiting = {trade_id for _, trade_id, _ in self._named}
            self._legs = {
                trade_id: legs
                for trade_id, legs in self._legs.items()
                if trade_id in waiting or any(leg.exchange_ts >= exchange_ms for leg in legs)
            }
        if self._ahead:
            self._ahead = {trade: ts for trade, ts in self._ahead.items() if ts >= exchange_ms}
        self._unnamed.forget(exchange_ms)

    def evict_oldest(self) -> Execution:
        """Remove and return the oldest unmatched fill, fills with a trade id first."""
        trade_id, key = next(iter(self._lone), None), next(iter(self._named), None)
        if trade_id is not None and (key is None or _is_older(self._lone[trade_id], self._named[key])):
            self._listed.discard(trade_id)
            return self._lone.pop(trade_id)
        if key is not None:
            symbol, trade_id, order_id = key
            legs = [leg for leg in self._legs[trade_id] if (leg.symbol, leg.order_id) != (symbol, order_id)]
            if legs:
                self._legs[trade_id] = legs
            else:
                del self._legs[trade_id]
            return self._named.pop(key)
        return self._unnamed.evict_oldest()

    def _add_to_leg(self, fill: Execution, trade_id: str) -> None:
        """Add a fill of a trade that has other reports."""
        leg = self._leg(fill.symbol, trade_id, fill.order_id, fill.exchange_ts or 0)
        leg.delivered += fill.fill_qty
        if not leg.paid:
            self._named[fill.symbol, trade_id, fill.order_id] = fill
        elif leg.listed:
            self._unnamed.take_back(leg.symbol, leg.order_id, fill.fill_qty, leg.exchange_ts)

    def _pay_lone(self, fill: Execution, trade_id: str, *, fee: bool) -> bool:
        """Book a row of a fee that is all that is left, or of a PnL that is not; False if the trade needs sides."""
        if fee:
            if fill.realized_pnl:
                return False
            del self._lone[trade_id]
            self._legs[trade_id] = [self._lone_leg(fill, trade_id, paid=True)]
            return True
        if fill.realized_pnl != ZERO:
            if fill.fee == ZERO:
                return False
            self._lone[trade_id] = msgspec.structs.replace(fill, realized_pnl=ZERO)
        return True

    def _leg(self, symbol: str, trade_id: str, order_id: str, exchange_ts: int) -> _Leg:
        legs = self._part(trade_id)
        for leg in legs:
            if leg.order_id == order_id and leg.symbol == symbol:
                return leg
        paid = self._ahead.pop((symbol, trade_id), None) is not None
        leg = _Leg(symbol, order_id, exchange_ts, paid=paid)
        self._legs.setdefault(trade_id, legs).append(leg)
        return leg

    def _part(self, trade_id: str) -> MutableSequence[_Leg]:
        """The sides of a trade, none if it is not known; its lone fill is one of them from now on."""
        fill = self._lone.pop(trade_id, None)
        if fill is None:
            return self._legs.get(trade_id, [])
        legs = self._legs[trade_id] = [self._lone_leg(fill, trade_id)]
        self._named[fill.symbol, trade_id, fill.order_id] = fill
        return legs

    def _lone_leg(self, fill: Execution, trade_id: str, *, paid: bool = False) -> _Leg:
        listed = ZERO
        if trade_id in self._listed:
            self._listed.discard(trade_id)
            listed = fill.fill_qty
        return _Leg(fill.symbol, fill.order_id, fill.exchange_ts or 0, listed, fill.fill_qty, paid)

    def _paid(self, leg: _Leg) -> None:
        leg.paid = True
        if leg.listed > leg.delivered:
            self._unnamed.pay(leg.symbol, leg.order_id, leg.listed - leg.delivered, leg.exchange_ts)

    def _book(self, trade_id: str, leg: _Leg, *, fee: bool) -> bool:
        """A part of what this side cost is booked; False if nothing was thought of it."""
        key = (leg.symbol, trade_id, leg.order_id)
        fill = self._named.get(key)
        if fill is None or (not fee and fill.realized_pnl == ZERO):
            return False
        fill = msgspec.structs.replace(fill, **{"fee" if fee else "realized_pnl": ZERO})
        self._named[key] = fill
        if fill.fee == ZERO and not fill.realized_pnl:
            del self._named[key]
        return True


def _is_shown_by(row: FillReport, fill: Execution) -> bool:
    """True if the row has the figures of the fill, and a fee."""
    return (row.symbol, row.order_id, row.qty) == (fill.symbol, fill.order_id, fill.fill_qty) and row.fee != ZERO


def _is_older(one: Execution, other: Execution) -> bool:
    return (one.exchange_ts or 0) < (other.exchange_ts or 0)
