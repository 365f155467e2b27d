"""Calls over loopback as other clients make them: bodies, several API keys, number types, rate limit headers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.codes import Codes
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.signature import sign

from .customer import KEYS, Customer, visit
from .held import HeldServer

pytestmark = pytest.mark.loopback
D = Decimal
BALANCE = "/openApi/swap/v3/user/balance"
CONTRACTS = "/openApi/swap/v2/quote/contracts"
TRADE = "/openApi/swap/v2/trade"
ORDER = f"{TRADE}/order"
POSITIONS = "/openApi/swap/v2/user/positions"
OWN = "simulated"
BUY: dict[str, Any] = {"symbol": "BTC-USDT", "side": "BUY", "positionSide": "LONG", "quantity": "0.01"}
REMAIN, EXPIRE = "X-RateLimit-Requests-Remain", "X-RateLimit-Requests-Expire"


async def ask(
    customer: Customer, method: str, path: str, *, key: str = OWN, secret: str = OWN, **params: Any
) -> tuple[dict[str, str], Any]:
    """Send a call signed with these credentials; return its headers and body."""
    query = "&".join(f"{name}={each}" for name, each in (params | {"timestamp": customer.server.now()}).items())
    url = f"{customer.server.rest_url}{path}?{query}&signature={sign(secret, query)}"
    async with customer.http.request(method, url, headers={"X-BX-APIKEY": key}) as response:
        return dict(response.headers), json.loads(await response.text())


def test_a_bot_can_trade() -> None:
    """Market orders are filled at once, limit orders rest until they are cancelled, and invalid orders are refused."""
    server = Server()

    async def story(customer: Customer) -> None:
        _, body = await customer.call("POST", ORDER, **BUY, type="MARKET", clientOrderId="Bot")
        (fill,) = server.exchange.fills
        assert body["data"]["order"]["orderId"] == fill.order_id
        _, body = await customer.call("POST", ORDER, **BUY, type="LIMIT", price="60000.5")
        order = body["data"]["order"]
        assert server.exchange.orders[order["orderId"]].open
        assert (order["price"], order["quantity"]) == (60000.5, 0.01)
        _, body = await customer.call("DELETE", ORDER, symbol="BTC-USDT", orderId=order["orderId"])
        assert body["data"]["order"]["status"] == "CANCELLED"
        assert server.exchange.orders[order["orderId"]].status == "CANCELED"
        for change in ({"quantity": "much"}, {"type": "LIMIT"}, {"symbol": "NOPE"}, {"stopLoss": "{1}"}):
            assert (await customer.call("POST", ORDER, **(BUY | {"type": "MARKET"} | change)))[1]["code"] > 100000
        assert (await customer.call("DELETE", ORDER, orderId="x"))[1]["code"] == 109400
        assert len(server.exchange.orders) == 2

    visit(server, story)


def test_a_bracket_from_its_entry_to_its_end() -> None:
    """A bracket's legs come with its entry and end with the position; a list of orders is placed and cancelled."""
    server = HeldServer(epoch_ms=1_758_608_899_000, rate_limits=False)
    both: dict[str, Any] = {"stopLoss": '{"stopPrice":63950}', "takeProfit": '{"stopPrice":64050,"quantity":0.01}'}

    async def story(customer: Customer) -> None:
        _, body = await customer.call("POST", ORDER, **BUY, type="MARKET", **both)
        assert body["data"]["order"]["status"] == "FILLED"
        opened = (await customer.get(f"{TRADE}/openOrders"))["data"]["orders"]
        assert {each["type"] for each in opened} == {"STOP_MARKET", "TAKE_PROFIT_MARKET"}
        _, body = await customer.call("POST", ORDER, **BUY, type="MARKET", **both)
        assert body["code"] == 110406
        while server.exchange.account.positions():
            server.at += 1.0
            server.step()
        assert (await customer.get(POSITIONS))["data"] == []
        statuses = [(await customer.get(ORDER, symbol="BTC-USDT", orderId=each["orderId"])) for each in opened]
        assert {each["data"]["order"]["status"] for each in statuses} == {"FILLED", "CANCELLED"}
        orders = json.dumps([BUY | {"type": "LIMIT", "price": price} for price in (50000, 50001)])
        _, body = await customer.call("POST", f"{TRADE}/batchOrders", batchOrders=orders)
        ids = [each["orderId"] for each in body["data"]["orders"]]
        _, body = await customer.call("DELETE", f"{TRADE}/batchOrders", symbol="BTC-USDT", orderIdList=json.dumps(ids))
        assert [each["orderId"] for each in body["data"]["success"]] == ids
        assert (await customer.call("POST", f"{TRADE}/positionMargin"))[0] == 404

    visit(server, story)


def test_orders_in_bodies() -> None:
    """A form or a JSON object signed in the order of its names is accepted, and a wrong one is refused with a code."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        async def post(body: str | bytes, kind: str) -> int:
            headers = {"X-BX-APIKEY": "simulated", "Content-Type": kind}
            async with customer.http.post(f"{server.rest_url}{ORDER}", data=body, headers=headers) as response:
                code: int = (await response.json())["code"]
                return code

        order = BUY | {"type": "MARKET", "timestamp": str(server.now())}
        signature = sign("simulated", "&".join(f"{name}={order[name]}" for name in sorted(order)))
        form = "&".join(f"{name}={each}" for name, each in reversed(order.items()))
        assert await post(f"{form}&signature={signature}", "application/x-www-form-urlencoded") == 0
        numbers = order | {"quantity": 0.01, "timestamp": int(order["timestamp"]), "signature": signature}
        assert await post(json.dumps(numbers), "application/json") == 0
        assert len(server.exchange.fills) == 2
        wrong = f"{form}&signature={sign('simulated', form)}"
        assert await post(wrong, "application/x-www-form-urlencoded") == 100001
        assert await post(json.dumps(order), "application/json") == 100412
        assert await post("{", "application/json") == 109400
        assert await post(b"\xff", "application/json") == 109400
        assert len(server.exchange.fills) == 2

    visit(server, story)


def test_several_api_keys_of_one_account() -> None:
    """API keys of one account have secrets of their own, see the same account, and share its rate limits."""
    server = Server(credentials={"second": "secret of it"})

    async def story(customer: Customer) -> None:
        both: tuple[dict[str, str], ...] = ({}, {"key": "second", "secret": "secret of it"})
        rows = [(await ask(customer, "GET", BALANCE, **each))[1]["data"] for each in both]
        assert rows[0] == rows[1]
        assert (await ask(customer, "GET", BALANCE, key="second"))[1]["code"] == 100001
        assert (await ask(customer, "POST", KEYS, key="second", secret="secret of it"))[1]["listenKey"]
        assert (await ask(customer, "POST", KEYS))[1]["listenKey"]
        assert (await ask(customer, "POST", KEYS, **both[1]))[1]["code"] == 100410

    visit(server, story)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({}, 'API key "simulated", secret "simulated"'),
        ({"api_key": "mine", "api_secret": "hidden"}, "API management page"),
        ({"api_key": "mine", "api_secret": "hidden", "credentials_hint": "look in the drawer"}, "look in the drawer"),
    ],
)
def test_where_the_right_credentials_are(settings: Any, hint: str) -> None:
    """A refused API key or signature is answered with a hint at the right one; only the defaults are shown."""
    server = Server(**settings)

    async def story(customer: Customer) -> None:
        _, body = await ask(customer, "GET", BALANCE, key="stranger")
        assert body["code"] == 100413
        assert hint in body["msg"]
        assert "hidden" not in body["msg"]
        _, body = await ask(customer, "GET", BALANCE, key=settings.get("api_key", "simulated"), secret="wrong")
        assert body["code"] == 100001
        assert "hidden" not in body["msg"]

    visit(server, story)


def test_contracts_are_public_and_their_numbers_are_numbers() -> None:
    """Contracts need no API key or signature, and the values that are numbers in captures are numbers."""
    server = Server()

    async def story(customer: Customer) -> None:
        _, body = await customer.call("GET", CONTRACTS, key=None, signed=False)
        row, *_ = body["data"]
        shown = (row["symbol"], row["tradeMinQuantity"], row["feeRate"], row["pricePrecision"])
        assert shown == ("BTC-USDT", 0.0001, 0.0005, 1)

    visit(server, story)


def test_answers_say_what_is_left() -> None:
    """An answer, also a refusal, has the number of calls left and the time; a venue without limits has neither."""
    server = Server(epoch_ms=1_758_608_899_000)

    async def story(customer: Customer) -> None:
        headers, _ = await ask(customer, "GET", ORDER, symbol="BTC-USDT", orderId=1)
        assert headers[REMAIN] == "4"
        assert 0 < int(headers[EXPIRE]) - 1000 <= server.now()
        headers, _ = await ask(customer, "GET", BALANCE, key="stranger")
        assert headers[REMAIN] == "299"
        async with customer.http.get(f"{server.rest_url}{CONTRACTS}") as response:
            assert response.headers[REMAIN] == "499"

    visit(server, story)

    async def unlimited(customer: Customer) -> None:
        headers, _ = await ask(customer, "GET", BALANCE)
        assert REMAIN not in headers

    visit(Server(rate_limits=False), unlimited)


@pytest.mark.parametrize(
    ("codes", "unknown", "invalid", "limited"), [("current", 109421, 109400, 109429), ("former", 80016, 80014, 100410)]
)
def test_codes_of_today_and_before(codes: Codes, unknown: int, invalid: int, limited: int) -> None:
    """`codes` chooses today's or the former codes of refusals; the listen key's endpoint always has the former code."""
    server = Server(codes=codes)

    async def story(customer: Customer) -> None:
        assert (await ask(customer, "GET", ORDER, symbol="BTC-USDT", orderId=1))[1]["code"] == unknown
        assert (await ask(customer, "GET", ORDER, orderId=1))[1]["code"] == invalid
        server.fault("rate_limit", seconds=60.0)
        _, body = await ask(customer, "GET", BALANCE)
        assert body["code"] == limited
        assert body["msg"].startswith(f"code:{limited}:")
        assert (await ask(customer, "POST", KEYS))[1]["code"] == 100410

    visit(server, story)


def test_other_codes_are_none() -> None:
    """An unknown value of `codes` is refused with the allowed ones."""
    wrong: Any = {"codes": "newest"}
    with pytest.raises(ValueError, match="current or former"):
        Server(**wrong)
