"""Virtual time: calls that are planned, made in the order of their times, and at one time in the order of planning."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """The planned calls. Times are seconds since the stream began; the exchange is older and begins below 0."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._serial = 0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, when: float, what: Callable[..., None], *details: Any) -> None:
        """Plan a call at this time; a call whose time has passed is made next."""
        self._serial += 1
        heapq.heappush(self._heap, (max(when, self.now), self._serial, what, details))

    def after(self, seconds: float, what: Callable[..., None], *details: Any) -> None:
        """Plan a call so many seconds from now."""
        self.at(self.now + seconds, what, *details)

    def step(self, until: float) -> bool:
        """Make the next call and return True; if none is planned up to `until`, move on to `until` and return False."""
        if not self._heap or self._heap[0][0] > until:
            self.now = max(self.now, until)
            return False
        when, _, what, details = heapq.heappop(self._heap)
        self.now = when
        what(*details)
        return True
