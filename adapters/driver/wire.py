"""One socket, from the wish for it to its end."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ...core import inputs
from ...ports.errors import RequestRefused, SocketEnded
from ...ports.socket import Socket, SocketOpener
from .complaints import Complaints

OPENING = "opening a socket"
PAUSE_EVERY = 64
"""A socket that always has a frame ready lets others run once in so many."""


class Wire:
    """What comes goes to `feed`, frame by frame; what is sent is written in order."""

    def __init__(self, number: int, feed: Callable[[inputs.Input], None], complaints: Complaints) -> None:
        self._number = number
        self._feed = feed
        self._complaints = complaints
        self._opening = anyio.CancelScope()
        self._socket: Socket | None = None
        self._frames: MemoryObjectSendStream[str]
        self._unsent: MemoryObjectReceiveStream[str]
        self._frames, self._unsent = anyio.create_memory_object_stream[str](math.inf)

    async def run(self, opener: SocketOpener, key: str) -> None:
        """Open the socket and read it to its end, of which `feed` is told last."""
        closed = inputs.SocketClosed(self._number)
        try:
            with self._opening:
                self._socket = await opener.open(key)
            if self._socket is not None:
                self._feed(inputs.SocketOpened(self._number))
                self._complaints.granted(OPENING)
                closed = inputs.SocketClosed(self._number, await self._pump(self._socket))
        except RequestRefused as error:
            closed = inputs.SocketClosed(self._number, None, error.refusal)
        finally:
            with anyio.CancelScope(shield=True):
                await self.close(1000)
            self._unsent.close()
        self._feed(closed)
        if closed.refusal is not None:
            self._complaints.refused(OPENING, closed.refusal)

    def send(self, text: str) -> None:
        """Write a frame after those before it."""
        self._frames.send_nowait(text)

    async def close(self, code: int) -> None:
        """Close the socket, or give up opening it."""
        self._opening.cancel()
        self._frames.close()
        if self._socket is not None:
            await self._socket.close(code)

    async def _pump(self, socket: Socket) -> int | None:
        number, feed, receive = self._number, self._feed, socket.receive
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
                await socket.send(text)
        except SocketEnded:
            pass  # the reading side says so too
