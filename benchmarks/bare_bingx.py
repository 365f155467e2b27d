"""The bare client of BingX: its first frame proves its socket.

A read asks four times: for the clock, fills and income; for open orders, positions and balances; for finished orders
and the clock; and for fills and income again.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from listenkey.adapters.venues.bingx.signing import signed
from listenkey.ports.socket import Socket

from .bare import Bare
from .desk import KEY, SECRET

LAG_MS = 600_000


class BareBingX(Bare):
    """The bare client of the swap."""

    async def mint(self) -> str:
        """Mint a new key."""
        key: str = (await self._signed("POST", "/openApi/user/auth/userDataStream", {}))["listenKey"]
        return key

    async def connect(self, key: str) -> Socket:
        """Open a socket and wait for its first frame."""
        socket = await self.dial(f"listenKey={quote(key, safe='')}")
        await socket.receive()
        return socket

    async def clock(self) -> int:
        """Ask for the exchange's clock, ms."""
        ms: int = (await self.ask("GET", "/openApi/swap/v2/server/time", {}))["data"]["serverTime"]
        return ms

    async def read(self, begin: int) -> tuple[int, list[Any]]:
        """Read the account in four round trips."""
        as_of, *_ = await asyncio.gather(self.clock(), self._fills(begin), self._income(begin))
        paths = ("v2/trade/openOrders", "v2/user/positions", "v3/user/balance")
        await asyncio.gather(*(self._signed("GET", f"/openApi/swap/{path}", {}) for path in paths))
        window = {"startTime": begin - LAG_MS, "endTime": self.now(), "limit": 1000}
        await asyncio.gather(self._signed("GET", "/openApi/swap/v2/trade/allOrders", window), self.clock())
        fills, _ = await asyncio.gather(self._fills(begin), self._income(begin - LAG_MS))
        return as_of, fills["data"]["fill_history_orders"]

    async def _fills(self, begin: int) -> Any:
        window = {"startTs": begin, "endTs": self.now(), "pageIndex": 1, "pageSize": 1000}
        return await self._signed("GET", "/openApi/swap/v2/trade/fillHistory", window)

    async def _income(self, begin: int) -> Any:
        window = {"startTime": begin, "endTime": self.now(), "limit": 1000}
        return await self._signed("GET", "/openApi/swap/v2/user/income", window)

    async def _signed(self, method: str, path: str, params: dict[str, Any]) -> Any:
        query = signed({**params, "timestamp": self.now()}, SECRET)
        content = await self.ask(method, f"{path}?{query}", {"X-BX-APIKEY": KEY})
        if content.get("code", 0):
            raise AssertionError(f"{path}: {content}")
        return content
