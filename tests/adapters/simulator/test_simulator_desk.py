"""A desk: which orders take from the book, which rest, which are triggered, and which are refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import Order, OrderRefused, Triggered
from listenkey.adapters.simulator.terms import Leg
from listenkey.adapters.simulator.ticket import Ticket

BEGIN = 1_758_608_899_123
D = Decimal
BTC = "BTC-USDT"
TAKER, MAKER = D("0.0005"), D("0.0002")


class Floor:
    """A desk on an exchange whose market begins at 64000, with its time."""

    def __init__(self, *, hedge: bool = True, seed: int = 0, opening: int = 100_000, **options: Any) -> None:
        self.exchange = Exchange(now=BEGIN, seed=seed, hedge=hedge, opening={"USDT": D(opening)}, **options)
        self.desk = Desk(self.exchange)
        self.now = BEGIN

    def ask(self, side: str = "BUY", qty: str | None = "0.01", type: str = "MARKET", **fields: Any) -> Ticket:
        """Return an order that by default opens a position of its side."""
        if self.exchange.hedge:
            fields.setdefault("position_side", "LONG" if side == "BUY" else "SHORT")
        said: dict[str, Any] = {
            name: D(each) if isinstance(each, str) and name in AMOUNTS else each for name, each in fields.items()
        }
        return Ticket(symbol=BTC, side=side, type=type, qty=None if qty is None else D(qty), **said)

    def place(self, *arguments: Any, **fields: Any) -> Order:
        """Place an order; return it as it is then."""
        return self.desk.place(self.ask(*arguments, **fields), now=self.now)

    def exit(self, type: str, qty: str | None = "0.01", **fields: Any) -> Order:
        """Place an order that closes a long position."""
        fields |= {"position_side": "LONG"} if self.exchange.hedge else {"reduce_only": True}
        return self.place("SELL", qty, type, **fields)

    def refused(self, *arguments: Any, **fields: Any) -> int:
        """Return the code with which an order is refused, after checking that nothing changed."""
        before, pushes = dict(self.exchange.orders), self.exchange.due(self.now + 10**6)
        with pytest.raises(OrderRefused) as error:
            self.place(*arguments, **fields)
        assert self.exchange.orders == before
        assert self.exchange.due(self.now + 10**6) == []
        del pushes
        return error.value.code

    def until(self, reached: Any, *, seconds: int = 5000) -> None:
        """Let time pass until this holds of the market's price."""
        for _ in range(seconds):
            if reached(self.price):
                return
            self.now += 1000
            self.desk.step(self.now)
        raise AssertionError(self.price)

    @property
    def price(self) -> Decimal:
        return self.exchange.market.price(BTC, self.now)

    @property
    def held(self) -> Decimal:
        """Return the signed size of the position."""
        return self.exchange.account.position(BTC, "LONG" if self.exchange.hedge else "BOTH").qty

    def newest(self, order: Order) -> Order:
        """Return the order as it is now."""
        return self.exchange.orders[order.id]

    def open(self) -> list[str]:
        """Return the types of the open orders."""
        return sorted(each.type for each in self.exchange.open.values())


AMOUNTS = {"price", "stop_price", "quote", "rate", "distance", "activation"}


def test_a_marketable_limit_order_takes_the_better_price() -> None:
    """A marketable limit order is filled at the book's price, not at its own, with the taker's fee."""
    floor = Floor()
    order = floor.place(type="LIMIT", price="64500")
    (fill,) = floor.exchange.fills
    assert (order.status, fill.price, fill.maker, fill.fee) == ("FILLED", D(64000), False, D(640) * TAKER)
    sold = floor.place("SELL", type="LIMIT", price="60000")
    assert (sold.status, sold.average) == ("FILLED", D("63999.9"))


def test_a_large_order_walks_through_the_book() -> None:
    """A large order is filled level by level at each level's price and quantity; the next order begins behind these."""
    floor = Floor()
    levels = list(floor.desk.depth.levels(BTC, "BUY", BEGIN))[:3]
    qty = sum((each.qty for each in levels), D(0))
    floor.place(qty=str(qty))
    assert [(fill.price, fill.qty) for fill in floor.exchange.fills] == [tuple(each) for each in levels]
    assert floor.desk.depth.levels(BTC, "BUY", BEGIN)[0].price > levels[-1].price
    floor.now += 1000
    assert floor.desk.depth.levels(BTC, "BUY", floor.now)[0].price == floor.price


def test_a_market_order_that_outruns_the_book_ends() -> None:
    """The rest of a market order for which the book has no more levels is cancelled."""
    floor = Floor(opening=10**10)
    order = floor.place(qty="100000")
    assert (order.status, order.executed > 0) == ("CANCELED", True)
    assert floor.desk.depth.levels(BTC, "BUY", BEGIN) == []


def test_a_resting_order_is_filled_in_parts_at_its_own_price() -> None:
    """A resting order is filled in several parts over time, each at its own price with the maker's fee."""
    floor = Floor(opening=10**9)
    order = floor.place(qty="40", type="LIMIT", price="63990")
    assert order.status == "NEW"
    floor.until(lambda price: not floor.newest(order).open)
    fills = floor.exchange.fills_of[order.id]
    assert len(fills) > 1
    assert {fill.price for fill in fills} == {D(63990)}
    assert all(fill.maker and fill.fee == fill.qty * 63990 * MAKER for fill in fills)
    assert {fill.ts for fill in fills} != {fills[0].ts}


@pytest.mark.parametrize(
    ("force", "price", "qty", "status", "executed"),
    [
        ("IOC", "63000", "0.01", "CANCELED", False),
        ("IOC", "64000", "9", "CANCELED", True),
        ("IOC", "64500", "0.01", "FILLED", True),
        ("FOK", "64000", "9", "CANCELED", False),
        ("FOK", "64500", "0.01", "FILLED", True),
        ("GTC", "64000", "9", "PARTIALLY_FILLED", True),
        ("POST_ONLY", "63999", "0.01", "NEW", False),
    ],
)
def test_times_in_force(force: str, price: str, qty: str, status: str, executed: bool) -> None:
    """IOC takes the available quantity, FOK all or nothing, GTC rests with the remainder, POST_ONLY only rests."""
    order = Floor(opening=10**9).place(qty=qty, type="LIMIT", price=price, time_in_force=force)
    assert (order.status, order.executed > 0) == (status, executed)


REFUSALS = [
    (101215, {"type": "LIMIT", "price": "64000", "time_in_force": "POST_ONLY"}),
    (109400, {"time_in_force": "POST_ONLY"}),
    (110425, {"qty": "0.0001", "type": "LIMIT", "price": "1000"}),
    (109400, {"qty": "0.00005"}),
    (109400, {"qty": None}),
    (101400, {"qty": None, "quote": "5"}),
    (101204, {"qty": "8"}),
    (101204, {"qty": "8", "type": "LIMIT", "price": "63000"}),
    (101481, {"client_id": "Taken"}),
    (109400, {"client_id": "x" * 41}),
    (101205, {"side": "SELL", "position_side": "LONG", "qty": "0.02"}),
    (101205, {"side": "BUY", "position_side": "SHORT"}),
    (101205, {"type": "STOP_MARKET", "stop_price": "65000"}),
    (110411, {"side": "SELL", "position_side": "LONG", "type": "STOP_MARKET", "stop_price": "64000"}),
    (110413, {"side": "SELL", "position_side": "LONG", "type": "TAKE_PROFIT_MARKET", "stop_price": "64000"}),
    (110411, {"stop_loss": Leg(type="STOP_MARKET", stop_price=D(65000))}),
    (110413, {"take_profit": Leg(type="TAKE_PROFIT_MARKET", stop_price=D(63000))}),
    (110411, {"type": "LIMIT", "price": "60000", "stop_loss": Leg(type="STOP_MARKET", stop_price=D(61000))}),
    (110412, {"side": "SELL", "stop_loss": Leg(type="STOP_MARKET", stop_price=D(63000))}),
    (110414, {"side": "SELL", "take_profit": Leg(type="TAKE_PROFIT_MARKET", stop_price=D(65000))}),
    (109400, {"stop_loss": Leg(type="TAKE_PROFIT_MARKET", stop_price=D(63000))}),
    (109400, {"stop_loss": Leg(type="STOP", stop_price=D(63000))}),
    (109400, {"stop_loss": Leg(type="STOP_MARKET", stop_price=D(63000), qty=D("0.02"))}),
    (109400, {"type": "TRIGGER_MARKET", "stop_price": "65000", "stop_loss": Leg(type="STOP_MARKET", stop_price=D(1))}),
    (109400, {"type": "TRAILING_STOP_MARKET"}),
    (109400, {"type": "TRAILING_STOP_MARKET", "rate": "0.1", "distance": "5"}),
    (110415, {"type": "TRAILING_STOP_MARKET", "rate": "1.5"}),
    (110420, {"type": "TRAILING_STOP_MARKET", "rate": "0.1", "activation": "65000"}),
    (110419, {"side": "SELL", "type": "TRAILING_STOP_MARKET", "rate": "0.1", "activation": "63000"}),
    (109400, {"qty": None, "closes": True}),
    (
        101205,
        {
            "side": "BUY",
            "position_side": "SHORT",
            "type": "STOP_MARKET",
            "stop_price": "65000",
            "closes": True,
            "qty": None,
        },
    ),
]


@pytest.mark.parametrize(("code", "fields"), REFUSALS, ids=lambda each: str(each) if isinstance(each, int) else "")
def test_what_cannot_be_had(code: int, fields: dict[str, Any]) -> None:
    """Each refused order has the venue's code, and leaves no order and no frame."""
    floor = Floor()
    floor.place(client_id="taken")
    assert floor.refused(**fields) == code


def test_an_amount_of_money_buys_whole_steps() -> None:
    """`quote` buys the whole steps that it pays for at the order's price, unless a quantity is given."""
    floor = Floor()
    assert floor.place(qty=None, quote="1000").qty == D("0.0156")
    assert floor.place(qty=None, quote="1000", type="LIMIT", price="50000").qty == D("0.02")
    assert floor.place(qty="0.01", quote="1000").qty == D("0.01")


def test_a_resting_order_binds_margin() -> None:
    """The margin of a resting order is not available to other orders, and is free again when it is cancelled."""
    floor = Floor(opening=1000)
    resting = floor.place(qty="0.05", type="LIMIT", price="60000")
    assert floor.exchange.frozen("USDT") > 600
    assert floor.refused(qty="0.05") == 101204
    floor.desk.cancel(resting.id, now=floor.now)
    assert floor.exchange.frozen("USDT") == 0
    assert floor.place(qty="0.05").status == "FILLED"


@pytest.mark.parametrize("hedge", [True, False])
def test_stops_keep_nothing_of_the_position(hedge: bool) -> None:
    """Two stops for the whole position do not block an exit by market, and both end with the position."""
    floor = Floor(hedge=hedge)
    floor.place()
    floor.exit("STOP_MARKET", stop_price="60000")
    floor.exit("TAKE_PROFIT_MARKET", stop_price="70000")
    assert floor.open() == ["STOP_MARKET", "TAKE_PROFIT_MARKET"]
    assert floor.exit("MARKET").status == "FILLED"
    assert floor.open() == []


@pytest.mark.parametrize("triggered", ["framed", "silent", "own"])
@pytest.mark.parametrize("hedge", [True, False])
def test_a_bracket(hedge: bool, triggered: Triggered) -> None:
    """Both legs are placed with the entry's fill; when one is triggered, the position closes and the other ends."""
    floor = Floor(hedge=hedge, triggered=triggered)
    legs = {
        "stop_loss": Leg(type="STOP_MARKET", stop_price=D(63950)),
        "take_profit": Leg(type="TAKE_PROFIT", stop_price=D(64050), price=D(63900)),
    }
    entry = floor.place(**legs)
    assert floor.open() == ["STOP_MARKET", "TAKE_PROFIT"]
    assert floor.refused(**legs) == 110406
    assert floor.refused(take_profit=legs["take_profit"]) == 110407
    placed = list(floor.exchange.open.values())
    assert {each.terms.entry for each in placed} == {entry.id}
    floor.until(lambda price: not floor.held)
    assert floor.open() == []
    fill = floor.exchange.fills[-1]
    fired = next(each for each in placed if floor.newest(each).status == "FILLED")
    assert (fill.order_id == fired.id) == (triggered == "own")
    assert floor.exchange.orders[fill.order_id].triggered_by == (0 if triggered == "own" else fired.id)
    assert [floor.newest(each).status for each in placed if each is not fired] == ["CANCELED"]
    again = {
        name: Leg(type=leg.type, stop_price=price, price=leg.price)
        for (name, leg), price in zip(legs.items(), (D(1), D(10**6)), strict=True)
    }
    assert floor.place(**again).status == "FILLED"


def test_the_legs_of_an_order_that_waits_grow_with_its_fills() -> None:
    """A leg has the quantity that its resting entry has executed, and grows with each fill."""
    floor = Floor(opening=10**9)
    entry = floor.place(qty="40", type="LIMIT", price="63990", stop_loss=Leg(type="STOP_MARKET", stop_price=D(50000)))
    assert floor.open() == ["LIMIT"]
    assert floor.refused(stop_loss=Leg(type="STOP_MARKET", stop_price=D(50000))) == 110406
    sizes = set()
    while floor.newest(entry).open:
        floor.now += 1000
        floor.desk.step(floor.now)
        sizes |= {each.qty for each in floor.exchange.open.values() if each.type == "STOP_MARKET"}
        assert floor.held == max(sizes, default=D(0))
    assert len(sizes) > 1


def test_what_somebody_else_does_to_a_bracket_is_noticed() -> None:
    """At the next step an entry filled by command gets its legs, and a leg filled by command ends the other."""
    floor = Floor()
    legs = {
        "stop_loss": Leg(type="STOP_MARKET", stop_price=D(50000)),
        "take_profit": Leg(type="TAKE_PROFIT_MARKET", stop_price=D(70000)),
    }
    entry = floor.place(type="LIMIT", price="60000", **legs)
    floor.exchange.fill(entry.id, now=floor.now)
    floor.desk.step(floor.now)
    assert floor.open() == ["STOP_MARKET", "TAKE_PROFIT_MARKET"]
    stop = next(each for each in floor.exchange.open.values() if each.type == "STOP_MARKET")
    floor.exchange.fill(stop.id, now=floor.now)
    floor.desk.step(floor.now)
    assert floor.open() == []
    assert floor.held == 0


def test_an_order_for_the_whole_position() -> None:
    """An order for the whole position closes the quantity that is held when it is triggered."""
    floor = Floor()
    floor.place()
    order = floor.exit("STOP_MARKET", None, stop_price="63950", closes=True)
    assert (order.qty, order.terms.closes) == (D("0.01"), True)
    floor.place(qty="0.02")
    floor.until(lambda price: price <= 63950)
    assert floor.held == 0
    assert floor.exchange.fills[-1].order_id != order.id


@pytest.mark.parametrize("fields", [{"rate": "0.001"}, {"distance": "64"}, {"rate": "0.001", "activation": "64050"}])
def test_a_trailing_stop_follows_the_market(fields: dict[str, str]) -> None:
    """A trailing stop is triggered by the first price that is far enough from the best one since its activation."""
    floor = Floor()
    floor.place()
    order = floor.exit("TRAILING_STOP_MARKET", **fields)
    best, active = D(0), "activation" not in fields
    while floor.newest(order).open:
        floor.now += 1000
        floor.desk.step(floor.now)
        active = active or floor.price >= D(64050)
        best = max(best, floor.price) if active else best
        assert floor.newest(order).open or floor.price <= best - min(best * D("0.001"), D(64))
    assert best > 0
    assert floor.held == 0


def test_a_conditional_order_that_cannot_be_paid_ends() -> None:
    """A conditional order without enough margin when it is triggered is cancelled, and nothing is executed."""
    floor = Floor(opening=1000)
    order = floor.place(qty="0.05", type="TRIGGER_MARKET", stop_price="63950")
    floor.place(qty="0.06")
    floor.until(lambda price: price <= 63950)
    assert (floor.newest(order).status, floor.held) == ("CANCELED", D("0.06"))


def test_a_countdown_cancels_everything() -> None:
    """A countdown cancels all orders at its end, unless it is restarted or stopped before."""
    floor = Floor()
    floor.place(type="LIMIT", price="60000")
    assert floor.desk.cancel_after(10, now=floor.now) == floor.now + 10_000
    floor.now += 9_999
    floor.desk.step(floor.now)
    assert floor.open() == ["LIMIT"]
    floor.desk.cancel_after(10, now=floor.now)
    floor.now += 9_999
    floor.desk.step(floor.now)
    assert floor.desk.cancel_after(None, now=floor.now) == 0
    floor.now += 1
    floor.desk.step(floor.now)
    assert floor.open() == ["LIMIT"]
    floor.desk.cancel_after(10, now=floor.now)
    floor.now += 10_000
    floor.desk.step(floor.now)
    assert floor.open() == []
    with pytest.raises(OrderRefused):
        floor.desk.cancel_after(9, now=floor.now)


def test_a_replacement_is_two_halves() -> None:
    """A replacement places its order only if the cancel succeeded, unless `anyway` is set; each half has its result."""
    floor = Floor()
    first = floor.place(type="LIMIT", price="60000")
    better = floor.ask(type="LIMIT", price="61000")
    cancelled, placed = floor.desk.replace(first.id, better, now=floor.now)
    assert isinstance(cancelled, Order)
    assert isinstance(placed, Order)
    assert (cancelled.status, placed.price) == ("CANCELED", D(61000))
    assert isinstance(floor.desk.replace(first.id, better, now=floor.now).cancelled, OrderRefused)
    assert floor.desk.replace(first.id, better, now=floor.now).placed is None
    assert isinstance(floor.desk.replace(first.id, better, now=floor.now, anyway=True).placed, Order)
    partly = floor.desk.replace(placed.id, better, now=floor.now, only="PARTIALLY_FILLED")
    assert (isinstance(partly.cancelled, OrderRefused), floor.newest(placed).open) == (True, True)
    dear = floor.desk.replace(placed.id, floor.ask(qty="900"), now=floor.now)
    assert (floor.newest(placed).open, isinstance(dear.placed, OrderRefused)) == (False, True)


def test_closing_a_position_ends_what_was_to_close_it() -> None:
    """A resting exit blocks other exits, but closing the position cancels it."""
    floor = Floor()
    floor.place()
    floor.exit("LIMIT", price="70000")
    assert floor.refused("SELL", position_side="LONG") == 101205
    assert floor.desk.close(BTC, "LONG", now=floor.now).status == "FILLED"
    assert floor.held == 0
    assert floor.open() == []
    with pytest.raises(OrderRefused):
        floor.desk.close(BTC, "LONG", now=floor.now)


@pytest.mark.parametrize("mode", ["cross", "isolated"])
@pytest.mark.parametrize(("side", "seed"), [("BUY", 1), ("SELL", 4)])
def test_a_position_that_has_lost_its_margin_is_liquidated(side: str, seed: int, mode: str) -> None:
    """A position without margin is liquidated by a LIQUIDATION order, and costs at most the margin behind it."""
    floor = Floor(opening=1000, seed=seed)
    floor.desk.set_margin_mode(BTC, mode, now=floor.now)
    floor.desk.set_leverage(BTC, "LONG" if side == "BUY" else "SHORT", 125, now=floor.now)
    floor.place(side, qty="1.5" if mode == "cross" else "0.1")
    floor.place(side, type="LIMIT", qty="0.001", price="60000" if side == "BUY" else "68000")
    floor.until(lambda price: not floor.exchange.positions(floor.now), seconds=40_000)
    last = floor.exchange.orders[floor.exchange.fills[-1].order_id]
    assert (last.type, floor.open()) == ("LIQUIDATION", [])
    left = floor.exchange.account.book.wallet("USDT").balance
    assert left >= (0 if mode == "cross" else 900)


@pytest.mark.parametrize(("side", "seed"), [("BUY", 1), ("SELL", 4)])
def test_a_liquidation_costs_no_more_than_there_is(side: str, seed: int) -> None:
    """Even if the market has moved far, a liquidation's price leaves the wallet at 0 or a little more."""
    floor = Floor(opening=1000, seed=seed)
    position_side = "LONG" if side == "BUY" else "SHORT"
    floor.desk.set_leverage(BTC, position_side, 125, now=floor.now)
    floor.place(side, qty="1.5")
    while abs(floor.price - 64000) < 1000 or (floor.price > 64000) == (side == "BUY"):
        floor.now += 1000
    position = floor.exchange.account.position(BTC, position_side)
    price = floor.desk.margin.closing_price(position, floor.now)
    assert (price > floor.price) == (side == "BUY")
    floor.exchange.liquidate(BTC, position_side, now=floor.now, price=price)
    assert 0 <= floor.exchange.account.book.wallet("USDT").balance < 1


def test_settings_that_cannot_be_had() -> None:
    """Impossible leverages are refused, and so are margin and position modes while an order or a position is open."""
    floor = Floor(opening=1000)
    floor.desk.set_leverage(BTC, "LONG", 100, now=floor.now)
    floor.place(qty="1")
    refusals: list[tuple[int, Callable[[], None]]] = [
        (101414, lambda: floor.desk.set_leverage(BTC, "LONG", 126, now=floor.now)),
        (109400, lambda: floor.desk.set_leverage(BTC, "BOTH", 5, now=floor.now)),
        (101204, lambda: floor.desk.set_leverage(BTC, "LONG", 5, now=floor.now)),
        (109425, lambda: floor.desk.set_leverage("NOPE-USDT", "LONG", 5, now=floor.now)),
        (109400, lambda: floor.desk.set_margin_mode(BTC, "isolated", now=floor.now)),
        (104103, lambda: floor.desk.set_position_mode(False)),
    ]
    for code, act in refusals:
        with pytest.raises(OrderRefused) as error:
            act()
        assert error.value.code == code
    assert floor.exchange.account.leverage[BTC] == (100, 5)
    floor.desk.close(BTC, "LONG", now=floor.now)
    floor.desk.set_position_mode(False)
    assert not floor.exchange.hedge


def test_an_amendment_needs_margin_too() -> None:
    """An amendment to a quantity that the margin does not allow is refused."""
    floor = Floor(opening=1000)
    order = floor.place(qty="0.05", type="LIMIT", price="60000")
    with pytest.raises(OrderRefused) as error:
        floor.desk.amend(order.id, D("0.5"), now=floor.now)
    assert error.value.code == 101204
    assert floor.desk.amend(order.id, D("0.06"), now=floor.now).qty == D("0.06")


def test_the_same_seed_and_the_same_deeds_give_the_same_history() -> None:
    """The same seed and orders give the same fills, regardless of how often the desk steps."""
    histories = []
    for turn in (60_000, 1000, 100):
        floor = Floor(seed=7, opening=10**9)
        floor.place(qty="30", type="LIMIT", price="63990")
        floor.place()
        floor.exit("TRAILING_STOP_MARKET", rate="0.001")
        floor.exit("STOP_MARKET", stop_price="63900")
        for _ in range(0, 120_000, turn):
            floor.now += turn
            floor.desk.step(floor.now)
        histories.append([(fill.price, fill.qty) for fill in floor.exchange.fills])
    assert histories[0] == histories[1] == histories[2]
    assert histories[0]
