"""A socket receives each frame whole, in order and with its type, up to the limit of size."""

from __future__ import annotations

import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from listenkey.adapters.transports import Transport

from .dialling import LIMIT, dialled, echo, then
from .peer import BINARY, PING, PONG, TEXT, Peer, Wire, frame, switching

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


async def test_text_and_binary_are_kept_apart(transport: Transport) -> None:
    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(TEXT, "Ping \u00e9".encode())
        wire.frame(BINARY, b"Ping")
        wire.frame(BINARY, b"")
        wire.frame(TEXT, b"")
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert [await socket.receive() for _ in range(4)] == ["Ping \u00e9", b"Ping", b"", ""]
        await socket.close()


async def test_text_goes_out_as_text(transport: Transport) -> None:
    with Peer(echo) as peer:
        socket = await dialled(transport, peer)
        await socket.send("Pong \u00e9")
        assert await socket.receive() == "Pong \u00e9"
        await socket.close()


async def test_ten_thousand_frames_arrive_in_order(transport: Transport) -> None:
    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.send(b"".join(frame(BINARY, b"%d" % number) for number in range(10_000)))
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert [await socket.receive() for _ in range(10_000)] == [b"%d" % number for number in range(10_000)]
        await socket.close()


async def test_a_byte_at_a_time(transport: Transport) -> None:
    def handler(wire: Wire) -> None:
        for byte in switching(wire.head()) + frame(TEXT, b"one") + frame(BINARY, b"x" * 300):
            wire.send(bytes([byte]))
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "one"
        assert await socket.receive() == b"x" * 300
        await socket.close()


async def test_fragments_are_one_frame(transport: Transport) -> None:
    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(BINARY, b"ab", fin=False)
        wire.frame(PING, b"between")
        wire.frame(0, b"cd")
        assert wire.read_frame() == (PONG, b"between")
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == b"abcd"
        await socket.close()


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, LIMIT])
async def test_frames_up_to_the_limit_pass(transport: Transport, size: int) -> None:
    with Peer(then(lambda wire: wire.frame(BINARY, b"x" * size), Wire.farewell)) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == b"x" * size
        await socket.close()


async def test_a_protocol_ping_is_answered(transport: Transport) -> None:
    seen: list[tuple[int, bytes]] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(PING, b"beat")
        seen.append(wire.read_frame())
        wire.frame(TEXT, b"go on")
        wire.farewell()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "go on"
        await socket.close()
    assert seen == [(PONG, b"beat")]


async def test_a_cancelled_receive_loses_no_frame(transport: Transport) -> None:
    """A receive that is cancelled, before its frame is sent or about when it arrives, loses no frame."""
    count = 400
    go = threading.Semaphore(0)

    def handler(wire: Wire) -> None:
        wire.upgrade()
        for number in range(count):
            go.acquire(timeout=5)
            if number % 3:
                wire.frame(TEXT, b"%d" % number)
            else:
                wire.frame(TEXT, b"", fin=False)
                wire.frame(PING)
                wire.frame(0, b"%d" % number)
        wire.farewell()

    frames: list[bytes | str] = []
    cancelled = 0

    async def receive(scope: anyio.CancelScope) -> None:
        with scope:
            frames.append(await socket.receive())

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        with anyio.fail_after(20):
            for number in range(count):
                scope = anyio.CancelScope()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(receive, scope)
                    await anyio.wait_all_tasks_blocked()
                    if number % 2:
                        go.release()
                        for _ in range(number % 40):
                            await anyio.lowlevel.checkpoint()
                    scope.cancel()
                cancelled += scope.cancelled_caught
                if number % 2 == 0:
                    go.release()
                if scope.cancelled_caught:
                    frames.append(await socket.receive())
        await socket.close()
    assert frames == [str(number) for number in range(count)]
    assert cancelled >= count // 2
