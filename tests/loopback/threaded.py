"""A simulated exchange in a thread and an event loop of its own, for a stream that runs elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.server import Server

from .harness import PINGS, RATE

T = TypeVar("T")


class Threaded:
    """The server as others see it; what changes it is done in its own loop."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self.exchange: Exchange = server.exchange
        self.log: Log = server.log
        self.rest_url, self.ws_url = server.rest_url, server.ws_url

    def truth(self) -> dict[str, Any]:
        """Everything that is so now."""
        return self._do(self._server.truth)

    def quiet(self, on: bool = True) -> None:
        """Stop the flow, or let it go on."""
        self._do(lambda: self._server.quiet(on))

    def fault(self, name: str, **params: Any) -> None:
        """Order a fault."""
        self._do(lambda: self._server.fault(name, **params))

    def now(self) -> int:
        """Exchange time, ms."""
        return self._server.now()

    def _do(self, act: Callable[[], T]) -> T:
        async def acted() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(acted(), self._loop).result(10)


@contextmanager
def threaded(key: str, **settings: Any) -> Iterator[Threaded]:
    """A server for this key, in a thread that ends with the context; nothing happens before `quiet(False)`."""
    ready = threading.Event()
    made: list[Threaded] = []
    stopped: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        settled = {"api_secret": key[::-1], "fills_per_second": RATE, "ping_interval": PINGS, **settings}
        server = Server(api_key=key, **settled)
        server.quiet()
        async with server:
            made.append(Threaded(server, asyncio.get_running_loop()))
            stopped.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        loop, stop = stopped[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
