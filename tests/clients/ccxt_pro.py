"""ccxt pro's BingX: the frames that reach its handler of orders, and the orders that it has after them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from . import ccxt
from .activity import is_last
from .frames import Frame, Witness, table
from .reading import Reading
from .table import Table
from .truth import Truth
from .wire import MILLISECOND

NAME = "ccxt pro"


class Watchers:
    """Watches orders and trades on one socket, as a bot does, until stopped."""

    def __init__(self, client: Any, reading: Reading) -> None:
        self.frames: list[Frame] = []
        """The frames that the handler of orders got."""
        self.last = asyncio.Event()
        """Set when all frames of orders have come."""
        self._client = client
        self._reading = reading
        self._tasks: list[asyncio.Task[None]] = []
        handle_order, handle_message = client.handle_order, client.handle_message

        def order(socket: Any, frame: Any) -> None:
            self.frames.append(frame)
            handle_order(socket, frame)

        def message(socket: Any, frame: Any) -> None:
            handle_message(socket, frame)
            if is_last(frame):
                self.last.set()

        client.handle_order, client.handle_message = order, message

    def start(self) -> None:
        """Start to watch."""
        for name in ("watch_orders", "watch_my_trades"):
            self._tasks.append(asyncio.create_task(self._watch(name, getattr(self._client, name))))

    @property
    def failed(self) -> bool:
        """True if a watcher has ended."""
        return any(task.done() for task in self._tasks)

    async def done(self) -> None:
        """Wait until all frames of orders have come, or a watcher has failed."""
        last = asyncio.create_task(self.last.wait())
        await asyncio.wait([last, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        last.cancel()

    async def stop(self) -> None:
        """Stop to watch."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def read(self, witness: Witness, truth: Truth, since: int) -> None:
        """Compare every sent frame, and every order that a frame showed, at least those that changed after `since`."""
        self._reading.compare("frame", "handle_order", table(witness.frames), table(self.frames))
        shown = {str(frame["o"]["i"]) for frame in witness.frames}
        owed = truth.shown_since(since) | {key: row for key, row in truth.orders.items() if key in shown}

        async def held() -> list[Any]:
            return list(self._client.orders or ())

        await self._reading.ask("order", "watch_orders", "socket", held, self._orders, owed)

    def _orders(self, rows: Any) -> Table:
        """Return the orders without creation times and fees: a frame lacks the time, and has one fill's fee."""
        said = ccxt.orders(self._client, rows, MILLISECOND)
        return {key: {name: row[name] for name in row if name not in {"created", "fee"}} for key, row in said.items()}

    async def _watch(self, name: str, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            while True:
                await call()
        except Exception as error:
            self._reading.failed("frame", name, error)
