"""A relay with a delay: bytes take half a round trip each way, and a new connection takes a whole one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

CHUNK = 65536


class Relay:
    """A port in front of another one on this machine, `round_trip` seconds away; an asynchronous context manager."""

    def __init__(self, port: int, round_trip: float) -> None:
        self.port = 0
        self._far = port
        self._round_trip = round_trip
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()
        await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        entered = asyncio.get_running_loop().time() + self._round_trip
        self._ends |= {writer, far_writer}
        ways = self._carry(reader, far_writer, entered), self._carry(far_reader, writer, entered)
        await asyncio.gather(*ways)
        self._ends -= {writer, far_writer}
        self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, entered: float) -> None:
        """Pass on each piece, and the end, half a round trip after it was read or, if later, after the relay opened."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                at, data = await under_way.get()
                if (wait := at - loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    writer.transport.abort()
                    return
                writer.write(data)

        arriving = asyncio.create_task(arrive())
        open_ = True
        while open_:
            data = b""
            with contextlib.suppress(OSError):
                data = await reader.read(CHUNK)
            under_way.put_nowait((max(entered, loop.time()) + self._round_trip / 2, data))
            open_ = bool(data)
        await arriving
