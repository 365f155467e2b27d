"""Binance's lists of an account, without a server: fills by symbol and id, windows, pages, and their limits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from listenkey.adapters.simulator.binance.errors import Refusal
from listenkey.adapters.simulator.binance.family import INSTRUMENTS, Usdm
from listenkey.adapters.simulator.binance.readings import readings
from listenkey.adapters.simulator.binance.routes import CLEAR, WEEK_MS, Sight
from listenkey.adapters.simulator.binance.words import named
from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.family import Ground
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.moves import Moves
from listenkey.adapters.simulator.pushes import AccountPush
from listenkey.adapters.simulator.terms import Terms
from listenkey.adapters.simulator.venue import Venue

D = Decimal
NOW = 1_779_367_929_000
DAY = 86_400_000
TRADE = (
    "symbol id orderId side price qty realizedPnl marginAsset quoteQty commission commissionAsset time positionSide "
    "buyer maker"
)
ORDER = (
    "avgPrice clientOrderId cumQuote executedQty orderId origQty origType price reduceOnly side positionSide status "
    "stopPrice closePosition symbol time timeInForce type updateTime workingType priceProtect priceMatch "
    "selfTradePreventionMode goodTillDate"
)
"""The fields of documented and captured rows."""
ALGO = (
    "algoId clientAlgoId algoType orderType symbol side positionSide timeInForce quantity algoStatus actualOrderId "
    "actualPrice triggerPrice price icebergQuantity tpTriggerPrice tpPrice slTriggerPrice slPrice tpOrderType "
    "selfTradePreventionMode workingType priceMatch closePosition priceProtect reduceOnly createTime updateTime "
    "triggerTime goodTillDate"
)


class Account:
    """An exchange with its lists."""

    def __init__(self, *, hedge: bool = False, **chosen: str) -> None:
        self.exchange = Exchange(now=NOW, hedge=hedge, instruments=INSTRUMENTS, naming=named)
        ground = Ground(self.exchange, Desk(self.exchange), Log(), lambda: NOW, 0, None, 1000, True)
        self._routes = Usdm(ground, readings(chosen)).routes
        self.now = NOW

    def get(self, name: str, sight: Sight = CLEAR, **params: Any) -> Any:
        """Return the answer, encoded to JSON and decoded."""
        route = self._routes[f"GET /fapi/{name}"]
        said = {key: str(value) for key, value in params.items()}
        return msgspec.json.decode(msgspec.json.encode(route(said, self.now, sight)))

    def refused(self, name: str, **params: Any) -> int:
        """Return the code with which the call is refused."""
        with pytest.raises(Refusal) as refused:
            self.get(name, **params)
        return refused.value.code

    def trade(self, symbol: str = "BTCUSDT", side: str = "BUY", at: int | None = None, parts: int = 1) -> list[Any]:
        """Trade ten steps of a symbol at a time."""
        self.now = max(self.now, NOW if at is None else at)
        step = self.exchange.market.instruments[symbol].step
        position_side = "LONG" if self.exchange.hedge else None
        return self.exchange.trade(symbol, side, 10 * step, now=self.now, parts=parts, position_side=position_side)


def ids(rows: list[Any], name: str = "id") -> list[int]:
    return [row[name] for row in rows]


def test_a_fill_is_listed_by_its_symbol() -> None:
    """A fill is listed by its symbol with the captured fields, a positive commission, and its exact value."""
    account = Account()
    (fill,) = account.trade()
    account.trade("ETHUSDT")
    (row,) = account.get("v1/userTrades", symbol="BTCUSDT")
    assert set(row) == set(TRADE.split())
    assert (row["id"], row["orderId"], D(row["commission"])) == (fill.trade_id, fill.order_id, fill.fee)
    assert (D(row["quoteQty"]), row["buyer"], row["maker"], row["positionSide"]) == (
        fill.price * fill.qty,
        True,
        False,
        "BOTH",
    )
    assert account.refused("v1/userTrades") == -1102
    assert account.refused("v1/userTrades", symbol="BTC-USDT") == -1121


@pytest.mark.parametrize(("page", "kept"), [("oldest", slice(None, 2)), ("newest", slice(-2, None))])
def test_a_full_page_keeps_one_end(page: str, kept: slice) -> None:
    """A full page of a window has its oldest or newest rows, without a window the newest, by id those from it on."""
    account = Account(full_page=page)
    made = [account.trade(at=NOW + number)[0].trade_id for number in range(5)]
    window: dict[str, Any] = {"symbol": "BTCUSDT", "startTime": NOW, "endTime": NOW + 9}
    assert ids(account.get("v1/userTrades", **window)) == made
    assert ids(account.get("v1/userTrades", **window, limit=2)) == made[kept]
    assert ids(account.get("v1/userTrades", symbol="BTCUSDT", limit=2)) == made[-2:]
    assert ids(account.get("v1/userTrades", symbol="BTCUSDT", fromId=made[1], limit=2)) == made[1:3]
    assert account.refused("v1/userTrades", **window, fromId=made[1]) == -1128
    assert account.refused("v1/userTrades", symbol="BTCUSDT", limit=1001) == -1130


@pytest.mark.parametrize(("end", "shown"), [("included", 2), ("excluded", 1)])
def test_the_end_of_a_window(end: str, shown: int) -> None:
    """The last millisecond of a window is included or excluded, as the reading says."""
    account = Account(window_end=end)
    account.trade(at=NOW)
    account.trade(at=NOW + 5)
    assert len(account.get("v1/userTrades", symbol="BTCUSDT", startTime=NOW, endTime=NOW + 5)) == shown


@pytest.mark.parametrize("code", ["-4165", "-1127"])
def test_windows_are_of_a_week(code: str) -> None:
    """A window longer than a week or reversed is refused, and a start of long ago without an end shows nothing."""
    account = Account(window_error=code)
    account.trade(at=NOW)
    account.now = NOW + 8 * DAY
    window: dict[str, Any] = {"startTime": NOW, "endTime": NOW + WEEK_MS}
    assert len(account.get("v1/userTrades", symbol="BTCUSDT", **window)) == 1
    for name in ("v1/userTrades", "v1/allOrders"):
        assert account.refused(name, symbol="BTCUSDT", startTime=NOW, endTime=NOW + WEEK_MS + 1) == int(code)
        assert account.refused(name, symbol="BTCUSDT", startTime=NOW + 1, endTime=NOW) == -1023
    assert account.get("v1/userTrades", symbol="BTCUSDT", startTime=NOW) == []
    assert account.get("v1/userTrades", symbol="BTCUSDT") == []
    assert account.refused("v1/income", startTime=NOW + 1, endTime=NOW) == -1023


def test_history_is_of_three_months() -> None:
    """Fills, income and orders are listed for three months, orders without a fill for three days."""
    account = Account()
    (fill,) = account.trade(at=NOW)
    order = account.exchange.place("BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000))
    account.exchange.cancel(order.id, now=NOW)
    one: dict[str, Any] = {"symbol": "BTCUSDT", "orderId": order.id}
    account.now = NOW + 3 * DAY
    assert account.get("v1/order", **one)["status"] == "CANCELED"
    assert ids(account.get("v1/allOrders", symbol="BTCUSDT"), "orderId") == [fill.order_id, order.id]
    account.now += 1
    assert account.refused("v1/order", **one) == -2013
    assert ids(account.get("v1/allOrders"), "orderId") == [fill.order_id]
    account.now = NOW + 90 * DAY
    assert len(account.get("v1/userTrades", symbol="BTCUSDT", fromId=0)) == 1
    assert len(account.get("v1/income", startTime=NOW)) == 1
    account.now += 1
    assert account.get("v1/userTrades", symbol="BTCUSDT", fromId=0) == []
    assert account.get("v1/income", startTime=NOW) == []
    assert account.get("v1/allOrders", symbol="BTCUSDT", orderId=0) == []


@pytest.mark.parametrize(("by", "shown"), [("created", 0), ("updated", 1)])
def test_a_window_of_orders_is_about_one_of_their_times(by: str, shown: int) -> None:
    """A window of orders goes by their creation or their update, as the reading says."""
    account = Account(orders_by=by, orders_symbol="required")
    order = account.exchange.place("BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000))
    account.exchange.fill(order.id, now=NOW + 10)
    account.now = NOW + 20
    assert len(account.get("v1/allOrders", symbol="BTCUSDT", startTime=NOW + 5, endTime=NOW + 20)) == shown
    assert ids(account.get("v1/allOrders", symbol="BTCUSDT", orderId=order.id), "orderId") == [order.id]
    assert account.refused("v1/allOrders") == -1102


def test_an_order_has_the_documented_fields() -> None:
    """Open and single orders have the documented fields, and conditional ones are only in lists of their own."""
    account = Account()
    order = account.exchange.place(
        "BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000), client_id="Mine"
    )
    algo = account.exchange.place("BTCUSDT", "BUY", D("0.010"), now=NOW, type="TRIGGER_MARKET", stop_price=D(65000))
    (row,) = account.get("v1/openOrders")
    assert set(row) == set(ORDER.split())
    assert (row["status"], row["origQty"], row["price"], row["time"]) == ("NEW", "0.01", "60000", NOW)
    assert account.get("v1/openOrders", symbol="ETHUSDT") == []
    by_name: dict[str, Any] = {"origClientOrderId": "Mine"}
    for named_by in ({"orderId": order.id}, by_name):
        assert account.get("v1/order", symbol="BTCUSDT", **named_by) == row
        assert account.get("v1/openOrder", symbol="BTCUSDT", **named_by) == row
    assert account.refused("v1/order", symbol="BTCUSDT", orderId=algo.id) == -2013
    assert account.refused("v1/order", symbol="BTCUSDT") == -1102
    assert account.refused("v1/order", symbol="ETHUSDT", orderId=order.id) == -2013
    (waiting,) = account.get("v1/openAlgoOrders")
    assert set(waiting) == set(ALGO.split())
    assert (waiting["algoId"], waiting["algoStatus"], waiting["actualOrderId"]) == (algo.id, "NEW", "")
    born = account.exchange.trigger(algo.id, now=NOW)
    account.exchange.fill(born.id, now=NOW)
    assert account.get("v1/openAlgoOrders") == []
    done = account.get("v1/algoOrder", algoId=algo.id)
    assert (done["algoStatus"], done["actualOrderId"]) == ("FINISHED", str(born.id))
    assert account.get("v1/allAlgoOrders", symbol="BTCUSDT") == [done]
    assert account.get("v1/order", symbol="BTCUSDT", orderId=born.id)["origType"] == "STOP_MARKET"
    account.exchange.cancel(order.id, now=NOW)
    assert account.refused("v1/openOrder", symbol="BTCUSDT", orderId=order.id) == -2013


def test_lists_may_lag() -> None:
    """With a `Sight` fills, income and new orders are as of then, and orders without the hidden fills."""
    account = Account()
    (first, *_rest) = account.trade(at=NOW, parts=2)
    late = account.exchange.place("BTCUSDT", "BUY", D("0.010"), now=NOW + 5, type="LIMIT", price=D(60000))
    account.exchange.fill(late.id, D("0.004"), now=NOW + 6)
    account.exchange.cancel(late.id, now=NOW + 7)
    account.now = NOW + 10
    sight = Sight(fills_until=NOW + 5)
    assert len(account.get("v1/userTrades", sight, symbol="BTCUSDT")) == 2
    assert len(account.get("v1/income", sight)) == 3
    shown = account.get("v1/order", sight, symbol="BTCUSDT", orderId=late.id)
    assert (shown["status"], shown["executedQty"]) == ("CANCELED", "0")
    sight = Sight(NOW - 1, NOW - 1, NOW)
    assert account.get("v1/income", sight) == []
    (row,) = account.get("v1/allOrders", sight)
    assert (row["orderId"], row["status"], row["executedQty"]) == (first.order_id, "NEW", "0")
    assert ids(account.get("v1/openOrders", sight), "orderId") == [first.order_id]


def test_liquidations_are_listed() -> None:
    """Liquidations are listed as forced orders and among all orders, and ADL has none."""
    account = Account()
    account.trade()
    fill = account.exchange.liquidate("BTCUSDT", now=NOW)
    (row,) = account.get("v1/forceOrders")
    assert row["orderId"] == fill.order_id
    assert row["clientOrderId"].startswith("autoclose-")
    assert account.get("v1/allOrders")[-1] == row
    assert account.get("v1/forceOrders", autoCloseType="ADL") == []
    assert account.refused("v1/forceOrders", autoCloseType="x") == -1130


def test_bookings() -> None:
    """Income has costs as negative amounts; fee and PnL of a trade share a `tranId` beyond 2^53."""
    account = Account()
    account.trade()
    (close,) = account.trade(side="SELL", at=NOW + 60_000)
    account.exchange.transfer("USDT", D(-5), now=NOW + 60_000)
    account.trade("ETHUSDT", at=NOW + 61_500)
    account.exchange.fund("ETHUSDT", D("0.0001"), now=NOW + 61_500)
    rows = account.get("v1/income")
    assert [row["incomeType"] for row in rows] == [
        *("COMMISSION", "COMMISSION", "REALIZED_PNL", "TRANSFER", "COMMISSION", "FUNDING_FEE")
    ]
    fee, pnl, moved = rows[1:4]
    assert fee["tranId"] == pnl["tranId"] > 2**53
    assert (D(fee["income"]), fee["tradeId"]) == (-close.fee, str(close.trade_id))
    assert D(pnl["income"]) == close.pnl
    assert (moved["income"], moved["symbol"], moved["tradeId"], moved["info"]) == ("-5", "", "", "WITHDRAW")
    funded = rows[-1]
    assert (funded["time"] % 1000, funded["tradeId"]) == (0, "")
    assert D(funded["income"]) < 0
    assert account.get("v1/income", incomeType="COMMISSION", symbol="BTCUSDT") == [rows[0], fee]
    assert account.get("v1/income", startTime=NOW, limit=1) == rows[:1]
    assert account.get("v1/income", limit=1) == [rows[-1]]
    assert set(funded) == {"symbol", "incomeType", "income", "asset", "info", "time", "tranId", "tradeId"}
    with pytest.raises(Refusal, match="page"):
        account.get("v1/income", page=2)


@pytest.mark.parametrize(("free", "rows"), [("no_row", 0), ("row", 1)])
def test_a_fill_that_costs_nothing_may_have_no_row(monkeypatch: pytest.MonkeyPatch, free: str, rows: int) -> None:
    """A fill without a fee has no income row or one of 0, as the reading says."""
    monkeypatch.setattr("listenkey.adapters.simulator.account.TAKER_FEE", D(0))
    account = Account(free_fills=free, transaction="text")
    (fill,) = account.trade()
    found = account.get("v1/income")
    assert [(row["income"], row["tradeId"]) for row in found] == [("0", str(fill.trade_id))] * rows
    assert all(isinstance(row["tranId"], str) for row in found)


@pytest.mark.parametrize("hedge", [False, True])
def test_balances_and_positions(hedge: bool) -> None:
    """Both versions of the calls show balances and positions; shorts are negative, a resting order has a row of 0."""
    account = Account(hedge=hedge)
    longs: dict[str, Any] = {"position_side": "LONG"} if hedge else {}
    account.trade()
    account.exchange.set_margin_mode("ETHUSDT", "isolated", now=NOW)
    sides: dict[str, Any] = {"position_side": "SHORT"} if hedge else {}
    account.exchange.trade("ETHUSDT", "SELL", D("0.020"), now=NOW, **sides)
    account.exchange.place(
        "SOLUSDT",
        "BUY",
        D(1),
        now=NOW,
        type="LIMIT",
        price=D(100),
        **longs,
    )
    balances = {row["asset"]: row for row in account.get("v3/balance")}
    wallet = account.exchange.account.book.wallet("USDT").balance
    assert list(balances) == ["USDT", "USDC", "BNB"]
    assert D(balances["USDT"]["balance"]) == wallet
    assert D(balances["BNB"]["balance"]) == 0
    rows = account.get("v3/positionRisk")
    held = {(row["symbol"], row["positionSide"]): row["positionAmt"] for row in rows}
    long, short = ("LONG", "SHORT") if hedge else ("BOTH", "BOTH")
    assert held["BTCUSDT", long] == "0.01"
    assert held["ETHUSDT", short] == "-0.02"
    assert held["SOLUSDT", long] == "0"
    assert not any(row["symbol"] == "LTCUSDT" for row in rows)
    assert "leverage" not in rows[0]
    (isolated,) = [row for row in rows if D(row["positionAmt"]) < 0]
    assert D(isolated["isolatedWallet"]) == wallet - D(balances["USDT"]["crossWalletBalance"]) > 0
    assert D(isolated["liquidationPrice"]) > D(isolated["entryPrice"])
    second = account.get("v2/positionRisk", symbol="LTCUSDT")
    assert [(row["positionAmt"], row["leverage"], row["marginType"]) for row in second] == [("0", "5", "cross")] * len(
        second
    )
    assert len(second) == 1 + hedge
    for version in ("v2", "v3"):
        whole = account.get(f"{version}/account")
        assert D(whole["totalWalletBalance"]) == wallet
        assert {row["asset"] for row in whole["assets"]} == set(balances)
        assert ("leverage" in whole["positions"][0]) == (version == "v2")


def test_settings_of_the_account() -> None:
    """Flags of the account are JSON booleans, and two endpoints give the position mode."""
    account = Account(hedge=True)
    assert account.get("v1/positionSide/dual") == {"dualSidePosition": True}
    assert account.get("v1/accountConfig")["dualSidePosition"] is True
    assert account.get("v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    (row,) = account.get("v1/symbolConfig", symbol="BTCUSDT")
    assert (row["marginType"], row["leverage"]) == ("CROSSED", 5)
    assert account.get("v1/leverageBracket", symbol="BTCUSDT")[0]["brackets"][0]["maintMarginRatio"] == 0.004
    assert account.get("v1/commissionRate", symbol="BTCUSDT")["takerCommissionRate"] == "0.0005"
    assert account.refused("v1/commissionRate") == -1102


@pytest.mark.parametrize(
    ("name", "asked", "read"),
    [
        ("v1/time", {}, lambda body: body["serverTime"] == NOW),
        ("v1/ping", {}, lambda body: body == {}),
        ("v1/exchangeInfo", {}, lambda body: body["symbols"][0]["baseAsset"] == "BTC"),
        ("v1/depth", {"symbol": "BTCUSDT", "limit": 5}, lambda body: len(body["asks"]) == 5),
        ("v1/trades", {"symbol": "BTCUSDT"}, lambda body: body[0]["price"] == "64000"),
        ("v1/aggTrades", {"symbol": "BTCUSDT"}, lambda body: body[0]["p"] == "64000"),
        ("v1/klines", {"symbol": "BTCUSDT", "interval": "1h", "limit": 3}, lambda body: len(body) == 3),
        ("v1/klines", {"symbol": "BTCUSDT", "interval": "1h", "startTime": NOW + 1}, lambda body: body == []),
        ("v1/premiumIndex", {"symbol": "BTCUSDT"}, lambda body: D(body["markPrice"]) == 64000),
        ("v1/premiumIndex", {}, lambda body: len(body) == 4),
        ("v1/fundingRate", {}, lambda body: body == []),
        ("v1/ticker/24hr", {"symbol": "BTCUSDT"}, lambda body: body["lastPrice"] == "64000"),
        ("v1/ticker/price", {}, lambda body: body[0]["price"] == "64000"),
        ("v1/ticker/bookTicker", {"symbol": "BTCUSDT"}, lambda body: body["bidPrice"] == "63999.9"),
    ],
)
def test_the_market(name: str, asked: dict[str, Any], read: Callable[[Any], bool]) -> None:
    """Market data is answered for each public endpoint."""
    assert read(Account().get(name, **asked))


@pytest.mark.parametrize(
    ("name", "asked", "code"),
    [
        ("v1/depth", {"symbol": "BTCUSDT", "limit": 7}, -4021),
        ("v1/depth", {"symbol": "x"}, -1121),
        ("v1/depth", {}, -1102),
        ("v1/klines", {"symbol": "BTCUSDT", "interval": "7h"}, -1120),
        ("v1/aggTrades", {"symbol": "BTCUSDT", "fromId": 1}, -1104),
        ("v1/ticker/price", {"symbols": "x"}, -1104),
        ("v1/userTrades", {"symbol": "BTCUSDT", "limit": "x"}, -1102),
    ],
)
def test_what_is_not_understood_is_refused(name: str, asked: dict[str, Any], code: int) -> None:
    """A wrong parameter is refused with the venue's code."""
    assert Account().refused(name, **asked) == code


def test_weights() -> None:
    """Weights are the documented ones, and open orders weigh 40 without a symbol and 1 with one."""
    account = Account()
    wanted = {
        "v1/userTrades": 5,
        "v1/allOrders": 5,
        "v1/income": 30,
        "v3/balance": 5,
        "v3/positionRisk": 5,
        "v3/account": 5,
        "v1/positionSide/dual": 30,
        "v1/accountConfig": 5,
        "v1/symbolConfig": 5,
        "v1/time": 1,
        "v1/order": 1,
    }
    routes = account._routes
    assert {name: routes[f"GET /fapi/{name}"].weighs({}) for name in wanted} == wanted
    open_orders = routes["GET /fapi/v1/openOrders"]
    assert (open_orders.weighs({}), open_orders.weighs({"symbol": "BTCUSDT"})) == (40, 1)


def test_the_rest_of_an_order_that_was_taken_at_once_is_no_cancellation() -> None:
    """An IOC or FOK order's cancelled rest is EXPIRED by REST, as on the stream."""
    account = Account()
    order = account.exchange.place(
        "BTCUSDT", "BUY", D("0.010"), now=NOW, type="LIMIT", price=D(60000), terms=Terms(time_in_force="FOK")
    )
    account.exchange.cancel(order.id, now=NOW)
    assert account.get("v1/order", symbol="BTCUSDT", orderId=order.id)["status"] == "EXPIRED"


def test_fees_may_be_paid_in_another_asset() -> None:
    """With `fees="BNB"` fills and income have fees in BNB, which are taken from that wallet, until it is empty."""
    account = Account(fees="BNB")
    wallets = account.exchange.account.book.wallets
    (fill,) = account.trade()
    assert fill.asset == "BNB"
    assert (wallets["BNB"].balance, wallets["USDT"].balance) == (100 - fill.fee, D(100_000))
    assert fill.fee == (fill.qty * fill.price * D("0.0005") / 600).quantize(D("0.00000001"))
    (row,) = account.get("v1/userTrades", symbol="BTCUSDT")
    assert (row["commissionAsset"], row["marginAsset"]) == ("BNB", "USDT")
    (booked,) = account.get("v1/income")
    assert (booked["asset"], D(booked["income"])) == ("BNB", -fill.fee)
    balances = {each["asset"]: each["balance"] for each in account.get("v3/balance")}
    assert D(balances["BNB"]) == wallets["BNB"].balance
    (push,) = [each for each in account.exchange.due(NOW + 60_000) if isinstance(each, AccountPush)]
    assert [each.asset for each in push.balances] == ["USDT", "BNB"]
    account.exchange.transfer("BNB", -wallets["BNB"].balance, now=NOW)
    assert account.trade()[0].asset == "USDT"


@pytest.mark.parametrize("hedge", [False, True])
def test_both_sides_of_a_trade_have_one_id(hedge: bool) -> None:
    """A trade of the account with itself has two rows of two orders with one id, and a page from that id has both."""
    venue = Venue(venue="binance-usdm", hedge=hedge, time_scale=0, epoch_ms=NOW)
    buy, sell = Moves(venue).make("cross", {"qty": "0.01"})
    assert buy["trade_id"] == sell["trade_id"]
    assert buy["order_id"] != sell["order_id"]
    assert isinstance(venue.family, Usdm)
    route = venue.family.routes["GET /fapi/v1/userTrades"]
    rows = route({"symbol": "BTCUSDT", "fromId": buy["trade_id"]}, NOW, CLEAR)
    assert [(row["id"], row["side"], row["maker"]) for row in rows] == [
        (int(buy["trade_id"]), "BUY", True),
        (int(buy["trade_id"]), "SELL", False),
    ]


def test_bookings_of_other_kinds() -> None:
    """Income may have special funding at whole seconds, and kinds that are not known."""
    account = Account()
    account.trade()
    account.exchange.fund("BTCUSDT", D("0.0001"), now=NOW + 1_500, kind="SPECIAL_FUNDING_FEE")
    account.exchange.transfer("USDT", D(3), now=NOW + 1_600, kind="MOON_REWARD")
    account.now = NOW + 2_000
    (special,) = account.get("v1/income", incomeType="SPECIAL_FUNDING_FEE")
    assert (special["symbol"], special["time"] % 1000) == ("BTCUSDT", 0)
    (reward,) = account.get("v1/income", incomeType="MOON_REWARD")
    assert (reward["income"], reward["info"], reward["symbol"]) == ("3", "MOON_REWARD", "")
