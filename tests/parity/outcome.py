"""The result of following an account: books, positions and fills, and the same of the exchange."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from listenkey import totals
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.core.events import AccountUpdate, Fill, FillRevised

from .world import LISTENING_AT, World

Place = tuple[str, str | None]
Interval = tuple[str, Decimal, Decimal]


class Money(NamedTuple):
    """The sums of one asset."""

    k_capital: Decimal | None
    fees: Decimal
    realized_pnl: Decimal
    funding: Decimal
    transfers: Decimal
    status: str


class Outcome(NamedTuple):
    """The books, positions and coverage at the end, which must be the same on both paths and on the exchange."""

    money: dict[str, Money]
    positions: dict[Place, tuple[Decimal, Decimal | None]]
    coverage: tuple[Interval, ...]


class Delivered(NamedTuple):
    """One fill as delivered; a PnL that REST leaves out, since there was none, is 0."""

    order_id: str
    start: Decimal
    end: Decimal
    price: Decimal | None
    fee: Decimal | None
    realized_pnl: Decimal


class Sums(NamedTuple):
    """The sums of a consumer that applies revisions; for a PnL that stays unknown the exchange's own is counted."""

    bought: dict[str, Decimal]
    sold: dict[str, Decimal]
    fees: dict[str | None, Decimal]
    realized_pnl: dict[str, Decimal]
    unknown_fees: int


def sums(world: World) -> Sums:
    """Return the sums of all events of this world's stream."""
    found = totals(world.events)
    now: dict[str, Fill | FillRevised] = {fill.event_id: fill for fill in world.fills}
    now |= {event.replaces: event for event in world.events if isinstance(event, FillRevised)}
    unknown = [fill for fill in now.values() if fill.realized_pnl is None]
    assert found.unknown_pnl == len(unknown)
    realized = dict(found.realized_pnl)
    for fill in unknown:
        for trade in world.exchange.fills_of[int(fill.order_id)]:
            if fill.cumulative_qty - fill.fill_qty <= trade.start and trade.end <= fill.cumulative_qty:
                realized[fill.symbol] = realized.get(fill.symbol, Decimal(0)) + trade.pnl
    return Sums(found.bought, found.sold, found.fees, realized, found.unknown_fees)


def true_sums(exchange: Exchange) -> Sums:
    """Return the sums of the exchange's fills since the stream began."""
    bought: defaultdict[str, Decimal] = defaultdict(Decimal)
    sold: defaultdict[str, Decimal] = defaultdict(Decimal)
    fees: defaultdict[str | None, Decimal] = defaultdict(Decimal)
    realized: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in exchange.fills:
        if fill.ts >= world_ms(LISTENING_AT):
            (bought if fill.side == "BUY" else sold)[fill.symbol] += fill.end - fill.start
            fees[fill.asset] += fill.fee
            realized[fill.symbol] += fill.pnl
    return Sums(dict(bought), dict(sold), dict(fees), dict(realized), 0)


def of(world: World) -> Outcome:
    """Return the outcome of this world's connection."""
    money = {
        book.asset: Money(book.k_capital, book.fees, book.realized_pnl, book.funding, book.transfers, book.status.value)
        for book in world.connection.books
    }
    delivered = ((fill.order_id, fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty) for fill in world.fills)
    return Outcome(money, _positions(world.accounts()), merged(delivered))


def truth(exchange: Exchange) -> Outcome:
    """Return the outcome by the exchange, since the stream began."""
    began = world_ms(LISTENING_AT)
    fills = [fill for fill in exchange.fills if fill.ts >= began]
    rows = [row for row in exchange.account.book.income if row.ts >= began]

    def sums(kind: str, asset: str) -> Decimal:
        return sum((row.amount for row in rows if (row.type, row.asset) == (kind, asset)), Decimal(0))

    money = {
        asset: Money(
            wallet.balance,
            -sums("TRADING_FEE", asset),
            sums("REALIZED_PNL", asset),
            sums("FUNDING_FEE", asset),
            sums("TRANSFER", asset),
            "MATCHED",
        )
        for asset, wallet in exchange.account.book.wallets.items()
    }
    held = {
        (view.symbol, "LONG" if view.qty > 0 else "SHORT"): (abs(view.qty), view.entry)
        for view in exchange.positions(exchange.now)
    }
    return Outcome(money, dict(sorted(held.items())), merged((str(f.order_id), f.start, f.end) for f in fills))


def made(exchange: Exchange) -> list[Delivered]:
    """Return the fills since the stream began, as they must be delivered if the wire is exact."""
    began = world_ms(LISTENING_AT)
    return sorted(
        Delivered(str(fill.order_id), fill.start, fill.end, fill.price, fill.fee, fill.pnl)
        for fill in exchange.fills
        if fill.ts >= began
    )


def delivered(fills: Iterable[Fill]) -> list[Delivered]:
    """Return the delivered fills."""
    return sorted(
        Delivered(
            fill.order_id,
            fill.cumulative_qty - fill.fill_qty,
            fill.cumulative_qty,
            fill.fill_price,
            fill.fee,
            fill.realized_pnl or Decimal(0),
        )
        for fill in fills
    )


def world_ms(when: float) -> int:
    """Return the exchange time, ms, of a world's time in seconds."""
    return World.ms(when)


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Join adjacent intervals of an order. Raises `AssertionError` if two overlap."""
    joined: list[Interval] = []
    for order_id, start, end in sorted(intervals):
        if joined and joined[-1][0] == order_id:
            assert joined[-1][2] <= start, f"twice: {order_id} ({start}, {end}]"
            if joined[-1][2] == start:
                joined[-1] = order_id, joined[-1][1], end
                continue
        joined.append((order_id, start, end))
    return tuple(joined)


def _positions(updates: Iterable[AccountUpdate]) -> dict[Place, tuple[Decimal, Decimal | None]]:
    """The positions of a consumer that applies every update: a complete one has all, another one the changed ones."""
    held: dict[Place, tuple[Decimal, Decimal | None]] = {}
    for update in updates:
        if update.complete:
            held.clear()
        for position in update.positions:
            held[position.symbol, position.side] = position.qty, position.entry_price
    return dict(sorted((place, entry) for place, entry in held.items() if entry[0]))
