"""Helpers of the socket tests: a dial, the end of a socket, and peers that accept the handshake."""

from __future__ import annotations

import anyio
import anyio.to_thread
import pytest

from listenkey.adapters.transports import Transport
from listenkey.ports.errors import SocketEnded
from listenkey.ports.socket import Socket

from .peer import CLOSE, Handler, Peer, Wire, script

LIMIT = 1 << 20
PATIENCE = 8.0
"""Seconds in which a socket must end: less than the ten after which a library would end it."""


async def dialled(transport: Transport, peer: Peer, *, target: str = "/", max_bytes: int = LIMIT) -> Socket:
    return await transport.dialer.dial(peer.url("ws", target), timeout=PATIENCE, max_bytes=max_bytes)


async def end_of(socket: Socket) -> int | None:
    """Wait for the end; return its code, after checking that the next call gives the same."""
    with anyio.fail_after(PATIENCE):
        with pytest.raises(SocketEnded) as first:
            await socket.receive()
        with pytest.raises(SocketEnded) as again:
            await socket.receive()
    assert again.value.code == first.value.code
    assert first.value.__cause__ is None
    return first.value.code


def echo(wire: Wire) -> None:
    wire.upgrade()
    while True:
        opcode, data = wire.read_frame()
        wire.frame(opcode, data)
        if opcode == CLOSE:
            return


def then(*actions: Handler) -> Handler:
    """Return a handler that accepts the handshake and then does these actions."""

    return script(Wire.upgrade, *actions)
