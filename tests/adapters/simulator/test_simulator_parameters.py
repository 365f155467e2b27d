"""Each parameter of each endpoint has an effect, or it is refused with a message that names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orderforms import NAMES
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.trading import ORDER_PATH, REPLACES, Trading

BEGIN = 1_758_608_899_123
V1, V2, V3 = "/openApi/swap/v1", "/openApi/swap/v2", "/openApi/swap/v3"
BTC = "BTC-USDT"
MARKET = {"symbol": BTC, "side": "BUY", "positionSide": "LONG", "type": "MARKET", "quantity": "0.01"}
LIMIT = MARKET | {"type": "LIMIT", "price": "60000"}
EXIT = MARKET | {"side": "SELL", "quantity": "0.005"}
TRAIL = EXIT | {"type": "TRAILING_STOP_MARKET", "priceRate": "0.01"}
STOP = EXIT | {"type": "STOP_MARKET", "stopPrice": "60000"}
LEG = '{"stopPrice":%d}'


class Watched(dict[str, str]):
    """Parameters that record which of them were read by name; an iteration over all records none."""

    def __init__(self, *arguments: Any, **fields: str) -> None:
        super().__init__(*arguments, **fields)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)


class Venue:
    """An account that holds a long position of 0.01, and has an order `mine` that rests."""

    def __init__(self) -> None:
        self.exchange = Exchange(now=BEGIN)
        self.desk = Desk(self.exchange)
        self.rest = Rest(self.exchange, depth=self.desk.depth)
        self.trading = Trading(self.desk, self.rest.holdings)
        self.call("POST", ORDER_PATH, MARKET)
        self.resting = str(self.call("POST", ORDER_PATH, LIMIT | {"clientOrderId": "mine"})["order"]["orderId"])

    def call(self, method: str, path: str, params: dict[str, str]) -> Any:
        """Return the data of the answer."""
        if method == "GET":
            return self.rest.answer(path, params, BEGIN)["data"]
        return self.trading.answer(method, path, params, BEGIN)["data"]

    def outcome(self, params: dict[str, str]) -> object:
        """Place an order; return its row without ids and the types of all open orders, or the refusal."""
        try:
            row = self.call("POST", ORDER_PATH, params)["order"]
        except OrderRefused as refused:
            return refused.code, refused.message
        unlike = {name: value for name, value in row.items() if name.lower() != "orderid"}
        return unlike, [each.type for each in self.exchange.open.values()]


def refusal(method: str, path: str, params: dict[str, str]) -> str:
    """Return the message with which a call is refused."""
    with pytest.raises(OrderRefused) as error:
        Venue().call(method, path, params)
    assert error.value.code == 109400
    return error.value.message


EFFECTS: dict[str, tuple[dict[str, str], str]] = {
    "symbol": (MARKET | {"quantity": "1"}, "SOL-USDT"),
    "side": (EXIT, "BUY"),
    "type": (MARKET | {"price": ""}, "LIMIT"),
    "positionSide": (MARKET | {"side": "SELL", "quantity": "0.005"}, "SHORT"),
    "quantity": (MARKET, "0.02"),
    "quoteOrderQty": (MARKET | {"quantity": ""}, "1000"),
    "price": (LIMIT, "61000"),
    "stopPrice": (STOP, "61000"),
    "timeInForce": (LIMIT, "IOC"),
    "clientOrderId": (LIMIT, "yours"),
    "clientOrderID": (LIMIT, "yours"),
    "workingType": (STOP, "CONTRACT_PRICE"),
    "closePosition": (STOP | {"quantity": ""}, "true"),
    "reduceOnly": (MARKET, "true"),
    "priceRate": (TRAIL, "0.02"),
    "activationPrice": (TRAIL, "65000"),
    "stopLoss": (MARKET, LEG % 60000),
    "takeProfit": (MARKET, LEG % 70000),
}
"""For each parameter of an order: an order without it or with another value, and the value to set."""


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_parameter_of_an_order_matters(name: str) -> None:
    """Each parameter of an order changes its outcome."""
    without, value = EFFECTS[name]
    assert Venue().outcome(without) != Venue().outcome(without | {name: value})


SENT_BY_CLIENTS = sorted(
    {
        *("positionId", "stopGuaranteed", "trailingStopRate", "hedged", "reduceOnlyMode", "postOnly", "leverage"),
        *("marginMode", "selfTradePreventionMode", "newClientOrderId", "goodTillDate", "isolated", "trigger"),
        *("triggerPrice", "stopLossPrice", "takeProfitPrice", "trailingPercent", "amount", "cost", "copyTrade"),
        *("stopLossEntrustPrice", "takeProfitEntrustPrice", "orderType", "advanceAttr", "pnl", "brokerId"),
    }
)
"""Parameters that clients or their users send, and that this exchange does not model."""


@pytest.mark.parametrize("name", SENT_BY_CLIENTS)
def test_an_order_with_any_other_parameter_is_refused(name: str) -> None:
    """An unknown parameter is refused by its name in a single order, a replacement, a leg, and a list."""
    message = f"{name}: not modelled by this simulated exchange"
    assert refusal("POST", ORDER_PATH, MARKET | {name: "1"}).endswith(message)
    replacement = LIMIT | {"cancelOrderId": "1", name: "1"}
    assert refusal("POST", f"{V1}/trade/cancelReplace", replacement).endswith(message)
    legs = {"stopLoss": json.dumps({"stopPrice": 60000, name: "1"})}
    assert refusal("POST", ORDER_PATH, MARKET | legs).endswith(message)
    (error,) = Venue().call("POST", f"{V2}/trade/batchOrders", {"batchOrders": json.dumps([MARKET | {name: 1}])})[
        "errors"
    ]
    assert error["errorMessage"].endswith(message)


CALLS: dict[str, dict[str, str]] = {
    f"DELETE {ORDER_PATH}": {"symbol": BTC, "orderId": "", "clientOrderId": "mine", "clientOrderID": "mine"},
    f"POST {V2}/trade/batchOrders": {"batchOrders": json.dumps([LIMIT])},
    f"DELETE {V2}/trade/batchOrders": {
        "symbol": BTC,
        "orderIdList": "[1]",
        "clientOrderIdList": "",
        "clientOrderIDList": "",
    },
    f"DELETE {V2}/trade/allOpenOrders": {"symbol": BTC, "type": "LIMIT"},
    f"POST {V2}/trade/cancelAllAfter": {"type": "ACTIVATE", "timeOut": "10"},
    f"POST {V1}/trade/cancelReplace": dict.fromkeys(REPLACES, "")
    | LIMIT
    | {"cancelClientOrderId": "mine", "cancelReplaceMode": "STOP_ON_FAILURE"},
    f"POST {V1}/trade/batchCancelReplace": {"batchOrders": json.dumps([LIMIT | {"cancelOrderId": "1"}])},
    f"POST {V1}/trade/amend": {
        "symbol": BTC,
        "orderId": "",
        "clientOrderId": "mine",
        "clientOrderID": "",
        "quantity": "0.02",
    },
    f"POST {V2}/trade/closeAllPositions": {"symbol": BTC},
    f"POST {V1}/trade/closePosition": {"positionId": "1735000000000000886"},
    f"POST {V2}/trade/leverage": {"symbol": "ETH-USDT", "side": "LONG", "leverage": "9"},
    f"POST {V2}/trade/marginType": {"symbol": "ETH-USDT", "marginType": "ISOLATED"},
    f"POST {V1}/positionSide/dual": {"dualSidePosition": "true"},
    f"POST {ORDER_PATH}": dict.fromkeys(NAMES, "") | LIMIT,
    f"POST {ORDER_PATH}/test": dict.fromkeys(NAMES, "") | LIMIT,
}


def deeds() -> Iterator[tuple[str, str]]:
    for deed in Venue().trading.deeds:
        method, _, path = deed.partition(" ")
        yield method, path
    for path in Venue().rest.routes:
        yield "GET", path


def names_of(method: str, path: str) -> list[str]:
    venue = Venue()
    return sorted(venue.rest.routes[path].names if method == "GET" else venue.trading.deeds[f"{method} {path}"].names)


READS = {
    "symbol": BTC,
    "limit": "5",
    "interval": "1m",
    "type": "LIMIT",
    "currency": "USDT",
    "incomeType": "TRANSFER",
    "startTime": str(BEGIN - 60_000),
    "endTime": str(BEGIN),
    "startTs": str(BEGIN - 60_000),
    "endTs": str(BEGIN),
    "positionId": "1735000000000000886",
    "tradingUnit": "COIN",
    "pageIndex": "1",
    "pageSize": "5",
    "lastFillId": "1",
    "autoCloseType": "LIQUIDATION",
}


@pytest.mark.parametrize(("method", "path"), list(deeds()), ids=str)
def test_an_endpoint_reads_every_parameter_that_it_takes(method: str, path: str) -> None:
    """Each endpoint reads all parameters that it accepts, and refuses any other."""
    venue, names = Venue(), names_of(method, path)
    values = {"orderId": venue.resting, "clientOrderId": "mine", "clientOrderID": "mine"} | READS
    said = {name: values[name] for name in names} if method == "GET" else CALLS[f"{method} {path}"]
    assert sorted(said) == names
    params = Watched(said)
    venue.call(method, path, params)
    read_elsewhere = NAMES if path.endswith("cancelReplace") else frozenset()
    assert params.read >= set(names) - read_elsewhere
    if not path.startswith(ORDER_PATH):
        assert "not modelled" in refusal(method, path, said | {"somethingElse": "1"})
