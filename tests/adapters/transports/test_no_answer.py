"""A request without a whole answer fails in time, and leaves no connection."""

from __future__ import annotations

import gc
import socket as sockets

import anyio
import pytest

from listenkey.adapters.transports import Transport, open_transport
from listenkey.ports.errors import TransportFailed

from ...certificates import Certificate
from .asking import answering, asked
from .conftest import Setting
from .dialling import PATIENCE
from .peer import Handler, Peer, Wire, script, sending

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


def trickle(wire: Wire) -> None:
    wire.head()
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not wire.stop.wait(0.05):
        wire.send(b"x")


SLOW: dict[str, Handler] = {
    "accepts only": Wire.hang,
    "no body": script(Wire.head, sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), Wire.hang),
    "a trickle": trickle,
}


@pytest.mark.parametrize("kind", SLOW)
async def test_the_timeout_is_for_the_whole(transport: Transport, kind: str) -> None:
    with Peer(SLOW[kind]) as peer:
        with anyio.fail_after(PATIENCE), pytest.raises(TransportFailed, match="timed out") as failure:
            await asked(transport, peer, timeout=0.25)
        assert failure.value.reached


@pytest.mark.parametrize("scheme", ["https", "wss"])
async def test_a_tls_handshake_that_is_given_up_leaves_no_connection(transport: Transport, scheme: str) -> None:
    """A TLS handshake that is given up ends its connection at once, not with the next garbage collection."""
    with Peer(Wire.until_gone) as peer:
        gc.disable()
        try:
            with pytest.raises(TransportFailed, match="timed out"):
                await (
                    transport.http.request("GET", peer.url(scheme), headers={}, timeout=0.25)
                    if scheme == "https"
                    else transport.dialer.dial(peer.url(scheme), timeout=0.25, max_bytes=1000)
                )
            assert await peer.ended()
        finally:
            gc.enable()


BROKEN: dict[str, Handler] = {
    "closed at once": lambda wire: None,
    "closed after the request": Wire.head,
    "RST after the request": script(Wire.head, Wire.reset),
    "not HTTP": script(Wire.head, sending(b"SSH-2.0-OpenSSH\r\n\r\n")),
    "half a body": script(Wire.head, sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")),
    "half a chunk": script(Wire.head, sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_whole_answer(transport: Transport, kind: str, method: str) -> None:
    with Peer(BROKEN[kind]) as peer, pytest.raises(TransportFailed) as failure:
        await transport.http.request(method, peer.url("http"), headers={}, timeout=5)
    assert failure.value.reached


async def test_nothing_listens(transport: Transport) -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportFailed, match="refused") as failure:
        await transport.http.request("GET", f"http://127.0.0.1:{port}/", headers={}, timeout=5)
    assert not failure.value.reached


async def test_a_name_that_does_not_resolve(transport: Transport) -> None:
    with pytest.raises(TransportFailed, match=r"(?i)name|timed out|address") as failure:
        await transport.http.request("GET", "http://nonexistent.invalid/", headers={}, timeout=5)
    assert failure.value.reached == ("timed out" in str(failure.value))


@pytest.mark.parametrize("url", ["http//no", "http://", "http://[::1/", "ftp://127.0.0.1/", "http://a/\u00e9", "/a"])
async def test_a_url_that_is_none(transport: Transport, url: str) -> None:
    with pytest.raises(TransportFailed) as failure:
        await transport.http.request("GET", f"{url}?signature=canary", headers={}, timeout=5)
    assert "canary" not in str(failure.value)


async def test_an_untrusted_certificate(transport: Transport, certificate: Certificate) -> None:
    with (
        Peer(answering("200 OK", b""), certificate.server) as peer,
        pytest.raises(TransportFailed, match=r"local issuer certificate") as failure,
    ):
        await asked(transport, peer)
    assert not failure.value.reached


async def test_tls_where_there_is_none(transport: Transport) -> None:
    with Peer(lambda wire: wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as peer, pytest.raises(TransportFailed):
        await transport.http.request("GET", f"https://127.0.0.1:{peer.port}/", headers={}, timeout=5)


async def test_tls_with_the_users_context(setting: Setting, certificate: Certificate) -> None:
    transport = open_transport(setting.name, ssl_context=certificate.trusting)
    with Peer(answering("200 OK", b"safe"), certificate.server) as peer:
        assert (await asked(transport, peer)).body == b"safe"
        await transport.close()
        assert await peer.ended()


async def test_a_cancelled_request_leaves_no_connection(transport: Transport) -> None:
    with Peer(Wire.until_gone) as peer:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asked, transport, peer)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        assert peer.connections == 1
        assert await peer.ended()


async def test_requests_run_together(transport: Transport) -> None:
    bodies: list[bytes] = []

    async def ask(peer: Peer) -> None:
        bodies.append((await asked(transport, peer)).body)

    with Peer(answering("200 OK", b"ok")) as peer:
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(ask, peer)
    assert bodies == [b"ok"] * 50
