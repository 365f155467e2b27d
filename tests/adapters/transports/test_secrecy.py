"""No key, secret or signature is in an error, its chain, its traceback or a log, however a call ends."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest

from listenkey.adapters.transports import Transport, open_transport
from listenkey.adapters.transports.failures import failed
from listenkey.ports.errors import ListenKeyError, SocketEnded

from ...certificates import Certificate
from .conftest import Setting
from .peer import TEXT, Handler, Peer, Wire, frame, script, sending

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]

CANARY = "c4n4ry"
TARGET = f"/path?listenKey={CANARY}&signature={CANARY}"
HEADERS = {"X-BX-APIKEY": CANARY}


def echoing(status: str) -> Handler:
    """Return a handler whose answer repeats the request's URL, as a redirect to a login page does."""

    def handler(wire: Wire) -> None:
        wire.head()
        wire.answer(f"{status} {CANARY}", b"", f"Location: {TARGET}", f"X-Echo: {CANARY}")
        wire.until_gone()

    return handler


def garbled(wire: Wire) -> None:
    wire.head()
    wire.send(f"HTTP/9 {TARGET}\r\n\r\n".encode())


PEERS: dict[str, Handler] = {
    "200": echoing("200"),
    "302": echoing("302"),
    "404": echoing("404"),
    "garbled": garbled,
    "reset": script(Wire.head, Wire.reset),
    "hanging": Wire.hang,
    "frames": script(Wire.upgrade, sending(frame(TEXT, b"x") + b"\xff\xff")),
    "socket": script(Wire.upgrade, sending(frame(TEXT, b"x")), Wire.farewell),
}


async def outcome(call: Callable[[], Awaitable[object]]) -> str:
    """Make a call; return all text of its error: tracebacks, `repr` and attributes."""
    caught: ListenKeyError | None = None
    try:
        await call()
    except ListenKeyError as error:
        caught = error
    if caught is None:
        return ""
    assert (caught.__cause__, caught.__context__) == (None, None)
    return "".join(traceback.format_exception(caught)) + repr(caught) + repr(vars(caught))


async def use(transport: Transport, url: str) -> None:
    socket = await transport.dialer.dial(url, timeout=0.3, max_bytes=1000)
    try:
        await socket.send("hello")
        while True:
            await socket.receive()
            await socket.close()
    except SocketEnded:
        await socket.close()


def shown(records: list[logging.LogRecord]) -> str:
    """Return all that a handler could print of these records."""
    return "".join(logging.Formatter("%(name)s %(message)s").format(record) + repr(record.args) for record in records)


@pytest.mark.parametrize("kind", PEERS)
async def test_nothing_leaks(transport: Transport, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Peer(PEERS[kind]) as peer:
        http, ws = peer.url("http", TARGET), peer.url("ws", TARGET)
        said = await outcome(lambda: transport.http.request("GET", http, headers=HEADERS, timeout=0.3))
        said += await outcome(lambda: use(transport, ws))
    await transport.close()
    gc.collect()
    assert CANARY not in said
    assert CANARY not in shown(caplog.records)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("where", ["127.0.0.1:1", "nonexistent.invalid", "[::1", "", "user:c4n4ry@127.0.0.1:1"])
async def test_no_connection_leaks_nothing(
    transport: Transport, scheme: str, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rest, socket = f"{scheme}://{where}{TARGET}", f"{scheme.replace('http', 'ws')}://{where}{TARGET}"
    said = await outcome(lambda: transport.http.request("POST", rest, headers=HEADERS, timeout=3))
    said += await outcome(lambda: use(transport, socket))
    assert said
    assert CANARY not in said
    assert CANARY not in shown(caplog.records)


async def test_bad_tls_leaks_nothing(
    transport: Transport, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Peer(Wire.hang, certificate.server) as peer:
        http, ws = peer.url("http", TARGET), peer.url("ws", TARGET)
        said = await outcome(lambda: transport.http.request("GET", http, headers=HEADERS, timeout=3))
        said += await outcome(lambda: use(transport, ws))
    assert "local issuer certificate" in said
    assert CANARY not in said
    assert CANARY not in shown(caplog.records)


async def test_a_refusing_proxy_leaks_nothing(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """If a proxy refuses, neither the request nor the proxy's credentials are shown."""
    caplog.set_level(logging.DEBUG)

    def handler(wire: Wire) -> None:
        wire.head()
        wire.answer("407 Proxy Authentication Required")

    with Peer(handler) as proxy:
        url = f"http://user:{CANARY}@127.0.0.1:{proxy.port}"
        transport = open_transport(setting.name, proxy=url)
        https, wss = f"https://127.0.0.1:1{TARGET}", f"wss://127.0.0.1:1{TARGET}"
        said = await outcome(lambda: transport.http.request("GET", https, headers=HEADERS, timeout=3))
        said += await outcome(lambda: use(transport, wss))
        await transport.close()
    assert "TransportFailed" in said
    assert "HandshakeRefused" not in said
    assert CANARY not in said
    assert CANARY not in shown(caplog.records)


async def test_the_users_own_requests_are_still_logged(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """Requests of the library are not logged, even through the user's client, and the user's own still are."""
    if setting.name != "websockets":
        pytest.skip("aiohttp logs no requests")
    import httpx2

    caplog.set_level(logging.DEBUG)

    def handler(wire: Wire) -> None:
        while True:
            wire.head()
            wire.answer("200 OK")

    with Peer(handler) as peer:
        async with httpx2.AsyncClient() as client:
            transport = open_transport("websockets", http_session=client)
            await transport.http.request("GET", peer.url("http", TARGET), headers=HEADERS, timeout=3)
            assert [record.name for record in caplog.records if record.name.startswith("http")] == []
            await client.get(peer.url("http", "/theirs"))
            await transport.close()
    assert "/theirs" in shown(caplog.records)
    assert "httpcore2.http11" in {record.name for record in caplog.records}
    assert CANARY not in shown(caplog.records)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError(TARGET), "ValueError"),
        (OSError(TARGET), "OSError"),
        (OSError(111, TARGET, TARGET), "ConnectionRefusedError: Connection refused"),
        (TimeoutError(TARGET), "timed out"),
        (TimeoutError(110, TARGET), "TimeoutError: Connection timed out"),
        (ExceptionGroup(TARGET, [ConnectionResetError(104, TARGET)]), "ExceptionGroup: Connection reset by peer"),
    ],
)
def test_words_come_from_the_system_only(error: Exception, message: str) -> None:
    assert str(failed(error)) == message
