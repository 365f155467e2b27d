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
    """An asset's balance: `free` is the wallet less position margin, `change` the amount that a push gives as moved."""

    asset: str
    wallet: Decimal
    free: Decimal
    change: Decimal = ZERO


class PositionView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A position at the market's price at one time; `qty` is signed."""

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
    """Keeps exact amounts; its callers have checked their arguments."""

    def __init__(self, market: Market, opening: Mapping[str, Decimal], *, hedge: bool, leverage: int, uid: str) -> None:
        self.market = market
        self.hedge = hedge
        self.fees_in: tuple[str, Decimal] | None = None
        """An asset in which fees are paid while enough of it is left, and its price in the margin asset; else None."""
        self.book = Book(opening, uid=uid)
        self.leverage = dict.fromkeys(market.instruments, (leverage, leverage))
        self.margin_mode = dict.fromkeys(market.instruments, "cross")
        self._positions: dict[tuple[str, str], Position] = {}

    def position(self, symbol: str, side: str) -> Position:
        """The position, flat if there was never one."""
        return self._positions.get((symbol, side)) or Position(symbol=symbol, side=side)

    def positions(self) -> list[Position]:
        """The positions that are not flat."""
        return [each for each in self._positions.values() if each.qty]

    def execute(
        self, order: Order, qty: Decimal, price: Decimal, *, trade_id: int, now: int, maker: bool
    ) -> tuple[Fill, Position]:
        """Book the execution of a part of an order; return the fill and the position after it."""
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
        """The asset's balance now."""
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
        """The amount and asset in which a fee of `cost`, given in the margin asset, is paid."""
        if self.fees_in is not None:
            other, worth = self.fees_in
            if self.book.wallet(other).balance >= booked(cost / worth):
                return booked(cost / worth), other
        return cost, asset

    def _margin(self, position: Position) -> Decimal:
        return position.margin(self.leverage_of(position.symbol, position.qty))

    def _asset(self, position: Position) -> str:
        return self.market.instruments[position.symbol].asset
