"""Histories of an exchange: random deeds on it, and mishaps between it and its client."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple, TypeVar, get_args

from hypothesis import strategies as st

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import PRICED, Order, OrderRefused, Triggered
from listenkey.adapters.simulator.records import ClosedStops

T = TypeVar("T")

KINDS = (
    *("market",) * 5,
    *("limit",) * 4,
    *("fill",) * 10,
    *("rest",) * 3,
    *("cancel", "amend", "expire", "trigger", "fire", "fund", "fund", "transfer", "leverage", "margin", "liquidate"),
)
MISHAPS = (
    *("lose",) * 4,
    *("kill",) * 2,
    *("cut", "silence", "rotate", "rotate", "expire", "resync", "repeat", "swap", "refuse", "hide", "hide all"),
)


class Deed(NamedTuple):
    """One deed on the exchange, `after` ms after the one before."""

    after: int
    kind: str
    which: int
    size: int


class Mishap(NamedTuple):
    """One fault, `at` ms after the stream's beginning; `size` is its extent."""

    at: int
    kind: str
    size: int


class History(NamedTuple):
    """A history of an account: the deeds before the stream began, those after it, and how its venue triggers stops."""

    hedge: bool
    seed: int
    before: tuple[Deed, ...]
    deeds: tuple[Deed, ...]
    triggered: Triggered = "framed"
    closed_stops: ClosedStops = "listed"


def _many(one: st.SearchStrategy[T], most: int) -> st.SearchStrategy[tuple[T, ...]]:
    """Up to `most` values, with all numbers equally likely; a plain list would mostly be short."""
    return st.integers(0, most).flatmap(lambda count: st.tuples(*[one] * count))


_deeds = st.builds(
    Deed,
    after=st.one_of(st.integers(0, 20), st.integers(0, 2500)),
    kind=st.sampled_from(KINDS),
    which=st.integers(0, 15),
    size=st.integers(1, 12),
)
_mishaps = st.builds(Mishap, at=st.integers(0, 40_000), kind=st.sampled_from(MISHAPS), size=st.integers(1, 10))

histories = st.builds(
    History,
    hedge=st.booleans(),
    seed=st.integers(0, 3),
    before=_many(_deeds, 6),
    deeds=_many(_deeds, 50),
    triggered=st.sampled_from(get_args(Triggered)),
    closed_stops=st.sampled_from(get_args(ClosedStops)),
)
mishaps = _many(_mishaps, 8)


class Actor:
    """Does the deeds. A deed that the exchange refuses is skipped, on every exchange alike."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._symbols = tuple(exchange.market.instruments)
        self._mine: list[int] = []
        self._deeds: dict[str, Callable[[Deed, int], object]] = {
            "market": self._market,
            "limit": lambda deed, now: self._place(deed, now, "LIMIT"),
            "trigger": lambda deed, now: self._place(deed, now, ("TRIGGER_MARKET", "STOP")[deed.size % 2]),
            "fire": self._fire,
            "fill": self._fill,
            "rest": lambda deed, now: self._execute(self._running(deed), now),
            "cancel": lambda deed, now: exchange.cancel(self._running(deed).id, now=now),
            "expire": lambda deed, now: exchange.expire(self._running(deed).id, now=now),
            "amend": self._amend,
            "fund": lambda deed, now: exchange.fund(
                self._symbol(deed), Decimal(deed.size - 6 or 1) / 10_000 * (1 if deed.which % 2 else -1), now=now
            ),
            "transfer": lambda deed, now: exchange.transfer("USDT", Decimal(deed.which - 7 or 1) * deed.size, now=now),
            "leverage": lambda deed, now: exchange.set_leverage(self._symbol(deed), deed.size, deed.which + 1, now=now),
            "margin": lambda deed, now: exchange.set_margin_mode(
                self._symbol(deed), ("cross", "isolated")[deed.size % 2], now=now
            ),
            "liquidate": lambda deed, now: exchange.liquidate(self._symbol(deed), self._side(deed), now=now),
        }

    def do(self, deed: Deed, now: int) -> None:
        """Do a deed at this exchange time, ms, if it is possible."""
        try:
            self._deeds[deed.kind](deed, now)
        except OrderRefused:
            return

    def _symbol(self, deed: Deed) -> str:
        return self._symbols[deed.which % 2]

    def _side(self, deed: Deed) -> str | None:
        return ("LONG", "SHORT")[deed.which // 2 % 2] if self._exchange.hedge else None

    def _running(self, deed: Deed) -> Order:
        running = [order_id for order_id in self._mine if order_id in self._exchange.open]
        if not running:
            raise OrderRefused(109421, "order not exist")
        return self._exchange.open[running[deed.which % len(running)]]

    def _market(self, deed: Deed, now: int) -> None:
        symbol = self._symbol(deed)
        step = self._exchange.market.instruments[symbol].step
        self._exchange.trade(
            symbol,
            ("BUY", "SELL")[deed.which // 4 % 2],
            step * deed.size * 3,
            now=now,
            parts=deed.which % 3 + 1,
            position_side=self._side(deed),
        )

    def _place(self, deed: Deed, now: int, kind: str) -> None:
        symbol = self._symbol(deed)
        instrument = self._exchange.market.instruments[symbol]
        price = self._exchange.market.price(symbol, now) + instrument.tick * (deed.size - 6)
        order = self._exchange.place(
            symbol,
            ("BUY", "SELL")[deed.which // 4 % 2],
            instrument.step * deed.size * 5,
            now=now,
            type=kind,
            position_side=self._side(deed),
            price=price if kind in PRICED else None,
            stop_price=None if kind == "LIMIT" else price,
            client_id=f"deed-{len(self._mine)}" if deed.which % 3 else "",
        )
        self._mine.append(order.id)

    def _fill(self, deed: Deed, now: int) -> None:
        order = self._running(deed)
        instrument = self._exchange.market.instruments[order.symbol]
        qty = min(instrument.step * deed.size, order.remaining)
        price = (order.price or self._exchange.market.price(order.symbol, now)) + instrument.tick * (deed.which % 5)
        self._execute(order, now, qty=qty, price=price)

    def _fire(self, deed: Deed, now: int) -> None:
        executing = self._exchange.trigger(self._running(deed).id, now=now)
        self._mine.append(executing.id)
        if executing.type == "MARKET":
            self._exchange.fill(executing.id, now=now)

    def _execute(self, order: Order, now: int, *, qty: Decimal | None = None, price: Decimal | None = None) -> None:
        """Fill an order, or the order that executes for a conditional one."""
        fill = self._exchange.fill(order.id, qty, now=now, price=price)
        if fill.order_id not in self._mine:
            self._mine.append(fill.order_id)

    def _amend(self, deed: Deed, now: int) -> None:
        order = self._running(deed)
        step = self._exchange.market.instruments[order.symbol].step
        self._exchange.amend(order.id, order.executed + step * deed.size, now=now)
