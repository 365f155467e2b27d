"""Binance's REST over loopback: credentials, listen keys, limits, and every fault."""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal as D
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from listenkey.adapters.simulator.binance.family import Usdm
from listenkey.adapters.simulator.server import Server

from .held import HeldServer
from .trader import KEYS, Trader, visit

pytestmark = pytest.mark.loopback
BALANCE = "/fapi/v3/balance"
ORDER = "/fapi/v1/order"
MARKET: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


def server(**settings: Any) -> HeldServer:
    """Return a held server in one-way mode, the default of Binance's accounts."""
    return HeldServer(venue="binance-usdm", **{"hedge": False, **settings})


def test_who_may_read() -> None:
    """A wrong API key, timestamp or signature has its own code and status; public calls need none."""
    exchange = server()

    async def story(trader: Trader) -> None:
        assert (await trader.call("GET", "/fapi/v1/time", key=None, signed=False)).body == {
            "serverTime": exchange.now()
        }
        assert (await trader.call("GET", BALANCE)).status == 200
        for key, code in ((None, -2014), ("other", -2015)):
            answer = await trader.call("GET", BALANCE, key=key)
            assert (answer.status, answer.body["code"]) == (401, code)
        assert "simulated" in answer.body["msg"]
        assert (await trader.call("GET", BALANCE, signed=False)).body["code"] == -1102
        answer = await trader.call("GET", BALANCE, signed=False, timestamp=exchange.wall(), signature="0" * 64)
        assert (answer.status, answer.body["code"]) == (400, -1022)
        answer = await trader.call("GET", "/fapi/v1/openInterest", symbol="BTCUSDT")
        assert answer.status == 404
        assert "not modelled" in answer.body["msg"]
        codes = [each.code for each in exchange.log.calls]
        assert codes == [0, 0, -2014, -2015, -1102, -1022, -5000]

    visit(exchange, story)


def test_a_form_is_signed_too() -> None:
    """An order may be signed over a form, or over a query and a form together."""
    exchange = server()

    async def story(trader: Trader) -> None:
        for in_query in (0, 2):
            given = list((MARKET | {"timestamp": str(exchange.wall())}).items())
            query, body = urlencode(given[:in_query]), urlencode(given[in_query:])
            signature = hmac.new(b"simulated", (query + body).encode(), hashlib.sha256).hexdigest()
            url = f"{exchange.rest_url}{ORDER}?{query}"
            headers = {"X-MBX-APIKEY": "simulated", "Content-Type": "application/x-www-form-urlencoded"}
            data = f"{body}&signature={signature}"
            async with trader.http.post(url, data=data, headers=headers) as response:
                assert (await response.json())["symbol"] == "BTCUSDT"

    visit(exchange, story)


def test_the_key_is_everybodys() -> None:
    """All API keys share one listen key: POST returns it, PUT extends it, and DELETE ends it until the next POST."""
    exchange = server(credentials={"second": "secret"})

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        assert (await trader.key(key="second")).body == {"listenKey": key}
        exchange.at += 3599
        assert (await trader.key("PUT")).body == {"listenKey": key}
        exchange.at += 3599
        assert (await trader.key("PUT")).status == 200
        answer = await trader.key("DELETE", key="second")
        assert (answer.status, answer.body) == (200, {})
        for method in ("PUT", "DELETE"):
            answer = await trader.key(method)
            assert (answer.status, answer.body["code"]) == (400, -1125)
        assert await trader.minted() != key
        exchange.at += 3600
        assert (await trader.key("PUT")).body["code"] == -1125
        for wrong, code in (("", -2014), ("third", -2015)):
            assert (await trader.key(key=wrong)).body["code"] == code
        assert (await trader.key("GET")).status == 404
        log = exchange.log
        assert (len(log.mints), len(log.renewals), len(log.deletions)) == (3, 4, 1)

    visit(exchange, story)


@pytest.mark.parametrize(("renewal", "body"), [("key", None), ("empty", {}), ("nothing", "")])
def test_what_a_renewal_answers(renewal: str, body: Any) -> None:
    """A renewal answers with the key, an empty object or an empty body, as the reading says."""
    exchange = server(readings={"renewal": renewal})

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        answer = await trader.key("PUT")
        assert answer.status == 200
        assert answer.body == ({"listenKey": key} if body is None else body)

    visit(exchange, story)


def test_api_keys_may_have_keys_of_their_own() -> None:
    """With `key_of="api_key"` each API key has its own listen key, which another's deletion does not end."""
    exchange = server(credentials={"second": "secret"}, readings={"key_of": "api_key"})

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        assert (await trader.key(key="second")).body["listenKey"] != key
        await trader.key("DELETE", key="second")
        assert (await trader.key("PUT")).body == {"listenKey": key}

    visit(exchange, story)


def test_weight_is_said_and_limited() -> None:
    """Each answer has the weight that the address has used, and a call beyond the limit gets 429 with Retry-After."""
    exchange = server(epoch_ms=1_800_000_000_000)

    async def story(trader: Trader) -> None:
        answer = await trader.call("GET", "/fapi/v1/income")
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "30"
        assert (await trader.call("GET", "/fapi/v1/openOrders")).headers["X-MBX-USED-WEIGHT-1M"] == "70"
        assert isinstance(exchange.family, Usdm)
        exchange.family.limits.admit("127.0.0.1", 2330, exchange.wall())
        exchange.at += 12
        answer = await trader.call("GET", "/fapi/v1/time", signed=False)
        assert (answer.status, answer.body["code"], answer.headers["RETRY-AFTER"]) == (429, -1003, "48")
        exchange.at += 48
        assert (await trader.call("GET", "/fapi/v1/time", signed=False)).headers["X-MBX-USED-WEIGHT-1M"] == "1"

    visit(exchange, story)


def test_orders_are_counted() -> None:
    """Placed orders are counted, each of a batch too, and the answer has the counts."""
    exchange = server(epoch_ms=1_800_000_000_000)

    async def story(trader: Trader) -> None:
        answer = await trader.call("POST", ORDER, **MARKET)
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        batch = f"[{','.join(['{}'] * 3)}]"
        answer = await trader.call("POST", "/fapi/v1/batchOrders", batchOrders=batch)
        assert [row["code"] for row in answer.body] == [-1102] * 3
        assert answer.headers["X-MBX-ORDER-COUNT-1M"] == "4"
        assert "X-MBX-ORDER-COUNT-1M" not in (await trader.call("GET", BALANCE)).headers

    visit(exchange, story)


@pytest.mark.parametrize(
    ("fault", "params", "method", "path", "status", "body"),
    [
        ("renew_404", {}, "PUT", KEYS, 400, {"code": -1125}),
        ("mint_error", {}, "POST", KEYS, 400, {"code": -1001}),
        ("rate_limit", {"seconds": 0.1}, "POST", KEYS, 429, {"code": -1003}),
        ("rate_limit", {"seconds": 0.1, "scope": "reads"}, "GET", BALANCE, 429, {"code": -1003}),
        ("ban", {"seconds": 0.1}, "GET", BALANCE, 418, {"code": -1003}),
        ("rest_error", {}, "GET", BALANCE, 500, {"code": -1000}),
        ("rest_error", {"scope": "keys"}, "POST", KEYS, 500, {"code": -1000}),
        ("rest_html", {}, "GET", BALANCE, 502, None),
        ("unavailable", {}, "GET", BALANCE, 503, {"msg": "Service Unavailable."}),
        ("unavailable", {"coded": True}, "GET", BALANCE, 503, {"code": -1008}),
        ("maintenance", {"seconds": 0.1}, "GET", BALANCE, 503, {"code": -1016}),
        ("unknown_outcome", {"scope": "reads"}, "GET", BALANCE, 503, {"code": -1000}),
        ("unknown_outcome", {"scope": "keys", "coded": False}, "POST", KEYS, 503, {"path": KEYS}),
        ("bad_credentials", {"seconds": 0.1}, "GET", BALANCE, 401, {"code": -2015}),
        ("bad_credentials", {"seconds": 0.1, "code": -2014}, "POST", KEYS, 401, {"code": -2014}),
    ],
)
def test_rest_faults(
    fault: str, params: dict[str, Any], method: str, path: str, status: int, body: dict[str, Any] | None
) -> None:
    """Each fault affects its endpoint with the venue's answer, and ends when it is used up or its time is over."""
    exchange = server()

    async def story(trader: Trader) -> None:
        await trader.minted()
        exchange.fault(fault, **params)
        answer = await trader.call(method, path, signed=path != KEYS)
        assert answer.status == status
        if body is not None:
            assert {name: answer.body.get(name) for name in body} == body
            assert ("code" in answer.body) == ("code" in body)
        exchange.at += params.get("seconds", 0)
        if fault != "renew_404":
            assert (await trader.call(method, path, signed=path != KEYS)).status == 200

    visit(exchange, story)


@pytest.mark.parametrize("done", [True, False])
def test_an_outcome_that_nobody_knows(done: bool) -> None:
    """With `unknown_outcome` an order is placed or not, and its answer is the same 503."""
    exchange = server()

    async def story(trader: Trader) -> None:
        exchange.fault("unknown_outcome", done=done)
        answer = await trader.call("POST", ORDER, **MARKET)
        assert (answer.status, answer.body["msg"].partition(",")[0]) == (503, "Unknown error")
        assert len(exchange.exchange.fills) == done

    visit(exchange, story)


def test_no_answer_comes() -> None:
    """`rest_timeout` cuts the connection after a while, and `drop_tcp` at once."""
    exchange = Server(venue="binance-usdm")

    async def story(trader: Trader) -> None:
        exchange.fault("rest_timeout", hold=0.05, scope="keys")
        with pytest.raises(aiohttp.ClientError):
            await trader.key()
        exchange.fault("drop_tcp", seconds=60.0)
        with pytest.raises(aiohttp.ClientError):
            await trader.key()

    visit(exchange, story)


def test_late_lists_at_the_door() -> None:
    """`late_fills` hides fills, and income and new orders only if chosen; positions are not late."""
    exchange = server()

    async def story(trader: Trader) -> None:
        exchange.fault("late_fills", lag=60.0, seconds=5.0)
        exchange.exchange.trade("BTCUSDT", "BUY", D("0.01"), now=exchange.now())
        exchange.at += 1
        assert await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT") == []
        assert len(await trader.get("/fapi/v1/income")) == 1
        assert [row["status"] for row in await trader.get("/fapi/v1/allOrders")] == ["NEW"]
        assert len(await trader.get("/fapi/v3/positionRisk")) == 1
        exchange.fault("late_fills", lag=60.0, seconds=3.0, income=True, orders=True)
        assert await trader.get("/fapi/v1/income") == []
        assert await trader.get("/fapi/v1/allOrders") == []
        exchange.at += 5
        assert len(await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT")) == 1

    visit(exchange, story)


@pytest.mark.parametrize("does", ["delete_key", "replace_key", "other_client"])
def test_another_client_of_the_account(does: str) -> None:
    """Another client may delete the key, replace it, or listen with it, so that a deletion affects its socket."""
    exchange = server()

    async def story(trader: Trader) -> None:
        key = await trader.minted()
        exchange.fault(does)
        answer = await trader.key("PUT")
        if does == "delete_key":
            assert answer.body["code"] == -1125
        elif does == "replace_key":
            assert answer.status == 200
            assert answer.body["listenKey"] != key
        else:
            assert answer.body["listenKey"] == key
            await trader.key("DELETE")
            assert exchange.log.keys_deleted_in_use == [key]

    visit(exchange, story)


def test_the_control_surface_is_the_same() -> None:
    """The control paths are those of BingX; a move without a symbol uses the first one listed."""
    exchange = Server(venue="binance-usdm", hedge=False)

    async def story(trader: Trader) -> None:
        async def post(verb: str, **body: Any) -> Any:
            async with trader.http.post(f"{exchange.rest_url}/simulator/{verb}", json=body) as response:
                return await response.json()

        (fill,) = await post("trade", qty="0.01")
        assert fill["symbol"] == "BTCUSDT"
        assert (await post("fault", name="eventless"))["name"] == "eventless"
        assert "not one of" in (await post("fault", name="same_key"))["error"]
        async with trader.http.get(f"{exchange.rest_url}/simulator/truth") as response:
            assert len((await response.json())["fills"]) == 1

    visit(exchange, story)


@pytest.mark.parametrize(
    "settings",
    [
        {"venue": "another"},
        {"venue": "binance-usdm", "wire": "captured"},
        {"venue": "binance-usdm", "triggered": "own"},
        {"venue": "binance-usdm", "faults": ["same_key@1"]},
        {"venue": "binance-usdm", "readings": {"renewal": "maybe"}},
        {"readings": {"renewal": "key"}},
    ],
)
def test_settings_of_another_wire_are_refused(settings: dict[str, Any]) -> None:
    """A setting of another venue's wire is refused."""
    with pytest.raises(ValueError, match=r"venue|setting|own|fault|reading"):
        Server(**settings)
