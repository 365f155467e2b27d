"""The hosts of Binance's USDⓈ-M futures. REST and stream belong together: a key of the other environment opens a
socket that stays silent.
"""

from __future__ import annotations

from ..family import Hosts
from ..urls import host_name, pair

HOSTS = {
    "binance-usdm": Hosts("https://fapi.binance.com", "wss://fstream.binance.com/private/ws"),
    "binance-usdm-testnet": Hosts("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com/private/ws"),
}
"""The two addresses by venue. A stream without `/private` opens and pings, but has no events since 2026-04."""
FALLBACKS = {"testnet.binancefuture.com": "demo-fapi.binance.com"}
"""Other host names of an environment, each with its first name."""


def host(rest_url: str) -> str:
    """The name of the host, without scheme and port; a fallback name is replaced by the first one."""
    name = host_name(rest_url)
    return FALLBACKS.get(name, name)


def hosts(venue: str, rest_url: str | None = None, ws_url: str | None = None) -> Hosts:
    """The pair given, else the venue's own. Raises `ValueError`, in one line, for half a pair or no URL."""
    return pair(rest_url, ws_url) or HOSTS[venue]
