"""The connector of an aiohttp session of our own: direct, from an address of this machine, or through SOCKS."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import TCPConnector

from .limits import KEPT_SECONDS
from .route import Route

SOCKS_PORT = 1080


def connector(route: Route, *, force_close: bool = False) -> TCPConnector:
    """Return the connector for a route; needs a running event loop. HTTP proxies are set at the session instead."""
    kept: dict[str, Any] = {"force_close": True} if force_close else {"keepalive_timeout": KEPT_SECONDS}
    if route.proxy is not None and route.socks:
        from aiohttp_socks import ProxyConnector, ProxyType

        parts = urlsplit(route.proxy)
        return ProxyConnector(
            proxy_type=ProxyType.SOCKS5,
            host=parts.hostname or "",
            port=parts.port or SOCKS_PORT,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            rdns=parts.scheme == "socks5h",
            **kept,
        )
    local = None if route.source_address is None else (route.source_address, 0)
    return TCPConnector(local_addr=local, **kept)
