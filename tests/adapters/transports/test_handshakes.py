"""A dial ends in time with an open socket, the server's refusal, or a failure without the URL."""

from __future__ import annotations

import socket as sockets

import anyio
import anyio.to_thread
import pytest

from listenkey.adapters.transports import Transport, open_transport
from listenkey.ports.errors import HandshakeRefused, TransportFailed

from ...certificates import Certificate
from .conftest import Setting
from .dialling import LIMIT, PATIENCE, dialled, echo, then
from .peer import Handler, Peer, Wire, script, sending, switching

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


async def test_the_target_is_sent_verbatim_and_no_extension_is_offered(transport: Transport) -> None:
    target = "/swap%2Dmarket/a%2fb?listenKey=a%2Bb%2fc%20d&json=%7B%22a%22%3A1%7D&odd=it's~!$()*,:;@&empty=&z=1+2"
    heads: list[str] = []
    with Peer(script(lambda wire: heads.append(wire.upgrade()), Wire.farewell)) as peer:
        socket = await dialled(transport, peer, target=target)
        await socket.close()
    assert heads[0].split("\r\n")[0] == f"GET {target} HTTP/1.1"
    assert "sec-websocket-extensions" not in heads[0].lower()


REFUSALS = [
    ("404 Not Found", b'{"code":100404,"msg":"no such key"}', "application/json"),
    ("503 Service Unavailable", b"<html>busy</html>", "text/html"),
    ("200 OK", b"<html>hello</html>", "text/html"),
    ("429 Too Many Requests", b"x" * 10_000, "text/plain"),
    ("204 No Content", b"", "text/plain"),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS, ids=[status for status, _, _ in REFUSALS])
async def test_a_refused_handshake_gives_status_and_body(
    transport: Transport, status: str, body: bytes, kind: str
) -> None:
    def handler(wire: Wire) -> None:
        wire.head()
        wire.answer(status, body, f"Content-Type: {kind}")
        wire.until_gone()

    with Peer(handler) as peer:
        with pytest.raises(HandshakeRefused) as refused:
            await dialled(transport, peer)
        assert (refused.value.status, refused.value.body) == (int(status[:3]), body[:4096])


async def test_a_refused_handshake_says_when_to_come_back(transport: Transport) -> None:
    """A refused handshake keeps the headers Retry-After and Date, and no others."""

    def handler(wire: Wire) -> None:
        wire.head()
        when = ("Retry-After: Thu, 01 Jan 1970 00:02:00 GMT", "Date: Thu, 01 Jan 1970 00:01:00 GMT")
        wire.answer("503 Service Unavailable", b"", *when, "Set-Cookie: a=b", "Location: /other")
        wire.until_gone()

    with Peer(handler) as peer:
        with pytest.raises(HandshakeRefused) as refused:
            await dialled(transport, peer)
        assert refused.value.headers == {
            "retry-after": "Thu, 01 Jan 1970 00:02:00 GMT",
            "date": "Thu, 01 Jan 1970 00:01:00 GMT",
        }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_not_followed(transport: Transport, status: int) -> None:
    """A redirect is refused, because following it would send the listen key to another server."""

    def handler(wire: Wire) -> None:
        wire.head()
        wire.answer(f"{status} Elsewhere", b"moved", f"Location: {peer.url('ws', '/other')}")
        wire.until_gone()

    with Peer(handler) as peer:
        with pytest.raises(HandshakeRefused) as refused:
            await dialled(transport, peer)
        assert (refused.value.status, refused.value.body) == (status, b"moved")
        assert await peer.ended()
        assert peer.connections == 1


def wrong_accept(wire: Wire) -> None:
    wire.head()
    wire.send(switching("Sec-WebSocket-Key: wrong"))
    wire.until_gone()


def no_upgrade(wire: Wire) -> None:
    wire.head()
    wire.answer("101 Switching Protocols")
    wire.until_gone()


BROKEN: dict[str, Handler] = {
    "closed at once": lambda wire: None,
    "closed after the request": Wire.head,
    "RST after the request": script(Wire.head, Wire.reset),
    "not HTTP": script(Wire.head, sending(b"SSH-2.0-OpenSSH\r\n\r\n"), Wire.until_gone),
    "wrong accept": wrong_accept,
    "101 without upgrade": no_upgrade,
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_handshake_fails(transport: Transport, kind: str) -> None:
    with Peer(BROKEN[kind]) as peer:
        with pytest.raises(TransportFailed) as failure:
            await dialled(transport, peer)
        assert failure.value.reached
        assert await peer.ended()


@pytest.mark.parametrize("slow", [Wire.hang, script(Wire.head, sending(b"HTTP/1.1 101"), Wire.hang)])
async def test_a_slow_handshake_times_out(transport: Transport, slow: Handler) -> None:
    with Peer(slow) as peer, anyio.fail_after(PATIENCE), pytest.raises(TransportFailed, match="timed out"):
        await transport.dialer.dial(peer.url("ws"), timeout=0.2, max_bytes=LIMIT)


async def test_nothing_listens(transport: Transport) -> None:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportFailed, match="refused") as failure:
        await transport.dialer.dial(f"ws://127.0.0.1:{port}/", timeout=5, max_bytes=LIMIT)
    assert not failure.value.reached


async def test_a_name_that_does_not_resolve(transport: Transport) -> None:
    with pytest.raises(TransportFailed, match=r"(?i)name|timed out|address") as failure:
        await transport.dialer.dial("ws://nonexistent.invalid/", timeout=5, max_bytes=LIMIT)
    assert failure.value.reached == ("timed out" in str(failure.value))


@pytest.mark.parametrize("url", ["http//no", "ws://", "ws://[::1/", "ftp://127.0.0.1/", "ws://127.0.0.1:99999/"])
async def test_a_url_that_is_none(transport: Transport, url: str) -> None:
    with pytest.raises(TransportFailed) as failure:
        await transport.dialer.dial(f"{url}?listenKey=canary", timeout=5, max_bytes=LIMIT)
    assert "canary" not in str(failure.value)


async def test_an_untrusted_certificate(transport: Transport, certificate: Certificate) -> None:
    with Peer(then(Wire.hang), certificate.server) as peer:
        with pytest.raises(TransportFailed, match=r"local issuer certificate") as failure:
            await dialled(transport, peer)
        assert not failure.value.reached
        assert await peer.ended()


async def test_tls_with_the_users_context(setting: Setting, certificate: Certificate) -> None:
    transport = open_transport(setting.name, ssl_context=certificate.trusting)
    with Peer(echo, certificate.server) as peer:
        socket = await dialled(transport, peer)
        await socket.send("hello")
        assert await socket.receive() == "hello"
        await socket.close()
        assert await peer.ended()
    await transport.close()


async def test_a_cancelled_dial_leaves_no_connection(transport: Transport) -> None:
    with Peer(Wire.until_gone) as peer:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dialled, transport, peer)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
        assert peer.connections == 1
        assert await peer.ended()


async def test_a_dial_after_close_fails(setting: Setting) -> None:
    transport = open_transport(setting.name)
    await transport.close()
    await transport.close()
    with pytest.raises(TransportFailed, match="closed"):
        await transport.dialer.dial("ws://127.0.0.1:1/", timeout=1, max_bytes=LIMIT)
    with pytest.raises(TransportFailed, match="closed"):
        await transport.http.request("GET", "http://127.0.0.1:1/", headers={}, timeout=1)


async def test_the_users_session_dials_and_is_not_closed(setting: Setting) -> None:
    """A user's session is used for dials with its headers and is not closed; redirects are still refused."""
    if setting.name != "aiohttp":
        pytest.skip("websockets dials without an HTTP session")
    import aiohttp

    heads: list[str] = []

    def handler(wire: Wire) -> None:
        if not heads:
            heads.append(wire.upgrade())
            wire.farewell()
        else:
            wire.head()
            wire.answer("302 Elsewhere", b"moved", f"Location: {peer.url('ws')}")

    with Peer(handler) as peer:
        async with aiohttp.ClientSession(headers={"X-Desk": "seven"}, raise_for_status=True) as session:
            transport = open_transport("aiohttp", http_session=session)
            socket = await dialled(transport, peer)
            await socket.close()
            with pytest.raises(HandshakeRefused) as refused:
                await dialled(transport, peer)
            assert (refused.value.status, refused.value.body) == (302, b"moved")
            await transport.close()
            assert not session.closed
        late = open_transport("aiohttp", http_session=session)
        with pytest.raises(TransportFailed, match="closed"):
            await dialled(late, peer)
    assert "seven" in heads[0]
