"""A bot's own orders: their answers, their fills, and that no parameter is accepted and ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orderforms import TYPES_NOT_MODELLED
from listenkey.adapters.simulator.orders import OrderRefused, Triggered
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.trading import ORDER_PATH, Trading

BEGIN = 1_758_608_899_123
D = Decimal
BUY = {"symbol": "BTC-USDT", "side": "BUY", "positionSide": "LONG", "quantity": "0.01"}


class Customer:
    """A bot, with an exchange whose market is at 64000."""

    def __init__(self, *, hedge: bool = True, triggered: Triggered = "framed") -> None:
        self.exchange = Exchange(now=BEGIN, hedge=hedge, triggered=triggered)
        self.desk = Desk(self.exchange)
        self.trading = Trading(self.desk, Rest(self.exchange, depth=self.desk.depth).holdings)

    def place(self, **params: str) -> Any:
        """Place an order; return the row of the answer."""
        return self.trading.answer("POST", ORDER_PATH, BUY | params, BEGIN)["data"]["order"]

    def cancel(self, **params: object) -> Any:
        """Cancel an order; return the row of the answer."""
        sent = {name: str(each) for name, each in params.items()}
        return self.trading.answer("DELETE", ORDER_PATH, sent, BEGIN + 5)["data"]["order"]

    def refused(self, **params: str) -> OrderRefused:
        """Return the refusal of an order, after checking that no order is left."""
        with pytest.raises(OrderRefused) as error:
            self.place(**params)
        assert not self.exchange.orders
        return error.value


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"type": "MARKET"}, "FILLED"),
        ({"type": "LIMIT", "price": "64100"}, "FILLED"),
        ({"type": "LIMIT", "price": "60000"}, "NEW"),
        ({"type": "LIMIT", "price": "63900", "side": "SELL", "positionSide": "SHORT"}, "FILLED"),
        ({"type": "LIMIT", "price": "70000", "side": "SELL", "positionSide": "SHORT"}, "NEW"),
        ({"type": "TRIGGER_MARKET", "stopPrice": "64000"}, "FILLED"),
        ({"type": "TRIGGER_LIMIT", "stopPrice": "64000", "price": "64100"}, "FILLED"),
        ({"type": "TRIGGER_MARKET", "stopPrice": "63000"}, "NEW"),
        ({"type": "TRIGGER_MARKET", "stopPrice": "65000"}, "NEW"),
    ],
)
def test_a_bots_orders_are_filled_when_the_market_reaches_them(order: dict[str, str], status: str) -> None:
    """An order is filled when the market, which starts at 64000, reaches its price."""
    bot = Customer()
    order_id = bot.place(**order)["orderId"]
    bot.desk.step(BEGIN)
    bot.desk.step(BEGIN)
    assert bot.exchange.orders[order_id].status == status


def test_the_answer_to_an_order() -> None:
    """The answer has the order's parameters under the captured names and types, and the filled quantity."""
    bot = Customer()
    filled = bot.place(type="MARKET", clientOrderId="Mine")
    (fill,) = bot.exchange.fills
    assert filled == {
        "orderId": fill.order_id,
        "orderID": str(fill.order_id),
        "symbol": "BTC-USDT",
        "positionSide": "LONG",
        "side": "BUY",
        "type": "MARKET",
        "price": 0,
        "quantity": D("0.01"),
        "quoteOrderQty": 0,
        "stopPrice": 0,
        "workingType": "MARK_PRICE",
        "clientOrderID": "mine",
        "clientOrderId": "mine",
        "timeInForce": "GTC",
        "priceRate": 0,
        "stopLoss": "",
        "takeProfit": "",
        "reduceOnly": False,
        "activationPrice": 0,
        "closePosition": "",
        "stopGuaranteed": "",
        "status": "FILLED",
        "avgPrice": "64000",
        "executedQty": "0.01",
    }
    resting = bot.place(type="LIMIT", price="60000.5", timeInForce="PostOnly")
    named = ("price", "status", "avgPrice", "executedQty", "timeInForce")
    assert [resting[name] for name in named] == [D("60000.5"), "PENDING", "0", "0", "PostOnly"]
    stop = {"side": "SELL", "quantity": "0.005", "type": "STOP_MARKET", "stopPrice": "60000"}
    waiting = bot.place(**stop, workingType="CONTRACT_PRICE")
    assert (waiting["stopPrice"], waiting["status"], waiting["workingType"]) == (D(60000), "NEW", "CONTRACT_PRICE")


def test_a_reducing_order_of_one_way_mode() -> None:
    """The answer of a reducing order has `reduceOnly`; without a position to close it is refused."""
    bot = Customer(hedge=False)
    with pytest.raises(OrderRefused, match="No position to close"):
        bot.place(type="MARKET", positionSide="BOTH", side="SELL", reduceOnly="true")
    bot.place(type="MARKET", positionSide="BOTH")
    row = bot.place(type="MARKET", positionSide="", side="SELL", reduceOnly="true")
    assert (row["reduceOnly"], row["positionSide"], row["status"]) == (True, "BOTH", "FILLED")


def test_a_side_that_is_not_said_is_long() -> None:
    """In hedge mode an order without a position side is LONG, as documented, so that a sale closes."""
    bot = Customer()
    bot.place(type="MARKET", positionSide="")
    row = bot.place(type="MARKET", positionSide="", side="SELL")
    assert (row["positionSide"], bot.exchange.positions(BEGIN)) == ("LONG", [])


def test_the_answer_to_a_cancel() -> None:
    """The answer to a cancel is the order's present row; either id in either spelling names the order."""
    names: list[dict[str, object]] = [{}, {"clientOrderId": "MINE"}, {"clientOrderID": "Mine"}]
    for name in names:
        bot = Customer()
        placed = bot.place(type="LIMIT", price="60000", clientOrderId="Mine")
        bot.exchange.fill(placed["orderId"], D("0.004"), now=BEGIN)
        row = bot.cancel(symbol="BTC-USDT", **(name or {"orderId": placed["orderId"]}))
        assert row["orderId"] == placed["orderId"]
        assert (row["status"], row["origQty"], row["executedQty"]) == ("CANCELLED", "0.01", "0.004")
        assert (row["time"], row["updateTime"], row["clientOrderId"]) == (BEGIN, BEGIN + 5, "mine")
        assert not bot.exchange.open


def test_cancels_that_are_refused() -> None:
    """A wrong or missing symbol or id, or a finished order, refuses a cancel, and the order stays open."""
    bot = Customer()
    order_id = bot.place(type="LIMIT", price="60000", clientOrderId="mine")["orderId"]
    finished = bot.place(type="MARKET")["orderId"]
    refusals: list[tuple[int, dict[str, object]]] = [
        (109421, {"symbol": "ETH-USDT", "orderId": order_id}),
        (109421, {"symbol": "ETH-USDT", "clientOrderId": "mine"}),
        (109421, {"symbol": "BTC-USDT", "orderId": 1}),
        (109421, {"symbol": "BTC-USDT", "clientOrderId": "yours"}),
        (109422, {"symbol": "BTC-USDT", "orderId": finished}),
        (109425, {"symbol": "NOPE-USDT", "orderId": order_id}),
        (109400, {"orderId": order_id}),
        (109400, {"symbol": "BTC-USDT"}),
        (109400, {"symbol": "BTC-USDT", "orderId": "x"}),
    ]
    for code, params in refusals:
        with pytest.raises(OrderRefused) as error:
            bot.cancel(**params)
        assert error.value.code == code, params
    assert bot.exchange.orders[order_id].open


UNMODELLED = [
    *({"type": kind, "stopPrice": "60000", "price": "60000"} for kind in TYPES_NOT_MODELLED),
    {"type": "TRIGGER_MARKET", "stopPrice": "60000", "stopGuaranteed": "cutfee"},
    {"type": "MARKET", "priceRate": "0.1"},
    {"type": "MARKET", "activationPrice": "60000"},
    {"type": "MARKET", "positionId": "7"},
    {"type": "MARKET", "stopPrice": "60000"},
    {"type": "MARKET", "price": "60000"},
    {"type": "LIMIT", "price": "60000", "stopPrice": "59000"},
    {"type": "MARKET", "timeInForce": "PostOnly"},
    {"type": "TRIGGER_LIMIT", "stopPrice": "60000", "price": "60000", "timeInForce": "PostOnly"},
    {"type": "MARKET", "somethingNew": "7"},
    {"type": "MARKET", "stopLoss": '{"stopPrice":60000,"stopGuaranteed":"true"}'},
]


@pytest.mark.parametrize("order", UNMODELLED, ids=lambda order: "-".join(order.values()))
def test_what_is_not_modelled_is_refused(order: dict[str, str]) -> None:
    """A parameter or type that is not modelled is refused with a text, so that no bot relies on it."""
    found = Customer().refused(**order)
    assert found.code == 109400
    assert "not modelled by this simulated exchange" in found.message


@pytest.mark.parametrize("order", [{"type": "MARKET", "timeInForce": "IOC"}, {"type": "MARKET", "timeInForce": "FOK"}])
def test_what_changes_nothing_is_accepted(order: dict[str, str]) -> None:
    """Parameters that are empty, zero or false, and times in force that a market order fulfils, are accepted."""
    blank = dict.fromkeys(("stopLoss", "takeProfit", "quoteOrderQty", "stopGuaranteed", "positionId", "new"), "")
    blank |= {"stopPrice": "0", "priceRate": "0.0", "closePosition": "false", "activationPrice": "0", "price": "0"}
    row = Customer().place(**order, **blank)
    assert (row["status"], row["timeInForce"]) == ("FILLED", order["timeInForce"])


NONSENSE = [
    {"type": "LIQUIDATION"},
    {"type": "market"},
    {"type": ""},
    {"type": "MARKET", "quantity": ""},
    {"type": "MARKET", "quantity": "NaN"},
    {"type": "MARKET", "quantity": "much"},
    {"type": "MARKET", "side": "buy"},
    {"type": "MARKET", "positionSide": "BOTH"},
    {"type": "MARKET", "timeInForce": "GTD"},
    {"type": "MARKET", "workingType": "MOON_PRICE"},
    {"type": "MARKET", "reduceOnly": "perhaps"},
    {"type": "LIMIT"},
    {"type": "LIMIT", "price": "Infinity"},
    {"type": "LIMIT", "price": "60000.05"},
    {"type": "LIMIT", "price": "NaN", "timeInForce": "PostOnly"},
    {"type": "TRIGGER_MARKET"},
]


@pytest.mark.parametrize("order", NONSENSE, ids=lambda order: "-".join(order.values()))
def test_nonsense_is_refused(order: dict[str, str]) -> None:
    """Invalid parameters, and the type LIQUIDATION, are refused with the venue's code."""
    assert Customer().refused(**order).code == 109400


def test_an_unknown_symbol() -> None:
    """An unknown symbol is refused with its own code."""
    found = Customer().refused(symbol="NOPE-USDT", type="LIMIT", price="1", timeInForce="PostOnly")
    assert found.code == 109425


def test_an_order_without_a_type() -> None:
    """An order without a type is refused with a message that names the field."""
    assert Customer().refused().message.endswith("type field is required")


@pytest.mark.parametrize("triggered", ["framed", "silent", "own"])
@pytest.mark.parametrize(("price", "executed"), [(None, "0.01"), ("64100", "0.01"), ("60000", "0")])
def test_a_bots_conditional_order_executes_or_rests(price: str | None, executed: str, triggered: Triggered) -> None:
    """A triggered order takes from the market, or rests at its own price."""
    bot = Customer(triggered=triggered)
    bot.place(
        stopPrice="64000",
        **({"type": "TRIGGER_MARKET"} if price is None else {"type": "TRIGGER_LIMIT", "price": price}),
    )
    bot.desk.step(BEGIN)
    bot.desk.step(BEGIN)
    assert bot.exchange.account.position("BTC-USDT", "LONG").qty == D(executed)
    order, *others = bot.exchange.orders.values()
    assert [each.triggered_by for each in others] == ([] if triggered == "own" else [order.id])
    assert order.triggered
