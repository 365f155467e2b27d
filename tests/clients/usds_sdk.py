"""The vendor's SDK of USDⓈ-M futures: synchronous requests, an asynchronous socket, and models of everything."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from .exchange import API_KEY, API_SECRET, Doors

NAME = "binance-sdk"
MODULE = "binance_sdk_derivatives_trading_usds_futures"
READINGS: Mapping[str, str] = {"request_ids": "text"}
"""The readings for this client: its requests have texts as ids, which by the documents the venue refuses."""
EVENTS = {"OrderTradeUpdate": "ORDER_TRADE_UPDATE", "AccountUpdate": "ACCOUNT_UPDATE"}
MOST = 1000
TIMEOUT_MS = 60_000


class Sdk:
    """The client, whose types are generated models, and the frames of its user stream."""

    def __init__(self, client: Any) -> None:
        self.frames: list[Any] = []
        self._client = client

    async def listen(self) -> None:
        """Collect frames, as its models write them again."""
        key = await self._asked("start_user_data_stream")
        await self._client.websocket_streams.create_connection()
        stream = await self._client.websocket_streams.user_data(key["listenKey"])
        stream.on("message", lambda delivered: self.frames.append(_frame(delivered.actual_instance)))

    async def keys(self) -> tuple[str, str]:
        """Get the listen key and renew it."""
        first = await self._asked("start_user_data_stream")
        second = await self._asked("keepalive_user_data_stream")
        return first["listenKey"], second["listenKey"]

    async def fills(self, symbol: str) -> Any:
        """The fills of a symbol."""
        return await self._asked("account_trade_list", symbol=symbol, limit=MOST)

    async def orders(self, symbol: str) -> Any:
        """The orders of a symbol."""
        return await self._asked("all_orders", symbol=symbol, limit=MOST)

    async def order(self, symbol: str, order_id: str) -> Any:
        """One order."""
        return await self._asked("query_order", symbol=symbol, order_id=int(order_id))

    async def open_orders(self) -> Any:
        """All open orders."""
        return await self._asked("current_all_open_orders")

    async def positions(self) -> Any:
        """All positions."""
        return await self._asked("position_information_v3")

    async def balances(self) -> Any:
        """All assets."""
        return await self._asked("futures_account_balance_v3")

    async def account(self) -> Any:
        """The account."""
        return await self._asked("account_information_v3")

    async def income(self) -> Any:
        """The income."""
        return await self._asked("get_income_history", limit=MOST)

    async def position_mode(self) -> Any:
        """The position mode."""
        return await self._asked("get_current_position_mode")

    async def _asked(self, name: str, **options: Any) -> Any:
        def ask() -> Any:
            return getattr(self._client.rest_api, name)(**options).data()

        found = await asyncio.to_thread(ask)
        return [_plain(each) for each in found] if isinstance(found, list) else _plain(found)


@asynccontextmanager
async def client(exchange: Doors) -> AsyncIterator[Sdk]:
    """Run a client that listens."""
    module = importlib.import_module(f"{MODULE}.derivatives_trading_usds_futures")
    made = module.DerivativesTradingUsdsFutures(
        config_rest_api=module.ConfigurationRestAPI(
            api_key=API_KEY, api_secret=API_SECRET, base_path=exchange.rest_url, timeout=TIMEOUT_MS
        ),
        config_ws_streams=module.ConfigurationWebSocketStreams(
            stream_url=exchange.ws_url.removesuffix("/private/ws"),
        ),
    )
    try:
        found = Sdk(made)
        await found.listen()
        yield found
    finally:
        await made.websocket_streams.close_connection(close_session=True)


def _frame(model: Any) -> Any:
    """Return the frame of an event; its model lacks the event's name, but is named after it."""
    return {"e": EVENTS.get(type(model).__name__, type(model).__name__), **_plain(model)}


def _plain(model: Any) -> Any:
    """Return the object from which a model was read; a value without a model is that object already."""
    return model.model_dump(by_alias=True) if hasattr(model, "model_dump") else model
