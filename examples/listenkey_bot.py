"""The bot of `ccxt_bot.py` on listenkey's stream: it trades with ccxt, and believes what the stream has proven.

    listenkey simulate --one-way          (elsewhere; its defaults are this bot's)
    python examples/listenkey_bot.py

An answer is a hint. Each order has a name, so that asking again places nothing twice, and is asked for until the stream
shows it; what the stream's fills leave is left to be bought. So `main` begins with nothing held (see `bot_test.py`).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt.pro
from ccxt_bot import SIZE, SYMBOL, Bot

import listenkey
from listenkey.adapters.testing.redirect import redirect
from listenkey.ports.venue import VenueAdapter

OPEN = {"NEW", "PARTIALLY_FILLED"}


class ProvenBot(Bot):
    """Acts only while nothing can be missing: `live` is that the stream's health is LIVE."""

    def __init__(self, client: Any, venue: VenueAdapter) -> None:
        super().__init__(client)
        self.venue, self.live = venue, False
        self.orders: dict[str, str] = {}
        """The state of each order, by its name."""
        self._news = asyncio.Event()
        self._names = (f"bot-{time.time_ns()}-{number}" for number in range(1_000_000))

    async def place(self, kind: str, side: str, amount: Decimal, price: float | None = None, **params: Any) -> str:
        """Ask until the stream shows the order, or there is nothing left that it could close; its name."""
        name = next(self._names)
        while name not in self.orders and (side == "buy" or not self.live or self.position):
            if self.live:
                with suppress(ccxt.BaseError):
                    named = params | {"clientOrderId": name}
                    await self.client.create_order(SYMBOL, kind, side, float(amount), price, named)
            await self.heard(lambda: name in self.orders)
        if side == "buy" and kind == "market":
            while self.orders[name] in OPEN:
                await self.heard(lambda: self.orders[name] not in OPEN)
        return name

    async def withdraw(self, entry: str) -> Decimal:
        """Cancel until the stream shows that the order is over; what its fills have left."""
        while self.orders[entry] in OPEN or not self.live:
            with suppress(ccxt.BaseError):
                await self.client.cancel_order(None, SYMBOL, {"clientOrderId": entry})
            await self.heard(lambda: self.orders[entry] not in OPEN and self.live)
        return SIZE - self.position

    async def follow(self) -> None:
        """Each fill once, whatever happens to the connection."""
        try:
            async with self.venue.subscribe() as stream:
                async for event in stream:
                    if isinstance(event, listenkey.Fill):
                        self.position += event.fill_qty if event.side == "BUY" else -event.fill_qty
                    if isinstance(event, listenkey.OrderState) and event.client_order_id:
                        self.orders[event.client_order_id] = event.status
                    self.live = stream.health is listenkey.Health.LIVE
                    self._news.set()
        finally:
            self.live = False

    async def heard(self, so: Callable[[], bool], within: float = 2.0) -> None:
        """Wait for the stream to make it so, but no longer than so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not so():
                    self._news.clear()
                    await self._news.wait()


async def main() -> None:
    """Trade once, then follow the account."""
    where = os.environ.get("REST_URL", "http://127.0.0.1:8765")
    ws_url = f"ws{where.removeprefix('http')}/swap-market"
    client = redirect(ccxt.pro.bingx(), rest_url=where, ws_url=ws_url)
    own = {"api_key": client.apiKey, "api_secret": client.secret}
    async with listenkey.open_venue("bingx-swap", rest_url=where, ws_url=ws_url, **own) as venue:
        bot = ProvenBot(client, venue)
        try:
            await client.load_markets()
            if held := [each.symbol for each in (await venue.account_snapshot()).positions if each.qty]:
                sys.exit(f"the account holds {held[0]} already, and this bot begins with nothing: close that first")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(bot.follow())
                await bot.run()
                print(f"it holds {bot.position}")
        finally:
            await client.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
