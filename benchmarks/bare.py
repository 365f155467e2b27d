"""The floor of a recovery: a client that knows what it will need, asks for it in order of need, and only parses it.

It dials, waits for what proves its socket, and then sends the requests of a read. What those are is the wire's:
`bare_bingx.py` and `bare_usdm.py` have them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from listenkey.adapters.transports.names import open_transport
from listenkey.ports.errors import SocketEnded
from listenkey.ports.socket import Socket

from .far import Far, Place

TIMEOUT = 10.0
OVERLAP_MS = 6000
_parse = msgspec.json.decode


class Bare(ABC):
    """Connected to one exchange. An asynchronous context manager."""

    def __init__(self, place: Place, transport: str) -> None:
        self.place = place
        self._wires = open_transport(transport)
        self._socket: Socket
        self._ahead = 0.0
        """The exchange's clock less this machine's, ms."""
        self._proven = 0

    @abstractmethod
    async def mint(self) -> str:
        """A listen key."""

    @abstractmethod
    async def connect(self, key: str) -> Socket:
        """A socket on which the venue has shown life."""

    @abstractmethod
    async def clock(self) -> int:
        """The exchange's clock, ms."""

    @abstractmethod
    async def read(self, begin: int) -> tuple[int, list[Any]]:
        """The exchange's clock at the beginning of a read, and the rows of all fills since `begin`."""

    async def __aenter__(self) -> Self:
        self._proven = await self._set_clock()
        self._socket = await self.connect(await self.mint())
        await self._read()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._wires.close()

    async def recover(self, far: Far, fills: int) -> float:
        """Seconds from the grant of a key until all is read."""
        loop = asyncio.get_running_loop()
        await far.cut(self.place, fills)
        try:
            while True:
                await self._socket.receive()
        except SocketEnded:
            key = await self.mint()
        began = loop.time()
        self._socket = await self.connect(key)
        rows = await self._read()
        took = loop.time() - began
        if len(rows) < fills:
            raise AssertionError(f"{len(rows)} of {fills} fills are listed")
        return took

    async def dial(self, query: str) -> Socket:
        """A socket at the place's address."""
        return await self._wires.dialer.dial(f"{self.place.ws_url}?{query}", timeout=TIMEOUT, max_bytes=1 << 20)

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Any:
        """Return the parsed answer to a call. Raises `AssertionError` if it is no success."""
        url = f"{self.place.rest_url}{path}"
        answer = await self._wires.http.request(method, url, headers=headers, timeout=TIMEOUT)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        return _parse(answer.body)

    def now(self) -> int:
        """The exchange's clock by this machine's."""
        return int(asyncio.get_running_loop().time() * 1000 + self._ahead)

    async def _set_clock(self) -> int:
        ms = await self.clock()
        self._ahead = ms - asyncio.get_running_loop().time() * 1000
        return ms

    async def _read(self) -> list[Any]:
        self._proven, rows = await self.read(self._proven - OVERLAP_MS)
        return rows
