"""One socket, from the action that asks for it to its end."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ...core import actions, inputs
from ...ports.errors import RequestRefused, SocketEnded
from ...ports.socket import Socket, SocketOpener
from .warnings import Warnings

OPENING = "opening a socket"
PAUSE_EVERY = 64
"""The frames after which a socket lets other tasks run, also if further ones are ready."""


class SocketPump:
    """Passes each received frame to `feed`, and writes frames in their order."""

    def __init__(self, wanted: actions.OpenSocket, feed: Callable[[inputs.Input], None], warnings: Warnings) -> None:
        self._wanted = wanted
        self._feed = feed
        self._warnings = warnings
        self._opening = anyio.CancelScope()
        self._socket: Socket | None = None
        self._frames: MemoryObjectSendStream[str | None]
        self._unsent: MemoryObjectReceiveStream[str | None]
        self._frames, self._unsent = anyio.create_memory_object_stream[str | None](math.inf)

    async def run(self, opener: SocketOpener) -> None:
        """Open the socket and read it to its end; the end goes to `feed` last."""
        wanted = self._wanted
        closed = wanted.closed()
        try:
            with self._opening:
                self._socket = await opener.open(wanted.key)
            if self._socket is not None:
                self._socket.attend(lambda: self._feed(wanted.heard()))
                self._feed(wanted.opened())
                self._warnings.granted(OPENING)
                closed = wanted.closed(await self._pump(self._socket))
        except RequestRefused as error:
            closed = wanted.closed(None, error.refusal)
        finally:
            with anyio.CancelScope(shield=True):
                await self.close(1000)
            self._unsent.close()
        self._feed(closed)
        if closed.refusal is not None:
            self._warnings.refused(OPENING, closed.refusal)

    def send(self, text: str) -> None:
        """Write a frame after those before it; if the socket has just ended, it is dropped."""
        self._put(text)

    def ping(self) -> None:
        """Write a ping after the frames before it; if the socket has just ended, it is dropped."""
        self._put(None)

    async def close(self, code: int) -> None:
        """Close the socket, or give up opening it."""
        self._opening.cancel()
        self._frames.close()
        if self._socket is not None:
            await self._socket.close(code)

    def _put(self, text: str | None) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._frames.send_nowait(text)

    async def _pump(self, socket: Socket) -> int | None:
        number, feed, receive = self._wanted.socket, self._feed, socket.receive
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._write, socket)
            frames = 0
            try:
                while True:
                    feed(inputs.FrameReceived(number, await receive()))
                    frames += 1
                    if frames % PAUSE_EVERY == 0:
                        await anyio.lowlevel.checkpoint()
            except SocketEnded as ended:
                code = ended.code
            tasks.cancel_scope.cancel()
        return code

    async def _write(self, socket: Socket) -> None:
        try:
            async for text in self._unsent:
                await (socket.ping() if text is None else socket.send(text))
        except SocketEnded:
            pass  # the reading task notices it too
