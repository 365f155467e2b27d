"""Delivered fills are put right as soon as the venue's own rows say what they were.

A frame may have told nothing of a fill's fee and PnL, or another fill's. What was delivered is kept until the read that
proves it, which compares it with the rows of the list of fills: with those that make up exactly its ground, where the
order adds up, or with the one that bears its trade id and quantity. Nothing is divided and nothing is guessed: a figure
that a row leaves out is not known. A figure is revised at most once, and one that is still not known for ten minutes
more, by income rows that name its trades.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ..account.ground import Ground
from ..books.estimates import FEE, PNL
from ..events import ZERO, FillRevised
from ..execution import Execution
from ..ids import fill_id, revision_id
from ..plain import canonical
from ..reports import FillReport, IncomeReport, OrderRef, OrderReport
from ..turn import Turn
from . import recovery
from .recovery import Scope

LIMIT = 100_000
"""Delivered fills that are kept until they are compared; past this the oldest are not compared."""
INCOME_MS = 600_000
"""Exchange time for which income may still say a figure that no row of the list of fills said."""
_PLACES = 18
_HALF = Decimal("0.5")
_Ground = tuple[str, str, Decimal]
"""What names a fill: symbol, order id, and the cumulative quantity where it ends."""


class _Part(NamedTuple):
    """What a row says of a fill's fee and PnL; `trade_id` is None where income that names it is of two fills."""

    trade_id: str | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None


class _Unknown(NamedTuple):
    """A fill that was compared and has a figure that is not known; `revised` are those that may not change again."""

    fill: Execution
    parts: tuple[_Part, ...]
    until: int
    revised: frozenset[str]


class Revisions:
    """`told` is called for every fill that is delivered."""

    def __init__(self, turn: Turn, ground: Ground, cumulative_costs: bool) -> None:
        self._turn = turn
        self._ground = ground
        self._cumulative_costs = cumulative_costs
        self._kept: deque[Execution] = deque(maxlen=LIMIT)
        self._unknown: list[_Unknown] = []
        self._replaced: dict[_Ground, frozenset[str]] = {}
        """Of fills that the run before revised, and that are kept, the figures that it revised."""
        self._rows: _Rows | None = None
        """Those of the read in hand."""
        self.told = self._kept.append

    def recall(self, event: FillRevised) -> None:
        """A revision of the run before."""
        ground = (event.symbol, event.order_id, event.cumulative_qty)
        for place, fill in enumerate(self._kept):
            if _ground(fill) == ground:
                revised = {
                    name
                    for name in ("fill_price", "fee", "realized_pnl")
                    if getattr(fill, name) != getattr(event, name)
                }
                self._replaced[ground] = self._replaced.get(ground, frozenset()) | revised
                self._kept[place] = _changed(fill, event.fill_price, event.fee, event.fee_asset, event.realized_pnl)

    def unclear(self, scope: Scope) -> set[OrderRef]:
        """Orders that must be read alone: their rows may put a fill right that the read proves, and have no sure place.

        Where some row agrees with what was delivered, that is what the fill was.
        """
        found: set[OrderRef] = set()
        if not self._kept:
            return found
        rows = self._rows = _Rows(scope)
        for fill in self._kept:
            ref = OrderRef(fill.symbol, fill.order_id)
            if not _is_due(fill, scope.shown_until) or ref in found or rows.stretch(fill):
                continue
            if not any(_agrees(row, fill) for row in rows.of[ref]):
                found.add(ref)
        return found

    def compare(self, scope: Scope, until: int) -> None:
        """A read has passed and proves what was until then: deliver what it puts right."""
        if not self._kept and not self._unknown:
            return
        account = scope.account
        income = _Income(account.income)
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
            rows = _Rows(scope)
        for fill in due:
            stretch = rows.stretch(fill)
            if stretch:
                self._revise(fill, stretch, rows, income, account.as_of + INCOME_MS)
            if self._replaced:
                self._replaced.pop(_ground(fill), None)
        del self._unknown[:-LIMIT]

    def _revise(self, fill: Execution, stretch: Sequence[FillReport], rows: _Rows, income: _Income, until: int) -> None:
        before = self._replaced.get(_ground(fill), frozenset())
        parts = tuple(rows.part(row) for row in stretch)
        named = [income.complete(fill.symbol, part) for part in parts]
        of_one = len(parts) > 1 and not self._cumulative_costs and _spoke_of_one(fill, named, self._ground.merges)
        if len(named) == 1 and _is_exactly(fill, stretch[0].price, named[0]):
            return
        price = fill.fill_price if "fill_price" in before else _price(fill, stretch, rows.average(fill))
        fee, asset, pnl = fill.fee, fill.fee_asset, fill.realized_pnl
        if "fee" not in before:
            fees = [part.fee for part in named]
            assets = {part.fee_asset for part in named if part.fee_asset is not None}
            said = _sum(fees)
            if len(assets) > 1:
                fee, asset = None, None
            elif said is None:
                fee = None if of_one else fee
            elif fee is None or not _same(fee, said, fees) or (assets and asset not in (None, *assets)):
                fee, asset = said, min(assets, default=asset)
        if "realized_pnl" not in before:
            pnls = [part.realized_pnl for part in named]
            said = _sum(pnls)
            if said is None:
                pnl = None if of_one else pnl
            elif pnl is None or not _same(pnl, said, pnls):
                pnl = said
        revised = before | self._deliver(fill, price, fee, asset, pnl)
        self._keep(_Unknown(_changed(fill, price, fee, asset, pnl), parts, until, revised))

    def _complete(self, unknown: _Unknown, income: _Income) -> None:
        """Income may have come to say what was not known."""
        fill, revised = unknown.fill, unknown.revised
        fee, asset, pnl = fill.fee, fill.fee_asset, fill.realized_pnl
        named = [income.complete(fill.symbol, part) for part in unknown.parts]
        if fee is None and "fee" not in revised:
            fee = _sum([part.fee for part in named])
            assets = {part.fee_asset for part in named if part.fee_asset is not None}
            fee, asset = (fee, min(assets, default=asset)) if len(assets) < 2 else (None, asset)
        if pnl is None and "realized_pnl" not in revised:
            pnl = _sum([part.realized_pnl for part in named])
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
            self._turn.deliver(
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


class _Rows:
    """The rows of a read by order, and where they lie on its ground, if that is sure."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.of: defaultdict[OrderRef, list[FillReport]] = defaultdict(list)
        self._sides: Counter[tuple[str, str | None]] = Counter()
        for row in scope.account.fills:
            self.of[OrderRef(row.symbol, row.order_id)].append(row)
            self._sides[row.symbol, row.trade_id] += 1
        self._reports = {OrderRef(report.symbol, report.order_id): report for report in scope.account.orders}
        self._placed: dict[OrderRef, dict[Decimal, int] | None] = {}

    def placed(self, ref: OrderRef) -> dict[Decimal, int] | None:
        """How many of the order's rows, oldest first, lie below each of their ends; None if that is not sure."""
        if ref not in self._placed:
            self._placed[ref] = self._lay(ref)
        return self._placed[ref]

    def stretch(self, fill: Execution) -> Sequence[FillReport]:
        """The rows that the fill was; none if that is not sure."""
        ref = OrderRef(fill.symbol, fill.order_id)
        rows = self.of[ref]
        ends = self.placed(ref)
        if ends is not None:
            low, high = ends.get(fill.cumulative_qty - fill.fill_qty), ends.get(fill.cumulative_qty)
            if low is not None and high is not None:
                return rows[low:high]
        return [row for row in rows if fill.trade_id is not None and _is_row_of(row, fill)]

    def part(self, row: FillReport) -> _Part:
        """What the row says."""
        own = self._sides[row.symbol, row.trade_id] == 1
        return _Part(row.trade_id if own else None, row.fee, row.fee_asset, row.realized_pnl)

    def average(self, fill: Execution) -> Decimal | None:
        """The average price of the fill's order."""
        report = self._reports.get(OrderRef(fill.symbol, fill.order_id))
        return None if report is None else report.average_price

    def _lay(self, ref: OrderRef) -> dict[Decimal, int] | None:
        report, rows = self._reports.get(ref), self.of[ref]
        rows.sort(key=recovery.age)
        if report is None or not rows:
            return None
        end = ZERO
        if not self.scope.is_anchored(report):  # else the newest may be missing, the others lie where they lie
            placed = recovery.lay(report, rows, self.scope)
            if placed is None or not (self.scope.was_alone(report) or self._is_quiet(report, rows)):
                return None
            end = placed[0].start
        ends = {end: 0}
        for count, row in enumerate(rows, 1):
            end += row.qty
            ends[end] = count
        return ends

    def _is_quiet(self, report: OrderReport, rows: Sequence[FillReport]) -> bool:
        """Whether all that there is of the order is old enough to be shown."""
        latest = max(report.exchange_ts or 0, rows[-1].exchange_ts)
        return report.exchange_ts is not None and latest + self.scope.grain <= self.scope.shown_until


class _Income:
    """Income rows by what they name; of two that name the same trade neither tells of one fill."""

    def __init__(self, income: Iterable[IncomeReport]) -> None:
        self._rows: dict[tuple[str, str | None, str], IncomeReport | None] = {}
        for row in income:
            if row.trade_id is not None and row.kind in (FEE, PNL):
                key = (row.kind, row.symbol, row.trade_id)
                self._rows[key] = None if key in self._rows else row

    def complete(self, symbol: str, part: _Part) -> _Part:
        """The part with what income says of its trade, which goes before its row."""
        if part.trade_id is None:
            return part
        fee, pnl = self._rows.get((FEE, symbol, part.trade_id)), self._rows.get((PNL, symbol, part.trade_id))
        if fee is not None:
            part = part._replace(fee=ZERO - fee.amount, fee_asset=fee.asset or part.fee_asset)
        return part if pnl is None else part._replace(realized_pnl=pnl.amount)


def _is_due(fill: Execution, until: int) -> bool:
    return fill.exchange_ts is None or fill.exchange_ts <= until


def _ground(fill: Execution) -> _Ground:
    return fill.symbol, fill.order_id, fill.cumulative_qty


def _is_row_of(row: FillReport, fill: Execution) -> bool:
    return row.trade_id == fill.trade_id and row.qty == fill.fill_qty


def _is_exactly(fill: Execution, price: Decimal | None, part: _Part) -> bool:
    """Whether all figures of the fill are known, and are what its only row, and income, say."""
    told = (fill.fill_price, fill.fee, fill.fee_asset, fill.realized_pnl)
    known = fill.fee is not None and fill.realized_pnl is not None
    return known and told == (price, part.fee, part.fee_asset, part.realized_pnl)


def _spoke_of_one(fill: Execution, parts: Sequence[_Part], merges: bool) -> bool:
    """Whether the frame that told a stretch of several rows spoke of one of them, so that its figures are that one's.

    A figure shows it that is a row's own and not the sum of all, or the other way round. Else the wire does: with
    `merges` a frame speaks of one fill and stands for all since the one before.
    """
    pairs = (fill.fee, [part.fee for part in parts]), (fill.realized_pnl, [part.realized_pnl for part in parts])
    for told, said in pairs:
        total = _sum(said)
        if told is None or total is None:
            continue
        of_all = _same(told, total, said)
        if of_all is not any(each is not None and _same(told, each, (each,)) for each in said):
            return not of_all
    return merges


def _agrees(row: FillReport, fill: Execution) -> bool:
    """Whether the row says nothing else of a fill of this quantity than was delivered."""
    if row.qty != fill.fill_qty or (fill.fill_price is None and row.price is not None):
        return False
    pairs = ((row.fee, fill.fee), (row.realized_pnl, fill.realized_pnl))
    return all(said is None or (told is not None and _same(told, said, (said,))) for said, told in pairs)


def _changed(
    fill: Execution, price: Decimal | None, fee: Decimal | None, asset: str | None, pnl: Decimal | None
) -> Execution:
    return msgspec.structs.replace(fill, fill_price=price, fee=fee, fee_asset=asset, realized_pnl=pnl)


def _price(fill: Execution, rows: Sequence[FillReport], average: Decimal | None) -> Decimal | None:
    """The rows' price, if none was delivered or one that rounding does not explain; else what was delivered."""
    told = fill.fill_price
    notional = _sum([None if row.price is None else row.price * row.qty for row in rows])
    if notional is None:
        return told
    prices = [row.price for row in rows]
    slack = 2 * _grain([average, *prices]) * fill.cumulative_qty
    if told is not None and abs(told * fill.fill_qty - notional) <= slack:
        return told
    return prices[0] if len(set(prices)) == 1 else Decimal(canonical(round(notional / fill.fill_qty, _PLACES)))


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Their sum, None if one is not known."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _same(told: Decimal, said: Decimal, amounts: Sequence[Decimal | None]) -> bool:
    """Whether what was delivered is what rows say, but for the decimals that they do not show."""
    return told == said or abs(told - said) <= _HALF * _grain(amounts)


def _grain(amounts: Iterable[Decimal | None]) -> Decimal:
    """One unit in the last place of the finest of them: a row may leave out zeros, not decimals."""
    exponents = [
        exponent for each in amounts if each is not None and isinstance(exponent := each.as_tuple().exponent, int)
    ]
    return Decimal((0, (1,), min(exponents, default=0)))
