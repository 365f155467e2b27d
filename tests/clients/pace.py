"""How fast an account may ask: the calls of an endpoint one after the other, with a pause after each answer."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

PER_SECOND = {"order": 5}
SLOWEST = 2
"""Calls per second of an endpoint that `PER_SECOND` does not name."""
MARGIN = 0.01


class Pace:
    """Shared by all clients of an exchange. An exchange can count no call sooner than it was sent."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free: defaultdict[str, float] = defaultdict(float)

    async def __call__(self, endpoint: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer, once it was this call's turn."""
        async with self._turns[endpoint]:
            await asyncio.sleep(self._free[endpoint] - time.monotonic())
            try:
                return await call()
            finally:
                pause = 1 / PER_SECOND.get(endpoint, SLOWEST) + MARGIN
                self._free[endpoint] = time.monotonic() + pause


class Unhurried(Pace):
    """Of an exchange that counts no calls."""

    async def __call__(self, endpoint: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer at once."""
        return await call()
