"""The follower with ccxt pro: it watches trades in a loop that goes on after network errors, as in its manual."""

from __future__ import annotations

import asyncio
import importlib
from decimal import Decimal
from typing import Any, Self

from listenkey.adapters.testing.redirect import redirect

PAUSE = 0.1


class CcxtPro:
    """A follower with `watch_my_trades`, and `fetch_balance` for the balance."""

    name = "ccxt pro"

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self.fills: list[str] = []
        self.warnings = 0
        made = importlib.import_module("ccxt.pro").bingx({"timeout": 60_000})
        self._client: Any = redirect(made, rest_url=rest_url, ws_url=ws_url)

    async def __aenter__(self) -> Self:
        await self._client.load_markets()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.close()

    async def _run(self) -> None:
        network_error = importlib.import_module("ccxt").NetworkError
        while True:
            try:
                self.fills += [str(trade["order"]) for trade in await self._client.watch_my_trades()]
            except network_error:
                self.warnings += 1
                await asyncio.sleep(PAUSE)

    @property
    def ready(self) -> bool:
        """True if it has an open socket."""
        return any(each.connection is not None and not each.connection.closed for each in self._client.clients.values())

    async def wallet(self) -> Decimal | str | None:
        """The total of USDT in `fetch_balance`; ccxt's amounts are floats."""
        try:
            total = (await self._client.fetch_balance())["USDT"]["total"]
        except Exception as error:
            return type(error).__name__
        return None if total is None else Decimal(repr(total))
