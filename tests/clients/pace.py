"""Limits the calls of an account: those of an endpoint go one after the other, with a pause after each answer."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

PER_SECOND = {"order": 5}
SLOWEST = 2
"""Calls per second of an endpoint that is not in `PER_SECOND`."""
MARGIN = 0.01


class Pace:
    """The pace of all clients of an exchange. An exchange cannot count a call before it was sent."""

    def __init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free: defaultdict[str, float] = defaultdict(float)

    async def __call__(self, endpoint: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make the call when it is its turn; return the answer."""
        async with self._turns[endpoint]:
            await asyncio.sleep(self._free[endpoint] - time.monotonic())
            try:
                return await call()
            finally:
                pause = 1 / PER_SECOND.get(endpoint, SLOWEST) + MARGIN
                self._free[endpoint] = time.monotonic() + pause


class Unhurried(Pace):
    """The pace of an exchange without limits."""

    async def __call__(self, endpoint: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make the call at once; return the answer."""
        return await call()
