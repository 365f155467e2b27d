"""A close is short and leaves no connection, whatever the peer does."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from listenkey.adapters.transports import Transport, open_transport
from listenkey.ports.errors import SocketEnded
from listenkey.ports.socket import Socket

from ...certificates import Certificate
from .conftest import Setting
from .dialling import PATIENCE, dialled, echo, end_of, then
from .peer import BINARY, CLOSE, TEXT, Handler, Peer, Wire, frame

pytestmark = [pytest.mark.anyio, pytest.mark.loopback]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_peer_that_never_answers_the_close(setting: Setting, certificate: Certificate, tls: bool) -> None:
    """`close` ends the connection within the time allowed, even if the peer does not answer it."""
    transport = open_transport(setting.name, ssl_context=certificate.trusting)

    def handler(wire: Wire) -> None:
        wire.upgrade()
        wire.frame(TEXT, b"ready")
        wire.until_gone()

    with Peer(handler, certificate.server if tls else None) as peer:
        socket = await dialled(transport, peer)
        assert await socket.receive() == "ready"
        with anyio.fail_after(PATIENCE):
            await socket.close()
        assert await end_of(socket) in {None, 1006}
        assert await peer.ended()
    await transport.close()


async def test_close_says_its_code_and_is_idempotent(transport: Transport) -> None:
    seen: list[tuple[int, bytes]] = []

    def handler(wire: Wire) -> None:
        wire.upgrade()
        seen.append(wire.read_frame())
        wire.frame(*seen[0])
        wire.until_gone()

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        await socket.close(4001)
        await socket.close()
        await socket.close(1001)
        with pytest.raises(SocketEnded):
            await socket.send("late")
        await end_of(socket)
        assert await peer.ended()
    assert seen[0] == (CLOSE, (4001).to_bytes(2, "big"))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("handler", [echo, then(Wire.hang)], ids=["answering", "hanging"])
async def test_close_wakes_a_pending_receive(transport: Transport, handler: Handler) -> None:
    ended: list[SocketEnded] = []

    async def receive(socket: Socket) -> None:
        try:
            await socket.receive()
        except SocketEnded as end:
            ended.append(end)

    with Peer(handler) as peer:
        socket = await dialled(transport, peer)
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(receive, socket)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(socket.close)
                tasks.start_soon(socket.close, 1001)
    assert len(ended) == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_peer_that_does_not_read_cannot_block_us(setting: Setting, certificate: Certificate, tls: bool) -> None:
    """If the peer does not read, a close ends the blocked send, the receive and the connection."""
    transport = open_transport(setting.name, ssl_context=certificate.trusting)
    ends: list[str] = []

    async def send(socket: Socket) -> None:
        try:
            while True:
                await socket.send("x" * (1 << 20))
        except SocketEnded:
            ends.append("send")

    async def receive(socket: Socket) -> None:
        try:
            await socket.receive()
        except SocketEnded:
            ends.append("receive")

    with Peer(then(Wire.hang), certificate.server if tls else None) as peer:
        socket = await dialled(transport, peer)
        with anyio.fail_after(2 * PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send, socket)
                tasks.start_soon(receive, socket)
                await anyio.sleep(0.2)
                with anyio.fail_after(PATIENCE):
                    await socket.close()
        assert sorted(ends) == ["receive", "send"]
    await transport.close()


async def test_frames_that_nobody_reads_do_not_block_the_close(transport: Transport) -> None:
    with Peer(then(lambda wire: wire.send(frame(BINARY, b"x" * 1000) * 20_000), Wire.until_gone)) as peer:
        socket = await dialled(transport, peer)
        await anyio.sleep(0.05)
        with anyio.fail_after(PATIENCE):
            await socket.close()
        await end_of(socket)
        assert await peer.ended()


async def test_close_works_in_a_cancelled_scope(transport: Transport) -> None:
    """`close` ends the connection in a cancelled scope too, as in the `finally` of a cancelled driver."""
    with Peer(echo) as peer:
        socket = await dialled(transport, peer)
        with anyio.CancelScope() as scope:
            scope.cancel()
            try:
                await socket.receive()
            finally:
                await socket.close()
        assert await peer.ended()


async def test_sockets_are_independent(transport: Transport) -> None:
    with Peer(echo) as peer:
        first, second = await dialled(transport, peer), await dialled(transport, peer)
        await first.close()
        await second.send("still here")
        assert await second.receive() == "still here"
        await second.close()


async def test_a_run_may_end_with_a_socket_open(setting: Setting) -> None:
    """On trio a run may end with a socket open: its system task neither delays nor breaks the end."""
    if setting.backend != "trio":
        pytest.skip("only trio has system tasks")
    import trio

    with Peer(then(Wire.until_gone)) as peer:

        async def forget() -> None:
            await dialled(open_transport("websockets"), peer)

        await anyio.to_thread.run_sync(trio.run, forget)
        assert await peer.ended()
