"""Transports by name; a library is imported only when its transport is asked for."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from ...ports.errors import ListenKeyError
from ...ports.http import HttpClient
from ...ports.socket import SocketDialer
from .environment import Proxies
from .route import Route


class Transport(NamedTuple):
    """The clients that a venue needs to reach its servers."""

    http: HttpClient
    dialer: SocketDialer
    name: str = ""
    asyncio_alone: bool = False

    def check(self) -> None:
        """Raise `ListenKeyError` in an event loop on which this transport does not run."""
        if not self.asyncio_alone:
            return
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ListenKeyError(
                f'the transport "{self.name}" runs on asyncio alone: transport="websockets" runs on trio as well'
            ) from None

    async def close(self) -> None:
        """Close both clients, but no session of the user. Never raises."""
        await self.dialer.close()
        await self.http.close()


def open_transport(
    name: str,
    *,
    http_session: Any = None,
    proxy: str | Proxies | None = None,
    source_address: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> Transport:
    """Return a transport, unconnected; no event loop need run.

    `http_session` is an `aiohttp.ClientSession` for "aiohttp" and an `httpx2.AsyncClient` for "websockets"; it is
    never closed here, and its own proxy and TLS settings hold for its requests. `proxy` is a URL, or one for requests
    and one for sockets; without it no proxy is used, even if the environment names one. `source_address` is an IP
    address of this machine from which connections are made. Raises `ValueError` for an unknown name or a combination
    that cannot work, and `ImportError` if the transport's extra is not installed.
    """
    build = _TRANSPORTS.get(name)
    if build is None:
        raise ValueError(f"no transport {name!r}: allowed are {', '.join(map(repr, _TRANSPORTS))}")
    ways = proxy if isinstance(proxy, Proxies) else Proxies(proxy, proxy)
    requests, sockets = (Route(way, source_address, ssl_context) for way in ways)
    for route in (requests, sockets):
        route.check(name, http_session)
    try:
        return build(http_session, requests, sockets)
    except ImportError as error:
        missing = error.name or "a library"
    raise ImportError(f"transport {name!r} needs {missing}: pip install 'listenkey[{name}]'", name=missing)


def _aiohttp(session: Any, requests: Route, sockets: Route) -> Transport:
    from .aiohttp_http import AiohttpHttp
    from .aiohttp_socket import AiohttpDialer

    return Transport(
        AiohttpHttp(session, requests),
        AiohttpDialer(session, sockets),
        name="aiohttp",
        asyncio_alone=True,
    )


def _websockets(session: Any, requests: Route, sockets: Route) -> Transport:
    from .httpx_http import HttpxHttp
    from .websockets_socket import WebsocketsDialer

    trusting = requests.ssl_context or ssl.create_default_context()  # one for both clients
    requests, sockets = (route._replace(ssl_context=trusting) for route in (requests, sockets))
    return Transport(HttpxHttp(session, requests), WebsocketsDialer(sockets), name="websockets")


_TRANSPORTS: dict[str, Callable[[Any, Route, Route], Transport]] = {
    "aiohttp": _aiohttp,
    "websockets": _websockets,
}
