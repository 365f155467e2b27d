"""Virtual time: what happens when, in the order of its time and, at one time, of its making."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """Seconds since the stream began; the exchange is older."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._serial = 0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, when: float, what: Callable[..., None], *details: Any) -> None:
        """Do this then; what is already late happens next."""
        self._serial += 1
        heapq.heappush(self._heap, (max(when, self.now), self._serial, what, details))

    def after(self, seconds: float, what: Callable[..., None], *details: Any) -> None:
        """Do this so long from now."""
        self.at(self.now + seconds, what, *details)

    def step(self, until: float) -> bool:
        """Do the next thing, unless it is due only after `until`."""
        if not self._heap or self._heap[0][0] > until:
            self.now = max(self.now, until)
            return False
        when, _, what, details = heapq.heappop(self._heap)
        self.now = when
        what(*details)
        return True
