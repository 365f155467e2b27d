"""The simulated exchange as a thing to trade against: its model alone, over HTTP, and how soon a test has one."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import time
from decimal import Decimal

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.ticket import Ticket
from listenkey.adapters.testing.exchange import SimulatedExchange

from .desk import EPOCH
from .measure import Row, Target, cpu, figure, in_turns

SUBJECT = "exchange"
SYMBOL = "BTC-USDT"
QTY = Decimal("0.01")
ORDER = "/openApi/swap/v2/trade/order"
IN_A_ROUND = 8
"""The number of a bot's operations in a round: enter, two stops, rest, amend, cancel twice, exit."""


def run(quick: bool = False) -> list[Row]:
    """Measure operations per second of a bot's mix, of market orders alone and over HTTP; and a fixture's start."""
    number, rounds = (200, 2) if quick else (8000, 11)
    times = in_turns({"mix": lambda: mix(number), "market": lambda: market(number)}, rounds)
    rate = {name: [number / spent * 1e9 for spent in each] for name, each in times.items()}
    rows: list[Row] = [
        figure(SUBJECT, "operations of a bot on the model", "/s", rate["mix"], target=Target(least=20_000), note=_MIX),
        figure(SUBJECT, "market orders filled on the model", "/s", rate["market"]),
        figure(SUBJECT, "market orders over HTTP, one at a time", "/s", [posted(number // 20) for _ in range(rounds)]),
        figure(SUBJECT, "an exchange of one's own", "ms", [begun() for _ in range(rounds)], target=Target(most=50)),
    ]
    return rows


def mix(number: int) -> int:
    """Return the CPU ns for `number` operations in rounds of eight, 1 ms apart; raises unless all are done."""
    exchange, desk = _floor()

    def ask(side: str, type: str, now: int, price: Decimal | None = None, stop_price: Decimal | None = None) -> int:
        order = Ticket(
            symbol=SYMBOL, position_side="LONG", qty=QTY, side=side, type=type, price=price, stop_price=stop_price
        )
        return desk.place(order, now=now).id

    def work() -> None:
        for now in range(EPOCH, EPOCH + number // IN_A_ROUND):
            ask("BUY", "MARKET", now)
            stop = ask("SELL", "STOP_MARKET", now, stop_price=Decimal(50_000))
            ask("SELL", "TAKE_PROFIT_MARKET", now, stop_price=Decimal(80_000))
            resting = ask("BUY", "LIMIT", now, price=Decimal(60_000))
            desk.amend(resting, 2 * QTY, now=now)
            desk.cancel(resting, now=now)
            desk.step(now)
            desk.cancel(stop, now=now)
            ask("SELL", "MARKET", now)
        exchange.due(EPOCH * 2)

    spent = cpu(work)
    _check(exchange, number // IN_A_ROUND * 2)
    return spent


def market(number: int) -> int:
    """Return the CPU ns for `number` market orders that are filled at once, buying and selling in turn."""
    exchange, desk = _floor()
    sides = [Ticket(symbol=SYMBOL, position_side="LONG", qty=QTY, side=side, type="MARKET") for side in ("BUY", "SELL")]

    def work() -> None:
        for order in range(number):
            desk.place(sides[order % 2], now=EPOCH + order)
        exchange.due(EPOCH * 2)

    spent = cpu(work)
    _check(exchange, number)
    return spent


def posted(number: int) -> float:
    """Return market orders per real second: each is signed, sent over one connection, and answered before the next."""
    with SimulatedExchange(rate_limits=False) as exchange:
        connection = http.client.HTTPConnection(exchange.rest_url.removeprefix("http://"))
        headers = {"X-BX-APIKEY": exchange.api_key}
        began = time.perf_counter()
        for order in range(number):
            side = ("BUY", "SELL")[order % 2]
            query = f"symbol={SYMBOL}&side={side}&positionSide=LONG&type=MARKET&quantity={QTY}"
            query += f"&timestamp={time.time_ns() // 1_000_000}"
            signature = hmac.new(exchange.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
            connection.request("POST", f"{ORDER}?{query}&signature={signature}", headers=headers)
            connection.getresponse().read()
        spent = time.perf_counter() - began
        connection.close()
        if len(exchange.truth()["fills"]) < number:
            raise AssertionError("an order was not filled")
    return number / spent


def begun() -> float:
    """Return the real ms from the start of an exchange until it answers at its addresses."""
    began = time.perf_counter()
    with SimulatedExchange():
        return (time.perf_counter() - began) * 1000


def _floor() -> tuple[Exchange, Desk]:
    exchange = Exchange(now=EPOCH, opening={"USDT": Decimal(10**9)})
    return exchange, Desk(exchange)


def _check(exchange: Exchange, orders: int) -> None:
    filled = sum(order.status == "FILLED" for order in exchange.orders.values())
    if filled != orders or exchange.open or exchange.account.positions():
        raise AssertionError(f"{filled} of {orders} orders were filled, {len(exchange.open)} are open")


_MIX = "in eights: a market order, a stop loss, a take profit, a limit order, its amendment, two cancels, an exit"
