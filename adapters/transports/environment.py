"""The proxies that the environment names, for each URL its own, as Python's standard library takes them.

Only variables count, on every system: where none is set there is no proxy, whatever the system's settings are.
"""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from .route import check_proxy

ENVIRONMENT = "env"
"""Given as a proxy, it is not a URL: the environment is asked."""
_PORTS = {"https": 443, "http": 80}


class Proxies(NamedTuple):
    """Two URLs, or None where there is no proxy; not shown."""

    rest: str | None = None
    socket: str | None = None

    def __repr__(self) -> str:
        return "Proxies(***)"


def proxies(proxy: str | None, rest_url: str, ws_url: str) -> Proxies:
    """The proxy given, for both; those of the environment for "env". Raises `ValueError` for what is none there."""
    if proxy != ENVIRONMENT:
        return Proxies(proxy, proxy)
    return Proxies(_proxy_of(rest_url), _proxy_of(ws_url))


def _proxy_of(url: str) -> str | None:
    """A value without a scheme is the host of a proxy of HTTP."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    scheme = "https" if parts.scheme in ("https", "wss") else "http"
    named = getproxies_environment()
    variable = next((each for each in (scheme, "all") if each in named), None)
    if variable is None or any(map(proxy_bypass, (host, f"{host}:{parts.port or _PORTS[scheme]}"))):
        return None
    proxy = named[variable] if "://" in named[variable] else f"http://{named[variable]}"
    check_proxy(proxy, f"proxy: {_name(variable)} of the environment")
    return proxy


def _name(variable: str) -> str:
    """Small letters go first."""
    small = f"{variable}_proxy"
    return small if os.environ.get(small) else small.upper()
