"""The request that the tests of HTTP share, and the servers that answer it."""

from __future__ import annotations

from listenkey.adapters.transports import Transport
from listenkey.ports.http import HttpResponse

from .peer import Handler, Peer, Wire


async def asked(transport: Transport, peer: Peer, target: str = "/", *, timeout: float = 5) -> HttpResponse:
    return await transport.http.request("GET", peer.url("http", target), headers={}, timeout=timeout)


def answering(status: str, body: bytes, *headers: str) -> Handler:
    """Return a handler that gives the same answer to each request."""

    def handler(wire: Wire) -> None:
        while True:
            wire.head()
            wire.answer(status, body, *headers)

    return handler


def chunked(wire: Wire, size: int, count: int, *headers: str) -> None:
    wire.head()
    wire.send("\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]).encode())
    for _ in range(count):
        wire.send(b"%x\r\n%b\r\n" % (size, b"x" * size))
    wire.send(b"0\r\n\r\n")
