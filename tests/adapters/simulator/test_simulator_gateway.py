"""REST over loopback: credentials, rate limits, the listen key's endpoints, and every fault."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from listenkey.adapters.simulator.server import Server, serve
from listenkey.adapters.simulator.signature import sign

from .customer import KEYS, Customer, visit
from .held import HeldServer

pytestmark = pytest.mark.loopback
D = Decimal
TIME = "/openApi/swap/v2/server/time"
BALANCE = "/openApi/swap/v3/user/balance"
FILLS = "/openApi/swap/v2/trade/fillHistory"
ORDER = "/openApi/swap/v2/trade/order"


def test_who_may_read() -> None:
    """A wrong API key, signature or timestamp has its own code, and the HTTP status is 200 for all."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        assert (await customer.get(BALANCE))["code"] == 0
        assert (await customer.get(TIME))["data"]["serverTime"] <= server.now()
        assert (await customer.call("GET", TIME, key=None, signed=False))[1]["code"] == 0
        for key in (None, "other"):
            status, body = await customer.call("GET", BALANCE, key=key)
            assert (status, body["code"]) == (200, 100413)
        assert (await customer.call("GET", BALANCE, signed=False))[1]["code"] == 100412
        headers = {"X-BX-APIKEY": "simulated"}
        for stamp, secret, code in ((server.now(), "wrong", 100001), (server.now() - 6000, "simulated", 100421)):
            query = f"timestamp={stamp}"
            url = f"{server.rest_url}{BALANCE}?{query}&signature={sign(secret, query)}"
            async with customer.http.get(url, headers=headers) as response:
                assert (await response.json())["code"] == code
        assert (await customer.get("/openApi/swap/v2/user/nothing"))["code"] == 100404
        codes = [call.code for call in server.log.calls]
        assert codes == [0, 0, 0, 100413, 100413, 100412, 100001, 100421, 100404]

    visit(server, story)


@pytest.mark.parametrize(("venue", "path"), [("bingx-swap", "/fapi/v1/listenKey"), ("binance-usdm", KEYS)])
def test_whoever_speaks_another_venues_wire(venue: str, path: str) -> None:
    """A call of another venue's path gets a 404 in JSON that names the venue of this exchange."""
    server = Server(venue=venue)

    async def story(customer: Customer) -> None:
        status, body = await customer.call("POST", path)
        assert (status, body["code"]) == (404, 404)
        assert f"speaks {venue}" in body["msg"]

    visit(server, story)


def test_listen_keys() -> None:
    """A mint needs no signature, PUT answers 200 without a body, 204 without a key, and 404 for an unknown one."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        status, body = await customer.call("POST", KEYS, signed=False)
        key = body["listenKey"]
        assert (status, len(key)) == (200, 64)
        assert (await customer.call("POST", KEYS))[1]["listenKey"] != key
        assert (await customer.call("POST", KEYS, key=None, signed=False))[1]["code"] == 100413
        assert await customer.call("PUT", KEYS, key=None, signed=False, listenKey=key) == (200, "")
        assert (await customer.call("PUT", KEYS))[0] == 204
        assert (await customer.call("PUT", KEYS, listenKey="0" * 64))[0] == 404
        assert (await customer.call("DELETE", KEYS, listenKey=key))[0] == 200
        assert (await customer.call("DELETE", KEYS, listenKey=key))[0] == 404
        assert (await customer.call("GET", KEYS))[1]["code"] == 100404
        counters = server.truth()["log"]["counters"]
        assert (counters["mints"], counters["renewals"], counters["deletions"]) == (2, 2, 2)

    visit(server, story)


def test_wrapped_keys() -> None:
    """With `wrapped_keys` the answer to a mint has the other documented form."""
    server = Server(wrapped_keys=True)

    async def story(customer: Customer) -> None:
        _, body = await customer.call("POST", KEYS)
        assert (body["code"], len(body["data"]["listenKey"])) == (0, 64)

    visit(server, story)


def test_rate_limits_at_the_door() -> None:
    """The third mint within a second is refused with the time at which it is allowed again."""
    server = HeldServer()

    async def story(customer: Customer) -> None:
        codes = [(await customer.call("POST", KEYS))[1].get("code", 0) for _ in range(3)]
        assert codes == [0, 0, 100410]
        body = (await customer.call("POST", KEYS))[1]
        unlocked = int(body["msg"].rpartition(" ")[2])
        assert 0 < unlocked - server.now() <= 1000

    visit(server, story)


def test_the_error_limiter_at_the_door() -> None:
    """After twenty failing renewals the endpoint refuses further ones."""
    server = HeldServer()

    async def story(customer: Customer) -> None:
        codes = []
        for _ in range(21):
            server.at += 0.6
            codes.append((await customer.call("PUT", KEYS, listenKey="gone"))[0])
        assert codes == [404] * 20 + [200]
        assert server.log.calls[-1].code == 100410

    visit(server, story)


@pytest.mark.parametrize(
    ("fault", "params", "method", "path", "status", "code"),
    [
        ("renew_404", {}, "PUT", KEYS, 404, None),
        ("mint_error", {}, "POST", KEYS, 200, 100500),
        ("rate_limit", {"seconds": 0.1}, "POST", KEYS, 200, 100410),
        ("rate_limit", {"seconds": 0.1, "scope": "reads"}, "GET", BALANCE, 200, 109429),
        ("rest_error", {}, "GET", BALANCE, 500, None),
        ("rest_error", {"scope": "keys"}, "POST", KEYS, 500, None),
        ("rest_html", {}, "GET", FILLS, 502, None),
        ("bad_credentials", {"seconds": 0.1}, "GET", BALANCE, 200, 100413),
        ("bad_credentials", {"seconds": 0.1, "code": 100419}, "POST", KEYS, 200, 100419),
    ],
)
def test_rest_faults(fault: str, params: dict[str, Any], method: str, path: str, status: int, code: int | None) -> None:
    """Each fault affects its endpoint, and ends when it is used up or its time is over."""
    server = HeldServer(rate_limits=False)

    async def story(customer: Customer) -> None:
        key = await customer.mint()
        server.fault(fault, **params)
        met, body = await customer.call(method, path, listenKey=key)
        assert met == status
        if code is not None:
            assert body["code"] == code
        if "seconds" in params:
            server.at += params["seconds"]
        if fault == "renew_404":
            assert not server.keys.valid(key, server.now())
        else:
            assert (await customer.call(method, path, listenKey=key, startTs=0))[0] == 200

    visit(server, story)


def test_scoped_faults_leave_the_rest_alone() -> None:
    """A fault of reads affects only reads, and a fault of keys only keys."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        server.fault("rest_error", seconds=60.0)
        server.fault("rate_limit", seconds=60.0, scope="keys")
        assert (await customer.call("POST", KEYS))[1]["code"] == 100410
        assert (await customer.call("GET", BALANCE))[0] == 500

    visit(server, story)


def test_balances_can_be_empty() -> None:
    """`rest_empty_amounts` empties the balances of one answer."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        server.fault("rest_empty_amounts")
        assert {row["balance"] for row in (await customer.get(BALANCE))["data"]} == {""}
        assert "100000.00000000" in {row["balance"] for row in (await customer.get(BALANCE))["data"]}

    visit(server, story)


def test_an_answer_may_never_come() -> None:
    """`rest_timeout` holds a request and then cuts its connection, and does not block the closing of the server."""
    server = Server()

    async def story(customer: Customer) -> None:
        server.fault("rest_timeout", hold=0.05, count=2)  # aiohttp tries a GET twice
        with pytest.raises(aiohttp.ClientError):
            await customer.get(BALANCE)
        server.fault("rest_timeout", scope="all")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(customer.get(BALANCE), 0.05)
        assert server.log.calls[0].status == 0

    visit(server, story)


def test_late_fills_at_the_door() -> None:
    """`late_fills` hides fills from lists and orders until it is cleared."""
    server = Server(rate_limits=False)

    async def story(customer: Customer) -> None:
        (fill,) = server.exchange.trade("BTC-USDT", "BUY", D("0.01"), now=server.now())
        window = {"startTs": fill.ts - 1000, "endTs": fill.ts + 1000}
        server.fault("late_fills", lag=5.0)
        assert (await customer.get(FILLS, **window))["data"]["total"] == 0
        order = (await customer.get(ORDER, symbol=fill.symbol, orderId=fill.order_id))["data"]["order"]
        assert order["executedQty"] == "0"
        server.faults.clear("late_fills")
        assert (await customer.get(FILLS, **window))["data"]["total"] == 1

    visit(server, story)


def test_the_control_surface() -> None:
    """The control paths give the truth, start faults and make every move; a wrong request gets 400 with an error."""
    server = Server(fills_per_second=50.0)

    async def story(customer: Customer) -> None:
        async def post(path: str, **body: Any) -> tuple[int, Any]:
            async with customer.http.post(f"{server.rest_url}/simulator/{path}", json=body) as response:
                return response.status, json.loads(await response.text())

        status, quiet = await post("quiet")
        assert (status, quiet["quiet"]) == (200, True)
        _, fills = await post("trade", symbol="ETH-USDT", side="BUY", qty="0.3", parts=3)
        assert [fill["end"] for fill in fills] == ["0.1", "0.2", "0.3"]
        _, order = await post("place", symbol="LTC-USDT", side="BUY", qty="5", type="LIMIT", price="80")
        _, fill = await post("fill", order_id=order["order_id"], qty="2")
        assert (fill["start"], fill["end"], fill["price"]) == ("0", "2", "80")
        assert (await post("amend", order_id=order["order_id"], qty="4"))[1]["qty"] == "4"
        assert (await post("cancel", order_id=order["order_id"]))[1]["status"] == "CANCELED"
        assert (await post("cancel", order_id=order["order_id"]))[0] == 400
        _, waiting = await post("place", symbol="LTC-USDT", qty="1", type="TRIGGER_MARKET", stop_price="80")
        _, executing = await post("trigger", order_id=waiting["order_id"])
        assert (executing["type"], executing["trigger_order_id"]) == ("MARKET", waiting["order_id"])
        assert (await post("expire", order_id=executing["order_id"]))[1]["status"] == "EXPIRED"
        assert (await post("transfer", amount="10.5"))[0] == 200
        assert D((await post("funding", symbol="ETH-USDT", rate="0.01"))[1]["amount"]) != 0
        assert (await post("leverage", long=7, short=8))[0] == 200
        assert (await post("margin", mode="isolated"))[0] == 200
        assert (await post("liquidate", symbol="ETH-USDT", position_side="LONG"))[0] == 200
        assert (await post("fault", name="refuse", seconds=5))[1]["name"] == "refuse"
        assert (await post("fault", name="refuse", clear=True)) == (200, {"cleared": "refuse"})
        for path, body in (
            ("fault", {"name": "quake"}),
            ("fault", {}),
            ("fault", {"name": "refuse", "colour": 1}),
            ("fault", {"name": "refuse", "seconds": "long"}),
            ("trade", {"qty": "NaN"}),
            ("trade", {"colour": "red"}),
            ("fill", {"order_id": "x"}),
        ):
            status, answer = await post(path, **body)
            assert status == 400
            assert answer["error"]
        async with customer.http.get(f"{server.rest_url}/simulator/truth") as response:
            truth = json.loads(await response.text())
        opening, wallet = D(truth["opening"]["USDT"]), D(truth["wallet"]["USDT"])
        pnl, fees = D(truth["realized_pnl"]["USDT"]), D(truth["fees"]["USDT"])
        assert wallet == opening + pnl - fees + D(truth["funding"]["USDT"]) + D(truth["transfers"]["USDT"])
        assert truth["log"]["counters"]["mints"] == 0
        assert (await post("quiet", on=False))[1]["quiet"] is False

    visit(server, story)


def test_serve_calls_back_when_it_is_up_and_stops() -> None:
    """`serve` calls back with the URLs when it is up, and ends by its event."""

    async def run() -> None:
        stop = asyncio.Event()
        urls: list[str] = []

        def announce(server: Server) -> None:
            urls.extend((server.rest_url, server.ws_url))
            stop.set()

        await serve(announce=announce, stop=stop, seed=3)
        assert urls[0].startswith("http://127.0.0.1:")
        assert urls[1].endswith("/swap-market")

    asyncio.run(run())


@pytest.mark.parametrize("settings", [{"time_scale": -1.0}, {"fills_per_second": -1.0}, {"faults": ["quake@1"]}])
def test_wrong_settings_are_refused(settings: Any) -> None:
    """An invalid setting is refused with the reason."""
    with pytest.raises(ValueError, match=r"not|allowed"):
        Server(**settings)


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_behind() -> None:
    """A port in use raises an OSError."""

    async def run() -> None:
        async with Server() as server:
            port = int(server.rest_url.rpartition(":")[2])
            with pytest.raises(OSError, match="address already in use"):
                await Server(port=port).__aenter__()

    asyncio.run(run())
