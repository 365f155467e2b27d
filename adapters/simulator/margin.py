"""Margin: how much an order needs, how much is free, and the price at which a position has lost its own."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from .account import TAKER_FEE
from .amounts import ZERO, booked
from .exchange import Exchange
from .positions import Position
from .rows import MAINTENANCE


class Margin:
    """Computes margins of an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def available(self, asset: str, now: int) -> Decimal:
        """The margin that new orders may bind: wallet and unrealised PnL, less what orders and positions bind."""
        exchange, market = self._exchange, self._exchange.market
        free = exchange.account.book.wallet(asset).balance - exchange.frozen(asset)
        for each in exchange.account.positions():
            if market.instruments[each.symbol].asset == asset:
                free += booked(each.unrealised(market.price(each.symbol, now))) - self.bound(each)
        return free

    def of_unit(self, symbol: str, side: str, price: Decimal) -> Decimal:
        """The margin and the fee of one unit that an order of this side opens at this price."""
        long, short = self._exchange.account.leverage[symbol]
        return price / (long if side == "BUY" else short) + price * TAKER_FEE

    def opened(self, symbol: str, position_side: str, side: str, qty: Decimal) -> Decimal:
        """The quantity that an order would open, after it has closed the position on the other side."""
        held = self._exchange.account.position(symbol, position_side).qty
        against = bool(held) and (held > 0) == (side == "SELL")
        return max(qty - abs(held), ZERO) if against else qty

    def failing(self, now: int) -> list[Position]:
        """The positions whose margin is lost: isolated ones are judged alone, those in cross margin together."""
        account, market = self._exchange.account, self._exchange.market
        held = account.positions()
        isolated = [each for each in held if account.margin_mode[each.symbol] == "isolated"]
        found = [
            each
            for each in isolated
            if self.bound(each) + each.unrealised(market.price(each.symbol, now)) <= self._maintenance(each, now)
        ]
        for asset in {market.instruments[each.symbol].asset: None for each in held if each not in isolated}:
            crossed = [each for each in held if each not in isolated and market.instruments[each.symbol].asset == asset]
            equity = self.cross_wallet(asset) + sum(
                (each.unrealised(market.price(each.symbol, now)) for each in crossed), ZERO
            )
            if equity <= sum((self._maintenance(each, now) for each in crossed), ZERO):
                found += crossed
        # Positions with a profit are closed first: their profit may have to pay for the losses.
        return sorted(found, key=lambda each: -each.unrealised(market.price(each.symbol, now)))

    def cross_wallet(self, asset: str) -> Decimal:
        """The wallet less the margin of isolated positions."""
        account = self._exchange.account
        instruments = self._exchange.market.instruments
        isolated = (
            self.bound(each)
            for each in account.positions()
            if account.margin_mode[each.symbol] == "isolated" and instruments[each.symbol].asset == asset
        )
        return account.book.wallet(asset).balance - sum(isolated, ZERO)

    def closing_price(self, position: Position, now: int) -> Decimal:
        """The market's price, or the one at which the position's margin is used up if that is better for it."""
        account, instrument = self._exchange.account, self._exchange.market.instruments[position.symbol]
        isolated = account.margin_mode[position.symbol] == "isolated"
        behind = self.bound(position) if isolated else self.cross_wallet(instrument.asset)
        market = self._exchange.market.price(position.symbol, now)
        if position.qty > 0:
            last = (position.cost - behind) / (position.qty * (1 - TAKER_FEE))
            return max(market, (last / instrument.tick).to_integral_value(ROUND_CEILING) * instrument.tick)
        last = (position.cost - behind) / (position.qty * (1 + TAKER_FEE))
        on_grid = (last / instrument.tick).to_integral_value(ROUND_FLOOR) * instrument.tick
        return max(min(market, on_grid), instrument.tick)

    def bound(self, position: Position) -> Decimal:
        """The margin that a position binds."""
        return position.margin(self._exchange.account.leverage_of(position.symbol, position.qty))

    def _maintenance(self, position: Position, now: int) -> Decimal:
        return booked(abs(position.qty) * self._exchange.market.price(position.symbol, now) * MAINTENANCE)
