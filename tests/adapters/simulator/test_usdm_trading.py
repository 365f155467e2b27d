"""Trading by Binance's endpoints, without a server: placing, changing and cancelling orders, and refusals."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from listenkey.adapters.simulator.binance.errors import Refusal, translated
from listenkey.adapters.simulator.binance.family import INSTRUMENTS, Usdm
from listenkey.adapters.simulator.binance.readings import readings
from listenkey.adapters.simulator.binance.routes import CLEAR
from listenkey.adapters.simulator.binance.words import named
from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.family import Ground
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.orders import OrderRefused

D = Decimal
NOW = 1_779_367_929_000
ORDER, ALGO = "POST v1/order", "POST v1/algoOrder"
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.010",
    "price": "60000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.010"}
STOP = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "63000"}
STOP |= {"quantity": "0.010"}


class Bot:
    """A bot that trades on its own desk."""

    def __init__(self, *, hedge: bool = False) -> None:
        self.exchange = Exchange(now=NOW, hedge=hedge, instruments=INSTRUMENTS, naming=named)
        self.desk = Desk(self.exchange)
        self._routes = Usdm(
            Ground(self.exchange, self.desk, Log(), lambda: NOW, 0, None, 1000, True), readings({})
        ).routes
        self.now = NOW

    def ask(self, route: str, params: dict[str, Any] | None = None, **more: Any) -> Any:
        """Return the answer, encoded to JSON and decoded; refusals are translated to the venue's."""
        verb, _, name = route.partition(" ")
        said = {key: str(value) for key, value in {**(params or {}), **more}.items()}
        try:
            answer = self._routes[f"{verb} /fapi/{name}"](said, self.now, CLEAR)
        except OrderRefused as refused:
            raise translated(refused) from None
        return msgspec.json.decode(msgspec.json.encode(answer))

    def refused(self, route: str, params: dict[str, Any] | None = None, **more: Any) -> int:
        """Return the code with which the call is refused, after checking that no order changed."""
        before = dict(self.exchange.orders)
        with pytest.raises(Refusal) as refused:
            self.ask(route, params, **more)
        assert self.exchange.orders == before
        return refused.value.code

    def wait(self, seconds: int) -> None:
        """Let time pass, with a step of the desk at its end."""
        self.now += 1000 * seconds
        self.desk.step(self.now)


def test_a_market_order() -> None:
    """A market order's answer is NEW by default, and the filled order with `RESULT`."""
    bot = Bot()
    taken = bot.ask(ORDER, MARKET)
    assert (taken["status"], taken["executedQty"], taken["origQty"]) == ("NEW", "0", "0.01")
    done = bot.ask(ORDER, MARKET, newOrderRespType="RESULT", newClientOrderId="Mine")
    assert (done["status"], done["executedQty"], done["clientOrderId"]) == ("FILLED", "0.01", "Mine")
    assert D(done["avgPrice"]) > 0
    assert bot.ask("GET v1/order", symbol="BTCUSDT", origClientOrderId="Mine")["orderId"] == done["orderId"]
    assert taken["clientOrderId"]
    assert "time" not in taken


def test_a_limit_order_lives() -> None:
    """A limit order can be changed and cancelled, and after that both are refused."""
    bot = Bot()
    order = bot.ask(ORDER, LIMIT, newClientOrderId="a")
    one = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert order["status"] == "NEW"
    assert bot.refused(ORDER, LIMIT, newClientOrderId="a") == -4116
    changed = bot.ask("PUT v1/order", one, side="BUY", quantity="0.02", price="59000.5")
    assert (changed["orderId"], changed["price"], changed["origQty"]) == (order["orderId"], "59000.5", "0.02")
    assert bot.refused("PUT v1/order", one, side="BUY", quantity="0.02", price="59000.5") == -5027
    assert bot.refused("PUT v1/order", one, side="SELL", quantity="0.02", price="59000") == -1130
    assert bot.refused("PUT v1/order", one, side="BUY", quantity="0.02", price="59000.55") == -1130
    assert bot.refused("PUT v1/order", one, side="BUY", quantity="x", price="59000") == -1102
    gone = bot.ask("DELETE v1/order", one)
    assert gone["status"] == "CANCELED"
    assert bot.refused("DELETE v1/order", one) == -2011
    assert bot.refused("DELETE v1/order", symbol="BTCUSDT", orderId=1) == -2011
    assert bot.refused("PUT v1/order", symbol="BTCUSDT", orderId=1, side="BUY", quantity="1", price="1") == -2013


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": ""}, -1102),
        ({"symbol": "BTC-USDT"}, -1121),
        ({"side": "UP"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"type": "STOP_MARKET"}, -4120),
        ({"type": "TRAILING_STOP_MARKET"}, -4120),
        ({"quantity": ""}, -1102),
        ({"quantity": "x"}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0105"}, -1111),
        ({"quantity": "0.001", "price": "100"}, -4164),
        ({"price": ""}, -1102),
        ({"price": "60000.05"}, -4014),
        ({"price": "-1"}, -1130),
        ({"timeInForce": ""}, -1102),
        ({"timeInForce": "GTD"}, -1104),
        ({"timeInForce": "DAY"}, -1115),
        ({"timeInForce": "GTX", "price": "70000"}, -5022),
        ({"positionSide": "LONG"}, -4061),
        ({"stopPrice": "1"}, -1106),
        ({"reduceOnly": "true"}, -2022),
        ({"reduceOnly": "yes"}, -1130),
        ({"quantity": "900"}, -2019),
        ({"newClientOrderId": "no blanks"}, -1100),
        ({"newOrderRespType": "FULL"}, -1130),
        ({"priceMatch": "QUEUE"}, -1104),
        ({"selfTradePreventionMode": "SOME"}, -1130),
        ({"icebergQty": "1"}, -1104),
    ],
)
def test_what_is_refused(changes: dict[str, str], code: int) -> None:
    """An invalid order is refused with the venue's code, and not placed."""
    assert Bot().refused(ORDER, {**LIMIT, **changes}) == code


def test_more_that_is_refused() -> None:
    """A market order with a price is refused, and in hedge mode so is one without a side or with `reduceOnly`."""
    bot = Bot(hedge=True)
    assert bot.refused(ORDER, MARKET, price="1", positionSide="LONG") == -1106
    assert bot.refused(ORDER, MARKET) == -4061
    assert bot.refused(ORDER, MARKET, positionSide="LONG", reduceOnly="true") == -1106
    assert bot.ask(ORDER, MARKET, positionSide="LONG")["positionSide"] == "LONG"
    assert bot.refused(ORDER, MARKET, side="SELL", positionSide="SHORT", quantity="0") == -4003
    assert bot.ask("POST v1/order/test", MARKET, positionSide="LONG") == {}
    assert len(bot.exchange.orders) == 1


@pytest.mark.parametrize(("force", "status"), [("IOC", "EXPIRED"), ("FOK", "EXPIRED"), ("GTX", "NEW"), ("GTC", "NEW")])
def test_times_in_force(force: str, status: str) -> None:
    """An IOC or FOK order away from the market is EXPIRED at once; GTX and GTC rest."""
    bot = Bot()
    order = bot.ask(ORDER, LIMIT, timeInForce=force, newOrderRespType="RESULT")
    assert (order["status"], order["timeInForce"]) == (status, force)


def test_several_at_once() -> None:
    """Each order of a batch is placed or refused by itself; orders are cancelled by ids, by names, or by symbol."""
    bot = Bot()
    batch = [LIMIT | {"newClientOrderId": f"b{number}"} for number in range(3)]
    batch.append(LIMIT | {"side": "UP"})
    found = bot.ask("POST v1/batchOrders", batchOrders=json.dumps(batch))
    assert [row.get("code") for row in found] == [None, None, None, -1117]
    order_ids = [row["orderId"] for row in found[:3]]
    changes = [{"symbol": "BTCUSDT", "orderId": order_ids[0], "side": "BUY", "quantity": "0.03", "price": "60000"}]
    assert bot.ask("PUT v1/batchOrders", batchOrders=json.dumps(changes))[0]["origQty"] == "0.03"
    gone = bot.ask("DELETE v1/batchOrders", symbol="BTCUSDT", orderIdList=json.dumps([order_ids[0], 1]))
    assert [row.get("status", row.get("code")) for row in gone] == ["CANCELED", -2011]
    named_ones = json.dumps(["b1"])
    assert (
        bot.ask("DELETE v1/batchOrders", symbol="BTCUSDT", origClientOrderIdList=named_ones)[0]["status"] == "CANCELED"
    )
    assert bot.ask("DELETE v1/allOpenOrders", symbol="BTCUSDT")["code"] == 200
    assert not bot.exchange.open
    for wrong in ("", "{}", "[]", "[1]", json.dumps([LIMIT] * 6)):
        with pytest.raises(Refusal):
            bot.ask("POST v1/batchOrders", batchOrders=wrong)


def test_a_stop_of_the_algo_service() -> None:
    """A stop is only in lists of its own; it can be cancelled, and when it is triggered another order executes."""
    bot = Bot()
    bot.ask(ORDER, MARKET)
    stop = bot.ask(ALGO, STOP, reduceOnly="true", clientAlgoId="Stop")
    assert (stop["algoStatus"], stop["orderType"], stop["triggerPrice"], stop["reduceOnly"]) == (
        "NEW",
        "STOP_MARKET",
        "63000",
        True,
    )
    assert bot.ask("GET v1/openOrders") == []
    assert bot.refused("DELETE v1/order", symbol="BTCUSDT", orderId=stop["algoId"]) == -2011
    assert bot.refused(ALGO, STOP, clientAlgoId="Stop") == -4116
    gone = bot.ask("DELETE v1/algoOrder", algoId=stop["algoId"])
    assert (gone["algoId"], gone["msg"]) == (stop["algoId"], "success")
    market = bot.exchange.market.price("BTCUSDT", NOW)
    near = bot.ask(ALGO, STOP, triggerPrice=str(market - D("0.1")), quantity="0.005")
    bot.wait(60)
    row = bot.ask("GET v1/algoOrder", algoId=near["algoId"])
    assert row["algoStatus"] == "FINISHED"
    assert bot.ask("GET v1/order", symbol="BTCUSDT", orderId=row["actualOrderId"])["status"] == "FILLED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"algoType": "VP"}, -1104),
        ({"type": "LIMIT"}, -1116),
        ({"triggerPrice": ""}, -1102),
        ({"triggerPrice": "65000"}, -2021),
        ({"type": "TAKE_PROFIT_MARKET"}, -2021),
        ({"type": "STOP"}, -1102),
        ({"timeInForce": "IOC"}, -1104),
        ({"priceProtect": "true"}, -1104),
        ({"workingType": "INDEX_PRICE"}, -1130),
        ({"closePosition": "true"}, -4136),
        ({"closePosition": "true", "quantity": ""}, -2022),
        ({"reduceOnly": "true"}, -2022),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "11"}, -2007),
        ({"type": "TRAILING_STOP_MARKET", "callbackRate": "1", "activatePrice": "60000"}, -2021),
    ],
)
def test_what_the_algo_service_refuses(changes: dict[str, str], code: int) -> None:
    """A conditional order is refused if its price, its position or a parameter does not fit."""
    assert Bot().refused(ALGO, {**STOP, **changes}) == code


def test_more_of_the_algo_service() -> None:
    """Conditional orders may close the whole position, trail or have a limit, and are cancelled together by symbol."""
    bot = Bot()
    bot.ask(ORDER, MARKET)
    whole = bot.ask(ALGO, {**STOP, "quantity": "", "closePosition": "true"}, workingType="MARK_PRICE")
    assert (whole["closePosition"], whole["quantity"], whole["workingType"]) == (True, "0", "MARK_PRICE")
    trail = bot.ask(ALGO, STOP, type="TRAILING_STOP_MARKET", callbackRate="1.5", activatePrice="65000", triggerPrice="")
    assert (trail["callbackRate"], trail["activatePrice"]) == ("1.5", "65000")
    limit = bot.ask(ALGO, STOP, type="TAKE_PROFIT", triggerPrice="65000", price="65100")
    assert (limit["orderType"], limit["price"]) == ("TAKE_PROFIT", "65100")
    assert len(bot.ask("GET v1/openAlgoOrders", symbol="BTCUSDT")) == 3
    bot.ask("DELETE v1/algoOpenOrders", symbol="BTCUSDT")
    assert bot.ask("GET v1/openAlgoOrders") == []
    assert bot.refused("DELETE v1/algoOrder", algoId=1) == -2011


def test_settings() -> None:
    """Leverage applies to both sides, and modes can be changed only without open orders and positions."""
    bot = Bot(hedge=True)
    assert bot.ask("POST v1/leverage", symbol="BTCUSDT", leverage=9)["leverage"] == 9
    assert bot.exchange.account.leverage["BTCUSDT"] == (9, 9)
    assert bot.refused("POST v1/leverage", symbol="BTCUSDT", leverage=126) == -4028
    assert bot.refused("POST v1/leverage", symbol="BTCUSDT") == -1102
    assert bot.refused("POST v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
    assert bot.refused("POST v1/marginType", symbol="BTCUSDT", marginType="x") == -1130
    assert bot.ask("POST v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")["code"] == 200
    assert bot.refused("POST v1/positionSide/dual", dualSidePosition="true") == -4059
    order = bot.ask(ORDER, LIMIT, positionSide="LONG")
    assert bot.refused("POST v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4047
    assert bot.refused("POST v1/positionSide/dual", dualSidePosition="false") == -4067
    bot.ask("DELETE v1/order", symbol="BTCUSDT", orderId=order["orderId"])
    bot.ask(ORDER, MARKET, positionSide="LONG")
    assert bot.refused("POST v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4048
    assert bot.refused("POST v1/positionSide/dual", dualSidePosition="false") == -4068
    bot.ask(ORDER, MARKET, positionSide="LONG", side="SELL")
    assert bot.ask("POST v1/positionSide/dual", dualSidePosition="false")["code"] == 200
    assert bot.exchange.hedge is False


def test_nothing_is_ignored() -> None:
    """Each endpoint refuses an unknown parameter by its name."""
    bot = Bot()
    for route in bot._routes:
        with pytest.raises(Refusal, match="surprise"):
            bot.ask(route.replace("/fapi/", ""), surprise="1")
