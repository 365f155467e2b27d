"""How many scenarios may run together in one event loop: as many as it carries, found by measuring while they run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from .wires import PINGS

TICK = 0.02
TICKS = 15
"""So many ticks are one measurement. One alone says little: a long computation makes one tick late, and no more."""
PROMPT, LATE = PINGS / 10, PINGS / 3
"""Mean lateness, seconds, up to which another may begin, and beyond which there are too many: a part of the shortest
interval in which a scenario expects anything."""
BUSY = 0.7
"""Share of its thread's time that a loop may spend computing before it begins another: what has begun grows yet."""


class Admission:
    """One scenario may always run. Another is let in each time that the loop has been prompt and idle enough."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, spent: Callable[[], float] = time.thread_time
    ) -> None:
        self.running = 0
        self.allowed = 1
        self.most = 0
        """How many have run together."""
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
        """Measure, and let in or hold back, for ever."""
        while True:
            due = self._clock() + TICK
            await asyncio.sleep(TICK)
            self.ticked(self._clock() - due)

    def ticked(self, late: float) -> None:
        """A tick came so late, seconds; after `TICKS` of them it is decided how many may run."""
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
        """Let one more in, leave it at that, or let nobody in until fewer run; those that run go on."""
        if late > LATE:
            self.allowed = max(1, min(self.allowed, self.running - 1))
        elif late <= PROMPT and share <= BUSY and self.running >= self.allowed:
            self.allowed += 1
            self._freed.set()
