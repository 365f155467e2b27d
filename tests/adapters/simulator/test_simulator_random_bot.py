"""A bot that makes random calls at random times: the books stay exact, and REST and pushes agree."""

from __future__ import annotations

import os
from contextlib import suppress
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.faults import Faults
from listenkey.adapters.simulator.hindered import HinderedDesk
from listenkey.adapters.simulator.orders import PRICED, STOPS, TRAILING, OrderRefused
from listenkey.adapters.simulator.pushes import AccountPush, ConfigPush, OrderPush
from listenkey.adapters.simulator.rest import Rest
from listenkey.adapters.simulator.terms import Leg, TimeInForce
from listenkey.adapters.simulator.ticket import Ticket

BEGIN = 1_758_608_899_123
TIMES = int(os.environ.get("LISTENKEY_EXAMPLES", "1"))
D = Decimal
SYMBOLS = ("BTC-USDT", "SOL-USDT")
V2, V3 = "/openApi/swap/v2", "/openApi/swap/v3"
OPEN = {"PENDING": "NEW", "CANCELLED": "CANCELED"}
KINDS = ("MARKET", "MARKET", "LIMIT", "LIMIT", *sorted(STOPS), TRAILING)
TIMES_IN_FORCE: tuple[TimeInForce, ...] = ("GTC", "GTC", "IOC", "FOK", "POST_ONLY")


class Bot(RuleBasedStateMachine):
    """Makes random calls; after each call, accepted or refused, the invariants hold."""

    @initialize(seed=st.integers(0, 999), hedge=st.booleans(), opening=st.sampled_from([200, 5_000, 100_000]))
    def begin(self, seed: int, hedge: bool, opening: int) -> None:
        self.now = BEGIN
        self.exchange = Exchange(now=BEGIN, seed=seed, hedge=hedge, opening={"USDT": D(opening)})
        self.faults = Faults()
        self.desk = HinderedDesk(self.exchange, self.faults, lambda: 0.0, lambda name, detail: None)
        self.rest = Rest(self.exchange, depth=self.desk.depth)
        self.pushed_orders: dict[int, tuple[str, Decimal, Decimal]] = {}
        self.pushed_wallet = D(opening)
        self.pushed_positions: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from(["BUY", "SELL"]),
        kind=st.sampled_from(KINDS),
        size=st.sampled_from(["1", "3", "20", "150", "2000"]),
        offset=st.integers(-30, 30),
        stop=st.integers(-60, 60),
        force=st.sampled_from(TIMES_IN_FORCE),
        reducing=st.booleans(),
        legs=st.sampled_from(["", "", "sl", "tp", "both"]),
    )
    def place(
        self,
        symbol: str,
        side: str,
        kind: str,
        size: str,
        offset: int,
        stop: int,
        force: TimeInForce,
        reducing: bool,
        legs: str,
    ) -> None:
        instrument, market = self.exchange.market.instruments[symbol], self.exchange.market.price(symbol, self.now)

        def near(basis_points: int) -> Decimal:
            return int(market * (1 + D(basis_points) / 10_000) / instrument.tick) * instrument.tick

        towards = ("LONG" if side == "BUY" else "SHORT") if not reducing else ("SHORT" if side == "BUY" else "LONG")
        loss, gain = (near(-25), near(25)) if side == "BUY" else (near(25), near(-25))
        ticket = Ticket(
            symbol=symbol,
            side=side,
            type=kind,
            position_side=towards if self.exchange.hedge else None,
            qty=D(size) * instrument.step * (10 if symbol == "BTC-USDT" else 1),
            price=near(offset) if kind in PRICED else None,
            stop_price=near(stop) if kind in STOPS else None,
            reduce_only=reducing and not self.exchange.hedge,
            time_in_force=force if kind in {"MARKET", "LIMIT"} else "GTC",
            rate=D("0.002") if kind == TRAILING else D(0),
            stop_loss=Leg(type="STOP_MARKET", stop_price=loss) if legs in {"sl", "both"} else None,
            take_profit=Leg(type="TAKE_PROFIT_MARKET", stop_price=gain) if legs in {"tp", "both"} else None,
        )
        with suppress(OrderRefused):
            self.desk.place(ticket, now=self.now)

    @rule(which=st.integers(0, 50), more=st.integers(-5, 20))
    def amend(self, which: int, more: int) -> None:
        if self.exchange.open:
            order = list(self.exchange.open.values())[which % len(self.exchange.open)]
            step = self.exchange.market.instruments[order.symbol].step
            with suppress(OrderRefused):
                self.desk.amend(order.id, order.qty + more * step, now=self.now)

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        if self.exchange.open:
            with suppress(OrderRefused):  # it has been filled before
                self.desk.cancel(list(self.exchange.open)[which % len(self.exchange.open)], now=self.now)

    @rule(name=st.sampled_from(["late_cancel", "partial_cancel", "reject_reduce_only"]))
    def be_unlucky(self, name: str) -> None:
        self.faults.order(name, at=0.0)
        self.faults.begin(0.0)

    @rule(symbol=st.sampled_from(SYMBOLS))
    def close(self, symbol: str) -> None:
        for each in self.exchange.account.positions():
            if each.symbol == symbol:
                with suppress(OrderRefused):  # a closing order is refused by a fault
                    self.desk.close(symbol, each.side, now=self.now)

    @rule(symbol=st.sampled_from(SYMBOLS), side=st.sampled_from(["LONG", "SHORT"]), leverage=st.integers(1, 125))
    def set_leverage(self, symbol: str, side: str, leverage: int) -> None:
        with suppress(OrderRefused):
            self.desk.set_leverage(symbol, side if self.exchange.hedge else "BOTH", leverage, now=self.now)

    @rule(symbol=st.sampled_from(SYMBOLS), mode=st.sampled_from(["cross", "isolated"]))
    def set_margin_mode(self, symbol: str, mode: str) -> None:
        with suppress(OrderRefused):
            self.desk.set_margin_mode(symbol, mode, now=self.now)

    @rule(symbol=st.sampled_from(SYMBOLS), rate=st.integers(-30, 30))
    def fund(self, symbol: str, rate: int) -> None:
        self.exchange.fund(symbol, D(rate) / 100_000, now=self.now)

    @rule(amount=st.integers(-500, 500))
    def transfer(self, amount: int) -> None:
        with suppress(OrderRefused):
            self.exchange.transfer("USDT", D(amount), now=self.now)

    @rule(seconds=st.sampled_from([0, 1, 2, 10, 60, 900]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.desk.step(self.now)

    @invariant()
    def the_wallet_is_what_was_booked(self) -> None:
        wallet = self.exchange.account.book.wallet("USDT")
        assert wallet.balance == wallet.opening + wallet.pnl - wallet.fees + wallet.funding + wallet.transfers
        assert wallet.pnl == sum(fill.pnl for fill in self.exchange.fills)
        assert wallet.fees == sum(fill.fee for fill in self.exchange.fills)

    @invariant()
    def positions_are_the_sum_of_fills(self) -> None:
        sizes: dict[tuple[str, str], Decimal] = {}
        for fill in self.exchange.fills:
            at = (fill.symbol, fill.position_side)
            sizes[at] = sizes.get(at, D(0)) + (fill.qty if fill.side == "BUY" else -fill.qty)
        for (symbol, side), size in sizes.items():
            assert self.exchange.account.position(symbol, side).qty == size
            assert side == "BOTH" or (size >= 0 if side == "LONG" else size <= 0)

    @invariant()
    def no_order_is_filled_beyond_its_quantity(self) -> None:
        for order in self.exchange.orders.values():
            fills = self.exchange.fills_of[order.id]
            assert order.executed == sum(fill.qty for fill in fills) <= order.qty
            limit = order.price
            if limit is not None:
                assert all(each.price <= limit if order.side == "BUY" else each.price >= limit for each in fills)

    @invariant()
    def nothing_is_owed_to_the_exchange(self) -> None:
        """After a step of the exchange the account is worth at least 0."""
        self.desk.step(self.now)
        unrealised = sum((each.unrealised for each in self.exchange.positions(self.now)), D(0))
        assert self.exchange.account.book.wallet("USDT").balance + unrealised >= D("-0.000001")
        assert self.exchange.frozen("USDT") >= 0

    @invariant()
    def rest_and_pushes_say_the_same(self) -> None:
        for push in self.exchange.due(self.now + 1000):
            match push:
                case OrderPush():
                    order = push.order
                    self.pushed_orders[order.id] = (order.status, order.qty, order.executed)
                case AccountPush():
                    (balance,) = push.balances
                    self.pushed_wallet = balance.wallet
                    for view in push.positions or ():
                        self.pushed_positions[view.symbol, view.side] = (abs(view.qty), view.entry)
                case ConfigPush():
                    pass
        orders: dict[int, tuple[str, Decimal, Decimal]] = {}
        for row in self.ask(f"{V2.replace('v2', 'v1')}/trade/fullOrder", limit="1000")["orders"]:
            status = OPEN.get(row["status"], row["status"])
            orders[row["orderId"]] = (status, D(row["origQty"]), D(row["executedQty"]))
        assert orders == self.pushed_orders
        (balance,) = [row for row in self.ask(f"{V3}/user/balance") if row["asset"] == "USDT"]
        assert D(balance["balance"]) == self.pushed_wallet
        hedge = self.exchange.hedge
        held = {
            (row["symbol"], row["positionSide"] if hedge else "BOTH"): (D(row["positionAmt"]), D(row["avgPrice"]))
            for row in self.ask(f"{V2}/user/positions")
        }
        assert held == {at: entry for at, entry in self.pushed_positions.items() if entry[0]}

    def ask(self, path: str, **params: str) -> Any:
        """Return the data of an answer."""
        return self.rest.answer(path, params, self.now)["data"]


TestBot = Bot.TestCase
TestBot.settings = settings(max_examples=12 * TIMES, stateful_step_count=40, deadline=None)
