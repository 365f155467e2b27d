"""The proxies in the environment, chosen for each URL as in Python's standard library.

Only variables count, on every system: if none is set there is no proxy, even if the system's settings have one.
"""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from .route import check_proxy

ENVIRONMENT = "env"
"""The value of `proxy` with which the environment is asked."""
_PORTS = {"https": 443, "http": 80}


class Proxies(NamedTuple):
    """The proxy's URL for requests and the one for sockets, None without a proxy; `repr` does not show them."""

    rest: str | None = None
    socket: str | None = None

    def __repr__(self) -> str:
        return "Proxies(***)"


def proxies(proxy: str | None, rest_url: str, ws_url: str) -> Proxies:
    """Return the given proxy for both, or those of the environment for "env". Raises `ValueError` for a wrong one."""
    if proxy != ENVIRONMENT:
        return Proxies(proxy, proxy)
    return Proxies(_proxy_of(rest_url), _proxy_of(ws_url))


def _proxy_of(url: str) -> str | None:
    """The proxy for a URL, None if there is none; a value without a scheme is the host of an HTTP proxy."""
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
    """The name of the variable that is set; lower case goes before upper case."""
    small = f"{variable}_proxy"
    return small if os.environ.get(small) else small.upper()
