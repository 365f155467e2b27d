"""Revises delivered fills as soon as the venue's own rows have other figures.

A frame may lack a fill's fee and PnL, or have another fill's. A delivered fill is kept until the read that proves it,
which compares it with rows of the list of fills: with those that make up exactly its interval, where the order adds up,
or with the one that has its trade id and quantity. Nothing is divided and nothing is guessed: a figure that a row
leaves out is not known. A figure is revised at most once, and one that is still unknown for ten minutes more, by income
rows that name its trades.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ..account.orders import Orders
from ..context import Context
from ..events import FillRevised
from ..execution import Execution
from ..ids import fill_id, revision_id
from ..reports import FillReport, OrderRef
from .figures import Part, agrees, is_exactly, is_of_one_row, price_of, same, total_of
from .rows import Income, Rows
from .scope import Scope

LIMIT = 100_000
"""Delivered fills that are kept until they are compared; past this the oldest are not compared."""
INCOME_MS = 600_000
"""Exchange time, ms, for which income may still supply a figure that no row of the list of fills had."""
_FillKey = tuple[str, str, Decimal]
"""The key of a fill: symbol, order id, and the cumulative quantity at its end."""


class _Unknown(NamedTuple):
    """A fill that was compared and has a figure that is not known; `revised` are those that may not change again."""

    fill: Execution
    parts: tuple[Part, ...]
    until: int
    revised: frozenset[str]


class Revisions:
    """`add` is called for every fill that is delivered."""

    def __init__(self, context: Context, orders: Orders, cumulative_costs: bool) -> None:
        self._context = context
        self._orders = orders
        self._cumulative_costs = cumulative_costs
        self._kept: deque[Execution] = deque(maxlen=LIMIT)
        self._unknown: list[_Unknown] = []
        self._replaced: dict[_FillKey, frozenset[str]] = {}
        """Of fills that the run before revised, and that are kept, the figures that it revised."""
        self._rows: Rows | None = None
        """Those of the read in hand."""
        self.add = self._kept.append

    def recall(self, event: FillRevised) -> None:
        """A revision of the run before."""
        key = (event.symbol, event.order_id, event.cumulative_qty)
        for index, fill in enumerate(self._kept):
            if _key_of(fill) == key:
                revised = {
                    name
                    for name in ("fill_price", "fee", "realized_pnl")
                    if getattr(fill, name) != getattr(event, name)
                }
                self._replaced[key] = self._replaced.get(key, frozenset()) | revised
                self._kept[index] = _changed(fill, event.fill_price, event.fee, event.fee_asset, event.realized_pnl)

    def unclear(self, scope: Scope) -> set[OrderRef]:
        """Orders that must be read alone: their rows may put a fill right that the read proves, and have no sure place.

        Where some row agrees with what was delivered, that is what the fill was.
        """
        found: set[OrderRef] = set()
        if not self._kept:
            return found
        rows = self._rows = Rows(scope)
        for fill in self._kept:
            ref = OrderRef(fill.symbol, fill.order_id)
            if not _is_due(fill, scope.shown_until) or ref in found or rows.stretch(fill):
                continue
            if not any(agrees(row, fill) for row in rows.of[ref]):
                found.add(ref)
        return found

    def compare(self, scope: Scope, until: int) -> None:
        """A read has passed and proves what was until then: deliver what it puts right."""
        if not self._kept and not self._unknown:
            return
        account = scope.account
        income = Income(account.income)
        waiting, self._unknown = self._unknown, []
        for unknown in waiting:
            if account.as_of <= unknown.until:
                self._complete(unknown, income)
        kept: list[Execution] = []
        due: list[Execution] = []
        for fill in self._kept:
            (due if _is_due(fill, until) else kept).append(fill)
        self._kept.clear()
        self._kept.extend(kept)
        rows, self._rows = self._rows, None
        if rows is None or rows.scope is not scope:
            rows = Rows(scope)
        for fill in due:
            stretch = rows.stretch(fill)
            if stretch:
                self._revise(fill, stretch, rows, income, account.as_of + INCOME_MS)
            if self._replaced:
                self._replaced.pop(_key_of(fill), None)
        del self._unknown[:-LIMIT]

    def _revise(self, fill: Execution, stretch: Sequence[FillReport], rows: Rows, income: Income, until: int) -> None:
        before = self._replaced.get(_key_of(fill), frozenset())
        parts = tuple(rows.part(row) for row in stretch)
        named = [income.complete(fill.symbol, part) for part in parts]
        of_one = len(parts) > 1 and not self._cumulative_costs and is_of_one_row(fill, named, self._orders.merges)
        if len(named) == 1 and is_exactly(fill, stretch[0].price, named[0]):
            return
        price = fill.fill_price if "fill_price" in before else price_of(fill, stretch, rows.average(fill))
        fee, asset, pnl = fill.fee, fill.fee_asset, fill.realized_pnl
        if "fee" not in before:
            fees = [part.fee for part in named]
            assets = {part.fee_asset for part in named if part.fee_asset is not None}
            listed = total_of(fees)
            if len(assets) > 1:
                fee, asset = None, None
            elif listed is None:
                fee = None if of_one else fee
            elif fee is None or not same(fee, listed, fees) or (assets and asset not in (None, *assets)):
                fee, asset = listed, min(assets, default=asset)
        if "realized_pnl" not in before:
            pnls = [part.realized_pnl for part in named]
            listed = total_of(pnls)
            if listed is None:
                pnl = None if of_one else pnl
            elif pnl is None or not same(pnl, listed, pnls):
                pnl = listed
        revised = before | self._deliver(fill, price, fee, asset, pnl)
        self._keep(_Unknown(_changed(fill, price, fee, asset, pnl), parts, until, revised))

    def _complete(self, unknown: _Unknown, income: Income) -> None:
        """Income may have come to say what was not known."""
        fill, revised = unknown.fill, unknown.revised
        fee, asset, pnl = fill.fee, fill.fee_asset, fill.realized_pnl
        named = [income.complete(fill.symbol, part) for part in unknown.parts]
        if fee is None and "fee" not in revised:
            fee = total_of([part.fee for part in named])
            assets = {part.fee_asset for part in named if part.fee_asset is not None}
            fee, asset = (fee, min(assets, default=asset)) if len(assets) < 2 else (None, asset)
        if pnl is None and "realized_pnl" not in revised:
            pnl = total_of([part.realized_pnl for part in named])
        revised |= self._deliver(fill, fill.fill_price, fee, asset, pnl)
        self._keep(unknown._replace(fill=_changed(fill, fill.fill_price, fee, asset, pnl), revised=revised))

    def _keep(self, unknown: _Unknown) -> None:
        fill, revised = unknown.fill, unknown.revised
        if (fill.fee is None and "fee" not in revised) or (fill.realized_pnl is None and "realized_pnl" not in revised):
            self._unknown.append(unknown)

    def _deliver(
        self, fill: Execution, price: Decimal | None, fee: Decimal | None, asset: str | None, pnl: Decimal | None
    ) -> frozenset[str]:
        """Deliver a revision if a figure differs; the names of those that do."""
        pairs = {
            "fill_price": (fill.fill_price, price),
            "fee": ((fill.fee, fill.fee_asset), (fee, asset)),
            "realized_pnl": (fill.realized_pnl, pnl),
        }
        revised = frozenset(name for name, (before, after) in pairs.items() if before != after)
        if revised:
            self._context.deliver(
                FillRevised(
                    event_id=revision_id(fill.symbol, fill.order_id, fill.cumulative_qty, price, fee, pnl),
                    exchange_ts=fill.exchange_ts,
                    source="poll",
                    symbol=fill.symbol,
                    order_id=fill.order_id,
                    client_order_id=fill.client_order_id,
                    side=fill.side,
                    position_side=fill.position_side,
                    order_type=fill.order_type,
                    status=fill.status,
                    price=fill.price,
                    qty=fill.qty,
                    cumulative_qty=fill.cumulative_qty,
                    fill_qty=fill.fill_qty,
                    fill_price=price,
                    trade_id=fill.trade_id,
                    fee=fee,
                    fee_asset=asset,
                    realized_pnl=pnl,
                    liquidation=fill.liquidation,
                    replaces=fill_id(fill.symbol, fill.order_id, fill.cumulative_qty),
                )
            )
        return revised


def _is_due(fill: Execution, until: int) -> bool:
    return fill.exchange_ts is None or fill.exchange_ts <= until


def _key_of(fill: Execution) -> _FillKey:
    return fill.symbol, fill.order_id, fill.cumulative_qty


def _changed(
    fill: Execution, price: Decimal | None, fee: Decimal | None, asset: str | None, pnl: Decimal | None
) -> Execution:
    return msgspec.structs.replace(fill, fill_price=price, fee=fee, fee_asset=asset, realized_pnl=pnl)
