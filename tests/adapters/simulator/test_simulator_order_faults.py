"""Faults of a bot's orders: the effect of each in the model, and over HTTP and a socket."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.faults import FAULTS, TRADING, Faults, draw_faults
from listenkey.adapters.simulator.hindered import HinderedDesk
from listenkey.adapters.simulator.orders import Order, OrderRefused
from listenkey.adapters.simulator.placements import Placements
from listenkey.adapters.simulator.tampering import Tampering
from listenkey.adapters.simulator.terms import Leg
from listenkey.adapters.simulator.ticket import Ticket

from .customer import Customer, visit
from .held import HeldServer

BEGIN = 1_758_608_899_000
D = Decimal
BTC = "BTC-USDT"
TRADE = "/openApi/swap/v2/trade"
ORDER = f"{TRADE}/order"
BUY: dict[str, Any] = {"symbol": BTC, "side": "BUY", "positionSide": "LONG", "quantity": "0.01"}
STOP: dict[str, Any] = BUY | {"side": "SELL", "type": "STOP_MARKET", "stopPrice": "60000"}


class Floor:
    """A desk whose orders can have faults, with the market at 64000 and the faults' clock at 0."""

    def __init__(self, *, hedge: bool = True) -> None:
        self.exchange = Exchange(now=BEGIN, hedge=hedge)
        self.faults = Faults()
        self.noted: list[str] = []
        self.desk = HinderedDesk(self.exchange, self.faults, lambda: 0.0, self.note)

    def note(self, fault: str, detail: str) -> None:
        self.noted.append(fault)

    def fault(self, name: str, **params: Any) -> None:
        self.faults.order(name, at=0.0, **params)
        self.faults.begin(0.0)

    def place(self, type: str = "MARKET", side: str = "BUY", qty: str = "0.01", **fields: Any) -> Order:
        amounts: dict[str, Any] = {name: D(each) if isinstance(each, str) else each for name, each in fields.items()}
        position_side = "LONG" if self.exchange.hedge else None
        return self.desk.place(
            Ticket(symbol=BTC, side=side, type=type, position_side=position_side, qty=D(qty), **amounts), now=BEGIN
        )

    def status(self, order: Order) -> tuple[str, Decimal]:
        newest = self.exchange.orders[order.id]
        return newest.status, newest.executed


def test_a_cancel_that_loses_the_race() -> None:
    """With `late_cancel` the order is filled whole at its price and its cancel refused; the next cancel succeeds."""
    floor = Floor()
    order, other = floor.place("LIMIT", price="60000"), floor.place("LIMIT", price="60000")
    floor.fault("late_cancel")
    with pytest.raises(OrderRefused) as refused:
        floor.desk.cancel(order.id, now=BEGIN)
    assert refused.value.code == 109422
    assert floor.status(order) == ("FILLED", D("0.01"))
    assert [(fill.price, fill.maker) for fill in floor.exchange.fills] == [(D(60000), True)]
    assert floor.desk.cancel(other.id, now=BEGIN).status == "CANCELED"
    assert floor.noted == ["late_cancel"]


def test_a_stop_is_faster_than_its_cancel() -> None:
    """With `late_cancel` a stop is triggered, closes the position at its price, and its cancel is refused."""
    floor = Floor()
    floor.place()
    stop = floor.place("STOP_MARKET", "SELL", stop_price="60000")
    floor.fault("late_cancel")
    with pytest.raises(OrderRefused):
        floor.desk.cancel(stop.id, now=BEGIN)
    assert floor.status(stop) == ("FILLED", D(0))
    assert floor.exchange.fills[-1].price == D(60000)
    assert floor.exchange.account.positions() == []


def test_a_cancel_of_all_loses_the_race_too() -> None:
    """With `late_cancel` a cancel of all fills one order, whose legs are placed and stay, and cancels the others."""
    floor = Floor()
    leg = Leg(type="STOP_MARKET", stop_price=D(50000))
    orders = [floor.place("LIMIT", price="60000", stop_loss=leg), floor.place("LIMIT", price="60001")]
    floor.fault("late_cancel")
    cancelled = floor.desk.cancel_all(now=BEGIN, type="LIMIT")
    assert [each.id for each in cancelled] == [orders[1].id]
    assert floor.status(orders[0]) == ("FILLED", D("0.01"))
    assert [each.type for each in floor.exchange.open.values()] == ["STOP_MARKET"]


def test_a_countdown_is_no_cancel_of_the_bots() -> None:
    """`late_cancel` does not affect an order that a countdown cancels."""
    floor = Floor()
    order = floor.place("LIMIT", price="60000")
    floor.fault("late_cancel")
    floor.desk.cancel_after(10, now=BEGIN)
    floor.desk.step(BEGIN + 10_000)
    assert floor.status(order) == ("CANCELED", D(0))
    assert floor.noted == []


@pytest.mark.parametrize(
    ("qty", "share", "executed"), [("0.01", 0.5, "0.005"), ("0.01", 0.01, "0.0001"), ("0.0002", 0.99, "0.0001")]
)
def test_a_partial_fill_before_a_cancel(qty: str, share: float, executed: str) -> None:
    """With `partial_cancel` the cancel succeeds after a share of the order was filled, in whole steps and never all."""
    floor = Floor()
    order = floor.place("LIMIT", qty=qty, price="60000")
    floor.fault("partial_cancel", share=share)
    assert floor.desk.cancel(order.id, now=BEGIN).status == "CANCELED"
    assert floor.status(order) == ("CANCELED", D(executed))


def test_what_cannot_be_filled_in_part_waits_for_another() -> None:
    """`partial_cancel` does not affect an order of one step or a conditional one, and waits for the next order."""
    floor = Floor()
    floor.fault("partial_cancel")
    floor.desk.cancel(floor.place("LIMIT", qty="0.0001", price="60000").id, now=BEGIN)
    floor.desk.cancel(floor.place("TRIGGER_MARKET", stop_price="60000").id, now=BEGIN)
    assert (floor.exchange.fills, floor.noted) == ([], [])
    floor.desk.cancel(floor.place("LIMIT", price="60000").id, now=BEGIN)
    assert len(floor.exchange.fills) == 1


@pytest.mark.parametrize("hedge", [True, False])
def test_an_order_that_only_closes_is_refused(hedge: bool) -> None:
    """`reject_reduce_only` refuses `count` closing orders with its code and no effect, and accepts opening ones."""
    floor = Floor(hedge=hedge)
    floor.fault("reject_reduce_only", count=2)
    floor.place()
    asked: list[dict[str, Any]] = [{"type": "STOP_MARKET", "stop_price": "60000"}, {"type": "MARKET"}]
    for each in asked:
        with pytest.raises(OrderRefused, match="No position to close") as refused:
            floor.place(side="SELL", reduce_only=not hedge, **each)
        assert refused.value.code == 101205
    assert floor.place("STOP_MARKET", "SELL", stop_price="60000").status == "NEW"
    floor.fault("reject_reduce_only", code=109500)
    with pytest.raises(OrderRefused) as refused:
        floor.desk.close(BTC, "LONG" if hedge else "BOTH", now=BEGIN)
    assert refused.value.code == 109500
    assert len(floor.exchange.open) == 1
    assert floor.desk.close(BTC, "LONG" if hedge else "BOTH", now=BEGIN).status == "FILLED"


def test_a_stop_is_triggered_while_everybody_is_away() -> None:
    """`stop_while_away` triggers a stop at its price without a frame, ends the other leg, and cuts all connections."""
    floor = Floor()
    floor.fault("stop_while_away", away=2.0)
    floor.desk.stop_while_away(BEGIN)
    assert floor.noted == []
    legs: dict[str, Any] = {
        "stop_loss": Leg(type="STOP_MARKET", stop_price=D(60000)),
        "take_profit": Leg(type="TAKE_PROFIT_MARKET", stop_price=D(70000)),
    }
    floor.place(**legs)
    floor.desk.stop_while_away(BEGIN)
    assert floor.exchange.fills[-1].price == D(60000)
    assert floor.exchange.account.positions() == []
    assert not floor.exchange.open
    assert floor.exchange.due(BEGIN + 10**6) == []
    (cut,) = floor.faults.begin(0.0)
    assert (cut.name, cut.seconds) == ("drop_tcp", 2.0)
    floor.place(**legs)
    floor.desk.stop_while_away(BEGIN)
    assert len(floor.exchange.open) == 2


def test_a_rate_limit_in_the_middle_of_a_bracket() -> None:
    """`limit_bracket` accepts so many calls from its beginning, and then refuses orders for `lasting` seconds, once."""
    faults, noted = Faults(), []
    placements = Placements(faults, lambda name, detail: noted.append(name))
    assert placements.accepted(ORDER, 0.0)
    faults.order("limit_bracket", at=1.0, calls=2, lasting=3.0)
    faults.begin(1.0)
    assert placements.accepted(ORDER, 1.0)
    assert placements.limited_until(1.0) is None
    assert placements.accepted(ORDER, 1.5)
    assert placements.limited_until(1.5) == 4.5
    assert placements.limited_until(4.5) is None
    assert placements.accepted(ORDER, 5.0)
    assert (placements.limited_until(5.0), noted) == (None, ["limit_bracket"])


def test_an_answer_is_lost_once() -> None:
    """`lose_answer` loses one answer to an accepted call."""
    faults = Faults()
    placements = Placements(faults, lambda name, detail: None)
    faults.order("lose_answer", at=0.0)
    faults.begin(0.0)
    assert [placements.accepted(ORDER, 0.0) for _ in range(2)] == [False, True]


def test_frames_behind_rest() -> None:
    """`stream_behind` delays frames and keeps their order; frames after the fault come behind the delayed ones."""
    exchange, faults = Exchange(now=BEGIN), Faults()
    tampering = Tampering(faults)
    faults.order("stream_behind", at=0.0, by=2.0, seconds=1.0)
    faults.begin(0.0)

    def passed(now: float) -> list[bytes]:
        exchange.trade(BTC, "BUY", D("0.01"), now=BEGIN, position_side="LONG")
        sent = []
        for number, push in enumerate(exchange.due(BEGIN + 10)):
            sent += tampering.pass_on(push, f"{now} {number}".encode(), now)
        return sent

    assert (passed(0.0), passed(1.5)) == ([], [])
    assert tampering.overdue(1.9) == []
    assert tampering.overdue(2.0) == [b"0.0 0", b"0.0 1", b"1.5 0", b"1.5 1"]
    assert passed(2.0) == [b"2.0 0", b"2.0 1"]


def test_they_are_drawn_by_a_seed_where_they_are_wanted() -> None:
    """Faults of trading are drawn by a seed only if they are named, since without a bot they have no effect."""
    drawn = draw_faults(7, 60, 60.0, TRADING)
    assert {each.name for each in drawn} == set(TRADING)
    assert drawn == draw_faults(7, 60, 60.0, TRADING)
    assert not {each.name for each in draw_faults(7, 200, 60.0)} & set(TRADING)
    assert set(TRADING) < set(FAULTS)


@pytest.mark.loopback
def test_what_a_bot_is_answered() -> None:
    """A bot gets no answer with `lose_answer`, and the venue's code with each other fault of its orders."""
    server = HeldServer(epoch_ms=BEGIN, rate_limits=False)

    async def story(customer: Customer) -> None:
        server.fault("lose_answer")
        refused = await customer.call("POST", ORDER, **BUY, type="LIMIT")  # is refused, so the fault waits
        assert refused[1]["code"] == 109400
        with pytest.raises(aiohttp.ClientError):
            await customer.call("POST", ORDER, **BUY, type="LIMIT", price="60000", clientOrderId="once")
        (order,) = server.exchange.open.values()
        again = await customer.call("POST", ORDER, **BUY, type="LIMIT", price="60000", clientOrderId="once")
        assert again[1]["code"] == 101481
        server.fault("late_cancel")
        named: dict[str, Any] = {"symbol": BTC, "orderId": order.id}
        assert (await customer.call("DELETE", ORDER, **named))[1]["code"] == 109422
        assert server.exchange.orders[order.id].status == "FILLED"
        server.fault("reject_reduce_only")
        assert (await customer.call("POST", ORDER, **STOP))[1]["code"] == 101205
        server.fault("limit_bracket", lasting=10.0)
        assert (await customer.call("POST", ORDER, **STOP))[1]["code"] == 0
        _, body = await customer.call("POST", ORDER, **BUY, type="MARKET")
        assert body["code"] == 109429
        assert f"after {BEGIN + 10_000}" in body["msg"]
        assert (await customer.get(f"{TRADE}/openOrders"))["code"] == 0
        server.at += 10
        assert (await customer.call("POST", ORDER, **BUY, type="MARKET"))[1]["code"] == 0
        done = [each.name for each in server.log.faults if each.detail != "begins"]
        assert done == ["lose_answer", "late_cancel", "reject_reduce_only", "limit_bracket"]

    visit(server, story)


@pytest.mark.loopback
def test_what_a_bot_hears() -> None:
    """With `stream_behind` an order's frames come after its answer, and with `stop_while_away` a stop has no frames."""
    server = HeldServer(epoch_ms=BEGIN, rate_limits=False)

    async def heard(customer: Customer, socket: aiohttp.ClientWebSocketResponse) -> list[str]:
        found: list[str] = []
        while not found or found[-1] != "ACCOUNT_UPDATE":
            found.append((await customer.frame(socket))["e"])
        return found

    async def story(customer: Customer) -> None:
        server.greets = False
        socket = await customer.open(await customer.mint())
        server.fault("stream_behind", by=4.0, seconds=1.0)
        _, body = await customer.call("POST", ORDER, **BUY, type="MARKET")
        assert body["data"]["order"]["status"] == "FILLED"
        server.at += 0.1
        assert await customer.nothing(socket)
        server.at += 4.0
        assert await heard(customer, socket) == ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]
        await customer.call("POST", ORDER, **STOP)
        server.at += 0.1
        assert (await customer.frame(socket))["o"]["o"] == "STOP_MARKET"
        server.fault("stop_while_away", away=5.0)
        server.step()
        assert (await customer.raw(socket)).type in {aiohttp.WSMsgType.ERROR, aiohttp.WSMsgType.CLOSED}
        with pytest.raises(aiohttp.ClientError):
            await customer.mint()
        server.at += 5.0
        assert (await customer.get("/openApi/swap/v2/user/positions"))["data"] == []
        socket = await customer.open(await customer.mint())
        assert await customer.nothing(socket)

    visit(server, story)


@pytest.mark.loopback
def test_a_stream_ahead_of_rest() -> None:
    """With `stream_ahead` an order's frames come before its answer, and REST shows its fill only later."""
    server = HeldServer(epoch_ms=BEGIN, rate_limits=False)

    async def filled() -> None:
        async with asyncio.timeout(120):
            while True:
                if server.exchange.fills:
                    return
                await asyncio.sleep(0.01)

    async def story(customer: Customer) -> None:
        server.greets = False
        socket = await customer.open(await customer.mint())
        server.fault("stream_ahead", by=1.0, seconds=1.5)
        answer = asyncio.create_task(customer.call("POST", ORDER, **BUY, type="MARKET"))
        await filled()
        server.at += 0.1
        assert (await customer.frame(socket))["o"]["X"] == "NEW"
        assert (await customer.frame(socket))["o"]["X"] == "FILLED"
        assert not answer.done()
        (fill,) = server.exchange.fills
        named: dict[str, Any] = {"symbol": BTC, "orderId": fill.order_id}
        assert (await customer.get(ORDER, **named))["data"]["order"]["status"] == "PENDING"
        server.at += 1.0
        assert (await answer)[1]["data"]["order"]["status"] == "FILLED"
        assert (await customer.get(ORDER, **named))["data"]["order"]["status"] == "FILLED"

    visit(server, story)
