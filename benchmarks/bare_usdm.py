"""The bare client of Binance's USDⓈ-M futures: an answer on its socket, and a renewal with its key, prove the link.

A read asks four times: for the clock, income, orders and the fills of its symbol; for open orders, positions and
balances; for orders and the clock; and for fills and income again.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from listenkey.adapters.venues.binance.facts import EVENTS
from listenkey.adapters.venues.binance.signing import encoded, signed, signer
from listenkey.ports.socket import Socket

from .bare import Bare
from .desk import KEY, SECRET
from .wires import USDM

LAG_MS = 600_000
NAMED = {"X-MBX-APIKEY": KEY}
_sign = signer(SECRET)


class BareUsdm(Bare):
    """The bare client of one symbol."""

    async def mint(self) -> str:
        """Get the account's key."""
        return await self._key("POST")

    async def connect(self, key: str) -> Socket:
        """Open a socket, send a request on it, and renew the key meanwhile."""
        socket = await self.dial(f"listenKey={quote(key, safe='')}&events={'/'.join(EVENTS)}")
        await socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        _, named = await asyncio.gather(socket.receive(), self._key("PUT"))
        if named != key:
            raise AssertionError("the key has gone")
        return socket

    async def clock(self) -> int:
        """Ask for the exchange's clock, ms."""
        ms: int = (await self.ask("GET", "/fapi/v1/time", {}))["serverTime"]
        return ms

    async def read(self, begin: int) -> tuple[int, list[Any]]:
        """Read the account in four round trips."""
        first = self.clock(), self._income(begin), self._orders(begin), self._fills(begin)
        as_of, *_ = await asyncio.gather(*first)
        paths = ("v1/openOrders", "v3/positionRisk", "v3/balance")
        await asyncio.gather(*(self._signed(f"/fapi/{path}", {}) for path in paths))
        await asyncio.gather(self._orders(begin), self.clock())
        rows, _ = await asyncio.gather(self._fills(begin), self._income(begin))
        return as_of, rows

    async def _key(self, method: str) -> str:
        key: str = (await self.ask(method, "/fapi/v1/listenKey", NAMED))["listenKey"]
        return key

    async def _fills(self, begin: int) -> Any:
        return await self._listed("/fapi/v1/userTrades", begin, {"symbol": USDM.symbol})

    async def _income(self, begin: int) -> Any:
        return await self._listed("/fapi/v1/income", begin - LAG_MS, {})

    async def _orders(self, begin: int) -> Any:
        return await self._listed("/fapi/v1/allOrders", begin - LAG_MS, {})

    async def _listed(self, path: str, begin: int, narrow: dict[str, str]) -> Any:
        return await self._signed(path, {**narrow, "startTime": begin, "endTime": self.now(), "limit": 1000})

    async def _signed(self, path: str, params: dict[str, Any]) -> Any:
        query, _ = signed(encoded({**params, "timestamp": self.now()}), _sign)
        return await self.ask("GET", f"{path}?{query}", NAMED)
