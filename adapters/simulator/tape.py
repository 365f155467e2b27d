"""Recorded prices of one symbol, and the walk that replays them from the beginning of exchange time on."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from .walk import Walk


class Tape(NamedTuple):
    """Moves of a price, oldest first: `times` in ms, prices in `ticks`, and traded quantities in `steps`.

    `steps` is empty if the quantities are not known.
    """

    times: Sequence[int]
    ticks: Sequence[int]
    steps: Sequence[int] = ()


class Replay(Walk):
    """A walk with the tape's moves, shifted to begin at `now`; its past is seeded, and it stops at the tape's end.

    `unit` is the value of one step at a price of one tick.
    """

    def __init__(self, symbol: str, tape: Tape, seed: int, now: int, unit: Decimal) -> None:
        super().__init__(symbol, tape.ticks[0], seed, now)
        shift = now - tape.times[0]
        self._times = array("q", (each + shift for each in tape.times))
        self._history = array("q", tape.ticks)
        self._traded = tape.steps
        self._unit = unit
        self._looked = now

    def step(self, now: int) -> int:
        """The number of the last move up to `now`."""
        number = max(bisect_right(self._times, now) - 1, 0)
        self.steps, self._looked = max(self.steps, number), max(self._looked, now)
        return number

    def moves(self, after: int, until: int) -> Sequence[int]:
        """The times, ms, of its moves after `after` and up to `until`."""
        return self._times[bisect_right(self._times, after) : bisect_right(self._times, until)]

    def traded(self, number: int) -> int | None:
        """The steps traded with a move; None if that is not known."""
        return self._traded[number] if self._traded else None

    def _ticks_of(self, begins: int, ends: int) -> Sequence[int]:
        """The prices of a minute: those of its moves, or the last price before if it has none."""
        return self._history[min(begins, ends - 1) : ends]

    def _time(self, number: int) -> int:
        return self._times[number]

    def _first_from(self, time: int) -> int:
        return bisect_left(self._times, time)

    def _newest(self) -> int:
        return self._looked

    def _worth(self, number: int, begins: int, ends: int) -> int:
        if not self._traded:
            return super()._worth(number, begins, ends)
        return int(sum(self._history[each] * self._traded[each] for each in range(begins, ends)) * self._unit)
