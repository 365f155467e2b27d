"""Pings and pongs of the peer are reported as signs of life, and pings are answered."""

from __future__ import annotations

import anyio
import pytest

from listenkey.adapters.transports import Transport
from listenkey.ports.errors import SocketEnded

from .dialling import PATIENCE, dialled, end_of, then
from .peer import BINARY, CLOSE, PING, PONG, TEXT, Handler, Peer, Wire

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]

SIGNS: dict[str, list[Handler]] = {
    "ping": [lambda wire: wire.frame(PING, b"beat")],
    "empty ping": [lambda wire: wire.frame(PING)],
    "unsolicited pong": [lambda wire: wire.frame(PONG, b"who asked")],
    "several": [lambda wire: wire.frame(PING), lambda wire: wire.frame(PONG), lambda wire: wire.frame(PING, b"2")],
    "within a message": [
        lambda wire: wire.frame(TEXT, b"be", fin=False),
        lambda wire: wire.frame(PING),
        lambda wire: wire.frame(0, b"gin"),
        lambda wire: wire.frame(PONG),
    ],
}


@pytest.mark.parametrize("kind", SIGNS)
async def test_each_is_passed_on(transport: Transport, kind: str) -> None:
    """Each ping and pong is reported once, also within a fragmented message, and a data frame is not."""
    heard: list[None] = []
    acts = SIGNS[kind]
    expected = {"several": 3, "within a message": 2}.get(kind, 1)
    with Peer(then(Wire.read_frame, *acts, lambda wire: wire.frame(BINARY, b"end"), Wire.farewell)) as peer:
        socket = await dialled(transport, peer)
        socket.attend(lambda: heard.append(None))
        await socket.send("go on")
        frames: list[bytes | str] = []
        while b"end" not in frames:
            frames.append(await socket.receive())
        assert frames == (["begin", b"end"] if kind == "within a message" else [b"end"])
        assert len(heard) == expected
        await socket.close()


async def test_a_ping_of_ours_and_its_pong(transport: Transport) -> None:
    """A ping is sent after the frames before it, and its pong is reported."""
    heard = anyio.Event()
    seen: list[int] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        seen.append(wire.read_frame()[0])
        opcode, data = wire.read_frame()
        seen.append(opcode)
        wire.frame(PONG, data)
        wire.frame(TEXT, b"done")
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        socket.attend(heard.set)
        await socket.send("first")
        await socket.ping()
        with anyio.fail_after(PATIENCE):
            assert await socket.receive() == "done"
            await heard.wait()
        await socket.close()
    assert seen == [TEXT, PING]


async def test_many_pings_that_nobody_answers(transport: Transport) -> None:
    """Pings that are not answered are all sent, and do not disturb the end of the socket."""
    seen: list[bytes] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        for _ in range(20):
            opcode, data = wire.read_frame()
            assert opcode == PING
            seen.append(data)
        wire.frame(TEXT, b"enough")
        wire.close_frame(1001)

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        for _ in range(20):
            await socket.ping()
        assert await socket.receive() == "enough"
        assert await end_of(socket) == 1001
        await socket.close()
    assert len(seen) == 20


async def test_a_ping_on_a_socket_that_ended(transport: Transport) -> None:
    """A ping on a socket that has ended raises `SocketEnded`."""
    with Peer(then(lambda wire: wire.close_frame(1001), Wire.farewell)) as peer:
        socket = await dialled(transport, peer)
        assert await end_of(socket) == 1001
        with pytest.raises(SocketEnded):
            await socket.ping()
        await socket.close()
        with pytest.raises(SocketEnded):
            await socket.ping()


async def test_nothing_is_passed_on_when_nobody_attends(transport: Transport) -> None:
    """If no callback is set, a ping is still answered."""
    seen: list[tuple[int, bytes]] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(PING, b"beat")
        wire.frame(TEXT, b"go on")
        seen.append(wire.read_frame())
        if seen[0][0] != CLOSE:
            wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "go on"
        await socket.close()
    assert seen == [(PONG, b"beat")]
