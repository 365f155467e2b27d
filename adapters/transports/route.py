"""The route of connections: through a proxy, or from an address of this machine; one that cannot work is refused."""

from __future__ import annotations

import ipaddress
import re
from importlib.util import find_spec
from ssl import SSLContext
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit

SOCKS = ("socks5", "socks5h")
"""Schemes of SOCKS: with `socks5h` the proxy resolves names, with `socks5` this machine, if the library allows it."""
PROXIES = ("http", "https", *SOCKS)
SOCKS_WORD = 255
"""The most bytes of a user's name or password, since RFC 1929 sends their length in one byte."""
_NAME = re.compile(r"[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*\.?")
NEEDED = {"aiohttp": ("aiohttp_socks",), "websockets": ("python_socks", "socksio")}
"""The modules that a transport needs for SOCKS."""


class Route(NamedTuple):
    """A route: `proxy` is a URL, `source_address` an IP address of this machine; None by default, hidden in `repr`."""

    proxy: str | None = None
    source_address: str | None = None
    ssl_context: SSLContext | None = None

    def __repr__(self) -> str:
        return "Route()" if self.proxy is None else "Route(proxy=***)"

    @property
    def socks(self) -> bool:
        """True if the proxy speaks SOCKS."""
        return self.proxy is not None and urlsplit(self.proxy).scheme in SOCKS

    def check(self, transport: str, session: Any) -> None:
        """Raise `ValueError` if this transport cannot take the route; the message has no credentials of the proxy."""
        if self.proxy is not None:
            check_proxy(self.proxy)
            parts = urlsplit(self.proxy)
            if transport == "websockets" and parts.username and parts.password is None:
                raise ValueError("proxy: this transport needs a password beside the user's name; it may be empty")
        if self.socks:
            if not all(map(_is_carried, (parts.username, parts.password))):
                raise ValueError(f"proxy: SOCKS carries a name and a password of at most {SOCKS_WORD} letters of ASCII")
            if any(find_spec(module) is None for module in NEEDED[transport]):
                raise ValueError("proxy: SOCKS is an extra: pip install 'listenkey[socks]'")
            if session is not None:
                raise ValueError("proxy: with an http_session, SOCKS is a matter of the session's own connector")
        if self.source_address is not None:
            try:
                ipaddress.ip_address(self.source_address)
            except ValueError:
                raise ValueError("source_address must be an IP address of this machine") from None
            if self.proxy is not None:
                raise ValueError("source_address and proxy exclude each other: the proxy has the address")
            if session is not None:
                raise ValueError("source_address: with an http_session it is a matter of the session's own connector")


DIRECT = Route()


def passwords(proxy: str | None) -> tuple[str, ...]:
    """Return the secrets of a proxy, which its own answers may repeat: the password, alone and with the user's name;
    without a password the user's name, which may be a token.
    """
    parts = urlsplit(proxy or "")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return (password, f"{user}:{password}") if password else (user,)


def check_proxy(proxy: str, name: str = "proxy") -> None:
    """Raise `ValueError`, with this name, if the text is no URL of a proxy; the message does not contain it."""
    is_plain = proxy.isascii() and proxy.isprintable() and " " not in proxy
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in PROXIES and _is_host(parts) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not is_plain or parts.path not in ("", "/") or parts.query or parts.fragment:
        schemes = ", ".join(f"{scheme}://" for scheme in PROXIES)
        raise ValueError(f"{name} must be a URL of a host and a port, beginning with one of {schemes}")


def _is_carried(word: str | None) -> bool:
    sent = unquote_to_bytes(word or "")
    return sent.isascii() and len(sent) <= SOCKS_WORD


def _is_host(parts: SplitResult) -> bool:
    """True if there is a host name or address. Raises `ValueError` for a wrong IPv6 address."""
    host = parts.hostname or ""
    return bool(ipaddress.IPv6Address(host)) if "[" in parts.netloc else _NAME.fullmatch(host) is not None
