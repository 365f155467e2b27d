"""Where BingX lives. REST and stream belong together: a demo key on the production stream connects and stays silent."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..family import Hosts

HOSTS = {
    "bingx-swap": Hosts("https://open-api.bingx.com", "wss://open-api-swap.bingx.com/swap-market"),
    "bingx-swap-vst": Hosts("https://open-api-vst.bingx.com", "wss://vst-open-api-ws.bingx.com/swap-market"),
}

FALLBACKS = {
    "open-api.bingx.pro": "open-api.bingx.com",
    "open-api.bingx.io": "open-api.bingx.com",
    "open-api-vst.bingx.pro": "open-api-vst.bingx.com",
}
"""Other names of the same environment."""


def host(rest_url: str) -> str:
    """The name of the host, without scheme and port; fallback names count as the first one."""
    name = (urlsplit(rest_url).hostname or "").rstrip(".")
    return FALLBACKS.get(name, name)


def hosts(venue: str, rest_url: str | None = None, ws_url: str | None = None) -> Hosts:
    """The venue's own pair, or the pair given. Raises `ValueError`, in one line, for half a pair or what is no URL."""
    if rest_url is None and ws_url is None:
        return HOSTS[venue]
    if rest_url is None or ws_url is None:
        raise ValueError("rest_url and ws_url must be given both or neither: a key only works in its own environment")
    _check("rest_url", rest_url, ("http", "https"))
    _check("ws_url", ws_url, ("ws", "wss"))
    return Hosts(rest_url.rstrip("/"), ws_url)


def _check(name: str, url: str, schemes: tuple[str, ...]) -> None:
    allowed = (
        f"{name} must be {' or '.join(scheme + '://' for scheme in schemes)} and a host, without query or password"
    )
    try:
        parts = urlsplit(url)
        fine = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError(allowed) from None
    plain = url.isascii() and url.isprintable() and not any(mark in url for mark in " ?#@")
    if not fine or not plain:
        raise ValueError(allowed)
