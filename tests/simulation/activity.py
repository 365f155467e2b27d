"""The account's activity: the simulator's flow of orders and payments, on the world's agenda."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from listenkey.adapters.simulator.flow import Action, Flow
from listenkey.adapters.simulator.orders import Fill
from listenkey.adapters.simulator.seeds import seeded

from .setup import EPOCH

if TYPE_CHECKING:
    from .exchange import Market


OWN = 0.12
"""Share of the activity at Binance that only Binance has."""


class Activity(Flow):
    """The simulator's flow on the world's agenda."""

    def __init__(self, market: Market, rate: float, seed: int) -> None:
        self._market_ = market
        super().__init__(market.exchange, now=market.exchange.now, fills_per_second=rate, seed=seed, second_ms=1000.0)

    def _at(self, at: int, action: Action) -> None:
        self._market_.agenda.at((at - EPOCH) / 1000, self._do, action)

    def _do(self, action: Action) -> None:
        if not self.quiet:
            self._market_.act(action)

    def trade(self, now: int) -> None:
        """Something is filled, an order at once, in parts or once it is triggered; or something is paid."""
        draw = self._random.random()
        if draw < 0.1:
            self._money(now)
        elif draw < 0.2:
            self._triggered(now)
        elif draw < 0.55:
            self._simple(now)
        else:
            self._in_parts(now)


class UsdmActivity(Activity):
    """The activity at Binance: in addition trades of the account with itself, liquidations and special funding."""

    def __init__(self, market: Market, rate: float, seed: int) -> None:
        self._own = seeded(seed, "own")
        super().__init__(market, rate, seed)

    def _activity(self, now: int) -> None:
        if self._own.random() >= OWN:
            super()._activity(now)
            return
        self._next_order(now)
        draw = self._own.random()
        symbol = self._own.choice(list(self.exchange.market.instruments))
        if draw < 0.5:
            self._cross(symbol, now)
        elif draw < 0.75:
            sides = ("LONG", "SHORT") if self.exchange.hedge else (None,)
            self.exchange.liquidate(symbol, self._own.choice(sides), now=now)
        else:
            rate = Decimal(self._own.randint(1, 30)) / 100_000
            self.exchange.fund(symbol, rate, now=now, kind="SPECIAL_FUNDING_FEE")

    def _cross(self, symbol: str, now: int) -> None:
        """Two orders of the account fill each other: two fills, one trade id."""
        price = self.exchange.market.price(symbol, now)
        qty = self.exchange.market.instruments[symbol].step * self._own.randint(5, 20)
        first: Fill | None = None
        for side, towards in (("BUY", "LONG"), ("SELL", "SHORT")):
            order = self.exchange.place(
                symbol,
                side,
                qty,
                now=now,
                type="LIMIT",
                position_side=towards if self.exchange.hedge else None,
                price=price,
            )
            first = self.exchange.fill(order.id, now=now, maker=first is None, against=first)
            self._market_.note()
