"""A connection of `websockets.asyncio` that follows no redirect and outlasts no peer."""

from __future__ import annotations

import contextlib
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect

from . import limits


async def connected(url: str, options: dict[str, Any]) -> AsyncioConnection:
    """An open connection. Raises whatever websockets does."""
    connection = await _Connect(url, create_connection=AsyncioConnection, **options)
    assert isinstance(connection, AsyncioConnection)
    return connection


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class AsyncioConnection(ClientConnection):
    """After a close frame of either side, websockets waits without end for the peer to close TCP; this does not."""

    _doomed = False

    def send_data(self) -> None:
        super().send_data()  # runs after whatever was received, and after whatever is sent
        if not self._doomed and self.protocol.close_expected():
            self._doomed = True
            self.loop.call_later(limits.CLOSE_SECONDS, self.transport.abort)

    async def leave(self, code: int) -> None:
        """Close within `CLOSE_SECONDS`, cancelled or not; wakes what waits on the connection."""
        with anyio.move_on_after(limits.CLOSE_SECONDS, shield=True), contextlib.suppress(Exception):
            await self.close(code)
        self.transport.abort()
        with anyio.CancelScope(shield=True):
            await self.wait_closed()
