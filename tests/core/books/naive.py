"""A naive implementation of estimates, straight from their definition: every trade has parts, looked up one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal as D

import msgspec

from listenkey.core.books.estimates import FEE
from listenkey.core.events import FillRevised
from listenkey.core.execution import Execution
from listenkey.core.reports import FillReport, IncomeReport


class Part(msgspec.Struct):
    """One order's part in a trade; `fill` is the estimate of its costs, until they are paid."""

    ts: int
    delivered: D = D(0)
    listed: D = D(0)
    paid: bool = False
    fill: Execution | None = None


class Owed(msgspec.Struct):
    """The unpaid fills of an order without trade ids, and the quantity paid beyond the fills paid whole."""

    ts: int = 0
    credit: D = D(0)
    fills: list[Execution] = msgspec.field(default_factory=list)

    def add(self, qty: D) -> None:
        self.credit += qty
        while self.fills and self.fills[0].fill_qty <= self.credit:
            self.credit -= self.fills.pop(0).fill_qty


class Naive:
    """The same methods as `Estimates`; only for `evict_oldest` it is given the fill that the other one has dropped."""

    def __init__(self) -> None:
        self.trades: dict[tuple[str, str], dict[str, Part]] = {}
        self.orders: defaultdict[tuple[str, str], Owed] = defaultdict(Owed)
        self.early: dict[tuple[str, str], int] = {}

    def __iter__(self) -> Iterator[Execution]:
        for parts in self.trades.values():
            yield from (part.fill for part in parts.values() if part.fill is not None)
        for owed in self.orders.values():
            yield from owed.fills

    def add(self, fill: Execution) -> int:
        if fill.trade_id is None:
            owed = self._owed(fill.symbol, fill.order_id, fill.exchange_ts or 0)
            owed.fills.append(fill)
            owed.add(D(0))
        else:
            part = self._part(fill.symbol, fill.trade_id, fill.order_id, fill.exchange_ts or 0)
            part.delivered += fill.fill_qty
            if not part.paid:
                part.fill = fill
            elif part.listed:
                self._owed(fill.symbol, fill.order_id, part.ts).credit -= fill.fill_qty
        return len(list(self))

    def revise(self, fill: FillRevised) -> None:
        figures = {"fee": fill.fee, "fee_asset": fill.fee_asset, "realized_pnl": fill.realized_pnl}
        if fill.trade_id is None:
            owed = self._owed(fill.symbol, fill.order_id, 0)
            for place, thought in enumerate(owed.fills):
                if thought.cumulative_qty == fill.cumulative_qty and not owed.credit:
                    owed.fills[place] = msgspec.structs.replace(thought, **figures)
            return
        part = self.trades.get((fill.symbol, fill.trade_id), {}).get(fill.order_id)
        if part is not None and part.fill is not None and part.fill.cumulative_qty == fill.cumulative_qty:
            booked = {name: D(0) for name in ("fee", "realized_pnl") if getattr(part.fill, name) == 0}
            part.fill = msgspec.structs.replace(part.fill, **{**figures, **booked})

    def list(self, row: FillReport) -> None:
        if row.trade_id is None:
            return
        part = self._part(row.symbol, row.trade_id, row.order_id, row.exchange_ts)
        if not part.listed:
            part.listed = row.qty
            if part.paid or row.fee == 0:
                self._settle(row.symbol, row.order_id, part)

    def pay(self, row: IncomeReport) -> bool:
        parts = self.trades.get((row.symbol or "", row.trade_id or ""), {})
        for order_id, part in parts.items():
            if row.kind is FEE:
                if not part.paid:
                    self._settle(row.symbol or "", order_id, part)
                    self._book(part, "fee")
                    break
            elif part.fill is not None and part.fill.realized_pnl != 0:
                self._book(part, "realized_pnl")
                break
        return bool(parts)

    def match_ahead(self, row: IncomeReport) -> None:
        if row.kind is FEE and row.trade_id is not None:
            self.early[row.symbol or "", row.trade_id] = row.exchange_ts

    def pay_until(self, until: int) -> None:
        for parts in self.trades.values():
            for part in parts.values():
                if part.fill is not None and (part.fill.exchange_ts or until) < until:
                    part.fill = None
        for owed in self.orders.values():
            while owed.fills and (owed.fills[0].exchange_ts or until) < until:
                owed.credit -= owed.fills.pop(0).fill_qty

    def forget(self, edge: int) -> None:
        lasting = {
            trade_id
            for (_, trade_id), parts in self.trades.items()
            if any(part.fill is not None or part.ts >= edge for part in parts.values())
        }
        self.trades = {trade: parts for trade, parts in self.trades.items() if trade[1] in lasting}
        self.early = {trade: ts for trade, ts in self.early.items() if ts >= edge}
        for order in [order for order, owed in self.orders.items() if not owed.fills and owed.ts < edge]:
            del self.orders[order]

    def given_up(self, fill: Execution) -> None:
        if fill.trade_id is None:
            assert self.orders[fill.symbol, fill.order_id].fills.pop(0) == fill
            return
        parts = self.trades[fill.symbol, fill.trade_id]
        assert parts.pop(fill.order_id).fill == fill
        if not parts:
            del self.trades[fill.symbol, fill.trade_id]

    def _part(self, symbol: str, trade_id: str, order_id: str, ts: int) -> Part:
        parts = self.trades.setdefault((symbol, trade_id), {})
        if order_id not in parts:
            parts[order_id] = Part(ts, paid=self.early.pop((symbol, trade_id), None) is not None)
        return parts[order_id]

    def _owed(self, symbol: str, order_id: str, ts: int) -> Owed:
        owed = self.orders[symbol, order_id]
        owed.ts = max(owed.ts, ts)
        return owed

    def _settle(self, symbol: str, order_id: str, part: Part) -> None:
        part.paid = True
        if part.listed > part.delivered:
            self._owed(symbol, order_id, part.ts).add(part.listed - part.delivered)

    @staticmethod
    def _book(part: Part, figure: str) -> None:
        if part.fill is not None:
            part.fill = msgspec.structs.replace(part.fill, **{figure: D(0)})
            if part.fill.fee == 0 and not part.fill.realized_pnl:
                part.fill = None
