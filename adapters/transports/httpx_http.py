"""`ports.http.HttpClient` over an `httpx2.AsyncClient`, the user's or our own; on asyncio and trio."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import httpx2

from ...ports.errors import TransportFailed
from ...ports.http import HttpResponse
from .answers import lowered, whole, with_encodings
from .failures import failed
from .limits import KEPT_SECONDS
from .quiet import quiet
from .route import DIRECT, Route


class HttpxHttp:
    """An HTTP client with one pool. A user's client keeps its headers, cookies, proxy and TLS, and is not closed."""

    def __init__(self, client: httpx2.AsyncClient | None = None, route: Route = DIRECT) -> None:
        self._ours = client is None
        self._closed = False
        self._client = client or httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(
                verify=route.ssl_context or ssl.create_default_context(),
                proxy=route.proxy,
                local_address=route.source_address,
                trust_env=False,
                limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEPT_SECONDS),
            ),
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return the answer, with any status. Raises `TransportFailed`."""
        try:
            with quiet(), anyio.fail_after(timeout):
                return await self._exchange(method, url, headers)
        except Exception as error:
            failure = failed(error)
        raise failure

    async def close(self) -> None:
        """Close the client, unless it is the user's."""
        self._closed = True
        if self._ours:
            with quiet(), anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._client.aclose()

    async def _exchange(self, method: str, url: str, headers: Mapping[str, str]) -> HttpResponse:
        if self._closed:
            raise TransportFailed("the client is closed")
        request = self._client.build_request(
            method,
            url,
            headers=with_encodings(headers),
            timeout=None,  # one cancel scope limits the whole exchange
            extensions={
                "target": _target(url),  # what is sent: httpx2.URL would quote anew and merge parameters
                "trace": _Opening(),
            },
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        parts = response.aiter_raw()
        try:
            body = await whole(parts, response.headers.get("Content-Encoding", ""))
        except TransportFailed:
            await response.aclose()
            with contextlib.suppress(Exception):
                async for _ in parts:  # fails once what was received is used up; trio warns of what is abandoned
                    pass
            raise
        finally:
            await response.aclose()
        return HttpResponse(response.status_code, lowered(response.headers.multi_items()), body)


class _Opening:
    """Closes a connection whose TLS or SOCKS handshake fails, which httpcore2 leaves to the garbage collector."""

    _stream: Any = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            self._stream = info["return_value"]
        elif event.endswith(("start_tls.failed", "setup_socks5_connection.failed")) and self._stream is not None:
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._stream.aclose()


def _target(url: str) -> bytes:
    """The path and query of an encoded URL, byte for byte."""
    _, scheme, rest = url.partition("://")
    if not scheme:
        raise TransportFailed("the URL is not absolute")
    start = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    target = rest[start:].partition("#")[0]
    return (target if target.startswith("/") else f"/{target}").encode("ascii")
