"""The calls that one address, or one API key, may send within a window of time: each call takes a slot in time."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import NamedTuple

SLACK = 1.05
"""The factor by which windows are lengthened, since requests bunch up on their way."""


class Rate(NamedTuple):
    """A limit: `calls` calls in any `seconds` seconds."""

    calls: int
    seconds: float


UNLIMITED = Rate(10**9, 1.0)


class Budget:
    """The taken slots, in seconds of a monotonic clock; slots older than a window are dropped."""

    __slots__ = ("_allowance", "_calls", "_seconds", "_slots", "locked_until")

    def __init__(self, rate: Rate) -> None:
        self._calls, self._seconds = rate.calls, rate.seconds * SLACK
        self._slots: list[float] = []
        self._allowance = (0, -math.inf, -math.inf)
        """The venue's own count: calls left, the time after which they count, and the time until which."""
        self.locked_until = -math.inf

    def next(self, now: float, ahead: int = 0) -> float:
        """The first free slot if `ahead` others go before: no window then has more than its calls."""
        rounds, ahead = divmod(ahead, self._calls)
        index = len(self._slots) + ahead - self._calls
        soonest = now if index < 0 else max(now, self._slots[index] + self._seconds)
        return soonest + rounds * self._seconds

    def take(self, slot: float, now: float) -> None:
        """Take this slot."""
        del self._slots[: bisect_left(self._slots, now - self._seconds)]
        insort(self._slots, slot)

    def release(self, slot: float) -> None:
        """Make this slot free again."""
        at = bisect_left(self._slots, slot)
        if self._slots[at : at + 1] == [slot]:
            del self._slots[at]

    def note_allowance(self, left: int, asked_at: float, until: float) -> None:
        """Note that by the answer to a call sent at `asked_at`, `left` more may follow it until `until`, s."""
        self._allowance = (left, asked_at, until)

    def closed_until(self, now: float) -> float:
        """The time, s, before which no call may be sent even if slots are free, by a lock or the venue's own count."""
        left, asked_at, until = self._allowance
        if now < until and len(self._slots) - bisect_left(self._slots, math.nextafter(asked_at, math.inf)) >= left:
            return max(until, self.locked_until)
        return self.locked_until
