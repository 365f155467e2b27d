"""`ports.socket.SocketDialer` and `Socket` over the websockets library, on asyncio and trio."""

from __future__ import annotations

import logging
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import anyio
from websockets.exceptions import ConnectionClosed, InvalidProxyStatus, InvalidStatus

from ...ports.errors import HandshakeRefused, SocketEnded, TransportFailed
from . import limits
from .answers import timing
from .failures import failed
from .route import DIRECT, Route

OUR_VERDICTS = frozenset({1002, 1007, 1009})
"""Codes with which we close a socket because of a frame of the peer."""
NO_CODE = frozenset({1005, 1006})
"""Codes that are never in a close frame."""

# At DEBUG the library logs the request line of the handshake, and with it the listen key. This logger is in no
# hierarchy and is disabled, so no configuration can reach it.
_SILENT = logging.Logger("listenkey.silent")
_SILENT.disabled = True


class Connection(Protocol):
    """A connection of websockets on one event loop."""

    heard: Callable[[], None] | None

    async def recv(self) -> bytes | str: ...
    async def send(self, message: str) -> None: ...
    async def ping(self) -> object: ...

    async def leave(self, code: int) -> None:
        """Close within `CLOSE_SECONDS`, even if cancelled; calls that wait on the connection end."""


class WebsocketsDialer:
    """Dials with `websockets.trio` inside trio and with `websockets.asyncio` elsewhere."""

    def __init__(self, route: Route = DIRECT) -> None:
        self._route = route
        self._ssl = route.ssl_context or ssl.create_default_context()
        self._closed = False

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> WebsocketsSocket:
        """Return an open socket. Raises `HandshakeRefused` or `TransportFailed`."""
        connect = _connector()
        try:
            if self._closed:
                raise TransportFailed("the dialer is closed")
            with anyio.fail_after(timeout):
                return WebsocketsSocket(await connect(url, self._options(url, max_bytes), self._route))
        except InvalidProxyStatus as error:
            failure: Exception = TransportFailed(f"the proxy answered with HTTP {error.response.status_code}")
        except InvalidStatus as error:
            body = bytes(error.response.body or b"")[: limits.REFUSAL_BYTES]
            failure = HandshakeRefused(error.response.status_code, body, timing(error.response.headers.raw_items()))
        except Exception as error:
            failure = failed(error)
        raise failure

    async def close(self) -> None:
        """Do nothing: there is nothing to close between dials."""
        self._closed = True

    def _options(self, url: str, max_bytes: int) -> dict[str, Any]:
        options: dict[str, Any] = {
            "compression": None,
            "proxy": self._route.proxy,
            "open_timeout": None,  # one cancel scope limits the whole dial
            "close_timeout": None,  # so does `leave`, also when the peer does not read
            "ping_interval": None,
            "max_size": max_bytes,
            "logger": _SILENT,
        }
        if url[:4].lower() == "wss:":
            options["ssl"] = self._ssl
        return options


class WebsocketsSocket:
    """A WebSocket. A cancelled `receive` loses no frame: websockets promises this for `recv` on both event loops."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ended = False
        self._code: int | None = None

    def attend(self, heard: Callable[[], None]) -> None:
        """Call `heard` for each ping and pong of the peer."""
        self._connection.heard = heard

    async def receive(self) -> bytes | str:
        """Return the next frame. Raises `SocketEnded`."""
        if not self._ended:
            try:
                return await self._connection.recv()
            except ConnectionClosed as error:
                self._end(error)
        raise SocketEnded(self._code)

    async def send(self, text: str) -> None:
        """Send a text frame. Raises `SocketEnded`."""
        await self._sent(lambda: self._connection.send(text))

    async def ping(self) -> None:
        """Send a ping. Raises `SocketEnded`."""
        await self._sent(self._connection.ping)

    async def _sent(self, send: Callable[[], Awaitable[object]]) -> None:
        if not self._ended:
            try:
                await send()
                return
            except ConnectionClosed as error:
                self._code = _code(error)  # not the end yet: frames that came before it can still be received
        raise SocketEnded(self._code)

    async def close(self, code: int = 1000) -> None:
        """Close within a second, even if cancelled."""
        self._ended = True
        await self._connection.leave(code)

    def _end(self, error: ConnectionClosed) -> None:
        self._ended = True
        self._code = _code(error)


def _code(error: ConnectionClosed) -> int | None:
    """Our own code if we closed because of a frame of the peer, else the peer's."""
    if error.sent is not None and error.sent.code in OUR_VERDICTS:
        return error.sent.code
    if error.rcvd is not None and error.rcvd.code not in NO_CODE:
        return error.rcvd.code
    return None


def _connector() -> Callable[[str, dict[str, Any], Route], Awaitable[Connection]]:
    """Return the connector for the event loop of this task. Unlike sniffio, trio is there whenever trio runs it."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from . import websockets_trio

        return websockets_trio.connected
    from . import websockets_asyncio

    return websockets_asyncio.connected
