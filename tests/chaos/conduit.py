"""One connection through the proxy: the client's, and the one to the exchange."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from .framing import Framing

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket", re.IGNORECASE)
CHUNK = 65536


class Severed(Exception):
    """The connection must end now, with a reset."""


class Condition(Protocol):
    """A fault that a connection may meet; see `conditions.py`."""

    async def accepts(self, conduit: Conduit) -> None: ...
    def answers(self, head: bytes, websocket: bool) -> bytes | None: ...
    async def carries(self, conduit: Conduit, data: bytes, down: bool) -> bytes: ...


class Conduit:
    """Copies bytes both ways, through the conditions in force."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        conditions: Callable[[], Iterable[Condition]],
    ) -> None:
        self.certificate: ssl.SSLContext | None = None
        """The TLS context with which the handshake is answered; None without TLS."""
        self.websocket = False
        self.lost = False
        self.cut: int | None = None
        """The offset, in the piece that is carried to the client, of the middle of a frame; None without one."""
        self._reader, self._writer = reader, writer
        self._accepted = writer
        self._far: asyncio.StreamWriter | None = None
        self._port = port
        self._conditions = conditions
        self._framing = Framing()
        self._socket: socket.socket = writer.get_extra_info("socket")

    async def run(self) -> None:
        """Run until both connections have ended."""
        with suppress(Severed, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if self.certificate is not None:
                assert isinstance(self._accepted.transport, asyncio.Transport)
                self._accepted.transport.pause_reading()  # the next bytes are for the handshake
            for condition in self._conditions():
                await condition.accepts(self)
            if self.certificate is not None:
                await self._secure(self.certificate)
            far, self._far = await asyncio.open_connection("127.0.0.1", self._port)
            copies = [asyncio.create_task(self._up()), asyncio.create_task(self._down(far))]
            try:
                await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
                if self.lost:
                    await copies[0]  # until the client closes
                for condition in self._conditions():
                    await condition.carries(self, b"", down=True)  # the end comes no earlier than a frame would
            finally:
                for copy in copies:
                    copy.cancel()
                await asyncio.gather(*copies, return_exceptions=True)
        for writer in filter(None, (self._writer, self._accepted, self._far)):
            writer.close()

    def reset(self) -> None:
        """End both connections, this side's with a reset."""
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        if self._far is not None:
            self._far.transport.abort()

    def lose(self) -> None:
        """Drop the exchange's side, without sign to the client: no data, no FIN."""
        self.lost = True
        if self._far is not None:
            self._far.transport.abort()

    async def write(self, data: bytes, down: bool) -> None:
        """Write to the client (`down`) or to the exchange, past the conditions."""
        writer = self._writer if down else self._far
        assert writer is not None
        writer.write(data)
        await writer.drain()

    async def _secure(self, certificate: ssl.SSLContext) -> None:
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await loop.start_tls(self._accepted.transport, protocol, certificate, server_side=True)
        if transport is None:  # the connection has ended meanwhile
            raise Severed
        protocol.connection_made(transport)
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _up(self) -> None:
        while True:
            data = await (self._reader.read(CHUNK) if self.websocket else self._request())
            if not data:
                return
            for condition in () if self.websocket else self._conditions():
                answer = condition.answers(data, _UPGRADE.search(data) is not None)
                if answer is not None:
                    await self.write(answer, down=True)
                    return
            self.websocket = self.websocket or _UPGRADE.search(data) is not None
            await self._carry(data, down=False)

    async def _request(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        return head + (await self._reader.readexactly(int(length[1])) if length else b"")

    async def _down(self, far: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await far.read(CHUNK):
                await self._carry(data, down=True)

    async def _carry(self, data: bytes, *, down: bool) -> None:
        if down and self.websocket:
            self.cut = self._framing.middle(data, least=64)
        try:
            for condition in self._conditions():
                data = await condition.carries(self, data, down)
            if data and not self.lost:
                await self.write(data, down)
        except Severed:
            self.reset()
            raise
        finally:
            if down:
                self.cut = None
