"""A bot's calls are answered with whole rows, and a list's answer has its successes beside its refusals."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.trading import ORDER_PATH, Trading

BEGIN = 1_758_608_899_123
D = Decimal
V1, V2 = "/openApi/swap/v1", "/openApi/swap/v2"
BTC = "BTC-USDT"
BUY = {"symbol": BTC, "side": "BUY", "positionSide": "LONG", "quantity": "0.01", "type": "MARKET"}
LIMIT = BUY | {"type": "LIMIT", "price": "60000"}


class Customer:
    """A bot, with an exchange whose market is at 64000."""

    def __init__(self) -> None:
        self.exchange = Exchange(now=BEGIN)
        self.desk = Desk(self.exchange)
        self.rest = Rest(self.exchange, depth=self.desk.depth)
        self.trading = Trading(self.desk, self.rest.holdings)

    def call(self, method: str, path: str, **params: object) -> Any:
        """Return the data of the answer."""
        said = {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
        if method == "GET":
            return self.rest.answer(path, said, BEGIN)["data"]
        return self.trading.answer(method, path, said, BEGIN)["data"]

    def place(self, **params: object) -> Any:
        """Place an order; return the row of the answer."""
        return self.call("POST", ORDER_PATH, **(LIMIT | params))["order"]

    def refused(self, method: str, path: str, **params: object) -> int:
        """Return the code with which the call is refused."""
        with pytest.raises(OrderRefused) as error:
            self.call(method, path, **params)
        return error.value.code


def test_an_order_says_all_that_was_asked_for() -> None:
    """An order's answer and its row show its legs, and the answer its trailing rate, distance and activation price."""
    bot = Customer()
    legs = {
        "stopLoss": {"type": "STOP", "stopPrice": 55000.5, "price": 55000, "workingType": "CONTRACT_PRICE"},
        "takeProfit": '{"stopPrice":"70000","quantity":0.004}',
    }
    placed = bot.place(**legs, timeInForce="PostOnly")
    (row,) = bot.call("GET", f"{V2}/trade/openOrders")["orders"]
    for shown in (placed, row):
        assert shown["stopLoss"] == {
            "type": "STOP",
            "stopPrice": D("55000.5"),
            "price": 55000,
            "quantity": 0,
            "workingType": "CONTRACT_PRICE",
        }
        assert (shown["takeProfit"]["type"], shown["takeProfit"]["quantity"]) == ("TAKE_PROFIT_MARKET", D("0.004"))
    bot.place(type="MARKET", price="", positionSide="SHORT", side="SELL")
    trail = {"type": "TRAILING_STOP_MARKET", "positionSide": "SHORT", "price": "", "workingType": "INDEX_PRICE"}
    by_rate = bot.place(**trail, priceRate="0.01", activationPrice="63000")
    assert (by_rate["priceRate"], by_rate["activationPrice"], by_rate["price"]) == (D("0.01"), 63000, 0)
    by_distance = bot.place(**(trail | {"price": "25"}))
    assert (by_distance["price"], by_distance["workingType"], by_distance["status"]) == (25, "INDEX_PRICE", "NEW")


def test_orders_in_a_list() -> None:
    """Each order of a list is placed or refused by itself, and an invalid list is refused whole."""
    bot = Customer()
    orders = [LIMIT, LIMIT | {"price": 60000.05}, LIMIT | {"quantity": 0.02, "stopLoss": {"stopPrice": 50000}}]
    answer = bot.call("POST", f"{V2}/trade/batchOrders", batchOrders=orders)
    assert [row["quantity"] for row in answer["orders"]] == [D("0.01"), D("0.02")]
    assert [(row["errorCode"], row["symbol"]) for row in answer["errors"]] == [(109400, BTC)]
    for nonsense in ("[]", "[1]", "{}", "x", [LIMIT] * 6):
        assert bot.refused("POST", f"{V2}/trade/batchOrders", batchOrders=nonsense) == 109400


@pytest.mark.parametrize("names", ["clientOrderIdList", "clientOrderIDList", "orderIdList"])
def test_cancelling_several(names: str) -> None:
    """Several orders are cancelled by order ids or client ids, and each that cannot be cancelled is listed."""
    bot = Customer()
    ids = [bot.place(clientOrderId=f"mine-{number}")["orderID"] for number in range(3)]
    listed = [f"Mine-{number}" for number in range(2)] if names != "orderIdList" else [int(each) for each in ids[:2]]
    unknown = "yours" if names != "orderIdList" else 7
    answer = bot.call("DELETE", f"{V2}/trade/batchOrders", symbol=BTC, **{names: [*listed, unknown]})
    assert [str(row["orderId"]) for row in answer["success"]] == ids[:2]
    assert {row["status"] for row in answer["success"]} == {"CANCELLED"}
    assert [row["errorCode"] for row in answer["failed"]] == [109421]
    assert [str(each) for each in bot.exchange.open] == ids[2:]
    assert bot.call("DELETE", f"{V2}/trade/batchOrders", symbol=BTC, orderIdList=ids[2])["failed"] is None
    assert bot.refused("DELETE", f"{V2}/trade/batchOrders", symbol=BTC, orderIdList="[]") == 109400


def test_cancelling_all() -> None:
    """All open orders are cancelled, or those of a symbol or a type; an unknown type or symbol is refused."""
    bot = Customer()
    bot.place()
    bot.place(symbol="SOL-USDT", price="100", quantity="1")
    bot.place(type="TRIGGER_MARKET", price="", stopPrice="65000")
    path = f"{V2}/trade/allOpenOrders"
    for params, types in (
        ({"type": "TRIGGER_MARKET"}, ["TRIGGER_MARKET"]),
        ({"symbol": BTC}, ["LIMIT"]),
        ({}, ["LIMIT"]),
    ):
        answer = bot.call("DELETE", path, **params)
        assert [row["type"] for row in answer["success"]] == types
        assert answer["failed"] is None
    assert bot.refused("DELETE", path, type="ICEBERG") == 109400
    assert bot.refused("DELETE", path, symbol="NOPE-USDT") == 109425


def test_a_replacement() -> None:
    """A replacement answers with both rows or the reason of a refused half, and is refused if nothing was done."""
    bot = Customer()
    path, first = f"{V1}/trade/cancelReplace", bot.place()["orderId"]
    answer = bot.call("POST", path, **LIMIT | {"price": "61000", "cancelOrderId": str(first)})
    assert (answer["cancelResult"], answer["replaceResult"]) == ("true", "true")
    assert (answer["cancelResponse"]["orderId"], answer["cancelResponse"]["status"]) == (first, "CANCELLED")
    assert answer["newOrderResponse"]["price"] == 61000
    gone = {"cancelOrderId": str(first), "cancelReplaceMode": "ALLOW_FAILURE"}
    answer = bot.call("POST", path, **LIMIT | gone)
    assert (answer["cancelResult"], answer["cancelResponse"], answer["replaceResult"]) == ("false", None, "true")
    assert answer["cancelMsg"] == "order is already filled or cancelled"
    second = str(answer["newOrderResponse"]["orderId"])
    answer = bot.call("POST", path, **LIMIT | {"quantity": "900", "cancelOrderId": second})
    assert (answer["cancelResult"], answer["replaceResult"]) == ("true", "false")
    assert (answer["replaceMsg"], answer["newOrderResponse"]) == ("Insufficient margin", None)
    assert bot.refused("POST", path, **LIMIT | {"cancelOrderId": second}) == 109422
    assert bot.refused("POST", path, **LIMIT | {"cancelOrderId": "7"}) == 109421
    assert "true" in bot.call("POST", path, **LIMIT | gone | {"cancelOrderId": "7"})["replaceResult"]
    assert bot.refused("POST", path, **LIMIT | {"cancelReplaceMode": "PERHAPS", "cancelOrderId": second}) == 109400
    third = bot.place(clientOrderId="third")
    only = {"cancelClientOrderId": "Third", "cancelRestrictions": "ONLY_PARTIALLY_FILLED"}
    assert bot.refused("POST", path, **LIMIT | only) == 109400
    assert bot.exchange.orders[third["orderId"]].open
    both = [LIMIT | {"cancelClientOrderId": "third"}, LIMIT | {"cancelOrderId": 7}]
    replaced, refused = bot.call("POST", f"{V1}/trade/batchCancelReplace", batchOrders=both)
    assert (replaced["replaceResult"], refused["errorCode"]) == ("true", 109421)


def test_an_amendment() -> None:
    """An amendment changes the quantity and answers with the order; an invalid one is refused."""
    bot = Customer()
    order_id = str(bot.place()["orderId"])
    assert bot.call("POST", f"{V1}/trade/amend", symbol=BTC, orderId=order_id, quantity="0.02")["quantity"] == D("0.02")
    assert bot.refused("POST", f"{V1}/trade/amend", symbol=BTC, orderId=order_id, quantity="x") == 109400
    assert bot.refused("POST", f"{V1}/trade/amend", symbol=BTC, orderId="7", quantity="1") == 109421


def test_closing_positions() -> None:
    """A position is closed by its id, or all are closed, and the answer has their orders or ids."""
    bot = Customer()
    for symbol, side in ((BTC, "LONG"), (BTC, "SHORT"), ("SOL-USDT", "LONG")):
        opens = "BUY" if side == "LONG" else "SELL"
        bot.place(symbol=symbol, side=opens, positionSide=side, type="MARKET", price="", quantity="1")
    first, *others = (row["positionId"] for row in bot.call("GET", f"{V2}/user/positions"))
    answer = bot.call("POST", f"{V1}/trade/closePosition", positionId=first)
    assert (answer["positionId"], answer["status"], answer["side"]) == (first, "FILLED", "SELL")
    assert bot.refused("POST", f"{V1}/trade/closePosition", positionId=first) == 109420
    answer = bot.call("POST", f"{V2}/trade/closeAllPositions")
    assert ([str(each) for each in answer["success"]], answer["failed"]) == (others, None)
    assert bot.call("GET", f"{V2}/user/positions") == []
    assert bot.call("POST", f"{V2}/trade/closeAllPositions")["success"] == []


def test_a_countdown() -> None:
    """The answer to a countdown has its end in whole seconds, as captured, and invalid countdowns are refused."""
    bot = Customer()
    path = f"{V2}/trade/cancelAllAfter"
    answer = bot.call("POST", path, type="ACTIVATE", timeOut="30")
    assert (answer["triggerTime"], answer["status"]) == ((BEGIN + 30_000) // 1000, "ACTIVATED")
    assert bot.call("POST", path, type="CLOSE", timeOut="0")["status"] == "CLOSED"
    for params in ({}, {"type": "ACTIVATE"}, {"type": "ACTIVATE", "timeOut": "121"}, {"type": "LATER"}):
        assert bot.refused("POST", path, **params) == 109400


def test_a_trial_places_nothing() -> None:
    """A test order is refused as a real one would be, and is never placed."""
    bot = Customer()
    assert bot.call("POST", f"{ORDER_PATH}/test", **LIMIT)["order"]["type"] == "LIMIT"
    assert bot.refused("POST", f"{ORDER_PATH}/test", **LIMIT | {"quantity": "900"}) == 101204
    assert not bot.exchange.orders


def test_settings() -> None:
    """A setting is read as it was set; a value that cannot be set is refused."""
    bot = Customer()
    answer = bot.call("POST", f"{V2}/trade/leverage", symbol=BTC, side="LONG", leverage="20")
    assert answer["leverage"] == 20
    row = bot.call("GET", f"{V2}/trade/leverage", symbol=BTC)
    assert (row["longLeverage"], row["shortLeverage"], row["maxLongLeverage"]) == (20, 5, 125)
    assert (row["availableLongVol"], row["availableShortVal"]) == ("31.25", "500000.0000")
    assert bot.refused("POST", f"{V2}/trade/leverage", symbol=BTC, side="LONG", leverage="126") == 101414
    for word, mode in (("ISOLATED", "isolated"), ("CROSSED", "cross")):
        bot.call("POST", f"{V2}/trade/marginType", symbol=BTC, marginType=word)
        assert bot.call("GET", f"{V2}/trade/marginType", symbol=BTC) == {"marginType": word}
        assert bot.exchange.account.margin_mode[BTC] == mode
    assert bot.refused("POST", f"{V2}/trade/marginType", symbol=BTC, marginType="SEPARATE_ISOLATED") == 109400
    assert bot.call("POST", f"{V1}/positionSide/dual", dualSidePosition="false") == {"dualSidePosition": "false"}
    assert not bot.exchange.hedge
    bot.call("POST", f"{V1}/positionSide/dual", dualSidePosition="true")
    bot.place()
    assert bot.refused("POST", f"{V1}/positionSide/dual", dualSidePosition="false") == 104103
    fees = bot.call("GET", f"{V2}/user/commissionRate")["commission"]
    assert fees == {"takerCommissionRate": D("0.0005"), "makerCommissionRate": D("0.0002")}


def test_what_an_order_binds_is_in_the_balance() -> None:
    """The margin of a resting order is frozen in the balance, and is not available."""
    bot = Customer()
    bot.place(quantity="0.1")
    row = bot.call("GET", f"{V2}/user/balance")["balance"]
    assert D(row["freezedMargin"]) == D("1203")
    assert D(row["availableMargin"]) == D(row["balance"]) - D("1203")


def test_forced_orders() -> None:
    """Forced orders are listed if they are liquidations, and the type ADL is refused."""
    bot = Customer()
    bot.place(type="MARKET", price="")
    bot.exchange.liquidate(BTC, "LONG", now=BEGIN)
    path = f"{V2}/trade/forceOrders"
    (row,) = bot.call("GET", path, autoCloseType="LIQUIDATION")["orders"]
    assert (row["type"], row["status"]) == ("LIQUIDATION", "FILLED")
    assert bot.refused("GET", path, autoCloseType="ADL") == 109400


def test_positions_that_are_over() -> None:
    """A closed position is listed with its prices, PnL, fees and funding; a sale that reverses it ends it."""
    bot = Customer()
    bot.call("POST", f"{V1}/positionSide/dual", dualSidePosition="false")
    exchange = bot.exchange
    for side, qty, price in (("BUY", "0.2", "60000"), ("BUY", "0.2", "62000"), ("SELL", "0.6", "63000")):
        order = exchange.place(BTC, side, D(qty), now=BEGIN)
        exchange.fill(order.id, now=BEGIN, price=D(price))
        exchange.fund(BTC, D("0.0001"), now=BEGIN)
    path = f"{V1}/trade/positionHistory"
    answer = bot.call("GET", path, symbol=BTC)
    (row,) = answer["positionHistory"]
    assert (row["positionSide"], row["positionAmt"], row["avgPrice"], row["avgClosePrice"]) == (
        *("LONG", "0.4", "61000", "63000"),
    )
    (income,) = (each.amount for each in exchange.account.book.income if each.type == "REALIZED_PNL")
    assert D(row["realisedProfit"]) == income == 800
    assert D(row["positionCommission"]) == -D("0.0005") * (12000 + 12400 + 25200)
    paid = [each.paid.get(("BOTH", "LONG"), D(0)) for each in exchange.settlements]
    assert D(row["totalFunding"]) == sum(paid)
    assert D(row["netProfit"]) == 800 + D(row["positionCommission"]) + D(row["totalFunding"])
    assert bot.call("GET", path, symbol=BTC, positionId="7")["positionHistory"] == []
    assert bot.call("GET", path, symbol=BTC, pageIndex="2")["positionHistory"] == []
    assert bot.call("GET", path, symbol="SOL-USDT")["total"] == 0
    (tier,) = bot.call("GET", f"{V1}/maintMarginRatio", symbol=BTC)
    assert (tier["tier"], tier["maintMarginRatio"]) == ("Tier 1", "0.004")


def test_rates_that_were_settled() -> None:
    """Settled funding rates are listed newest first, of one symbol or of all."""
    bot = Customer()
    for number, symbol in enumerate((BTC, "SOL-USDT", BTC)):
        bot.exchange.fund(symbol, D(number + 1) / 10_000, now=BEGIN - 100 + number)
    path = f"{V2}/quote/fundingRate"
    rows = bot.call("GET", path, symbol=BTC)
    assert [row["fundingRate"] for row in rows] == ["0.00030000", "0.00010000"]
    assert [row["symbol"] for row in bot.call("GET", path, limit="2")] == [BTC, "SOL-USDT"]
    assert bot.call("GET", path, startTime=str(BEGIN + 1), endTime=str(BEGIN + 2)) == []
