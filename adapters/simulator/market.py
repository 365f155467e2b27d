"""Seeded prices: the price of a symbol at a time depends on the seed and the time alone."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from .seeds import seeded

STEP_MS = 1000


class Instrument(msgspec.Struct, frozen=True):
    """A perpetual contract: its margin asset, the grids of its price and quantity, and where its price starts."""

    symbol: str
    asset: str
    tick: Decimal
    step: Decimal
    start: Decimal


INSTRUMENTS = (
    Instrument("BTC-USDT", "USDT", Decimal("0.1"), Decimal("0.0001"), Decimal(64000)),
    Instrument("ETH-USDT", "USDT", Decimal("0.01"), Decimal("0.01"), Decimal(3200)),
    Instrument("LTC-USDT", "USDT", Decimal("0.01"), Decimal("0.1"), Decimal(80)),
    Instrument("SOL-USDT", "USDT", Decimal("0.001"), Decimal("0.1"), Decimal(150)),
)


class _Walk:
    """One symbol's walk over its price grid, a move of at most five basis points a step."""

    __slots__ = ("_begun", "_ceiling", "_floor", "_random", "_steps", "_ticks", "tick")

    def __init__(self, instrument: Instrument, seed: int, now: int) -> None:
        self.tick = instrument.tick
        self._random = seeded(seed, instrument.symbol)
        self._ticks = int(instrument.start / instrument.tick)
        self._floor, self._ceiling = self._ticks // 2, self._ticks * 2
        self._begun, self._steps = now, 0

    def price(self, now: int) -> Decimal:
        while self._steps < (now - self._begun) // STEP_MS:
            self._steps += 1
            reach = max(1, self._ticks // 2000)
            moved = self._ticks + self._random.randint(-reach, reach)
            self._ticks = min(max(moved, self._floor), self._ceiling)
        return self._ticks * self.tick


class Market:
    """The instruments and their prices."""

    def __init__(self, instruments: Iterable[Instrument] = INSTRUMENTS, *, seed: int = 0, now: int) -> None:
        self.instruments = {each.symbol: each for each in instruments}
        self._walks = {symbol: _Walk(each, seed, now) for symbol, each in self.instruments.items()}

    def price(self, symbol: str, now: int) -> Decimal:
        """The price at exchange time `now`, ms; asking about the past gives the newest price."""
        return self._walks[symbol].price(now)

    def on_grid(self, symbol: str, price: Decimal) -> bool:
        """Whether the price is a positive multiple of the symbol's tick."""
        return price.is_finite() and price > 0 and price % self.instruments[symbol].tick == 0

    def countable(self, symbol: str, qty: Decimal) -> bool:
        """Whether the quantity is a positive multiple of the symbol's step."""
        return qty.is_finite() and qty > 0 and qty % self.instruments[symbol].step == 0
