"""After its end each call of a socket raises the same end, with the close code if there was one."""

from __future__ import annotations

import pytest

from listenkey.adapters.transports import Transport
from listenkey.ports.errors import SocketEnded

from .dialling import LIMIT, dialled, end_of, then
from .peer import BINARY, CLOSE, TEXT, Handler, Peer, Wire, frame

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


OVERSIZE: dict[str, Handler] = {
    "one frame": lambda wire: wire.frame(BINARY, b"x" * (LIMIT + 1)),
    "length only": lambda wire: wire.send(b"\x82\x7f" + (1 << 40).to_bytes(8, "big")),
    "fragments": lambda wire: wire.send(frame(TEXT, b"x" * LIMIT, fin=False) + frame(0, b"x")),
}


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", OVERSIZE)
@pytest.mark.parametrize("after", [Wire.farewell, Wire.hang], ids=["answering", "hanging"])
async def test_a_frame_over_the_limit_ends_with_1009(transport: Transport, kind: str, after: Handler) -> None:
    """A frame over the limit ends the socket with 1009 after the frame before it, even if the peer does not answer."""
    with Peer(then(lambda wire: wire.frame(TEXT, b"before"), OVERSIZE[kind], after)) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "before"
        assert await end_of(socket) == 1009
        await socket.close()


async def test_the_peer_hears_of_1009(transport: Transport) -> None:
    heard: list[tuple[int, bytes]] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(BINARY, b"12345")
        heard.append(wire.read_frame())

    with Peer(handler) as peer:
        socket = await dialled(transport, peer, max_bytes=4)
        assert await end_of(socket) == 1009
        await socket.close()
        assert await peer.ended()
    assert [(opcode, data[:2]) for opcode, data in heard] == [(CLOSE, (1009).to_bytes(2, "big"))]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 4000, 4999])
@pytest.mark.parametrize("after", [Wire.farewell, Wire.hang, None], ids=["answering", "hanging", "gone"])
async def test_the_peers_close_code_is_passed_on(transport: Transport, code: int, after: Handler | None) -> None:
    last = (after,) if after else ()
    with Peer(then(lambda wire: wire.frame(TEXT, b"last"), lambda wire: wire.close_frame(code), *last)) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "last"
        assert await end_of(socket) == code
        await socket.close()
        assert await end_of(socket) == code


ABRUPT: dict[str, Handler] = {
    "FIN": lambda wire: None,
    "RST": Wire.reset,
    "close frame without a code": lambda wire: wire.frame(CLOSE),
    "half a frame": lambda wire: wire.send(frame(BINARY, b"x" * 50)[:20]),
}


@pytest.mark.parametrize("kind", ABRUPT)
async def test_an_end_without_a_code(transport: Transport, kind: str) -> None:
    with Peer(then(ABRUPT[kind])) as peer:
        socket = await dialled(transport, peer)
        assert await end_of(socket) in {None, 1006}
        with pytest.raises(SocketEnded):
            await socket.send("late")
        await socket.close()


async def test_frames_before_an_abrupt_end_are_delivered(transport: Transport) -> None:
    with Peer(then(lambda wire: wire.send(frame(TEXT, b"x") * 100))) as peer:
        socket = await dialled(transport, peer)
        assert await peer.ended()
        assert [await socket.receive() for _ in range(100)] == ["x"] * 100
        assert await end_of(socket) in {None, 1006}
        await socket.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("data", "code"),
    [(frame(TEXT, b"\xff"), 1007), (b"\xff\x00", 1002), (frame(3), 1002), (frame(0, b"x"), 1002)],
    ids=["not UTF-8", "reserved bits", "unknown opcode", "continuation of nothing"],
)
async def test_a_breach_of_protocol_ends_the_socket(transport: Transport, data: bytes, code: int) -> None:
    with Peer(then(lambda wire: wire.send(data), Wire.hang)) as peer:
        socket = await dialled(transport, peer)
        assert await end_of(socket) == code
        await socket.close()
