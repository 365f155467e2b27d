"""The sums of a stream's fills, each once and as its last revision has it: the few lines that every consumer needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from .events import ExchangeEvent, Fill, FillRevised


class Totals(msgspec.Struct, frozen=True):
    """Sums over fills. A figure that is None is in no sum, and counted."""

    bought: dict[str, Decimal]
    """Quantity by symbol."""
    sold: dict[str, Decimal]
    fees: dict[str | None, Decimal]
    """Cost by asset; None is an asset that was not named."""
    realized_pnl: dict[str, Decimal]
    """By symbol, before fees."""
    unknown_fees: int
    """How many fills have no fee, and how many no PnL."""
    unknown_pnl: int


def totals(events: Iterable[ExchangeEvent]) -> Totals:
    """The sums of all fills among the events, in the order of delivery: repeats count once, the last revision holds."""
    fills: dict[str, Fill | FillRevised] = {}
    for event in events:
        if isinstance(event, Fill):
            fills.setdefault(event.event_id, event)
        elif isinstance(event, FillRevised) and event.replaces in fills:
            fills[event.replaces] = event
    bought: dict[str, Decimal] = defaultdict(Decimal)
    sold: dict[str, Decimal] = defaultdict(Decimal)
    fees: dict[str | None, Decimal] = defaultdict(Decimal)
    realized_pnl: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills.values():
        (sold if fill.side == "SELL" else bought)[fill.symbol] += fill.fill_qty
        if fill.fee is not None:
            fees[fill.fee_asset] += fill.fee
        if fill.realized_pnl is not None:
            realized_pnl[fill.symbol] += fill.realized_pnl
    return Totals(
        bought=dict(bought),
        sold=dict(sold),
        fees=dict(fees),
        realized_pnl=dict(realized_pnl),
        unknown_fees=sum(fill.fee is None for fill in fills.values()),
        unknown_pnl=sum(fill.realized_pnl is None for fill in fills.values()),
    )
