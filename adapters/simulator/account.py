"""One margin account: positions, leverage and the book, moved by fills, funding and transfers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from .amounts import ZERO, booked
from .book import Book
from .market import Market
from .orders import Fill, Order
from .positions import Position

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0005")


class BalanceView(msgspec.Struct, frozen=True, gc=False):
    """An asset as it is shown: `free` is the wallet less position margin, `change` what a push says has moved."""

    asset: str
    wallet: Decimal
    free: Decimal
    change: Decimal = ZERO


class PositionView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position as it is shown; `qty` is signed."""

    symbol: str
    asset: str
    side: str
    qty: Decimal
    entry: Decimal
    mark: Decimal
    unrealised: Decimal
    margin_mode: str
    margin: Decimal
    leverage: int
    realised: Decimal
    updated: int


class Account:
    """Exact; what is handed in has been checked before."""

    def __init__(self, market: Market, opening: Mapping[str, Decimal], *, hedge: bool, leverage: int, uid: str) -> None:
        self.market = market
        self.hedge = hedge
        self.fees_in: tuple[str, Decimal] | None = None
        """The asset in which fees are paid as long as there is any, and what a unit is worth; else the margin asset."""
        self.book = Book(opening, uid=uid)
        self.leverage = dict.fromkeys(market.instruments, (leverage, leverage))
        self.margin_mode = dict.fromkeys(market.instruments, "cross")
        self._positions: dict[tuple[str, str], Position] = {}

    def position(self, symbol: str, side: str) -> Position:
        """The position, flat if there was never one."""
        return self._positions.get((symbol, side)) or Position(symbol=symbol, side=side)

    def positions(self) -> list[Position]:
        """Those that are not flat."""
        return [each for each in self._positions.values() if each.qty]

    def execute(
        self, order: Order, qty: Decimal, price: Decimal, *, trade_id: int, now: int, maker: bool
    ) -> tuple[Fill, Position]:
        """Book the execution of a part of an order; the fill, and the position that it made."""
        cost = booked(qty * price * (MAKER_FEE if maker else TAKER_FEE))
        fee, asset = self._paid(cost, order.asset)
        traded = qty if order.side == "BUY" else -qty
        position, pnl = self.position(order.symbol, order.position_side).after(traded, price, cost, now)
        self._positions[position.symbol, position.side] = position
        self.book.trade(order.asset, order.symbol, fee=fee, pnl=pnl, trade_id=trade_id, ts=now, fee_asset=asset)
        fill = Fill(
            symbol=order.symbol,
            order_id=order.id,
            side=order.side,
            position_side=order.position_side,
            start=order.executed,
            end=order.executed + qty,
            price=price,
            fee=fee,
            asset=asset,
            pnl=pnl,
            trade_id=trade_id,
            ts=now,
            maker=maker,
        )
        return fill, position

    def leverage_of(self, symbol: str, qty: Decimal) -> int:
        """The leverage of a position of this signed size."""
        long, short = self.leverage[symbol]
        return short if qty < 0 else long

    def balance(self, asset: str, change: Decimal = ZERO) -> BalanceView:
        """The asset now."""
        wallet = self.book.wallet(asset).balance
        bound = sum((self._margin(each) for each in self.positions() if self._asset(each) == asset), ZERO)
        return BalanceView(asset, wallet, wallet - bound, change)

    def view(self, position: Position, now: int) -> PositionView:
        """The position at the market's price now."""
        mark = self.market.price(position.symbol, now)
        return PositionView(
            symbol=position.symbol,
            asset=self._asset(position),
            side=position.side,
            qty=position.qty,
            entry=position.entry,
            mark=mark,
            unrealised=booked(position.unrealised(mark)),
            margin_mode=self.margin_mode[position.symbol],
            margin=self._margin(position),
            leverage=self.leverage_of(position.symbol, position.qty),
            realised=position.realised,
            updated=position.updated,
        )

    def _paid(self, cost: Decimal, asset: str) -> tuple[Decimal, str]:
        """A fee of so much of the margin asset as it is paid: how much, and of what."""
        if self.fees_in is not None:
            other, worth = self.fees_in
            if self.book.wallet(other).balance >= booked(cost / worth):
                return booked(cost / worth), other
        return cost, asset

    def _margin(self, position: Position) -> Decimal:
        return position.margin(self.leverage_of(position.symbol, position.qty))

    def _asset(self, position: Position) -> str:
        return self.market.instruments[position.symbol].asset
