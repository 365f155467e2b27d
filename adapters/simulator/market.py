"""Prices: a symbol's price at a time depends on the seed and the time alone, or comes from a tape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from .amounts import ZERO, booked
from .candles import DAY_MS, INTERVALS, Candle, begin_of, candle_of, candles, next_of
from .seeds import seeded
from .tape import Replay, Tape
from .walk import Walk


class Instrument(msgspec.Struct, frozen=True):
    """A perpetual contract: its margin asset, the grids of its price and quantity, and its first price.

    With a `tape` its price is the tape's, else it depends on the seed.
    """

    symbol: str
    asset: str
    tick: Decimal
    step: Decimal
    start: Decimal
    tape: Tape | None = None


GUARD = Decimal("1.03")


class Trade(NamedTuple):
    """A trade of others; `buyer_maker` is True if the seller hit a resting bid."""

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
    """The instruments and their prices; tapes are replayed from `now` on."""

    def __init__(self, instruments: Iterable[Instrument] = INSTRUMENTS, *, seed: int = 0, now: int) -> None:
        self.instruments = {each.symbol: each for each in instruments}
        self._seed = seed
        self._walks = {each.symbol: _walk(each, seed, now) for each in self.instruments.values()}
        self._newest: dict[str, tuple[int, Decimal]] = {}
        """The last price of each symbol that was computed, with its time: it is often needed several times in a row."""
        seeded_ones = [each for each in self._walks.values() if not isinstance(each, Replay)]
        self._moving = [*seeded_ones[:1], *(each for each in self._walks.values() if isinstance(each, Replay))]

    def price(self, symbol: str, now: int) -> Decimal:
        """The price at exchange time `now`, ms."""
        time, price = self._newest.get(symbol, (None, ZERO))
        if time != now:
            price = self._walks[symbol].price(now) * self.instruments[symbol].tick
            self._newest[symbol] = (now, price)
        return price

    def guard(self, symbol: str, side: str, now: int) -> Decimal:
        """The protective price of a market order of this side."""
        price = self.price(symbol, now)
        return booked(price * GUARD if side == "BUY" else price / GUARD)

    def step(self, symbol: str, now: int) -> int:
        """The number of the price's moves up to `now`."""
        return self._walks[symbol].step(now)

    def moves(self, after: int, until: int) -> Sequence[int]:
        """The times, ms, after `after` and up to `until`, at which a price moved; all seeded prices move together."""
        found = [each.moves(after, until) for each in self._moving]
        return found[0] if len(found) == 1 else sorted({time for times in found for time in times})

    def candles(self, symbol: str, interval: str, start: int | None, end: int, limit: int, now: int) -> list[Candle]:
        """At most `limit` candles that began between `start` and `end`, oldest first.

        Without a start they are the last ones before the end, else the first ones from the start on. There are prices
        from thirty days before the exchange began.
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
        """The newest public trades, oldest first: one at each move of the price."""
        walk, instrument = self._walks[symbol], self.instruments[symbol]
        walk.price(now)
        made = []
        for number, time, ticks in walk.recent(limit):
            random = seeded(self._seed, f"{symbol}/trade/{number}")
            steps, buyer_maker = random.randint(1, 500), random.random() < 0.5
            traded = walk.traded(number)
            qty = (steps if traded is None else traded) * instrument.step
            made.append(Trade(number, time, ticks * instrument.tick, qty, buyer_maker))
        return made

    def on_grid(self, symbol: str, price: Decimal) -> bool:
        """True if the price is a positive multiple of the symbol's tick."""
        return price.is_finite() and price > 0 and price % self.instruments[symbol].tick == 0

    def countable(self, symbol: str, qty: Decimal) -> bool:
        """True if the quantity is a positive multiple of the symbol's step."""
        return qty.is_finite() and qty > 0 and qty % self.instruments[symbol].step == 0


def _walk(instrument: Instrument, seed: int, now: int) -> Walk:
    if instrument.tape is not None:
        return Replay(instrument.symbol, instrument.tape, seed, now, instrument.tick * instrument.step)
    return Walk(instrument.symbol, int(instrument.start / instrument.tick), seed, now)
