"""python-binance: asynchronous, with rows and frames as they come. The exchange's addresses replace the venue's."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .exchange import API_KEY, API_SECRET, Doors

NAME = "python-binance"
MODULE = "binance"
READINGS: Mapping[str, str] = {}
MOST = 1000


class PythonBinance:
    """An `AsyncClient`, which has no types, and the frames of its user socket."""

    def __init__(self, client: Any) -> None:
        self.frames: list[Any] = []
        self._client = client

    async def listen(self, socket: Any) -> None:
        """Collect frames."""
        while True:
            self.frames.append(await socket.recv())

    async def keys(self) -> tuple[str, str]:
        """Get the listen key twice, with a renewal between."""
        first = await self._client.futures_stream_get_listen_key()
        await self._client.futures_stream_keepalive(first)
        return first, await self._client.futures_stream_get_listen_key()

    async def fills(self, symbol: str) -> Any:
        """The fills of a symbol."""
        return await self._client.futures_account_trades(symbol=symbol, limit=MOST)

    async def orders(self, symbol: str) -> Any:
        """The orders of a symbol."""
        return await self._client.futures_get_all_orders(symbol=symbol, limit=MOST)

    async def order(self, symbol: str, order_id: str) -> Any:
        """One order."""
        return await self._client.futures_get_order(symbol=symbol, orderId=order_id)

    async def open_orders(self) -> Any:
        """All open orders."""
        return await self._client.futures_get_open_orders()

    async def positions(self) -> Any:
        """All positions."""
        return await self._client.futures_position_information()

    async def balances(self) -> Any:
        """All assets."""
        return await self._client.futures_account_balance()

    async def account(self) -> Any:
        """The account."""
        return await self._client.futures_account()

    async def income(self) -> Any:
        """The income."""
        return await self._client.futures_income_history(limit=MOST)

    async def position_mode(self) -> Any:
        """The position mode."""
        return await self._client.futures_get_position_mode()


@asynccontextmanager
async def client(exchange: Doors) -> AsyncIterator[PythonBinance]:
    """Run a client that listens."""
    module = importlib.import_module(MODULE)
    made = module.AsyncClient(API_KEY, API_SECRET)
    made.FUTURES_URL = f"{exchange.rest_url}/fapi"
    sockets = module.BinanceSocketManager(made)
    sockets.FSTREAM_URL = exchange.ws_url.removesuffix("private/ws")
    try:
        found = PythonBinance(made)
        async with sockets.futures_user_socket() as socket:
            listening = asyncio.create_task(found.listen(socket))
            try:
                yield found
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        await made.close_connection()
