"""Limits the scenarios that run together in one event loop to as many as it bears, by measurements while they run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .wires import PINGS

TICK = 0.02
TICKS = 15
"""The ticks of one measurement. A single one proves little, since one long computation makes one tick late."""
PROMPT, LATE = PINGS / 10, PINGS / 3
"""Mean lateness, seconds, up to which another scenario may begin, and above which there are too many: parts of the
shortest interval in which a scenario expects something."""
BUSY = 0.7
"""The share of CPU time up to which another scenario may begin; those that have just begun will need more."""


class Admission:
    """Admits scenarios: one may always run, and another one each time that the loop was prompt and idle enough."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time
    ) -> None:
        self.running = 0
        self.allowed = 1
        self.most = 0
        """The most scenarios that have run together."""
        self._clock = clock
        self._spent = spent
        self._freed = asyncio.Event()
        self._since: tuple[float, float] | None = None
        self._lateness: list[float] = []

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, and keep it."""
        while self.running >= self.allowed:
            self._freed.clear()
            await self._freed.wait()
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            yield
        finally:
            self.running -= 1
            self._freed.set()

    async def watch(self) -> None:
        """Measure and decide, for ever."""
        while True:
            due = self._clock() + TICK
            await asyncio.sleep(TICK)
            self.ticked(self._clock() - due)

    def ticked(self, late: float) -> None:
        """Take a tick that came `late` seconds late; after `TICKS` of them, decide how many may run."""
        now = self._clock(), self._spent()
        if self._since is None:
            self._since = now
        self._lateness.append(max(0.0, late))
        if len(self._lateness) < TICKS:
            return
        wall, spent = (later - earlier for later, earlier in zip(now, self._since, strict=True))
        self.decide(sum(self._lateness) / TICKS, spent / wall if wall > 0 else 0.0)
        self._since, self._lateness = now, []

    def decide(self, late: float, share: float) -> None:
        """Allow one more, as many as now, or none until fewer run; running scenarios are not stopped."""
        if late > LATE:
            self.allowed = max(1, min(self.allowed, self.running - 1))
        elif late <= PROMPT and share <= BUSY and self.running >= self.allowed:
            self.allowed += 1
            self._freed.set()
