"""Seeded prices: the price of a symbol at a time depends on the seed and the time alone."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from .candles import DAY_MS, INTERVALS, Candle, begin_of, candle_of, candles, next_of
from .seeds import seeded
from .walk import STEP_MS, Walk


class Instrument(msgspec.Struct, frozen=True):
    """A perpetual contract: its margin asset, the grids of its price and quantity, and where its price starts."""

    symbol: str
    asset: str
    tick: Decimal
    step: Decimal
    start: Decimal


class Trade(NamedTuple):
    """A trade of others; `buyer_maker` says that a resting bid was hit."""

    id: int
    time: int
    price: Decimal
    qty: Decimal
    buyer_maker: bool


INSTRUMENTS = (
    Instrument("BTC-USDT", "USDT", Decimal("0.1"), Decimal("0.0001"), Decimal(64000)),
    Instrument("ETH-USDT", "USDT", Decimal("0.01"), Decimal("0.01"), Decimal(3200)),
    Instrument("LTC-USDT", "USDT", Decimal("0.01"), Decimal("0.1"), Decimal(80)),
    Instrument("SOL-USDT", "USDT", Decimal("0.001"), Decimal("0.1"), Decimal(150)),
)


class Market:
    """The instruments and their prices."""

    def __init__(self, instruments: Iterable[Instrument] = INSTRUMENTS, *, seed: int = 0, now: int) -> None:
        self.instruments = {each.symbol: each for each in instruments}
        self._seed = seed
        self._begun = now
        self._walks = {
            each.symbol: Walk(each.symbol, int(each.start / each.tick), seed, now) for each in self.instruments.values()
        }

    def price(self, symbol: str, now: int) -> Decimal:
        """The price at exchange time `now`, ms."""
        return self._walks[symbol].price(now) * self.instruments[symbol].tick

    def step(self, symbol: str, now: int) -> int:
        """How often the price has moved by now."""
        return self._walks[symbol].step(now)

    def moves(self, after: int, until: int) -> range:
        """The times, ms, at which prices moved after the one and up to the other; all of them move together."""
        first = self._begun + ((after - self._begun) // STEP_MS + 1) * STEP_MS
        return range(max(first, self._begun), until + 1, STEP_MS)

    def candles(self, symbol: str, interval: str, start: int | None, end: int, limit: int, now: int) -> list[Candle]:
        """At most so many candles that began within these times, oldest first.

        Without a start they are the newest ones up to the end, else the first from the start on. The market's past
        reaches back thirty days before the exchange began.
        """
        walk, instrument, length = self._walks[symbol], self.instruments[symbol], INTERVALS[interval]
        walk.price(now)
        if start is None:
            begun = begin_of(interval, end) - (limit - 1) * length
        else:
            begun = begin_of(interval, start)
            begun = begun if begun == start else next_of(interval, begun)
            end = min(end, begun + limit * length)
        found = candles(walk.minutes(begun, end), interval, instrument.tick, instrument.step)
        return found[-limit:] if start is None else found[:limit]

    def last_day(self, symbol: str, now: int) -> Candle:
        """The last 24 hours in one candle."""
        walk, instrument = self._walks[symbol], self.instruments[symbol]
        walk.price(now)
        begun = now - DAY_MS
        return candle_of(begun, walk.minutes(begun, now), instrument.tick, instrument.step)

    def trades(self, symbol: str, limit: int, now: int) -> list[Trade]:
        """The newest public trades, oldest first: one with each move of the price."""
        walk, instrument = self._walks[symbol], self.instruments[symbol]
        walk.price(now)
        made = []
        for number, time, ticks in walk.recent(limit):
            random = seeded(self._seed, f"{symbol}/trade/{number}")
            qty = random.randint(1, 500) * instrument.step
            made.append(Trade(number, time, ticks * instrument.tick, qty, random.random() < 0.5))
        return made

    def on_grid(self, symbol: str, price: Decimal) -> bool:
        """Whether the price is a positive multiple of the symbol's tick."""
        return price.is_finite() and price > 0 and price % self.instruments[symbol].tick == 0

    def countable(self, symbol: str, qty: Decimal) -> bool:
        """Whether the quantity is a positive multiple of the symbol's step."""
        return qty.is_finite() and qty > 0 and qty % self.instruments[symbol].step == 0
