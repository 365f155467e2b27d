"""The two addresses that a user may give in place of a venue's own."""

from __future__ import annotations

from urllib.parse import urlsplit

from .family import Hosts


def host_name(rest_url: str) -> str:
    """The name of the host of an address, without scheme and port."""
    return (urlsplit(rest_url).hostname or "").rstrip(".")


def pair(rest_url: str | None, ws_url: str | None) -> Hosts | None:
    """The pair given, None if none was. Raises `ValueError`, in one line, for half a pair or no URL."""
    if rest_url is None and ws_url is None:
        return None
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
