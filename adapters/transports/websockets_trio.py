"""A connection of `websockets.trio` that follows no redirect, and always ends after a close frame.

On trio a connection needs a nursery, which a function that returns an open socket cannot have: a nursery that `dial`
opens ends with it. So each connection is hosted by a system task of its own, which ends with the connection and at the
latest with the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import trio
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.trio.client import ClientConnection, connect

from . import limits
from .interruption import passed_on
from .route import Route


async def connected(url: str, options: dict[str, Any], route: Route) -> TrioConnection:
    """Return an open connection. Raises the exceptions of websockets. Trio tries a name's addresses in parallel."""
    if route.source_address is not None:
        options = {**options, "local_address": route.source_address}
    host = _Host(url, options)
    trio.lowlevel.spawn_system_task(host.run)
    try:
        await host.settled.wait()
    except trio.Cancelled:
        host.scope.cancel()
        with trio.CancelScope(shield=True):
            await host.finished.wait()
        raise
    if host.connection is None:
        raise host.failure or ConnectionAbortedError
    return host.connection


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Host:
    """Opens one connection, and keeps its nursery open until it is closed."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._connect = _Connect(url, create_connection=TrioConnection, **options)
        self.scope = trio.CancelScope()
        self.settled = trio.Event()
        self.finished = trio.Event()
        self.connection: TrioConnection | None = None
        self.failure: Exception | None = None

    async def run(self) -> None:
        try:
            with passed_on(), self.scope:
                async with self._connect as connection:
                    assert isinstance(connection, TrioConnection)
                    self.connection = connection
                    self.settled.set()
                    await connection.wait_closed()
                    # A reader that waits for room in a full queue would keep the nursery open for ever.
                    self.scope.cancel()
        except Exception as error:  # an exception in a system task would end the whole run
            self.failure = error
        finally:
            self.settled.set()
            self.finished.set()


class TrioConnection(ClientConnection):
    """A connection that waits at most `CLOSE_SECONDS` for the peer to close TCP; websockets alone waits without end."""

    _doomed = False
    heard: Callable[[], None] | None = None
    """Called with each ping and pong of the peer; the library answers and matches them itself."""

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if self.heard is not None and isinstance(event, Frame) and event.opcode in (Opcode.PING, Opcode.PONG):
            self.heard()

    async def send_data(self) -> None:
        await super().send_data()  # runs after everything that is received or sent
        if not self._doomed and self.protocol.close_expected():
            self._doomed = True
            self.nursery.start_soon(self._expire)

    @trio.lowlevel.enable_ki_protection
    async def recv_events(self) -> None:
        """Read events in a task of its own, protected from Ctrl-C, which would end the run there."""
        await super().recv_events()

    async def leave(self, code: int) -> None:
        """Close within `CLOSE_SECONDS`, even if cancelled; calls that wait on the connection end."""
        with trio.move_on_after(limits.CLOSE_SECONDS, shield=True), contextlib.suppress(Exception):
            await self.aclose(code)
        await self._drop()

    async def _expire(self) -> None:
        with trio.move_on_after(limits.CLOSE_SECONDS):
            await self.wait_closed()
            return
        await self._drop()

    async def _drop(self) -> None:
        with trio.CancelScope(shield=True):
            await self.close_stream()
