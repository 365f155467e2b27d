"""A connection of `websockets.asyncio` that follows no redirect, and always ends after a close frame."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import anyio
from aiohappyeyeballs import start_connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

from . import limits
from .route import Route

library: ContextVar[str | None] | None
try:
    from sniffio import current_async_library_cvar as library
except ImportError:
    library = None

ATTEMPT_SECONDS = 0.25
"""Seconds after which the next address of a name is tried too, beside the one before (RFC 8305)."""


async def connected(url: str, options: dict[str, Any], route: Route) -> AsyncioConnection:
    """Return an open connection. Raises the exceptions of websockets."""
    if route.proxy is None:
        options = {**options, "sock": await _tcp(url, route.source_address)}
    connection = await _Connect(url, create_connection=AsyncioConnection, **options)
    assert isinstance(connection, AsyncioConnection)
    return connection


async def _tcp(url: str, source: str | None) -> socket.socket:
    """Return a connected socket. Not every event loop can make it by itself."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme.lower() == "wss" else 80)
    resolve = asyncio.get_running_loop().getaddrinfo
    found = await resolve(parts.hostname, port, type=socket.SOCK_STREAM)
    local = None if source is None else await resolve(source, 0, type=socket.SOCK_STREAM)
    return await start_connection(found, local_addr_infos=local, happy_eyeballs_delay=ATTEMPT_SECONDS)


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class AsyncioConnection(ClientConnection):
    """A connection that waits at most `CLOSE_SECONDS` for the peer to close TCP; websockets alone waits without end."""

    _doomed = False
    heard: Callable[[], None] | None = None
    """Called with each ping and pong of the peer; the library answers and matches them itself."""

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if self.heard is not None and isinstance(event, Frame) and event.opcode in (Opcode.PING, Opcode.PONG):
            with _known_loop():
                self.heard()

    def send_data(self) -> None:
        super().send_data()  # runs after everything that is received or sent
        if not self._doomed and self.protocol.close_expected():
            self._doomed = True
            self.loop.call_later(limits.CLOSE_SECONDS, self.transport.abort)

    async def leave(self, code: int) -> None:
        """Close within `CLOSE_SECONDS`, even if cancelled; calls that wait on the connection end."""
        with anyio.move_on_after(limits.CLOSE_SECONDS, shield=True), contextlib.suppress(Exception):
            await self.close(code)
        self.transport.abort()
        with anyio.CancelScope(shield=True):
            await self.wait_closed()


@contextlib.contextmanager
def _known_loop() -> Iterator[None]:
    """Let anyio know its event loop. With sniffio it finds that by the task, and a protocol runs in none."""
    if library is None:
        yield
        return
    token = library.set("asyncio")
    try:
        yield
    finally:
        library.reset(token)
