"""`ports.http.HttpClient` over an `aiohttp.ClientSession`, the user's or our own; asyncio only."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from ssl import SSLContext

import anyio
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from ...ports.errors import TransportFailed
from ...ports.http import HttpResponse
from .aiohttp_connector import connector
from .answers import lowered, whole, with_encodings
from .failures import failed
from .route import DIRECT, Route

UNTIMED = ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""No timeouts of aiohttp: one cancel scope limits the whole exchange, alike in all transports."""


class AiohttpHttp:
    """An HTTP client with one pool. A user's session keeps its headers, cookies and resolver, and is not closed."""

    def __init__(self, session: ClientSession | None = None, route: Route = DIRECT) -> None:
        self._given = session
        self._own: ClientSession | None = None
        self._route = route
        self._proxy = None if route.socks else route.proxy
        self._ssl: SSLContext | bool = True if route.ssl_context is None else route.ssl_context
        self._closed = False

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return the answer, with any status. Raises `TransportFailed`."""
        try:
            with anyio.fail_after(timeout):
                return await self._exchange(method, url, headers)
        except Exception as error:
            failure = failed(error)
        raise failure

    async def close(self) -> None:
        """Close the session, unless it is the user's."""
        self._closed = True
        if self._own is not None:
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._own.close()

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str]) -> HttpResponse:
        asking = self._session().request(
            method,
            URL(url, encoded=True),
            headers=with_encodings(headers),
            allow_redirects=False,
            raise_for_status=False,
            auto_decompress=False,
            proxy=self._proxy,
            ssl=self._ssl,
            timeout=UNTIMED,
        )
        async with asking as response:
            body = await whole(response.content.iter_any(), response.headers.get("Content-Encoding", ""))
            return HttpResponse(response.status, lowered(response.headers.items()), body)

    def _session(self) -> ClientSession:
        """Return the session, made at first use, since that needs a running event loop."""
        if self._closed:
            raise TransportFailed("the client is closed")
        if self._given is not None:
            return self._given
        if self._own is None:
            self._own = ClientSession(connector=connector(self._route), cookie_jar=DummyCookieJar())
        return self._own
