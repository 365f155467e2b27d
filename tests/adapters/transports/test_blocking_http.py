"""The client for threads has the same answers and failures as the others, without an event loop."""

from __future__ import annotations

import gzip
import socket as sockets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from listenkey.adapters.transports import limits
from listenkey.adapters.transports.blocking_http import BlockingHttp
from listenkey.ports.errors import TransportFailed
from listenkey.ports.http import HttpResponse

from ...certificates import Certificate
from .asking import answering, chunked
from .peer import Peer, Wire
from .test_no_answer import BROKEN, SLOW

pytestmark = pytest.mark.loopback


@pytest.fixture
def client() -> Iterator[BlockingHttp]:
    client = BlockingHttp()
    yield client
    client.close()


def asked(client: BlockingHttp, peer: Peer, target: str = "/", timeout: float = 60) -> HttpResponse:
    return client.request("GET", peer.url("http", target), headers={}, timeout=timeout)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_what_is_sent(client: BlockingHttp, method: str) -> None:
    """Method, target and headers are sent unchanged, without a body."""
    target = "/openApi/a%2fb?symbol=BTC-USDT&json=%7B%22a%22%3A%5B1%5D%7D&odd=it's~!$()*,:;@&empty=&z=1+2%20&s=ab"
    heads: list[str] = []

    def handler(wire: Wire) -> None:
        heads.append(wire.head())
        wire.answer("200 OK", b"{}")

    with Peer(handler) as peer:
        answer = client.request(method, peer.url("http", target), headers={"X-BX-APIKEY": "k%2b"}, timeout=60)
    assert answer.body == b"{}"
    first, *lines = heads[0].split("\r\n")
    assert first == f"{method} {target} HTTP/1.1"
    sent = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert (sent["x-bx-apikey"], sent["accept-encoding"]) == ("k%2b", "gzip")
    assert sent.get("content-length", "0") == "0"


@pytest.mark.parametrize("status", ["200 OK", "302 Elsewhere", "400 Bad Request", "429 Slow Down", "503 Busy"])
def test_every_status_is_an_answer(client: BlockingHttp, status: str) -> None:
    """Each status is an answer, a redirect too, with headers by lower-case names."""
    with Peer(answering(status, b"\xff", "Retry-After: 7", "X-A: 1", "x-a: 2", "Location: /other")) as peer:
        answer = asked(client, peer)
        assert peer.connections == 1
    assert (answer.status, answer.body) == (int(status[:3]), b"\xff")
    assert (answer.headers["retry-after"], answer.headers["x-a"]) == ("7", "1, 2")


def test_gzip_and_chunks(client: BlockingHttp) -> None:
    """A gzip body is inflated, and a chunked body is joined."""
    body = b'{"code":0}' * 1000
    with Peer(answering("200 OK", gzip.compress(body), "Content-Encoding: gzip")) as peer:
        assert asked(client, peer).body == body
    with Peer(lambda wire: chunked(wire, 1000, 3)) as peer:
        assert asked(client, peer).body == b"x" * 3000


def test_an_answer_has_a_bound(client: BlockingHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is too large, as sent or inflated, raises an error."""
    monkeypatch.setattr(limits, "ANSWER_BYTES", 100_000)
    for body, headers in ((bytes(200_000), ()), (gzip.compress(bytes(200_000)), ("Content-Encoding: gzip",))):
        with Peer(answering("200 OK", body, *headers)) as peer, pytest.raises(TransportFailed, match="larger than"):
            asked(client, peer)


@pytest.mark.parametrize("kind", SLOW)
def test_the_timeout_is_for_the_whole(client: BlockingHttp, kind: str) -> None:
    """The timeout is for the whole answer, even if single bytes keep coming."""
    with Peer(SLOW[kind]) as peer, pytest.raises(TransportFailed, match="timed out") as failure:
        asked(client, peer, timeout=0.25)
    assert failure.value.reached


@pytest.mark.parametrize("kind", BROKEN)
def test_no_whole_answer(client: BlockingHttp, kind: str) -> None:
    """Without a whole answer the request fails, marked as perhaps carried out."""
    with Peer(BROKEN[kind]) as peer, pytest.raises(TransportFailed) as failure:
        asked(client, peer)
    assert failure.value.reached


def test_what_cannot_be_reached(client: BlockingHttp, certificate: Certificate) -> None:
    """A request to a closed port, an unknown name or an untrusted server, or of a closed client, is not carried out."""
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Peer(Wire.hang, certificate.server) as peer:
        for url in (f"http://127.0.0.1:{port}/", "http://nonexistent.invalid/", peer.url("http")):
            with pytest.raises(TransportFailed) as failure:
                client.request("GET", url, headers={}, timeout=60)
            assert not failure.value.reached
    client.close()
    with pytest.raises(TransportFailed, match="closed") as failure:
        client.request("GET", f"http://127.0.0.1:{port}/", headers={}, timeout=60)
    assert not failure.value.reached


def several(wire: Wire) -> None:
    """Answer requests on one connection until it ends."""
    while wire.head():
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_connections_are_kept(client: BlockingHttp) -> None:
    """A connection is used for the next request, unless the peer has closed it."""
    with Peer(several) as peer:
        assert [asked(client, peer).body for _ in range(3)] == [b"{}"] * 3
        assert peer.connections == 1
    ended = threading.Event()

    def once(wire: Wire) -> None:
        wire.head()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        wire.sock.shutdown(sockets.SHUT_WR)
        ended.set()

    with Peer(once) as peer:
        asked(client, peer)
        assert ended.wait(60)
        assert asked(client, peer).body == b"{}"
        assert peer.connections == 2


def test_from_many_threads(client: BlockingHttp) -> None:
    """Requests from several threads each get their own answer, over at most as many connections."""

    def handler(wire: Wire) -> None:
        while head := wire.head():
            body = head.split()[1].encode()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with Peer(handler) as peer, ThreadPoolExecutor(8) as threads:
        targets = [f"/{number:03}" for number in range(64)]
        answers = threads.map(lambda target: asked(client, peer, target).body.decode(), targets)
        assert list(answers) == targets
        assert peer.connections <= 8
