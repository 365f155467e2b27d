"""The order book of a symbol: offers of others, drawn again with each move of the price, less those taken."""

from __future__ import annotations

from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from .amounts import ZERO
from .market import Market
from .seeds import seeded

LEVELS = 50
LEAST_WORTH, MOST_WORTH = 5_000, 50_000
"""Bounds of the best level's value, in the margin asset; the levels behind it are larger."""


class Level(NamedTuple):
    """The quantity that is offered at one price."""

    price: Decimal
    qty: Decimal


class Depth:
    """Books whose best ask is the market's price and best bid a tick below; taken offers return with the next move."""

    def __init__(self, market: Market, *, seed: int = 0) -> None:
        self._market = market
        self._seed = seed
        self._drawn: dict[str, tuple[int, dict[str, list[Level]]]] = {}

    def levels(self, symbol: str, side: str, now: int) -> list[Level]:
        """The levels that an order of this side may take, best first: for a BUY the asks."""
        step = self._market.step(symbol, now)
        drawn = self._drawn.get(symbol)
        if drawn is None or drawn[0] != step:
            drawn = self._drawn[symbol] = (step, self._draw(symbol, step, now))
        return drawn[1][side]

    def best(self, symbol: str, side: str, now: int) -> Level | None:
        """The best level that an order of this side may take, None if all were taken."""
        return next(iter(self.levels(symbol, side, now)), None)

    def meets(self, symbol: str, side: str, limit: Decimal | None, now: int) -> bool:
        """True if an order of this side may take anything at its limit or better."""
        levels = self.levels(symbol, side, now)
        return bool(levels) and _is_within(levels[0].price, limit, side)

    def within(self, symbol: str, side: str, limit: Decimal | None, now: int) -> Decimal:
        """The quantity that an order of this side may take at its limit or better."""
        found = takewhile(lambda level: _is_within(level.price, limit, side), self.levels(symbol, side, now))
        return sum((each.qty for each in found), ZERO)

    def take(self, symbol: str, side: str, qty: Decimal, limit: Decimal | None, now: int) -> list[Level]:
        """Take up to `qty` at the limit or better; return the taken prices and quantities, best first."""
        levels = self.levels(symbol, side, now)
        taken = []
        while qty and levels and _is_within(levels[0].price, limit, side):
            price, offered = levels[0]
            part = min(qty, offered)
            taken.append(Level(price, part))
            qty -= part
            if part == offered:
                del levels[0]
            else:
                levels[0] = Level(price, offered - part)
        return taken

    def _draw(self, symbol: str, step: int, now: int) -> dict[str, list[Level]]:
        random = seeded(self._seed, f"{symbol}/depth/{step}")
        instrument, price = self._market.instruments[symbol], self._market.price(symbol, now)
        widest = max(1, int(price / instrument.tick) // 5000)
        sides: dict[str, list[Level]] = {}
        for side, towards in (("BUY", 1), ("SELL", -1)):
            at = price if side == "BUY" else price - instrument.tick
            levels = sides[side] = []
            for number in range(LEVELS):
                if at <= 0:
                    break
                worth = random.randint(LEAST_WORTH, MOST_WORTH) * (number + 5) // 5
                levels.append(Level(at, max(int(worth / at / instrument.step), 1) * instrument.step))
                at += towards * random.randint(1, widest) * instrument.tick
        return sides


def _is_within(price: Decimal, limit: Decimal | None, side: str) -> bool:
    return limit is None or (price <= limit if side == "BUY" else price >= limit)
