"""The hosts of BingX. REST and stream belong together: a demo key opens a production stream, which stays silent."""

from __future__ import annotations

from ..family import Hosts
from ..urls import host_name, pair

HOSTS = {
    "bingx-swap": Hosts("https://open-api.bingx.com", "wss://open-api-swap.bingx.com/swap-market"),
    "bingx-swap-vst": Hosts("https://open-api-vst.bingx.com", "wss://vst-open-api-ws.bingx.com/swap-market"),
}

FALLBACKS = {
    "open-api.bingx.pro": "open-api.bingx.com",
    "open-api.bingx.io": "open-api.bingx.com",
    "open-api-vst.bingx.pro": "open-api-vst.bingx.com",
}
"""Other host names of an environment, each with its first name."""


def host(rest_url: str) -> str:
    """The name of the host, without scheme and port; a fallback name is replaced by the first one."""
    name = host_name(rest_url)
    return FALLBACKS.get(name, name)


def hosts(venue: str, rest_url: str | None = None, ws_url: str | None = None) -> Hosts:
    """The pair given, else the venue's own. Raises `ValueError`, in one line, for half a pair or no URL."""
    return pair(rest_url, ws_url) or HOSTS[venue]
