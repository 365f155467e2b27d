"""Other people's clients, unmodified, on the simulated exchange with Binance's wire, next to the truth.

    python -m tests.clients.usdm [--seed N] [--operations N]

First every call of ccxt in the table of docs/trading-on-binance.md is made in both position modes: it works, or is
refused with the code that the table names. Then a bot places, changes and cancels orders, and what ccxt says of fills,
orders, positions and wallet, by REST and on its socket, is compared with the truth. Then python-binance and the
vendor's SDK follow an account and read it. Whoever is not installed is left out, with a line that says so. The exit
code is 1 if anything is not as it should be.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Any

from listenkey.adapters.simulator.server import Server

from . import calling
from .calling import BTC, DIFFERENT, EVERY, LEFT_OUT, PATIENCE, Listed, Requests, command, compared, deeds
from .exchange import API_KEY, API_SECRET
from .stepped import stepped
from .usdm_others import others

CODE = re.compile(r'"code":(-\d+)')
SYMBOLS = (BTC, "ETH/USDT:USDT", "SOL/USDT:USDT")
WIRE = {"venue": "binance-usdm"}


@asynccontextmanager
async def client(exchange: Server) -> AsyncIterator[Any]:
    """Run a `ccxt.pro.binanceusdm`, which has no types, with the exchange in place of the venue."""
    options = {"fetchMargins": False, "fetchCurrencies": False}
    settings = {"apiKey": API_KEY, "secret": API_SECRET, "timeout": 60_000, "options": options}
    made = importlib.import_module("ccxt.pro").binanceusdm({**settings, "enableRateLimit": False})
    for name, url in made.urls["api"].items():
        if name.startswith("fapi"):
            made.urls["api"][name] = url.replace("https://fapi.binance.com", exchange.rest_url)
    made.urls["api"]["ws"]["linear"] = exchange.ws_url.replace("/private/ws", "/ws")
    try:
        yield made
    finally:
        await made.close()


class Calls(Requests):
    """The calls on Binance's wire."""

    def __init__(self, client: Any, exchange: Server) -> None:
        super().__init__(client, hedge=exchange.exchange.hedge, edit={})
        self._exchange = exchange

    def listed(self) -> Listed:
        """Return the calls by their names in the table, in an order in which each one is possible."""
        ccxt, order, leave = self.client, self.order, self.leave
        algo = {"trigger": True}
        return [
            ("load_markets", ccxt.load_markets),
            *((name, lambda name=name: getattr(ccxt, name)()) for name in ("fetch_time", "fetch_tickers")),
            *((name, lambda name=name: getattr(ccxt, name)(BTC)) for name in ("fetch_ticker", "fetch_trades")),
            ("fetch_bids_asks", lambda: ccxt.fetch_bids_asks([BTC])),
            ("fetch_order_book", lambda: ccxt.fetch_order_book(BTC, 50)),
            ("fetch_ohlcv", lambda: ccxt.fetch_ohlcv(BTC, "1h", None, 100)),
            ("fetch_mark_price", lambda: ccxt.fetch_mark_price(BTC)),
            ("fetch_funding_rate", lambda: ccxt.fetch_funding_rate(BTC)),
            ("fetch_funding_rates", ccxt.fetch_funding_rates),
            ("fetch_funding_rate_history", lambda: ccxt.fetch_funding_rate_history(BTC)),
            ("fetch_open_interest", lambda: ccxt.fetch_open_interest(BTC)),
            ("fetch_mark_ohlcv", lambda: ccxt.fetch_ohlcv(BTC, "1h", None, 100, {"price": "mark"})),
            ("watch_ticker", lambda: self._moving(ccxt.watch_ticker(BTC))),
            ("watch_trades", lambda: self._moving(ccxt.watch_trades(BTC))),
            ("watch_order_book", lambda: self._moving(ccxt.watch_order_book(BTC))),
            ("watch_ohlcv", lambda: self._moving(ccxt.watch_ohlcv(BTC, "1m"))),
            ("set_leverage", lambda: ccxt.set_leverage(9, BTC)),
            ("set_margin_mode", lambda: ccxt.set_margin_mode("isolated", BTC)),
            ("set_position_mode", lambda: ccxt.set_position_mode(self.hedge)),
            ("fetch_position_mode", ccxt.fetch_position_mode),
            ("fetch_leverages", ccxt.fetch_leverages),
            ("fetch_margin_modes", ccxt.fetch_margin_modes),
            ("fetch_trading_fee", lambda: ccxt.fetch_trading_fee(BTC)),
            ("fetch_trading_fees", ccxt.fetch_trading_fees),
            ("fetch_leverage_tiers", ccxt.fetch_leverage_tiers),
            ("create_order market", lambda: order("market", "buy")),
            ("create_order limit", lambda: order("limit", "buy", 60_000, clientOrderId="Mine")),
            ("create_order postOnly", lambda: order("limit", "buy", 60_000, postOnly=True)),
            ("create_order IOC", lambda: order("limit", "buy", 60_000, timeInForce="IOC")),
            ("create_order FOK", lambda: order("limit", "buy", 66_000, timeInForce="FOK")),
            ("create_order reduceOnly", lambda: leave("limit", 70_000)),
            ("create_order triggerPrice", lambda: order("market", "buy", triggerPrice=66_000)),
            ("create_order triggerPrice, limit", lambda: order("limit", "buy", 66_100, triggerPrice=66_000)),
            ("create_order stopLossPrice", lambda: leave("market", stopLossPrice=60_000)),
            ("create_order takeProfitPrice", lambda: leave("market", takeProfitPrice=70_000)),
            ("create_order trailingPercent", lambda: leave("market", trailingPercent=1)),
            ("create_order priceMatch", lambda: order("limit", "buy", 60_000, priceMatch="QUEUE")),
            ("create_order GTD", lambda: order("limit", "buy", 60_000, timeInForce="GTD")),
            ("create_order test", lambda: order("market", "buy", test=True)),
            ("create_orders", self.several),
            ("edit_order", self.edit),
            ("cancel_order", self.cancel),
            ("cancel_order clientOrderId", lambda: ccxt.cancel_order(None, BTC, {"clientOrderId": "Mine"})),
            ("cancel_orders", self.cancel_several),
            ("fetch_order", self.fetch),
            ("fetch_open_orders", lambda: ccxt.fetch_open_orders(BTC)),
            ("fetch_open_orders trigger", lambda: ccxt.fetch_open_orders(BTC, None, None, algo)),
            ("cancel_all_orders", lambda: ccxt.cancel_all_orders(BTC)),
            ("cancel_all_orders trigger", lambda: ccxt.cancel_all_orders(BTC, algo)),
            ("fetch_orders", lambda: ccxt.fetch_orders(BTC)),
            ("fetch_closed_orders", lambda: ccxt.fetch_closed_orders(BTC)),
            ("fetch_canceled_orders", lambda: ccxt.fetch_canceled_orders(BTC)),
            ("fetch_my_trades", lambda: ccxt.fetch_my_trades(BTC)),
            ("fetch_my_liquidations", lambda: ccxt.fetch_my_liquidations(BTC)),
            ("fetch_funding_history", lambda: ccxt.fetch_funding_history(BTC)),
            ("fetch_ledger", ccxt.fetch_ledger),
            ("fetch_balance", ccxt.fetch_balance),
            ("fetch_positions", ccxt.fetch_positions),
            ("fetch_positions_risk", ccxt.fetch_positions_risk),
            ("add_margin", lambda: ccxt.add_margin(BTC, 1)),
            ("watch_orders", lambda: self._heard(ccxt.watch_orders)),
            ("watch_my_trades", lambda: self._heard(ccxt.watch_my_trades)),
            ("watch_balance", lambda: self._heard(ccxt.watch_balance)),
            ("watch_positions", lambda: self._heard(ccxt.watch_positions)),
        ]

    async def _moving(self, watching: Awaitable[object]) -> None:
        """Let the market move until something is heard."""
        task = asyncio.ensure_future(watching)
        while not task.done():
            self._exchange.advance(1)
            await asyncio.wait([task], timeout=0.05)
        await task

    async def _heard(self, watch: Callable[[], Awaitable[object]]) -> None:
        """Let the account trade until something is heard."""
        task = asyncio.ensure_future(watch())
        while not task.done():
            await self.order("market", "buy")
            self._exchange.advance(1)
            await asyncio.wait([task], timeout=0.1)
        await task


def documented() -> dict[str, str]:
    """Return the results in the table by call: `works`, or the code with which the call is refused."""
    return calling.documented("trading-on-binance.md", r"-\d{4}")


async def made(*, hedge: bool) -> dict[str, str]:
    """Make all calls; return the result of each."""
    async with stepped(seed=1, hedge=hedge, **WIRE) as exchange, client(exchange) as ccxt:
        return await calling.made(Calls(ccxt, exchange).listed(), CODE)


class Bot:
    """A bot that acts by a seed; `heard` has the fills of its socket, by trade id."""

    def __init__(self, ccxt: Any, exchange: Server, random: Random) -> None:
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.heard: dict[str, str] = {}
        self._ccxt, self._exchange, self._random = ccxt, exchange, random
        self._mode: dict[str, Any] = {"hedged": True} if exchange.exchange.hedge else {}
        self._error = importlib.import_module("ccxt").ExchangeError

    async def listen(self) -> None:
        """Collect fills of the socket."""
        while True:
            for trade in await self._ccxt.watch_my_trades():
                self.heard[trade["id"]] = str(trade["amount"])

    async def act(self) -> None:
        """Do one operation, which may be refused."""
        acts = [self._market, self._market, self._limit, self._limit, self._stop, self._edit, self._cancel, self._close]
        act = self._random.choice(acts)
        try:
            await act()
        except self._error as refused:
            code = CODE.search(str(refused))
            if code is None:
                raise
            self.refused[code[1]] += 1
        else:
            self.done[act.__name__.strip("_")] += 1
        self._exchange.advance(self._random.choice([1, 5, 30]))

    async def differences(self) -> list[str]:
        """Return the differences between the truth and ccxt's readings, a line each."""
        truth = self._exchange.truth()
        said: dict[str, dict[str, str]] = {"fill": {}, "order": {}, "position": {}}
        true = {
            "fill": {each["trade_id"]: f"{each['qty']} {each['price']} {each['fee']}" for each in truth["fills"]},
            "order": {
                each["order_id"]: f"{each['qty']} {each['executed']}"
                for each in truth["orders"]
                if each["type"] in {"LIMIT", "MARKET"}
            },
            "position": {f"{each['symbol']} {each['side']}": each["qty"] for each in truth["positions"]},
        }
        for symbol in SYMBOLS:
            for each in await self._ccxt.fetch_my_trades(symbol, None, 1000):
                said["fill"][each["id"]] = (
                    f"{_text(each['amount'])} {_text(each['price'])} {_text(each['fee']['cost'])}"
                )
            for each in await self._ccxt.fetch_orders(symbol, None, 1000):
                said["order"][each["id"]] = f"{_text(each['amount'])} {_text(each['filled'])}"
        for each in await self._ccxt.fetch_positions():
            name = self._ccxt.market(each["symbol"])["id"]
            said["position"][f"{name} {each['side'].upper()}"] = _text(each["contracts"])
        wallet = (await self._ccxt.fetch_balance())["info"]["assets"][0]["walletBalance"]
        said["wallet"], true["wallet"] = {"USDT": _text(wallet)}, {"USDT": _text(truth["wallet"]["USDT"])}
        return [
            f"{kind} {key}: {true[kind].get(key)}, not {said[kind].get(key)}"
            for kind in said
            for key in sorted({*said[kind], *true[kind]})
            if said[kind].get(key) != true[kind].get(key)
        ]

    async def _market(self) -> None:
        await self._order("market")

    async def _limit(self) -> None:
        await self._order("limit", near=0.002)

    async def _stop(self) -> None:
        symbol, side = self._where()
        at = self._price(symbol) * (1.001 if side == "buy" else 0.999)
        await self._ccxt.create_order(
            symbol, "market", side, self._amount(symbol), None, self._mode | {"triggerPrice": at}
        )

    async def _edit(self) -> None:
        if (order := await self._any_open()) is not None:
            price = order["price"] * self._random.uniform(0.998, 1.002)
            await self._ccxt.edit_order(order["id"], order["symbol"], "limit", order["side"], order["amount"], price)

    async def _cancel(self) -> None:
        if (order := await self._any_open()) is not None:
            await self._ccxt.cancel_order(order["id"], order["symbol"])

    async def _close(self) -> None:
        held = await self._ccxt.fetch_positions()
        if held:
            each = self._random.choice(held)
            side = "sell" if each["side"] == "long" else "buy"
            params = self._mode | {"reduceOnly": True}
            await self._ccxt.create_order(each["symbol"], "market", side, each["contracts"], None, params)

    async def _order(self, kind: str, near: float = 0.0) -> None:
        symbol, side = self._where()
        price = self._price(symbol) * self._random.uniform(1 - near, 1 + near)
        at = price if kind == "limit" else None
        await self._ccxt.create_order(symbol, kind, side, self._amount(symbol), at, dict(self._mode))

    async def _any_open(self) -> Any:
        orders = await self._ccxt.fetch_open_orders(self._random.choice(SYMBOLS))
        return self._random.choice(orders) if orders else None

    def _where(self) -> tuple[str, str]:
        return self._random.choice(SYMBOLS), self._random.choice(["buy", "sell"])

    def _amount(self, symbol: str) -> float:
        return self._random.choice([100, 500, 3000, 40_000]) / self._price(symbol)

    def _price(self, symbol: str) -> float:
        name = self._ccxt.market(symbol)["id"]
        return float(self._exchange.exchange.market.price(name, self._exchange.now()))


def _text(amount: Any) -> str:
    return f"{Decimal(str(amount)).normalize():f}"


async def trade(*, seed: int, hedge: bool, operations: int) -> tuple[Bot, list[str]]:
    """Run the bot, and compare after every `EVERY` operations; the exchange's time stands still meanwhile."""
    async with stepped(seed=seed, hedge=hedge, **WIRE) as exchange, client(exchange) as ccxt:
        await ccxt.load_markets()
        bot, found = Bot(ccxt, exchange, Random(seed)), []
        listening = asyncio.create_task(bot.listen())
        while not len(exchange.hub):
            await asyncio.wait([listening], timeout=0.02)
        for number in range(1, operations + 1):
            await bot.act()
            if number % EVERY == 0 or number == operations:
                found += await bot.differences()
        fills = {each["trade_id"] for each in exchange.truth()["fills"]}
        until = time.monotonic() + PATIENCE
        while fills - bot.heard.keys() and time.monotonic() < until:
            await asyncio.wait([listening], timeout=0.05)
        listening.cancel()
        found += [f"fill {each}: not heard" for each in sorted(fills - bot.heard.keys())]
        return bot, found


def played(given: Namespace) -> Iterator[str]:
    """Run everything, and yield its lines."""
    if importlib.util.find_spec("ccxt") is None:
        yield f"ccxt {LEFT_OUT}: make .venv/.bench"
    else:
        for hedge in (True, False):
            mode = "hedge" if hedge else "one_way"
            yield from compared(mode, documented(), asyncio.run(made(hedge=hedge)))
            bot, found = asyncio.run(trade(seed=given.seed, hedge=hedge, operations=given.operations))
            yield f"{deeds(mode, bot)}; {len(bot.heard)} fills heard on the socket"
            yield from (f"{DIFFERENT}{mode}, {each}" for each in found[:10])
    yield from others(given.seed)


def main() -> int:
    """Run the command."""
    return command("usdm", __doc__, played)


if __name__ == "__main__":
    sys.exit(main())
