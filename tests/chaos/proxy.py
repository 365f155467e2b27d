"""A TCP proxy in front of an exchange: a plain port, a port with TLS, and the conditions that hold on both."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from .conditions import Condition
from .conduit import Conduit


class Proxy:
    """The proxy: its ports, its open connections, and the conditions in force."""

    def __init__(self, exchange: int, certificate: ssl.SSLContext | None) -> None:
        self.plain = self.secure = 0
        self.accepted = 0
        self._exchange = exchange
        self._certificate = certificate
        self._conditions: tuple[Condition, ...] = ()
        self._conduits: dict[Conduit, asyncio.Task[None]] = {}
        self._listening: list[asyncio.Server] = []

    @contextmanager
    def under(self, *conditions: Condition) -> Iterator[None]:
        """Let these conditions hold during the body, besides those that hold already."""
        self._conditions = tuple(sorted((*self._conditions, *conditions), key=lambda condition: condition.rank))
        try:
            yield
        finally:
            self._conditions = tuple(each for each in self._conditions if each not in conditions)
            for condition in conditions:
                condition.end()

    def cut(self) -> int:
        """Reset every open connection; return their number."""
        for conduit in (found := tuple(self._conduits)):
            conduit.reset()
        return len(found)

    def lose(self) -> int:
        """Drop the exchange's side of every open connection, without sign to the client; return their number."""
        for conduit in (found := tuple(self._conduits)):
            conduit.lose()
        return len(found)

    async def listen(self) -> None:
        """Accept connections on both ports; after `refuse` on the same ones."""
        for name in ("plain", "secure") if self._certificate else ("plain",):
            server = await asyncio.start_server(self.serve, "127.0.0.1", getattr(self, name))
            setattr(self, name, server.sockets[0].getsockname()[1])
            self._listening.append(server)

    def refuse(self) -> None:
        """Accept no more connections: the operating system refuses them."""
        while self._listening:
            self._listening.pop().close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        conduit = Conduit(reader, writer, self._exchange, lambda: self._conditions)
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._conduits[conduit] = task
        if writer.get_extra_info("sockname")[1] == self.secure:
            conduit.certificate = self._certificate
        try:
            await conduit.run()
        finally:
            del self._conduits[conduit]
            if conduit.lost:
                conduit.reset()

    async def end(self) -> None:
        """Reset all open connections."""
        tasks = tuple(self._conduits.values())
        self.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def proxy(exchange: int, certificate: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Run a proxy to this local port; it has a TLS port only with a certificate."""
    between = Proxy(exchange, certificate)
    await between.listen()
    try:
        yield between
    finally:
        between.refuse()
        await between.end()
        await asyncio.sleep(0)
