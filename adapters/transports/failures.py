"""Failures below a transport, described without any part of the request.

The text of a library's exception is never passed on: aiohttp, httpx2 and websockets all write the URL, and with it the
listen key or the signature, into some of theirs. Only texts that cannot contain it are passed on: the class's name, and
the messages of the operating system, the resolver and TLS. Callers raise the result *after* their `except` block, so
that it has no `__context__` by which a reporter could reach the original exception.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator

from ...ports.errors import HandshakeRefused, TransportFailed

_NO_CONNECTION = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN})

_OF_PROXIES = frozenset({"ClientHttpProxyError", "ProxyError", "ProxyConnectionError", "ProxyTimeoutError"})
"""Exceptions of aiohttp, httpx2 and python-socks that mean: the proxy has opened no connection."""


def failed(error: Exception) -> TransportFailed | HandshakeRefused:
    """Return the error to raise instead of `error`; it contains nothing that could name the request."""
    if isinstance(error, HandshakeRefused):
        return HandshakeRefused(error.status, error.body, error.headers)
    if isinstance(error, TransportFailed):
        return TransportFailed(*error.args, reached=error.reached)
    if isinstance(error, TimeoutError) and error.errno is None:
        return TransportFailed("timed out")
    name = type(error).__name__
    words = next(filter(None, map(_words, _beneath(error))), None)
    reached = not any(map(_is_on_the_way, _beneath(error)))
    return TransportFailed(f"{name}: {words}" if words else name, reached=reached)


def _beneath(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and then its causes; for a group its first exception."""
    seen: set[int] = set()
    below: BaseException | None = error
    while below is not None and id(below) not in seen:
        seen.add(id(below))
        yield below
        below = below.exceptions[0] if isinstance(below, BaseExceptionGroup) else below.__cause__ or below.__context__


def _is_on_the_way(error: BaseException) -> bool:
    """True if the error shows that there was no connection for the request."""
    if isinstance(error, socket.gaierror | ssl.SSLCertVerificationError) or type(error).__name__ in _OF_PROXIES:
        return True
    return isinstance(error, OSError) and error.errno in _NO_CONNECTION


def _words(error: BaseException) -> str | None:
    # Attributes are looked for, not relied on: aiohttp's certificate error is an `SSLCertVerificationError` without
    # a `verify_message`, and an error while an error is translated would carry the original along.
    words: object = None
    if isinstance(error, ssl.SSLError):
        words = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    elif isinstance(error, socket.gaierror):
        words = error.strerror
    elif isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        words = os.strerror(error.errno)
    return words if isinstance(words, str) else None
