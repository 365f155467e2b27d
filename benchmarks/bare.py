"""The floor of a recovery: a client that knows what it will need, asks for it in order of need, and only parses it.

It dials, waits for the first frame, and then sends the requests of a read: the clock and the lists of fills and income;
open orders, positions and balances; orders that are over, and the clock; both lists again.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self
from urllib.parse import quote

import msgspec

from listenkey.adapters.transports.names import open_transport
from listenkey.adapters.venues.bingx.signing import signed
from listenkey.ports.errors import SocketEnded
from listenkey.ports.socket import Socket

from .desk import KEY, SECRET
from .far import Far, Place

TIMEOUT = 10.0
OVERLAP_MS = 6000
_parse = msgspec.json.decode


class Bare:
    """Connected to one exchange. An asynchronous context manager."""

    def __init__(self, place: Place, transport: str) -> None:
        self._place = place
        self._wires = open_transport(transport)
        self._socket: Socket
        self._ahead = 0.0
        """The exchange's clock less this machine's, ms."""
        self._proven = 0

    async def __aenter__(self) -> Self:
        self._proven = await self._clock()
        await self._connect(await self._mint())
        await self._read()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._wires.close()

    async def recover(self, far: Far, fills: int) -> float:
        """Seconds from the grant of a key until all is read."""
        loop = asyncio.get_running_loop()
        await far.cut(self._place, fills)
        try:
            while True:
                await self._socket.receive()
        except SocketEnded:
            key = await self._mint()
        began = loop.time()
        await self._connect(key)
        rows = await self._read()
        took = loop.time() - began
        if len(rows) < fills:
            raise AssertionError(f"{len(rows)} of {fills} fills are listed")
        return took

    async def _mint(self) -> str:
        key: str = await self._ask("POST", "/openApi/user/auth/userDataStream", {})
        return key

    async def _connect(self, key: str) -> None:
        url = f"{self._place.ws_url}?listenKey={quote(key, safe='')}"
        self._socket = await self._wires.dialer.dial(url, timeout=TIMEOUT, max_bytes=1 << 20)
        await self._socket.receive()

    async def _read(self) -> list[Any]:
        begin = self._proven - OVERLAP_MS
        self._proven, *_ = await asyncio.gather(self._clock(), self._fills(begin), self._income(begin))
        await asyncio.gather(
            *(
                self._ask("GET", f"/openApi/swap/{path}", {})
                for path in ("v2/trade/openOrders", "v2/user/positions", "v3/user/balance")
            )
        )
        window = {"startTime": begin - 600_000, "endTime": self._now(), "limit": 1000}
        await asyncio.gather(self._ask("GET", "/openApi/swap/v2/trade/allOrders", window), self._clock())
        fills, _ = await asyncio.gather(self._fills(begin), self._income(begin - 600_000))
        rows: list[Any] = fills["fill_history_orders"]
        return rows

    async def _fills(self, begin: int) -> Any:
        window = {"startTs": begin, "endTs": self._now(), "pageIndex": 1, "pageSize": 1000}
        return await self._ask("GET", "/openApi/swap/v2/trade/fillHistory", window)

    async def _income(self, begin: int) -> Any:
        window = {"startTime": begin, "endTime": self._now(), "limit": 1000}
        return await self._ask("GET", "/openApi/swap/v2/user/income", window)

    async def _clock(self) -> int:
        answer = await self._wires.http.request(
            "GET", f"{self._place.rest_url}/openApi/swap/v2/server/time", headers={}, timeout=TIMEOUT
        )
        ms: int = _parse(answer.body)["data"]["serverTime"]
        self._ahead = ms - asyncio.get_running_loop().time() * 1000
        return ms

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000 + self._ahead)

    async def _ask(self, method: str, path: str, params: dict[str, Any]) -> Any:
        query = signed({**params, "timestamp": self._now()}, SECRET)
        answer = await self._wires.http.request(
            method, f"{self._place.rest_url}{path}?{query}", headers={"X-BX-APIKEY": KEY}, timeout=TIMEOUT
        )
        content = _parse(answer.body)
        if content.get("code", 0):
            raise AssertionError(f"{path}: {content}")
        return content["listenKey"] if "listenKey" in content else content["data"]
