"""The figures of a delivered fill - its price, fee and PnL - beside what the venue's own rows say that they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from ..events import ZERO
from ..execution import Execution
from ..plain import canonical
from ..reports import FillReport

_PLACES = 18
_HALF = Decimal("0.5")


class Part(NamedTuple):
    """Fee and PnL of a fill by one row; `trade_id` is None where income that names it is of two fills."""

    trade_id: str | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None


def is_exactly(fill: Execution, price: Decimal | None, part: Part) -> bool:
    """True if all figures of the fill are known, and equal those of its only row, and of income."""
    delivered = (fill.fill_price, fill.fee, fill.fee_asset, fill.realized_pnl)
    known = fill.fee is not None and fill.realized_pnl is not None
    return known and delivered == (price, part.fee, part.fee_asset, part.realized_pnl)


def is_of_one_row(fill: Execution, parts: Sequence[Part], merges: bool) -> bool:
    """True if the frame of a fill of several rows had the figures of one of them, not of all.

    A figure shows it that equals one row's own and not the sum of all, or the other way round. Else the kind of frame
    does: with `merges` a frame has the figures of one fill and stands for all since the one before.
    """
    pairs = (fill.fee, [part.fee for part in parts]), (fill.realized_pnl, [part.realized_pnl for part in parts])
    for delivered, listed in pairs:
        total = total_of(listed)
        if delivered is None or total is None:
            continue
        of_all = same(delivered, total, listed)
        if of_all is not any(each is not None and same(delivered, each, (each,)) for each in listed):
            return not of_all
    return merges


def agrees(row: FillReport, fill: Execution) -> bool:
    """True if the row has the same figures as the delivered fill of this quantity."""
    if row.qty != fill.fill_qty or (fill.fill_price is None and row.price is not None):
        return False
    pairs = ((row.fee, fill.fee), (row.realized_pnl, fill.realized_pnl))
    return all(
        listed is None or (delivered is not None and same(delivered, listed, (listed,))) for listed, delivered in pairs
    )


def price_of(fill: Execution, rows: Sequence[FillReport], average: Decimal | None) -> Decimal | None:
    """The rows' price, if none was delivered or one that rounding does not explain; else what was delivered."""
    delivered = fill.fill_price
    notional = total_of([None if row.price is None else row.price * row.qty for row in rows])
    if notional is None:
        return delivered
    prices = [row.price for row in rows]
    slack = 2 * _grain([average, *prices]) * fill.cumulative_qty
    if delivered is not None and abs(delivered * fill.fill_qty - notional) <= slack:
        return delivered
    return prices[0] if len(set(prices)) == 1 else Decimal(canonical(round(notional / fill.fill_qty, _PLACES)))


def total_of(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Their sum, None if one is not known."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def same(delivered: Decimal, listed: Decimal, amounts: Sequence[Decimal | None]) -> bool:
    """True if the delivered amount equals the listed one, but for the decimals that the rows do not show."""
    return delivered == listed or abs(delivered - listed) <= _HALF * _grain(amounts)


def _grain(amounts: Iterable[Decimal | None]) -> Decimal:
    """One unit in the last place of the finest of them: a row may leave out zeros, not decimals."""
    exponents = [
        exponent for each in amounts if each is not None and isinstance(exponent := each.as_tuple().exponent, int)
    ]
    return Decimal((0, (1,), min(exponents, default=0)))
