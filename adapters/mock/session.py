"""A session of plausible trading, drawn at random."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Protocol

from ...core.events import ExchangeEvent, ExchangeEventKind, Fill, OrderState
from .account import Amount


class Trader(Protocol):
    """An object that can be traded on."""

    def advance(self, seconds: float) -> None:
        """Let exchange time pass."""

    def order(self, symbol: str, side: str, qty: Amount, price: Amount) -> OrderState:
        """Place a new order."""

    def cancel(self, order: str) -> OrderState:
        """Cancel an order."""

    def fill(
        self, order: str | None = None, *, symbol: str = ..., side: str = ..., qty: Amount, price: Amount | None = None
    ) -> Fill:
        """Fill an order, or a new one."""

    def funding(self, amount: Amount, symbol: str) -> ExchangeEvent:
        """Pay a funding fee."""


def trade(trader: Trader, rng: Random, steps: int, symbols: tuple[str, ...]) -> None:
    """Draw `steps` steps, with up to a minute of exchange time before each."""
    prices = dict.fromkeys(symbols, Decimal(1000))
    resting: list[OrderState] = []
    for _ in range(steps):
        trader.advance(rng.randint(1, 60_000) / 1000)
        symbol, side = rng.choice(symbols), rng.choice(("BUY", "SELL"))
        prices[symbol] = price = (prices[symbol] * rng.randint(995, 1005) / 1000).quantize(Decimal("0.01"))
        qty = Decimal(rng.randint(1, 40)) / 100
        chance = rng.random()
        if chance < 0.05:
            trader.funding(Decimal(rng.randint(-50, 50)) / 100, symbol)
        elif chance < 0.2:
            trader.fill(symbol=symbol, side=side, qty=qty, price=price)
        elif chance < 0.5 or not resting:
            resting.append(trader.order(symbol, side, qty, price))
        elif chance < 0.6:
            trader.cancel(resting.pop(rng.randrange(len(resting))).order_id)
        else:
            index = rng.randrange(len(resting))
            order = resting.pop(index)
            left = (order.qty or Decimal(0)) - order.cumulative_qty
            fill = trader.fill(order.order_id, qty=min(left, Decimal(rng.randint(1, 20)) / 100))
            if fill.kind is ExchangeEventKind.PARTIAL_FILL:
                resting.insert(index, fill)
