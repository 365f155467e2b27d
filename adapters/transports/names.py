"""Transports by name; a library is imported only when its transport is asked for."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from ...ports.http import HttpClient
from ...ports.socket import SocketDialer


class Transport(NamedTuple):
    """What a venue needs to reach its servers."""

    http: HttpClient
    dialer: SocketDialer

    async def close(self) -> None:
        """Close both, but nothing that the user handed in. Never raises."""
        await self.dialer.close()
        await self.http.close()


def open_transport(
    name: str, *, http_session: Any = None, proxy: str | None = None, ssl_context: ssl.SSLContext | None = None
) -> Transport:
    """A transport, unconnected; no event loop need be running.

    `http_session` is an `aiohttp.ClientSession` for "aiohttp" and an `httpx2.AsyncClient` for "websockets"; it is
    never closed here, and its own proxy and TLS settings hold for what goes through it. `proxy` is a URL; without it
    no proxy is used, whatever the environment says. Raises `ValueError` for another name and `ImportError` when the
    transport's extra is not installed.
    """
    build = _TRANSPORTS.get(name)
    if build is None:
        raise ValueError(f"no transport {name!r}: allowed are {', '.join(map(repr, _TRANSPORTS))}")
    try:
        return build(http_session, proxy, ssl_context)
    except ImportError as error:
        missing = error.name or "a library"
    raise ImportError(f"transport {name!r} needs {missing}: pip install 'listenkey[{name}]'", name=missing)


def _aiohttp(session: Any, proxy: str | None, ssl_context: ssl.SSLContext | None) -> Transport:
    from .aiohttp_http import AiohttpHttp
    from .aiohttp_socket import AiohttpDialer

    return Transport(
        AiohttpHttp(session, proxy=proxy, ssl_context=ssl_context),
        AiohttpDialer(session, proxy=proxy, ssl_context=ssl_context),
    )


def _websockets(session: Any, proxy: str | None, ssl_context: ssl.SSLContext | None) -> Transport:
    from .httpx_http import HttpxHttp
    from .websockets_socket import WebsocketsDialer

    trusted = ssl_context or ssl.create_default_context()  # one, so that both halves trust alike
    return Transport(
        HttpxHttp(session, proxy=proxy, ssl_context=trusted),
        WebsocketsDialer(proxy=proxy, ssl_context=trusted),
    )


_TRANSPORTS: dict[str, Callable[[Any, str | None, ssl.SSLContext | None], Transport]] = {
    "aiohttp": _aiohttp,
    "websockets": _websockets,
}
