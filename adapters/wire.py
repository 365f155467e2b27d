"""One socket as the driver holds it."""

from __future__ import annotations

import math

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..ports.errors import SocketEnded
from ..ports.socket import Socket


class Wire:
    """One socket from the wish for it to its end, and the frames to be written to it in order."""

    def __init__(self) -> None:
        self.opening = anyio.CancelScope()
        self.socket: Socket | None = None
        self._frames: MemoryObjectSendStream[str]
        self.unread: MemoryObjectReceiveStream[str]
        self._frames, self.unread = anyio.create_memory_object_stream[str](math.inf)

    def send(self, text: str) -> None:
        self._frames.send_nowait(text)

    async def write(self, socket: Socket) -> None:
        try:
            async for text in self.unread:
                await socket.send(text)
        except SocketEnded:
            pass  # the reading side says so too

    async def close(self, code: int) -> None:
        self.opening.cancel()
        self._frames.close()
        if self.socket is not None:
            await self.socket.close(code)
