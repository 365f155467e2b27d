"""The promise as a property: random histories, random faults, both wires; every fill once, and the gap closed."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listenkey.core import inputs
from listenkey.core.account.shown import FINAL
from listenkey.core.events import Fill, Health
from listenkey.core.policy import Mode
from listenkey.core.reports import KeyExpired

from ..examples import TIMES
from .exchange import D, Trade
from .judge import merged
from .trading import REFUSED, UNANSWERED, Plan, TradingWorld, trading

MARKETS = ("BTC-USDT", "ETH-USDT")
PRICES = ("100", "100.5", "101.37", "99.999")


class Deed(NamedTuple):
    """One act of the traders; `after` is the time since the act before, in steps that the run scales."""

    after: int
    kind: str
    which: int
    amount: int


class Fault(NamedTuple):
    """One fault, and when it begins, in tenths of seconds."""

    at: int
    kind: str
    size: int


deeds = st.lists(
    st.builds(
        Deed,
        after=st.integers(0, 20),
        kind=st.sampled_from(("place", "market", "fill", "fill", "fill", "fill", "cancel", "amend", "money")),
        which=st.integers(0, 5),
        amount=st.integers(1, 4),
    ),
    min_size=1,
    max_size=25,
)
faults = st.lists(
    st.builds(
        Fault,
        at=st.integers(0, 250),
        kind=st.sampled_from(
            (
                "lose",
                "lose one",
                "repeat",
                "late",
                "kill",
                "cut",
                "silence",
                "sleep",
                "rotate",
                "expire",
                "restart",
                "resync",
                "refuse",
                "ignore",
                "slow",
                "lag",
                "lag",
            )
        ),
        size=st.integers(1, 40),
    ),
    max_size=6,
)


class Market:
    """Carries out the acts; an order of 10 is filled in parts of 1 to 4."""

    def __init__(self, world: TradingWorld) -> None:
        self._world = world
        self.orders: list[str] = []

    def do(self, deed: Deed) -> None:
        exchange = self._world.exchange
        market, price = MARKETS[deed.which % 2], PRICES[deed.which % 4]
        side = "BUY" if deed.which < 4 else "SELL"
        running = [order_id for order_id in self.orders if exchange.is_open(order_id)]
        if deed.kind == "money":
            (exchange.fund if deed.which % 2 else exchange.transfer)(str(deed.amount))
        elif deed.kind == "market":
            order_id = exchange.place(str(deed.amount), symbol=market, side=side, price=None)
            exchange.fill(order_id, str(deed.amount), price)
            self.orders.append(order_id)
        elif deed.kind == "place" or not running:
            self.orders.append(exchange.place("10", symbol=market, side=side))
        else:
            order_id = running[deed.which % len(running)]
            if deed.kind == "cancel":
                exchange.cancel(order_id)
            elif deed.kind == "amend":
                exchange.amend(order_id, qty=str((exchange.report(order_id).qty or D(0)) + deed.amount))
            else:
                exchange.fill(order_id, min(exchange.left(order_id), D(deed.amount)), price)


def misfortune(world: TradingWorld, fault: Fault) -> None:
    """Let the fault happen now."""
    if fault.kind == "lose":
        for n in range(fault.size % 3 + 1):
            world.exchange.lose(after=n)
    elif fault.kind == "lose one":
        world.exchange.lose_one(fault.size % 2)
    elif fault.kind == "expire":
        world.exchange.say(KeyExpired(None))
    elif fault.kind == "repeat":
        world.exchange.delay(0.01, fault.size / 10)
    elif fault.kind == "late":
        world.exchange.delay(fault.size / 20)
    elif fault.kind in ("kill", "cut"):
        world.drop_all()
        if fault.kind == "cut":
            world.exchange.reachable = False
            world.at(world.now + fault.size / 2, lambda: setattr(world.exchange, "reachable", True))
    elif fault.kind == "silence":
        world.silence()
    elif fault.kind == "sleep":
        world.sleep_until(world.now + fault.size / 2)
    elif fault.kind == "restart":
        world.restart()
    elif fault.kind == "rotate":
        world.feed(inputs.Rotate())
    elif fault.kind == "resync":
        world.feed(inputs.Resync())
    elif fault.kind == "refuse":
        world.exchange.reads.extend([REFUSED] * (fault.size % 4 + 1))
    elif fault.kind == "ignore":
        world.exchange.reads.append(UNANSWERED)
    elif fault.kind == "slow":
        world.exchange.reads.append(Plan(takes=fault.size / 5))
    elif fault.kind == "lag":
        late = fault.size * 100
        lags = ((late, 0), (late, late), (0, late))[fault.size % 3]
        world.exchange.reads.extend([Plan(lag=lags[0], order_lag=lags[1])] * 3)


def live(
    wire: str,
    before: list[Deed],
    history: list[Deed],
    mishaps: list[Fault],
    *,
    mode: Mode = "ws",
    pushes: bool = True,
    **policy: float,
) -> TradingWorld:
    """One whole run: orders before the stream, the history with its faults, then quiet until all is settled."""
    world = trading(wire=wire, mode=mode, start=False, **{"rotate_after": 0, **policy})  # type: ignore[arg-type]
    world.exchange.pushes_account = pushes
    market = Market(world)
    when = 0.0
    for deed in before:
        when += deed.after / 20
        world.at(when, lambda deed=deed: market.do(deed))  # type: ignore[misc]
    world.run(when)
    world.at(when, inputs.Start())
    for fault in mishaps:
        world.at(when + fault.at / 10, lambda fault=fault: misfortune(world, fault))  # type: ignore[misc]
    end = when + 25
    for deed in history:
        when += deed.after / 10
        world.at(when, lambda deed=deed: market.do(deed))  # type: ignore[misc]
    world.run(max(when, end))
    world.exchange.reads.clear()
    world.passes(200)
    return world


def owed(world: TradingWorld) -> list[Trade]:
    """Return the fills that must have been delivered: all since the stream began."""
    assert world.connection.began is not None
    return [trade for trade in world.exchange.trades if trade.ts >= world.connection.began]


def facts(fill: Fill) -> tuple[object, ...]:
    start = fill.cumulative_qty - fill.fill_qty
    return fill.order_id, start, fill.cumulative_qty, fill.fill_price, fill.fee, fill.realized_pnl


def verdict(world: TradingWorld) -> None:
    """Every fill once, no other event, and the gap closed."""
    began = world.connection.began
    assert began is not None
    must = owed(world)
    # Not due, but delivered where a venue shows running orders late, or with times in whole seconds.
    may = [trade for trade in world.exchange.trades if began - 5000 < trade.ts < began]
    if world.exchange.wire == "l":
        delivered = {facts(fill) for fill in world.fills()}
        truth = {(t.order_id, t.start, t.end, t.price, t.fee, t.pnl) for t in must}
        extra = {(t.order_id, t.start, t.end, t.price, t.fee, t.pnl) for t in may}
        assert truth <= delivered
        assert delivered <= truth | extra
    for order_id in {trade.order_id for trade in world.exchange.trades}:
        fills = world.fills(order_id)
        orders = merged((fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty) for fill in fills)
        mine = [t for t in must if t.order_id == order_id]
        allowed = [t for t in may if t.order_id == order_id]
        full = merged((t.start, t.end) for t in mine)
        assert orders in [merged([*((t.start, t.end) for t in allowed[n:]), *full]) for n in range(len(allowed) + 1)]
        truth_at = {t.end: t for t in (*allowed, *mine)}
        for fill in fills:
            start, end = fill.cumulative_qty - fill.fill_qty, fill.cumulative_qty
            parts = [t for t in truth_at.values() if start < t.end <= end]
            assert start in {t.start for t in parts}
            assert end in {t.end for t in parts}
            if fill.fill_price is not None:
                notional = sum((t.price * (t.end - t.start) for t in parts), D(0))
                assert abs(fill.fill_price * fill.fill_qty - notional) <= D("1e-6")
                if (
                    len(parts) == 1 and not world.restarts
                ):  # a journal holds prices, not the averages that they are from
                    assert fill.fill_price == parts[0].price
        report = world.exchange.report(order_id)
        delivered_states = [event.status for event in world.order_states(order_id)]
        if report.status == "CANCELED" and report.exchange_ts is not None and report.exchange_ts >= began:
            assert delivered_states.count("CANCELED") == 1
        if fills and report.status in FINAL and report.status == "FILLED":
            assert fills[-1].cumulative_qty <= report.cumulative_qty
    assert not world.connection.finished
    assert world.connection.health is Health.LIVE
    assert not world.gap_open
    ends = [fill.event_id for fill in world.fills()]
    assert len(set(ends)) == len(ends)


LIVES = {
    "history": deeds,
    "before": st.lists(deeds.map(lambda made: made[0]), max_size=6),
    "mishaps": faults,
    "pushes": st.booleans(),
}
SOME = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("wire", ["l", "z"])
@settings(SOME, max_examples=60 * TIMES)
@given(**LIVES)
def test_whatever_happens_every_fill_is_delivered_once(
    wire: str, before: list[Deed], history: list[Deed], mishaps: list[Fault], pushes: bool
) -> None:
    """Every fill since the beginning is delivered exactly once, in order while no gap is open; the gap closes."""
    verdict(live(wire, before, history, mishaps, pushes=pushes))


@settings(SOME, max_examples=20 * TIMES)
@given(**LIVES)
def test_whatever_happens_to_a_stream_that_polls(
    before: list[Deed], history: list[Deed], mishaps: list[Fault], pushes: bool
) -> None:
    """The same with reads alone."""
    verdict(live("l", before, history, mishaps, mode="poll", pushes=pushes))


@pytest.mark.parametrize("wire", ["l", "z"])
@settings(SOME, max_examples=20 * TIMES)
@given(hold_limit=st.sampled_from((0, 0.3, 3)), reorder_window=st.sampled_from((0, 0.1, 1)), **LIVES)
def test_whatever_the_policy(
    wire: str,
    hold_limit: float,
    reorder_window: float,
    before: list[Deed],
    history: list[Deed],
    mishaps: list[Fault],
    pushes: bool,
) -> None:
    """No number that a user may set loses or doubles a fill."""
    policy = {"hold_limit": hold_limit, "reorder_window": reorder_window, "audit_interval": 20}
    verdict(live(wire, before, history, mishaps, pushes=pushes, **policy))  # type: ignore[arg-type]
