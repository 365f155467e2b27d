"""The floor of a recovery: a client that sends only the necessary requests, in their order, and only parses answers.

It dials, waits until its socket is proven, and then sends the requests of a read. `bare_bingx.py` and `bare_usdm.py`
have the requests of each wire.
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
    """A client of one exchange; an asynchronous context manager."""

    def __init__(self, place: Place, transport: str) -> None:
        self.place = place
        self._wires = open_transport(transport)
        self._socket: Socket
        self._ahead = 0.0
        """The exchange's clock less this machine's, ms."""
        self._proven = 0

    @abstractmethod
    async def mint(self) -> str:
        """Mint a listen key."""

    @abstractmethod
    async def connect(self, key: str) -> Socket:
        """Open a socket and wait until it is proven."""

    @abstractmethod
    async def clock(self) -> int:
        """Ask for the exchange's clock, ms."""

    @abstractmethod
    async def read(self, begin: int) -> tuple[int, list[Any]]:
        """Read the account; return the exchange's clock at the beginning, ms, and the rows of fills since `begin`."""

    async def __aenter__(self) -> Self:
        self._proven = await self._set_clock()
        self._socket = await self.connect(await self.mint())
        await self._read()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._wires.close()

    async def recover(self, far: Far, fills: int) -> float:
        """Return the seconds from the grant of a key to the end of the read."""
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
        """Open a socket at the place's address."""
        return await self._wires.dialer.dial(f"{self.place.ws_url}?{query}", timeout=TIMEOUT, max_bytes=1 << 20)

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Any:
        """Return the parsed answer to a call. Raises `AssertionError` if it is no success."""
        url = f"{self.place.rest_url}{path}"
        answer = await self._wires.http.request(method, url, headers=headers, timeout=TIMEOUT)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        return _parse(answer.body)

    def now(self) -> int:
        """The exchange's clock, ms, computed from this machine's."""
        return int(asyncio.get_running_loop().time() * 1000 + self._ahead)

    async def _set_clock(self) -> int:
        ms = await self.clock()
        self._ahead = ms - asyncio.get_running_loop().time() * 1000
        return ms

    async def _read(self) -> list[Any]:
        self._proven, rows = await self.read(self._proven - OVERLAP_MS)
        return rows
