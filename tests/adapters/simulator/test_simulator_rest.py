"""REST answers have the venue's envelopes, windows and peculiarities."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import PRICED, STOPS, OrderRefused, Triggered
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.routes import CLEAR, Sight

BEGIN = 1_758_608_899_123
DAY = 86_400_000
D = Decimal
SWAP = "/openApi/swap/"


class Desk:
    """An exchange with a little history, and its REST side."""

    def __init__(self, *, hedge: bool = True, triggered: Triggered = "framed", **shape: Any) -> None:
        self.exchange = Exchange(now=BEGIN, hedge=hedge, triggered=triggered)
        self.rest = Rest(self.exchange, **shape)
        self.now = BEGIN

    def ask(self, path: str, sight: Sight = CLEAR, /, **params: object) -> Any:
        answer = self.rest.answer(SWAP + path, {name: str(each) for name, each in params.items()}, self.now, sight)
        assert answer["code"] == 0
        return answer["data"]

    def trade(self, at: int, qty: str = "0.01", parts: int = 1) -> None:
        self.now = BEGIN + at
        self.exchange.trade("BTC-USDT", "BUY", D(qty), now=self.now, parts=parts)


def refused(desk: Desk, path: str, **params: object) -> int:
    with pytest.raises(OrderRefused) as error:
        desk.ask(path, **params)
    return error.value.code


def test_fill_rows_as_documented() -> None:
    """Documented fill rows have whole seconds in +0800, lower case sides, the quantity in `volume`, a negative fee."""
    desk = Desk()
    desk.trade(900)
    data = desk.ask("v2/trade/fillHistory", startTs=BEGIN, endTs=BEGIN + 1000)
    (row,) = data["fill_history_orders"]
    (fill,) = desk.exchange.fills
    assert data["total"] == 1
    assert row["filledTime"].endswith(".000+0800")
    assert row["filledTm"] == row["filledTime"].removesuffix(".000+0800") + "Z"
    shown = datetime.strptime(row["filledTime"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert int(shown.timestamp()) == fill.ts // 1000
    assert (row["side"], row["positionSide"]) == ("buy", "long")
    assert (D(row["volume"]), D(row["price"])) == (fill.qty, fill.price)
    assert 0 <= fill.qty * fill.price - D(row["qty"]) < D("0.01")
    assert (row["tradeId"], row["orderId"]) == (str(fill.trade_id), str(fill.order_id))
    assert D(row["commission"]) == -fill.fee < 0


def test_fill_rows_as_seen_later() -> None:
    """Newer fill rows come newest first, with +08:00, upper case sides, the quantity in `qty`, and PnL."""
    desk = Desk(fill_shape="newer")
    desk.trade(100)
    desk.trade(2100)
    rows = desk.ask("v2/trade/fillHistory", startTs=BEGIN, endTs=BEGIN + 5000)["fill_history_orders"]
    assert [row["tradeId"] for row in rows] == [str(fill.trade_id) for fill in reversed(desk.exchange.fills)]
    assert rows[0]["filledTime"].endswith("+08:00")
    assert (rows[0]["side"], rows[0]["positionSide"], rows[0]["realisedPNL"]) == ("BUY", "LONG", "0")
    assert D(rows[0]["qty"]) == D("0.01")


@pytest.mark.parametrize(("start", "end", "shown"), [(0, 100, 1), (0, 99, 0), (100, 500, 0), (99, 500, 1), (0, 0, 0)])
def test_the_fill_window_is_open_on_the_left(start: int, end: int, shown: int) -> None:
    """A window has the fills with startTs < t <= endTs in exact ms, although rows show whole seconds."""
    desk = Desk()
    desk.trade(100)
    assert desk.ask("v2/trade/fillHistory", startTs=BEGIN + start, endTs=BEGIN + end)["total"] == shown


def test_fill_history_without_an_end_is_empty_and_pages() -> None:
    """A window of fills with a start only is empty; pages and filters hold, and the total is of all pages.

    Without a start the window is the seven days before its end, which by default is now.
    """
    desk = Desk()
    desk.trade(0, "0.05", parts=5)
    assert desk.ask("v2/trade/fillHistory", startTs=BEGIN - 1)["fill_history_orders"] == []
    assert desk.ask("v2/trade/fillHistory", endTs=BEGIN)["total"] == 5
    assert desk.ask("v2/trade/fillHistory", endTs=BEGIN - 1)["total"] == 0
    assert desk.ask("v2/trade/fillHistory")["total"] == 5
    window = {"startTs": BEGIN - 1, "endTs": BEGIN + 10}
    pages = [
        desk.ask("v2/trade/fillHistory", **window, pageIndex=page, pageSize=2)["fill_history_orders"]
        for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert len({row["tradeId"] for page in pages for row in page}) == 5
    order_id = desk.exchange.fills[0].order_id
    assert desk.ask("v2/trade/fillHistory", **window, orderId=order_id)["total"] == 5
    assert desk.ask("v2/trade/fillHistory", **window, orderId=1)["total"] == 0
    assert desk.ask("v2/trade/fillHistory", **window, symbol="ETH-USDT")["total"] == 0
    last = desk.exchange.fills[2].trade_id
    assert desk.ask("v2/trade/fillHistory", **window, lastFillId=last)["total"] == 2


def test_windows_and_parameters_that_are_refused() -> None:
    """Windows that are too long or reversed, missing or wrong parameters, unknown symbols and orders are refused."""
    desk = Desk()
    week = {"startTs": BEGIN - 8 * DAY, "endTs": BEGIN}
    assert refused(desk, "v2/trade/fillHistory", **week) == 109400
    assert refused(desk, "v2/trade/fillHistory", startTs=BEGIN, endTs=BEGIN - 1) == 109400
    assert refused(desk, "v2/trade/fillHistory", startTs=BEGIN, endTs=BEGIN, pageSize=1001) == 109400
    assert refused(desk, "v2/trade/fillHistory", startTs="soon", endTs=BEGIN) == 109400
    assert refused(desk, "v2/trade/allFillOrders", startTs=BEGIN, endTs=BEGIN) == 109400
    assert refused(desk, "v2/trade/allFillOrders", startTs=BEGIN, endTs=BEGIN, tradingUnit="USDT") == 109400
    assert refused(desk, "v2/trade/allFillOrders", endTs=BEGIN, tradingUnit="COIN") == 109400
    assert refused(desk, "v2/user/income", startTime=BEGIN - 91 * DAY, endTime=BEGIN) == 109400
    assert refused(desk, "v2/trade/allOrders", startTime=BEGIN - 8 * DAY, endTime=BEGIN) == 109400
    assert refused(desk, "v2/user/positions", symbol="NOPE-USDT") == 109425
    assert refused(desk, "v2/trade/order", symbol="BTC-USDT", orderId=5) == 109421
    assert refused(desk, "v2/trade/order", orderId=5) == 109400
    assert refused(desk, "v2/trade/order", symbol="BTC-USDT") == 109400
    assert refused(desk, "v2/trade/order", symbol="BTC-USDT", clientOrderId="nobody") == 109421
    assert refused(Desk(symbol_required=True), "v2/trade/fillHistory", startTs=BEGIN, endTs=BEGIN) == 109400


def test_history_ends_after_seven_days() -> None:
    """A fill older than seven days is not listed in any window."""
    desk = Desk()
    desk.trade(0)
    desk.now = BEGIN + 8 * DAY
    assert desk.ask("v2/trade/fillHistory", startTs=BEGIN - DAY, endTs=BEGIN + DAY)["total"] == 0


def test_all_fill_orders_have_no_limit_of_seven_days() -> None:
    """`allFillOrders` answers a window of a month, and lists fills older than seven days."""
    desk = Desk()
    desk.trade(0)
    desk.now = BEGIN + 20 * DAY
    month = {"tradingUnit": "COIN", "startTs": desk.now - 30 * DAY, "endTs": desk.now}
    assert len(desk.ask("v2/trade/allFillOrders", **month)["fill_orders"]) == 1


def test_lists_of_the_past_show_whole_seconds() -> None:
    """`allOrders`, `fullOrder` and income have times in whole seconds; open and single orders in milliseconds."""
    desk = Desk()
    desk.trade(0)
    done = desk.exchange.orders[desk.exchange.fills[0].order_id]
    whole = BEGIN // 1000 * 1000
    waiting = desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="LIMIT", price=D(60000))
    for path, order in (("v2/trade/allOrders", done), ("v1/trade/fullOrder", waiting)):
        row, *_ = desk.ask(path)["orders"]
        assert (row["orderId"], row["time"], row["updateTime"]) == (order.id, whole, whole)
    assert {row["time"] for row in desk.ask("v2/user/income")} == {whole}
    single = desk.ask("v2/trade/order", symbol="BTC-USDT", orderId=done.id)["order"]
    (opened,) = desk.ask("v2/trade/openOrders")["orders"]
    assert [(row["time"], row["updateTime"]) for row in (single, opened)] == [(BEGIN, BEGIN)] * 2
    assert desk.ask("v2/trade/allOrders", startTime=BEGIN, endTime=BEGIN)["orders"]
    assert desk.ask("v2/trade/allOrders", startTime=BEGIN - 999, endTime=BEGIN - 1)["orders"] == []


def test_open_orders_of_a_symbol() -> None:
    """Open orders are filtered by symbol, unless `symbol_ignored` is set."""
    for ignored, shown in ((False, 0), (True, 1)):
        desk = Desk(symbol_ignored=ignored)
        desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="LIMIT", price=D(60000))
        assert len(desk.ask("v2/trade/openOrders", symbol="ETH-USDT")["orders"]) == shown


def test_contracts() -> None:
    """Each instrument is listed with its precisions, its smallest quantity, and its fees as numbers."""
    desk = Desk()
    rows = {row["symbol"]: row for row in desk.ask("v2/quote/contracts")}
    assert rows.keys() == desk.exchange.market.instruments.keys()
    row = rows["SOL-USDT"]
    assert (row["pricePrecision"], row["quantityPrecision"], row["tradeMinQuantity"]) == (3, 1, D("0.1"))
    assert (row["asset"], row["currency"], row["apiStateOpen"], row["status"]) == ("SOL", "USDT", "true", 1)
    assert (row["takerFeeRate"], row["makerFeeRate"]) == (D("0.0005"), D("0.0002"))
    assert desk.ask("v2/quote/contracts", symbol="SOL-USDT") == [row]
    assert refused(desk, "v2/quote/contracts", symbol="NOPE-USDT") == 109425


def test_orders_of_every_state() -> None:
    """Open orders are in openOrders, finished ones in allOrders, all in fullOrder, each with the venue's status."""
    desk = Desk()
    exchange = desk.exchange
    resting = exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="LIMIT", price=D(60000), client_id="Mine")
    exchange.fill(resting.id, D("0.01"), now=BEGIN)
    untouched = exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="LIMIT", price=D(60000))
    waiting = exchange.place("ETH-USDT", "BUY", D("0.2"), now=BEGIN, type="TRIGGER_MARKET", stop_price=D(3000))
    gone = exchange.place("ETH-USDT", "BUY", D("0.2"), now=BEGIN, type="LIMIT", price=D(3000))
    exchange.cancel(gone.id, now=BEGIN)
    (fill,) = exchange.trade("ETH-USDT", "BUY", D("0.2"), now=BEGIN)
    statuses = {order["orderId"]: order["status"] for order in desk.ask("v1/trade/fullOrder")["orders"]}
    assert statuses == {
        resting.id: "PARTIALLY_FILLED",
        untouched.id: "PENDING",
        waiting.id: "NEW",
        gone.id: "CANCELLED",
        fill.order_id: "FILLED",
    }
    opened = {order["orderId"] for order in desk.ask("v2/trade/openOrders")["orders"]}
    assert opened == {resting.id, untouched.id, waiting.id}
    closed = desk.ask("v2/trade/allOrders", limit=500)["orders"]
    assert [order["orderId"] for order in closed] == [fill.order_id, gone.id]
    assert (closed[0]["leverage"], closed[0]["stopPrice"], closed[0]["cumQuote"].count(".")) == ("5X", "", 0)
    by_id = desk.ask("v2/trade/order", symbol="BTC-USDT", orderId=resting.id)["order"]
    by_name = desk.ask("v2/trade/order", symbol="BTC-USDT", clientOrderId="MINE")["order"]
    assert by_id == by_name
    assert (by_id["executedQty"], by_id["origQty"], by_id["clientOrderId"]) == ("0.01", "0.02", "mine")
    assert isinstance(by_id["orderId"], int)
    assert len(desk.ask("v2/trade/allOrders", limit=1)["orders"]) == 1
    assert desk.ask("v2/trade/allOrders", startTime=BEGIN + 1, endTime=BEGIN + 2)["orders"] == []


def test_late_fills_are_not_shown_anywhere() -> None:
    """Late fills are missing in fills, orders and, if chosen, income; a filled order is shown as open."""
    desk = Desk()
    desk.exchange.trade("BTC-USDT", "BUY", D("0.01"), now=BEGIN)
    order = desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, silent=True)
    desk.exchange.fill(order.id, D("0.015"), now=BEGIN + 1000)
    desk.exchange.fill(order.id, now=BEGIN + 3000)
    desk.now = BEGIN + 4000
    window = {"startTs": BEGIN - 1, "endTs": BEGIN + 4000}
    sight = Sight(fills_until=BEGIN + 2000)
    assert desk.ask("v2/trade/fillHistory", **window)["total"] == 3
    assert desk.ask("v2/trade/fillHistory", sight, **window)["total"] == 2
    seen = desk.ask("v2/trade/order", sight, symbol="BTC-USDT", orderId=order.id)["order"]
    assert (seen["status"], seen["executedQty"], seen["updateTime"]) == ("PARTIALLY_FILLED", "0.015", BEGIN + 1000)
    assert [each["orderId"] for each in desk.ask("v2/trade/openOrders", sight)["orders"]] == [order.id]
    assert order.id not in [each["orderId"] for each in desk.ask("v2/trade/allOrders", sight)["orders"]]
    assert len(desk.ask("v2/user/income", sight)) == 3
    assert len(desk.ask("v2/user/income", Sight(fills_until=BEGIN + 2000, lag_income=True))) == 2
    never = desk.ask("v2/trade/order", Sight(fills_until=BEGIN), symbol="BTC-USDT", orderId=order.id)["order"]
    assert (never["status"], never["executedQty"]) == ("PENDING", "0")


def test_a_cancel_is_shown_though_its_fills_are_late() -> None:
    """A cancelled order with late fills has its present status, and its executed quantity without these fills."""
    desk = Desk()
    order = desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, silent=True)
    desk.exchange.fill(order.id, D("0.015"), now=BEGIN + 1000)
    desk.exchange.cancel(order.id, now=BEGIN + 1500)
    seen = desk.ask("v2/trade/order", Sight(fills_until=BEGIN), symbol="BTC-USDT", orderId=order.id)["order"]
    assert (seen["status"], seen["executedQty"]) == ("CANCELLED", "0")


def test_balances() -> None:
    """Balances in v3 are a list, with empty strings for an asset that was never held; in v2 they are one object."""
    desk = Desk()
    desk.trade(0)
    held, empty = desk.ask("v3/user/balance")
    wallet = desk.exchange.account.book.wallets["USDT"]
    assert D(held["balance"]) == wallet.balance
    assert D(held["equity"]) == D(held["balance"]) + D(held["unrealizedProfit"])
    assert D(held["usedMargin"]) + D(held["availableMargin"]) == D(held["equity"])
    assert (empty["asset"], empty["balance"], empty["equity"], empty["availableMargin"]) == ("USDC", "", "", "")
    assert desk.ask("v2/user/balance") == {"balance": held}
    hollow = desk.ask("v3/user/balance", Sight(empty_amounts=True))
    assert {row["balance"] for row in hollow} == {""}


def test_positions_of_both_modes() -> None:
    """A short in hedge mode has a positive amount, and an endpoint gives the position mode."""
    desk = Desk()
    desk.exchange.trade("BTC-USDT", "SELL", D("0.01"), now=BEGIN, position_side="SHORT")
    (row,) = desk.ask("v2/user/positions")
    assert (row["positionSide"], row["positionAmt"], row["onlyOnePosition"]) == ("SHORT", "0.01", False)
    assert isinstance(row["leverage"], int)
    assert isinstance(row["liquidationPrice"], int | float)
    assert desk.ask("v2/user/positions", symbol="ETH-USDT") == []
    single = Desk(hedge=False)
    assert single.rest.answer(SWAP + "v1/positionSide/dual", {}, BEGIN) == {
        "code": 0,
        "msg": "",
        "timeStamp": BEGIN,
        "data": {"dualSidePosition": "false"},
    }


@pytest.mark.parametrize(("signed", "amount"), [(False, "0.01"), (True, "-0.01")])
def test_a_short_of_one_way_mode_has_a_minus_only_by_option(signed: bool, amount: str) -> None:
    """In one-way mode a short has a negative amount only with `signed_shorts`; in hedge mode it never has one."""
    desk = Desk(hedge=False, signed_shorts=signed)
    desk.exchange.trade("BTC-USDT", "SELL", D("0.01"), now=BEGIN)
    (row,) = desk.ask("v2/user/positions")
    assert (row["positionSide"], row["positionAmt"], row["availableAmt"]) == ("SHORT", amount, amount)
    assert row["onlyOnePosition"] is True
    desk.exchange.trade("BTC-USDT", "BUY", D("0.03"), now=BEGIN)
    (row,) = desk.ask("v2/user/positions")
    assert (row["positionSide"], row["positionAmt"]) == ("LONG", "0.02")
    hedged = Desk(signed_shorts=signed)
    hedged.exchange.trade("BTC-USDT", "SELL", D("0.01"), now=BEGIN, position_side="SHORT")
    assert hedged.ask("v2/user/positions")[0]["positionAmt"] == "0.01"


def conditional(desk: Desk, kind: str = "STOP_MARKET") -> int:
    """Place and trigger a conditional order; return its id."""
    price = D(64000) if kind in PRICED else None
    order = desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type=kind, stop_price=D(64000), price=price)
    desk.exchange.trigger(order.id, now=BEGIN + 100)
    desk.now = BEGIN + 300
    return order.id


@pytest.mark.parametrize("kind", sorted(STOPS))
def test_a_triggered_order_is_done_and_another_one_executes(kind: str) -> None:
    """A triggered order is FILLED with nothing executed, as captured; the executing order has its id as trigger."""
    desk = Desk()
    order_id = conditional(desk, kind)
    (made,) = desk.ask("v2/trade/openOrders")["orders"]
    assert (made["triggerOrderId"], made["type"]) == (order_id, "LIMIT" if kind in PRICED else "MARKET")
    desk.exchange.fill(made["orderId"], now=BEGIN + 200)
    filled, ended = desk.ask("v2/trade/allOrders")["orders"]
    assert (filled["orderId"], filled["status"], filled["executedQty"]) == (made["orderId"], "FILLED", "0.02")
    assert (ended["orderId"], ended["type"], ended["status"]) == (order_id, kind, "FILLED")
    assert (ended["origQty"], ended["executedQty"], ended["avgPrice"]) == ("0.02", "0", "0")
    assert (ended["triggerOrderId"], ended["updateTime"]) == (0, (BEGIN + 100) // 1000 * 1000)
    alone = desk.ask("v2/trade/order", symbol="BTC-USDT", orderId=order_id)["order"]
    assert alone | {"time": 0, "updateTime": 0} == ended | {"time": 0, "updateTime": 0}
    assert alone["updateTime"] == BEGIN + 100


def test_closed_stops_may_be_unknown() -> None:
    """With `closed_stops="unknown"` a finished conditional order is in no list and unknown by its id."""
    desk = Desk(closed_stops="unknown")
    waiting = desk.exchange.place("BTC-USDT", "BUY", D("0.02"), now=BEGIN, type="STOP_MARKET", stop_price=D(60000))
    assert desk.ask("v2/trade/order", symbol="BTC-USDT", orderId=waiting.id)["order"]["status"] == "NEW"
    triggered = conditional(desk)
    desk.exchange.cancel(waiting.id, now=BEGIN + 50)
    for path in ("v2/trade/openOrders", "v2/trade/allOrders", "v1/trade/fullOrder"):
        assert not {triggered, waiting.id} & {row["orderId"] for row in desk.ask(path)["orders"]}
    for order_id in (triggered, waiting.id):
        assert refused(desk, "v2/trade/order", symbol="BTC-USDT", orderId=order_id) == 109421


def test_the_fills_of_a_closed_stop_are_listed() -> None:
    """A finished stop that executed itself is in no list of orders, but its fills are listed with its id."""
    desk = Desk(closed_stops="unknown", triggered="own")
    order_id = conditional(desk)
    assert [row["orderId"] for row in desk.ask("v2/trade/openOrders")["orders"]] == [order_id]
    desk.exchange.fill(order_id, now=BEGIN + 200)
    assert desk.ask("v2/trade/allOrders")["orders"] == []
    rows = desk.ask("v2/trade/fillHistory", startTs=BEGIN, endTs=desk.now)["fill_history_orders"]
    assert [row["orderId"] for row in rows] == [str(order_id)]


def test_the_fills_of_a_window_may_end_at_a_number() -> None:
    """With `fill_rows` only the newest fills are listed, and the total is their number."""
    desk = Desk(fill_rows=2)
    desk.trade(0, "0.05", parts=5)
    data = desk.ask("v2/trade/fillHistory", startTs=BEGIN - 1, endTs=BEGIN + 10)
    assert [row["tradeId"] for row in data["fill_history_orders"]] == [str(f.trade_id) for f in desk.exchange.fills[3:]]
    assert data["total"] == 2


@pytest.mark.parametrize("trades", ["foreign", "bare"])
def test_income_may_not_name_the_trade(trades: str) -> None:
    """With `income_trades` a fee row has another trade id or none; a funding row keeps its id."""
    desk = Desk(income_trades=trades)
    desk.trade(0)
    desk.exchange.fund("BTC-USDT", D("0.001"), now=BEGIN + 100)
    desk.now = BEGIN + 200
    funding, fee = desk.ask("v2/user/income")
    assert fee["tradeId"] != str(desk.exchange.fills[0].trade_id)
    assert bool(fee["tradeId"]) == (trades == "foreign")
    assert funding["tradeId"]


@pytest.mark.parametrize("shape", [{"closed_stops": "gone"}, {"income_trades": "some"}, {"fill_shape": "round"}])
def test_a_shape_that_is_none_is_refused(shape: dict[str, Any]) -> None:
    """An unknown shape is refused with the allowed ones."""
    with pytest.raises(ValueError, match=rf" or .*not '{next(iter(shape.values()))}'"):
        Desk(**shape)


@pytest.mark.parametrize("side", ["LONG", "SHORT"])
def test_an_isolated_position_has_a_liquidation_price(side: str) -> None:
    """An isolated position's liquidation price is a little less than its margin away from its entry; cross has 0."""
    desk = Desk()
    desk.exchange.set_margin_mode("BTC-USDT", "isolated", now=BEGIN)
    desk.exchange.trade("BTC-USDT", "BUY" if side == "LONG" else "SELL", D("0.01"), now=BEGIN, position_side=side)
    desk.exchange.trade("ETH-USDT", "BUY", D("0.1"), now=BEGIN, position_side="LONG")
    isolated, cross = desk.ask("v2/user/positions")
    entry, margin = D(isolated["avgPrice"]), D(isolated["initialMargin"]) / D("0.01")
    away = D(isolated["liquidationPrice"]) - entry if side == "SHORT" else entry - D(isolated["liquidationPrice"])
    assert margin * D("0.9") < away < margin
    assert cross["liquidationPrice"] == 0


def test_income_names_its_trade() -> None:
    """Income is listed newest first, fee and PnL of a trade share its trade id and tranId, and filters hold."""
    desk = Desk()
    desk.trade(0)
    desk.exchange.trade("BTC-USDT", "SELL", D("0.01"), now=BEGIN + 5000, position_side="LONG")
    desk.exchange.transfer("USDT", D(7), now=BEGIN + 6000)
    desk.now = BEGIN + 7000
    rows = desk.ask("v2/user/income")
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    closing = desk.exchange.fills[-1]
    of_closing = [row for row in rows if row["tradeId"] == str(closing.trade_id)]
    assert {row["incomeType"] for row in of_closing} <= {"TRADING_FEE", "REALIZED_PNL"}
    assert len({row["tranId"] for row in of_closing}) == 1
    (transfer,) = desk.ask("v2/user/income", incomeType="TRANSFER")
    assert (transfer["income"], transfer["symbol"], transfer["asset"]) == ("7", "", "USDT")
    assert desk.ask("v2/user/income", limit=1) == [transfer]
    assert desk.ask("v2/user/income", startTime=BEGIN + 6001, endTime=BEGIN + 9000) == []
    assert desk.rest.answer(SWAP + "v2/user/income", {}, desk.now).keys() == {"code", "msg", "data"}


def test_all_fill_orders_and_the_clock() -> None:
    """Rows of `allFillOrders` have no trade id and no side, and the server's time is the given one."""
    desk = Desk()
    desk.trade(10)
    (row,) = desk.ask("v2/trade/allFillOrders", tradingUnit="COIN", startTs=BEGIN, endTs=BEGIN + 10)["fill_orders"]
    assert not {"tradeId", "side"} & set(row)
    assert D(row["volume"]) == D("0.01")
    assert desk.ask("v2/server/time") == {"serverTime": BEGIN + 10}
