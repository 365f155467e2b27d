"""`ports.socket.SocketDialer` and `Socket` over aiohttp's WebSocket client; asyncio only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from types import SimpleNamespace
from typing import TypeVar

import anyio
from aiohttp import (
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientWebSocketResponse,
    DummyCookieJar,
    TraceConfig,
    TraceRequestRedirectParams,
    WebSocketError,
    WSMessage,
    WSMsgType,
)
from yarl import URL

from ...ports.errors import HandshakeRefused, SocketEnded, TransportFailed
from . import limits
from .aiohttp_connector import connector
from .aiohttp_http import UNTIMED
from .answers import head, timing
from .failures import failed
from .route import DIRECT, Route

T = TypeVar("T")
_SIGNS = frozenset({WSMsgType.PING, WSMsgType.PONG})
NO_CODE = frozenset({0, 1005, 1006})
"""Codes that are never in a close frame; aiohttp reads a close frame without a code as 0."""


class AiohttpDialer:
    """Dials in a session of its own, over the connector, headers and cookies of the user's session if there is one.

    `ws_connect` follows redirects and drops the body of a refusal, and only a session, not a call, can forbid that.
    """

    def __init__(self, session: ClientSession | None = None, route: Route = DIRECT) -> None:
        self._given = session
        self._own: ClientSession | None = None
        self._route = route
        self._proxy = None if route.socks else route.proxy
        self._ssl: SSLContext | bool = True if route.ssl_context is None else route.ssl_context
        self._closed = False

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> AiohttpSocket:
        """Return an open socket. Raises `HandshakeRefused` or `TransportFailed`."""
        try:
            with anyio.fail_after(timeout):
                return AiohttpSocket(await self._connect(url, max_bytes))
        except ClientHttpProxyError as error:
            failure: Exception = TransportFailed(f"the proxy answered with HTTP {error.status}")
        except ClientResponseError as error:
            failure = TransportFailed(f"{type(error).__name__}: not a WebSocket handshake")
        except Exception as error:
            failure = failed(error)
        raise failure

    async def close(self) -> None:
        """Release the session; a connector of the user stays open."""
        self._closed = True
        if self._own is not None:
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._own.close()

    async def _connect(self, url: str, max_bytes: int) -> ClientWebSocketResponse:
        return await self._session().ws_connect(
            URL(url, encoded=True),
            autoclose=False,
            autoping=False,  # pings must be seen, since they prove that the socket works
            heartbeat=None,
            compress=0,
            max_msg_size=max_bytes + 1,  # aiohttp refuses a message of exactly this size
            proxy=self._proxy,
            ssl=self._ssl,
        )

    def _session(self) -> ClientSession:
        if self._closed or (self._given is not None and self._given.closed):
            raise TransportFailed("the session is closed")
        if self._own is None:
            tracing = TraceConfig()
            tracing.on_request_redirect.append(_refuse_redirect)
            given = self._given
            self._own = ClientSession(
                # The connection of a server that refused is not kept, so that it gets no second request.
                connector=given.connector if given else connector(self._route, force_close=True),
                connector_owner=given is None,
                cookie_jar=given.cookie_jar if given else DummyCookieJar(),
                headers=given.headers if given else None,
                trust_env=given.trust_env if given else False,
                timeout=UNTIMED,
                raise_for_status=_refuse,
                trace_configs=[tracing, *(given.trace_configs if given else ())],
            )
        return self._own


class AiohttpSocket:
    """A WebSocket. A cancelled `receive` loses no frame: aiohttp takes one off its queue without awaiting after it."""

    def __init__(self, websocket: ClientWebSocketResponse) -> None:
        self._websocket = websocket
        self._tcp: socket.socket | None = websocket.get_extra_info("socket")
        self._ended = False
        self._code: int | None = None
        self._heard: Callable[[], None] = _nobody

    def attend(self, heard: Callable[[], None]) -> None:
        """Call `heard` for each ping and pong of the peer."""
        self._heard = heard

    async def receive(self) -> bytes | str:
        """Return the next frame. Raises `SocketEnded`."""
        if self._ended:
            raise SocketEnded(self._code)
        message: WSMessage | None
        try:
            while (message := await self._websocket.receive()).type in _SIGNS:
                if message.type is WSMsgType.PING:
                    await self._websocket.pong(message.data)
                self._heard()
        except (ClientError, OSError):  # the pong to a ping could not be sent
            message = None
        if message is not None:
            if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                data: bytes | str = message.data
                return data
            if message.type is WSMsgType.CLOSE and message.data not in NO_CODE:
                self._code = message.data
            elif message.type is WSMsgType.ERROR and isinstance(message.data, WebSocketError):
                self._code = message.data.code
        await self.close()
        raise SocketEnded(self._code)

    async def send(self, text: str) -> None:
        """Send a text frame. Raises `SocketEnded`."""
        await self._sent(self._websocket.send_str, text)

    async def ping(self) -> None:
        """Send a ping. Raises `SocketEnded`."""
        await self._sent(self._websocket.ping, b"")

    async def _sent(self, send: Callable[[T], Awaitable[None]], data: T) -> None:
        if self._ended:
            raise SocketEnded(self._code)
        try:
            await send(data)
        except (ClientError, OSError):
            pass
        else:
            return
        raise SocketEnded(self._code)

    async def close(self, code: int = 1000) -> None:
        """Close within a second, even if cancelled."""
        self._ended = True
        with anyio.move_on_after(limits.CLOSE_SECONDS, shield=True), contextlib.suppress(Exception):
            await self._websocket.close(code=code)
        if self._tcp is not None:
            # A transport with unsent bytes stays open after its close until the peer reads, and so does a `send` or
            # `receive` that waits for it to drain. This ends both.
            with contextlib.suppress(Exception):
                self._tcp.shutdown(socket.SHUT_RDWR)
            self._tcp = None


def _nobody() -> None:
    """Ignore a ping or pong."""


async def _refuse(response: ClientResponse) -> None:
    if response.status != 101:
        body = await head(response.content.iter_any())
        raise HandshakeRefused(response.status, body, timing(response.headers.items()))


async def _refuse_redirect(_: ClientSession, __: SimpleNamespace, redirect: TraceRequestRedirectParams) -> None:
    await _refuse(redirect.response)
