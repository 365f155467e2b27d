"""Faults of a bot's own orders on Binance's wire: lost answers, rate limits, frames ahead of REST."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from .held import HeldServer
from .trader import Trader, visit

pytestmark = pytest.mark.loopback
ORDER = "/fapi/v1/order"
BUY: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01"}
REST: dict[str, Any] = BUY | {"type": "LIMIT", "timeInForce": "GTC", "price": "60000"}


def server() -> HeldServer:
    """Return a server in one-way mode whose clock is moved by the test."""
    return HeldServer(venue="binance-usdm", hedge=False, rate_limits=False, readings={"lite": "none"})


def test_an_answer_never_comes() -> None:
    """With `lose_answer` an accepted order is placed once without an answer; a refused order is answered."""
    exchange = server()

    async def story(trader: Trader) -> None:
        exchange.fault("lose_answer")
        refused = await trader.call("POST", ORDER, **BUY, type="LIMIT")
        assert refused.status == 400
        with pytest.raises(aiohttp.ClientError):
            await trader.call("POST", ORDER, **REST, newClientOrderId="once")
        again = await trader.call("POST", ORDER, **REST, newClientOrderId="once")
        assert again.body["code"] == -4116
        (order,) = await trader.get("/fapi/v1/openOrders")
        assert order["clientOrderId"] == "once"
        done = [each.name for each in exchange.log.faults if each.detail != "begins"]
        assert done == ["lose_answer"]

    visit(exchange, story)


def test_orders_are_too_fast_in_the_middle_of_a_bracket() -> None:
    """With `limit_bracket` further orders, also conditional ones, are refused for a while after so many calls."""
    exchange = server()

    async def story(trader: Trader) -> None:
        exchange.fault("limit_bracket", calls=2, lasting=10.0)
        assert (await trader.call("POST", ORDER, **REST)).status == 200
        assert (await trader.call("POST", ORDER, **REST)).status == 200
        for path, order in ((ORDER, REST), ("/fapi/v1/algoOrder", BUY | {"algoType": "CONDITIONAL"})):
            refused = await trader.call("POST", path, **order)
            assert (refused.status, refused.body["code"]) == (429, -1015)
        assert len(await trader.get("/fapi/v1/openOrders")) == 2
        exchange.at += 10
        assert (await trader.call("POST", ORDER, **REST)).status == 200

    visit(exchange, story)


def test_a_stream_ahead_of_rest() -> None:
    """With `stream_ahead` an order's frames come before its answer, and lists show its fill only later."""
    exchange = server()

    async def filled() -> None:
        async with asyncio.timeout(120):
            while True:
                if exchange.exchange.fills:
                    return
                await asyncio.sleep(0.01)

    async def story(trader: Trader) -> None:
        socket = await trader.open(f"/private/ws?listenKey={await trader.minted()}&events=ORDER_TRADE_UPDATE")
        exchange.fault("stream_ahead", by=1.0, seconds=1.5)
        answer = asyncio.create_task(trader.call("POST", ORDER, **BUY, type="MARKET"))
        await filled()
        exchange.at += 0.1
        heard = [(await trader.frame(socket))["o"]["X"] for _ in range(2)]
        assert heard == ["NEW", "FILLED"]
        assert not answer.done()
        assert await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT") == []
        exchange.at += 1.0
        assert (await answer).status == 200
        assert len(await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT")) == 1

    visit(exchange, story)
