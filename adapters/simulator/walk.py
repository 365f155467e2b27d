"""The price of one symbol: a seeded walk over its grid with a move each second, and a past that ends at its start."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from .seeds import seeded

STEP_MS = 1000
MINUTE_MS = 60_000
PAST = 30 * 24 * 60
"""The minutes of the past before the exchange began."""
MOST_WORTH = 2_000_000
"""The value that is traded in a minute is below this, in the margin asset."""


class Minute(NamedTuple):
    """The minute that began at `time`, ms: prices are in ticks, `worth` is the traded value in the margin asset."""

    time: int
    open: int
    high: int
    low: int
    close: int
    worth: int


class Step(NamedTuple):
    """One move of the price: its number, its time in ms, and the price after it in ticks."""

    number: int
    time: int
    ticks: int


class Walk:
    """A price that moves by at most five basis points a second, between half and twice its first value."""

    def __init__(self, symbol: str, ticks: int, seed: int, now: int) -> None:
        self._name = symbol
        self._seed = seed
        self._random = seeded(seed, symbol)
        self._volumes = seeded(seed, f"{symbol}/volumes")
        self._ticks = self._first = ticks
        self._floor, self._ceiling = ticks // 2, ticks * 2
        self._begun = now
        self.steps = 0
        self._history = array("q", [ticks])  # by the number of the move
        self._minutes: list[Minute] = []  # complete ones
        self._worths: list[int] = []
        self._past: list[Minute] = []  # newest first
        self._past_random: Random | None = None

    def price(self, now: int) -> int:
        """The price in ticks at exchange time `now`, ms; before the beginning it is the first one."""
        return self._history[self.step(now)]

    def step(self, now: int) -> int:
        """The number of moves up to `now`."""
        wanted = (now - self._begun) // STEP_MS
        while self.steps < wanted:
            self.steps += 1
            reach = max(1, self._ticks // 2000)
            moved = self._ticks + self._random.randint(-reach, reach)
            self._ticks = min(max(moved, self._floor), self._ceiling)
            self._history.append(self._ticks)
        return max(wanted, 0)

    def recent(self, count: int) -> list[Step]:
        """The newest moves, oldest first; number 0 is the price at the beginning."""
        first = max(self.steps + 1 - count, 0)
        return [Step(number, self._time(number), self._history[number]) for number in range(first, self.steps + 1)]

    def moves(self, after: int, until: int) -> Sequence[int]:
        """The times, ms, of its moves after `after` and up to `until`."""
        first = self._begun + ((after - self._begun) // STEP_MS + 1) * STEP_MS
        return range(max(first, self._begun), until + 1, STEP_MS)

    def traded(self, number: int) -> int | None:
        """The steps traded with a move; None if that is not known."""
        return None

    def minutes(self, start: int, end: int) -> list[Minute]:
        """The minutes that began between these times, oldest first; the newest may be incomplete."""
        first = self._begun - self._begun % MINUTE_MS
        newest = (self._newest() - first) // MINUTE_MS
        while len(self._minutes) < newest:
            self._minutes.append(self._minute(first, len(self._minutes)))
        self._look_back(start)
        known = [*reversed(self._past), *self._minutes, self._minute(first, newest)]
        offset = (start - known[0].time + MINUTE_MS - 1) // MINUTE_MS
        return known[max(offset, 0) : max((end - known[0].time) // MINUTE_MS + 1, 0)]

    def _minute(self, first: int, number: int) -> Minute:
        """The minute with this number, counted from the one that begins at `first`, ms."""
        time = first + number * MINUTE_MS
        begins, ends = (min(self._first_from(each), self.steps + 1) for each in (time, time + MINUTE_MS))
        ticks = self._ticks_of(begins, ends)
        return Minute(time, ticks[0], max(ticks), min(ticks), ticks[-1], self._worth(number, begins, ends))

    def _ticks_of(self, begins: int, ends: int) -> Sequence[int]:
        """The prices of a minute with the moves `begins` to `ends` (excluded), behind the price at which it opens."""
        return self._history[max(begins - 1, 0) : ends]

    def _worth(self, number: int, begins: int, ends: int) -> int:
        """The value that was traded in a minute with these moves, in whole units of the margin asset."""
        while len(self._worths) <= number:
            self._worths.append(self._volumes.randrange(MOST_WORTH))
        return self._worths[number]

    def _time(self, number: int) -> int:
        return self._begun + number * STEP_MS

    def _first_from(self, time: int) -> int:
        """The number of the first move at `time`, ms, or later."""
        return max(-(-(time - self._begun) // STEP_MS), 0)

    def _newest(self) -> int:
        """The time, ms, up to which there are minutes."""
        return self._time(self.steps)

    def _look_back(self, start: int) -> None:
        """Extend the past backwards until `start`, ms, or to its greatest length."""
        random = self._past_random = self._past_random or seeded(self._seed, f"{self._name}/past")
        reach, past = max(1, self._first // 400), self._past
        time = past[-1].time if past else self._begun - self._begun % MINUTE_MS
        close = past[-1].open if past else self._first
        while time > start and len(past) < PAST:
            time -= MINUTE_MS
            opened = min(max(close + random.randint(-reach, reach), self._floor), self._ceiling)
            high = min(max(opened, close) + random.randint(0, reach), self._ceiling)
            low = max(min(opened, close) - random.randint(0, reach), self._floor)
            past.append(Minute(time, opened, high, low, close, random.randrange(MOST_WORTH)))
            close = opened
