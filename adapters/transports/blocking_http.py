"""`ports.http.BlockingHttpClient` over the standard library, for programs without an event loop."""

from __future__ import annotations

import http.client
import selectors
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

from ...ports.errors import TransportFailed
from ...ports.http import HttpResponse
from .answers import bounded, decoded, lowered, with_encodings
from .failures import failed

_PART = 65_536


class BlockingHttp:
    """An HTTP client with one pool for any number of threads, without proxy and cookies; it follows no redirects."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._context = ssl_context or ssl.create_default_context()
        self._lock = threading.Lock()
        self._idle: dict[str, list[http.client.HTTPConnection]] = defaultdict(list)
        self._closed = False

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return the answer, with any status. Raises `TransportFailed`."""
        try:
            return self._exchange(method, urlsplit(url), headers, timeout)
        except http.client.HTTPException as error:
            failure: Exception = TransportFailed(f"{type(error).__name__}: no whole answer came")
        except Exception as error:
            failure = failed(error)
        raise failure

    def close(self) -> None:
        """Close the connections; those in use are closed after their request."""
        with self._lock:
            self._closed = True
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _exchange(self, method: str, url: SplitResult, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        if self._closed:
            raise TransportFailed("the client is closed", reached=False)
        origin = f"{url.scheme}://{url.netloc}"
        connection, keep = self._kept(origin) or self._opened(url, timeout), False
        try:
            with _within(timeout, connection.sock):
                connection.request(method, _target(url), headers=with_encodings(headers))
                answer = connection.getresponse()
                body = bytearray()
                while part := answer.read1(_PART):
                    body += part
                    bounded(body)
                if answer.length:
                    raise http.client.IncompleteRead(b"", answer.length)
                answer.close()
            keep = not answer.will_close
        finally:
            self._release(origin, connection, keep)
        encoding = answer.getheader("Content-Encoding", "")
        return HttpResponse(answer.status, lowered(answer.getheaders()), decoded(bytes(body), encoding))

    def _kept(self, origin: str) -> http.client.HTTPConnection | None:
        """Return a kept connection that the server has not closed, and on which nothing has come since its last use."""
        while True:
            with self._lock:
                if not self._idle[origin]:
                    return None
                connection = self._idle[origin].pop()
            with selectors.DefaultSelector() as readable:
                readable.register(connection.sock, selectors.EVENT_READ)
                if not readable.select(0):
                    return connection
            connection.close()

    def _opened(self, url: SplitResult, timeout: float) -> http.client.HTTPConnection:
        if url.scheme == "https":
            secure = http.client.HTTPSConnection(url.netloc, timeout=timeout, context=self._context)
            connection: http.client.HTTPConnection = secure
        else:
            connection = http.client.HTTPConnection(url.netloc, timeout=timeout)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def _release(self, origin: str, connection: http.client.HTTPConnection, keep: bool) -> None:
        with self._lock:
            if keep and not self._closed:
                self._idle[origin].append(connection)
                return
        connection.close()


@contextmanager
def _within(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Raise `TimeoutError` if the body of the `with` takes longer than `seconds`, even if bytes keep coming."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def _target(url: SplitResult) -> str:
    return f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
