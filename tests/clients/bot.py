"""A bot that makes random calls of ccxt, by a seed; a call may be refused, but not fail otherwise."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from listenkey.adapters.simulator.server import Server

SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
WORTH = (50, 500, 3_000, 40_000)
"""The values of orders, in USDT; the largest ones take several levels of the book."""
REFUSED = re.compile(r'"code":(\d+)')


class Bot:
    """A bot; `done` counts its operations, `refused` the codes of refusals."""

    def __init__(self, ccxt: Any, exchange: Server, random: Random) -> None:
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._ccxt = ccxt
        self._exchange = exchange
        self._random = random
        self._serial = 0
        self._error = importlib.import_module("ccxt").ExchangeError
        self._acts: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            (6, self.market),
            (6, self.limit),
            (4, self.stop),
            (2, self.trigger),
            (2, self.trailing),
            (4, self.bracket),
            (1, self.cost),
            (2, self.several),
            (3, self.cancel),
            (1, self.cancel_several),
            (1, self.cancel_all),
            (3, self.edit),
            (2, self.close),
            (1, self.close_all),
            (1, self.leverage),
            (6, self.wait),
        ]

    async def act(self) -> None:
        """Do one operation. Errors other than refusals of the exchange are raised."""
        weights, acts = zip(*self._acts, strict=True)
        (act,) = self._random.choices(acts, weights)
        self.done[act.__name__] += 1
        try:
            await act()
        except self._error as error:
            code = REFUSED.search(str(error))
            if code is None or code[1] in {"100404", "100001", "100421"}:
                raise
            self.refused[code[1]] += 1

    async def market(self) -> None:
        """Place a market order that opens or closes."""
        await self._order("market", opens=self._random.random() < 0.6)

    async def limit(self) -> None:
        """Place a limit order near the market, with any time in force, sometimes with a client order id."""
        force = self._random.choice(["GTC", "GTC", "IOC", "FOK", "PO"])
        params: dict[str, Any] = {"postOnly": True} if force == "PO" else {"timeInForce": force}
        if self._random.random() < 0.3:
            self._serial += 1
            params["clientOrderId"] = f"Bot-{self._serial}"
        await self._order("limit", opens=self._random.random() < 0.7, near=0.003, **params)

    async def stop(self) -> None:
        """Place a stop loss or a take profit for a position, as a market or limit order."""
        kind = self._random.choice(["stopLossPrice", "takeProfitPrice"])
        await self._order(self._random.choice(["market", "limit"]), opens=False, near=0.004, trigger=kind)

    async def trigger(self) -> None:
        """Place a trigger order in any direction."""
        await self._order(self._random.choice(["market", "limit"]), opens=True, near=0.004, trigger="triggerPrice")

    async def trailing(self) -> None:
        """Place a trailing stop, with a rate or a distance."""
        by = {"trailingPercent": 0.2} if self._random.random() < 0.5 else {"trailingAmount": 1}
        await self._order("market", opens=False, **by)

    async def bracket(self) -> None:
        """Place a market or limit order with a stop loss, a take profit, or both."""
        symbol, side = self._random.choice(SYMBOLS), self._random.choice(["buy", "sell"])
        price, sign = self._price(symbol), 1 if side == "buy" else -1
        legs = {
            "stopLoss": {"triggerPrice": price * (1 - sign * 0.004)},
            "takeProfit": {"triggerPrice": price * (1 + sign * 0.004)},
        }
        for name in self._random.choice([(), (), ("stopLoss",), ("takeProfit",)]):
            del legs[name]
        kind = self._random.choice(["market", "limit"])
        at = price * (1 - sign * 0.0005)
        await self._ccxt.create_order(symbol, kind, side, self._amount(symbol), at, self._mode() | legs)

    async def cost(self) -> None:
        """Place an order by its value."""
        symbol, side = self._random.choice(SYMBOLS), self._random.choice(["buy", "sell"])
        await self._ccxt.create_market_order_with_cost(symbol, side, self._random.choice(WORTH[:3]), self._mode())

    async def several(self) -> None:
        """Place a list of orders, of which some may be refused."""
        symbol = self._random.choice(SYMBOLS)
        price = self._price(symbol)
        orders = [
            {
                "symbol": symbol,
                "type": "limit",
                "side": "buy",
                "amount": self._amount(symbol),
                "price": price * (1 - 0.001 * number),
                "params": self._mode(),
            }
            for number in range(1, 4)
        ]
        await self._ccxt.create_orders(orders)

    async def cancel(self) -> None:
        """Cancel one order, by its id or its client order id."""
        order = await self._any_open()
        if order is None:
            return
        named = {"clientOrderId": order["clientOrderId"]} if order["clientOrderId"] else {}
        await self._ccxt.cancel_order(order["id"], order["symbol"], named)

    async def cancel_several(self) -> None:
        """Cancel the orders of one symbol by a list of ids."""
        symbol = self._random.choice(SYMBOLS)
        orders = await self._ccxt.fetch_open_orders(symbol)
        if orders:
            await self._ccxt.cancel_orders([each["id"] for each in orders[:5]], symbol)

    async def cancel_all(self) -> None:
        """Cancel all orders of one symbol."""
        await self._ccxt.cancel_all_orders(self._random.choice(SYMBOLS))

    async def edit(self) -> None:
        """Change the price and quantity of a limit order."""
        order = await self._any_open("limit")
        if order is None:
            return
        symbol, amount = order["symbol"], self._amount(order["symbol"])
        price = self._price(symbol) * (1 + self._random.uniform(-0.002, 0.002))
        params = self._mode() | {"cancelReplaceMode": self._random.choice(["STOP_ON_FAILURE", "ALLOW_FAILURE"])}
        await self._ccxt.edit_order(order["id"], symbol, "limit", order["side"], amount, price, params)

    async def close(self) -> None:
        """Close one position by its id."""
        held = await self._ccxt.fetch_positions()
        if held:
            position = self._random.choice(held)
            await self._ccxt.close_position(position["symbol"], None, {"positionId": position["id"]})

    async def close_all(self) -> None:
        """Close all positions."""
        await self._ccxt.close_all_positions()

    async def leverage(self) -> None:
        """Set the leverage of one side, or of both in one-way mode."""
        side = self._random.choice(["LONG", "SHORT"]) if self._exchange.exchange.hedge else "BOTH"
        await self._ccxt.set_leverage(self._random.randint(2, 30), self._random.choice(SYMBOLS), {"side": side})

    async def wait(self) -> None:
        """Let the market move on."""
        self._exchange.advance(self._random.choice([1, 5, 30, 120]))

    async def _order(self, kind: str, *, opens: bool, near: float = 0, trigger: str = "", **params: Any) -> None:
        symbol, side = self._random.choice(SYMBOLS), self._random.choice(["buy", "sell"])
        price = self._price(symbol)
        if trigger:
            params[trigger] = price * (1 + self._random.uniform(-near, near))
        at = price * (1 + self._random.uniform(-near, near)) if kind == "limit" else None
        params |= self._mode() | ({} if opens else {"reduceOnly": True})
        await self._ccxt.create_order(symbol, kind, side, self._amount(symbol), at, params)

    async def _any_open(self, kind: str | None = None) -> Any:
        orders = await self._ccxt.fetch_open_orders()
        among = [each for each in orders if kind in {None, each["type"]}]
        return self._random.choice(among) if among else None

    def _mode(self) -> dict[str, Any]:
        return {"hedged": True} if self._exchange.exchange.hedge else {}

    def _amount(self, symbol: str) -> float:
        return self._random.choice(WORTH) / self._price(symbol)

    def _price(self, symbol: str) -> float:
        market = self._exchange.exchange.market
        return float(market.price(symbol.partition(":")[0].replace("/", "-"), self._exchange.now()))
