"""The price of one symbol: a seeded walk over its grid, a move each second, and a past that ends where it begins."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import NamedTuple

from .seeds import seeded

STEP_MS = 1000
MINUTE_MS = 60_000
PAST = 30 * 24 * 60
"""So many minutes there were before the exchange began."""
REMEMBERED = 1000
"""Steps that can be asked about as trades."""
MOST_WORTH = 2_000_000
"""What is traded in a minute is worth less, in units of the margin asset."""


class Minute(NamedTuple):
    """What happened in the minute that began at `time`, ms: prices in ticks, `worth` in whole units of the asset."""

    time: int
    open: int
    high: int
    low: int
    close: int
    worth: int


class Step(NamedTuple):
    """One move: its number, its time, ms, and the price after it, in ticks."""

    number: int
    time: int
    ticks: int


class Walk:
    """Moves by at most five basis points a second, and stays between half and twice the price of its beginning."""

    def __init__(self, symbol: str, ticks: int, seed: int, now: int) -> None:
        self._name = symbol
        self._seed = seed
        self._random = seeded(seed, symbol)
        self._volumes = seeded(seed, f"{symbol}/volumes")
        self._ticks = ticks
        self._first = ticks
        self._floor, self._ceiling = ticks // 2, ticks * 2
        self._begun = now
        self.steps = 0
        self.recent = deque([Step(0, now, ticks)], REMEMBERED)
        self._minute = Minute(now - now % MINUTE_MS, ticks, ticks, ticks, ticks, self._worth())
        self._minutes: list[Minute] = []
        self._past: list[Minute] = []  # newest first
        self._past_random: Random | None = None

    def price(self, now: int) -> int:
        """The price at exchange time `now`, ms, in ticks; asking about the past gives the newest price."""
        while self.steps < (now - self._begun) // STEP_MS:
            self.steps += 1
            reach = max(1, self._ticks // 2000)
            moved = self._ticks + self._random.randint(-reach, reach)
            self._ticks = min(max(moved, self._floor), self._ceiling)
            self._note(self._begun + self.steps * STEP_MS, self._ticks)
        return self._ticks

    def minutes(self, start: int, end: int) -> list[Minute]:
        """The minutes that began within these times, oldest first; the newest is not over yet."""
        self._look_back(start)
        known = [*reversed(self._past), *self._minutes, self._minute]
        offset = (start - known[0].time + MINUTE_MS - 1) // MINUTE_MS
        return known[max(offset, 0) : max((end - known[0].time) // MINUTE_MS + 1, 0)]

    def _note(self, time: int, ticks: int) -> None:
        self.recent.append(Step(self.steps, time, ticks))
        minute = self._minute
        if time - minute.time >= MINUTE_MS:
            self._minutes.append(minute)
            begun = minute.time + MINUTE_MS
            self._minute = Minute(begun, minute.close, max(minute.close, ticks), min(minute.close, ticks), ticks, 0)
            self._minute = self._minute._replace(worth=self._worth())
        else:
            self._minute = minute._replace(high=max(minute.high, ticks), low=min(minute.low, ticks), close=ticks)

    def _look_back(self, start: int) -> None:
        """Walk backwards from where the first minute began, until this time or the beginning of the past."""
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

    def _worth(self) -> int:
        return self._volumes.randrange(MOST_WORTH)
