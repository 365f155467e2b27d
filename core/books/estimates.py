"""What fills are thought to have cost, until the venue's income rows say.

A row names a trade, but a fill may not: then the fill list says of which order a trade is and how much it was. What
was told of an order without trade ids is given up, oldest first, as trades of the order are paid that add up to it;
which part of the order each of them was does not matter for money.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, MutableSequence
from decimal import Decimal

import msgspec

from ..events import ZERO, FillRevised
from ..kinds import IncomeKind
from ..reports import FillReport, IncomeReport
from .fold import Execution

FEE, PNL = IncomeKind.FEE, IncomeKind.PNL

_Trade = tuple[str, str]
"""A symbol and a trade id."""
_Place = tuple[str, str, str]
"""A symbol, a trade id and an order id."""


class _Side(msgspec.Struct, gc=False):
    """The part that one of our orders has in a trade; a trade with ourselves has two."""

    order: tuple[str, str]
    exchange_ts: int
    listed: Decimal = ZERO
    """Its quantity by the list of fills, 0 until that was read."""
    told: Decimal = ZERO
    """What was told of it under the trade's own id."""
    paid: bool = False


class _Tab(msgspec.Struct):
    """What was told of an order without trade ids."""

    exchange_ts: int = 0
    paid: Decimal = ZERO
    """Quantity of trades that are paid, less that of the fills which were given up for them."""
    unpaid: deque[Execution] = msgspec.field(default_factory=deque)


class Estimates:
    """Every fill that was told, until it is paid; what of its fee and PnL is booked already is 0."""

    def __init__(self) -> None:
        self._lone: dict[_Trade, Execution] = {}
        """Fills of trades of which nothing else was told, listed or paid: nearly all that no read has shown yet."""
        self._named: dict[_Place, Execution] = {}
        self._sides: dict[_Trade, list[_Side]] = {}
        self._tabs: dict[tuple[str, str], _Tab] = {}
        self._early: dict[_Trade, int] = {}
        self._unpaid = 0

    def __len__(self) -> int:
        return len(self._lone) + len(self._named) + self._unpaid

    def __iter__(self) -> Iterator[Execution]:
        yield from self._lone.values()
        yield from self._named.values()
        for tab in self._tabs.values():
            yield from tab.unpaid

    def tell(self, fill: Execution) -> None:
        """A fill was told."""
        if fill.trade_id is None:
            tab = self._tab(fill.symbol, fill.order_id, fill.exchange_ts or 0)
            tab.unpaid.append(fill)
            self._unpaid += 1
            self._pay_off(tab)
            return
        trade = (fill.symbol, fill.trade_id)
        if trade not in self._sides and trade not in self._early and self._lone.setdefault(trade, fill) is fill:
            return
        side = self._side(fill.symbol, fill.trade_id, fill.order_id, fill.exchange_ts or 0)
        side.told += fill.fill_qty
        if not side.paid:
            self._named[fill.symbol, fill.trade_id, fill.order_id] = fill
        elif side.listed:
            self._tab(*side.order, side.exchange_ts).paid -= fill.fill_qty

    def revise(self, fill: FillRevised) -> None:
        """A fill was put right. What of it is booked already has had the last word."""
        if fill.trade_id is not None:
            place = (fill.symbol, fill.trade_id, fill.order_id)
            self._of((fill.symbol, fill.trade_id))
            thought = self._named.get(place)
            if thought is not None and thought.cumulative_qty == fill.cumulative_qty:
                fee = fill.fee if thought.fee != ZERO else ZERO
                pnl = fill.realized_pnl if thought.realized_pnl != ZERO else ZERO
                self._named[place] = _revised(thought, fee, fill.fee_asset, pnl)
            return
        tab = self._tabs.get((fill.symbol, fill.order_id))
        if tab is not None and tab.paid == ZERO:
            tab.unpaid = deque(
                _revised(thought, fill.fee, fill.fee_asset, fill.realized_pnl)
                if thought.cumulative_qty == fill.cumulative_qty
                else thought
                for thought in tab.unpaid
            )

    def list(self, rows: Iterable[FillReport]) -> None:
        """Rows of the fill list say which order a trade is of."""
        for row in rows:
            if row.trade_id is None:
                continue
            side = self._side(row.symbol, row.trade_id, row.order_id, row.exchange_ts)
            if side.listed:
                continue
            side.listed = row.qty
            if side.paid or row.fee == ZERO:  # of nothing there may be no row
                self._paid(side)

    def pay(self, row: IncomeReport) -> bool:
        """A row of a fill's fee or PnL takes the place of what was thought; False if its trade is not known."""
        trade = (row.symbol or "", row.trade_id or "")
        sides = self._of(trade)
        if sides is None:
            return False
        if row.kind is FEE:
            side = next((side for side in sides if not side.paid), None)
            if side is not None:
                self._paid(side)
                self._book(trade, side, fee=True)
        else:
            for side in sides:
                if self._book(trade, side, fee=False):
                    break
        return True

    def pay_early(self, row: IncomeReport) -> None:
        """A fee was booked whose trade is not known: when it is, there is nothing left to pay."""
        if row.kind is FEE and row.trade_id is not None:
            self._early[row.symbol or "", row.trade_id] = row.exchange_ts

    def pay_until(self, exchange_ms: int) -> None:
        """All fills before this exchange time are paid."""
        for trade in tuple(self._lone):
            self._of(trade)
        for place, fill in tuple(self._named.items()):
            if (fill.exchange_ts or exchange_ms) < exchange_ms:
                del self._named[place]
        for tab in self._tabs.values():
            while tab.unpaid and (tab.unpaid[0].exchange_ts or exchange_ms) < exchange_ms:
                tab.paid -= tab.unpaid[0].fill_qty  # its trades may be named yet
                self._drop(tab)

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        if not self._sides and not self._early and not self._tabs:
            return
        waiting = {place[:2] for place in self._named}
        self._sides = {
            trade: sides
            for trade, sides in self._sides.items()
            if trade in waiting or any(side.exchange_ts >= exchange_ms for side in sides)
        }
        self._early = {trade: ts for trade, ts in self._early.items() if ts >= exchange_ms}
        self._tabs = {key: tab for key, tab in self._tabs.items() if tab.unpaid or tab.exchange_ts >= exchange_ms}

    def give_up(self) -> Execution:
        """The fill that has waited longest, or nearly so, which is no more."""
        trade, place = next(iter(self._lone), None), next(iter(self._named), None)
        if trade is not None and (place is None or _is_older(self._lone[trade], self._named[place])):
            return self._lone.pop(trade)
        if place is not None:
            sides = self._sides[place[:2]]
            sides[:] = [side for side in sides if side.order[1] != place[2]]
            if not sides:
                del self._sides[place[:2]]
            return self._named.pop(place)
        tab = next(tab for tab in self._tabs.values() if tab.unpaid)
        return self._drop(tab)

    def _side(self, symbol: str, trade_id: str, order_id: str, exchange_ts: int) -> _Side:
        sides = self._of((symbol, trade_id))
        if sides is None:
            sides = self._sides[symbol, trade_id] = []
        for side in sides:
            if side.order[1] == order_id:
                return side
        paid = self._early.pop((symbol, trade_id), None) is not None
        side = _Side((symbol, order_id), exchange_ts, paid=paid)
        sides.append(side)
        return side

    def _of(self, trade: _Trade) -> MutableSequence[_Side] | None:
        """The sides of a trade, None if it is not known; its lone fill is one of them from now on."""
        fill = self._lone.pop(trade, None)
        if fill is not None:
            self._sides[trade] = [_Side((fill.symbol, fill.order_id), fill.exchange_ts or 0, told=fill.fill_qty)]
            self._named[*trade, fill.order_id] = fill
        return self._sides.get(trade)

    def _tab(self, symbol: str, order_id: str, exchange_ts: int) -> _Tab:
        tab = self._tabs.get((symbol, order_id))
        if tab is None:
            tab = self._tabs[symbol, order_id] = _Tab()
        tab.exchange_ts = max(tab.exchange_ts, exchange_ts)
        return tab

    def _paid(self, side: _Side) -> None:
        side.paid = True
        if side.listed > side.told:
            tab = self._tab(*side.order, side.exchange_ts)
            tab.paid += side.listed - side.told
            self._pay_off(tab)

    def _book(self, trade: _Trade, side: _Side, *, fee: bool) -> bool:
        """A part of what this side cost is booked; False if nothing was thought of it."""
        place = (*trade, side.order[1])
        fill = self._named.get(place)
        if fill is None or (not fee and fill.realized_pnl == ZERO):
            return False
        fill = msgspec.structs.replace(fill, **{"fee" if fee else "realized_pnl": ZERO})
        self._named[place] = fill
        if fill.fee == ZERO and not fill.realized_pnl:
            del self._named[place]
        return True

    def _pay_off(self, tab: _Tab) -> None:
        while tab.unpaid and tab.unpaid[0].fill_qty <= tab.paid:
            tab.paid -= self._drop(tab).fill_qty

    def _drop(self, tab: _Tab) -> Execution:
        self._unpaid -= 1
        return tab.unpaid.popleft()


def _is_older(one: Execution, other: Execution) -> bool:
    return (one.exchange_ts or 0) < (other.exchange_ts or 0)


def _revised(fill: Execution, fee: Decimal | None, fee_asset: str | None, realized_pnl: Decimal | None) -> Execution:
    return msgspec.structs.replace(fill, fee=fee, fee_asset=fee_asset, realized_pnl=realized_pnl)
