"""A bot on ccxt alone: it buys, brackets what it bought with a stop loss and a take profit, and follows its trades.

    listenkey simulate --one-way          (elsewhere; its defaults are this bot's)
    python examples/ccxt_bot.py

It takes every answer at its word, as bots do. docs/trading-against-it.md shows what becomes of it under faults, and
`listenkey_bot.py` is the same bot with other ears.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from decimal import Decimal
from typing import Any

import ccxt.pro

from listenkey.adapters.testing.redirect import redirect

SYMBOL = "BTC/USDT:USDT"
SIZE = Decimal("0.01")
ONLY_CLOSES = {"reduceOnly": True}


class Bot:
    """Wants to hold `SIZE`, with one stop loss and one take profit for all of it. `position` is what it believes."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.position = Decimal(0)

    async def run(self, patience: float = 1.0) -> None:
        """Try to buy below the market for so many seconds, then at the market, and protect what was bought."""
        price = (await self.client.fetch_ticker(SYMBOL))["last"]
        entry = await self.place("limit", "buy", SIZE, price * 0.99)
        await asyncio.sleep(patience)
        if rest := await self.withdraw(entry):
            await self.place("market", "buy", rest)
        await self.place("market", "sell", SIZE, **ONLY_CLOSES, stopLossPrice=price * 0.95)
        await self.place("market", "sell", SIZE, **ONLY_CLOSES, takeProfitPrice=price * 1.05)

    async def place(self, kind: str, side: str, amount: Decimal, price: float | None = None, **params: Any) -> str:
        """The order's id. What fails on the way is tried again."""
        for _ in range(3):
            with suppress(ccxt.NetworkError):
                order = await self.client.create_order(SYMBOL, kind, side, float(amount), price, params)
                return str(order["id"])
            await asyncio.sleep(0.2)
        raise TimeoutError("the exchange does not answer")

    async def withdraw(self, entry: str) -> Decimal:
        """Cancel the entry; how much is left to be bought."""
        with suppress(ccxt.ExchangeError):  # it is gone already
            await self.client.cancel_order(entry, SYMBOL)
        return SIZE

    async def follow(self) -> None:
        """Add up trades, and begin again after every error."""
        while True:
            with suppress(ccxt.NetworkError):
                for trade in await self.client.watch_my_trades():
                    amount = Decimal(str(trade["amount"]))
                    self.position += amount if trade["side"] == "buy" else -amount


async def main() -> None:
    """Trade once, then follow the account."""
    where = os.environ.get("REST_URL", "http://127.0.0.1:8765")
    client = redirect(ccxt.pro.bingx(), rest_url=where, ws_url=f"ws{where.removeprefix('http')}/swap-market")
    bot = Bot(client)
    try:
        await client.load_markets()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bot.follow())
            await bot.run()
            print(f"it believes that it holds {bot.position}")
    finally:
        await client.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
