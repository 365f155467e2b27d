"""Seeded trading activity of a busy account, at exchange times that depend on the seed alone.

Positions stay bounded, and no order is filled beyond its quantity.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal

from .exchange import Exchange
from .orders import PRICED, STOPS, Order, OrderRefused
from .seeds import seeded

FILLS_PER_ORDER = 1.6
MAX_STEPS = 40
_CONDITIONAL = sorted(STOPS)
Action = Callable[[int], None]


class Flow:
    """Makes about `fills_per_second` fills on an exchange per `second_ms` of exchange time."""

    def __init__(
        self, exchange: Exchange, *, now: int, fills_per_second: float, seed: int = 0, second_ms: float = 1000.0
    ) -> None:
        self.exchange = exchange
        self.quiet = fills_per_second <= 0
        self._rate = fills_per_second / FILLS_PER_ORDER
        self._second_ms = second_ms
        self._random = seeded(seed, "flow")
        self._agenda: list[tuple[int, int, Action]] = []
        self._serial = 0
        self._arrival = float(now)
        if not self.quiet:
            self._next_order(now)

    def advance(self, now: int) -> None:
        """Carry out everything that is due by now, each action at its own time."""
        while not self.quiet and self._agenda and self._agenda[0][0] <= now:
            at, _, action = heapq.heappop(self._agenda)
            try:
                action(at)
            except OrderRefused:
                continue

    def postpone(self, now: int, patience: float) -> None:
        """If the next action is more than `patience` ms late, shift all planned actions so that it is due now.

        After a time in which `advance` was not called, the missed activity comes later, and not in a burst.
        """
        late = now - self._agenda[0][0] if self._agenda else 0
        if late > patience:
            self._agenda = [(at + late, serial, action) for at, serial, action in self._agenda]
            self._arrival += late

    def hush(self) -> None:
        """Stop the activity; also the rest of what has begun is dropped."""
        self.quiet = True
        self._agenda.clear()

    def resume(self, now: int) -> None:
        """Start the activity again."""
        if self.quiet and self._rate > 0:
            self.quiet = False
            self._arrival = float(now)
            self._next_order(now)

    def _next_order(self, now: int) -> None:
        self._arrival += self._random.expovariate(self._rate) * self._second_ms
        self._at(int(self._arrival), self._activity)

    def _at(self, at: int, action: Action) -> None:
        self._serial += 1
        heapq.heappush(self._agenda, (at, self._serial, action))

    def _later(self, now: int, action: Action, *, within: float) -> None:
        self._at(now + 1 + int(self._random.random() * within * self._second_ms), action)

    def _activity(self, now: int) -> None:
        self._next_order(now)
        draw = self._random.random()
        if draw < 0.55:
            self._simple(now)
        elif draw < 0.90:
            self._in_parts(now)
        elif draw < 0.95:
            self._abandoned(now)
        elif draw < 0.98:
            self._triggered(now)
        else:
            self._money(now)

    def _simple(self, now: int) -> None:
        order = self._market(now)
        self.exchange.fill(order.id, now=now)

    def _in_parts(self, now: int) -> None:
        """Place an order that is filled in two to five parts; some are amended or cancelled before their last part."""
        order = self._market(now) if self._random.random() < 0.4 else self._limit(now)
        within = 0.05 if order.type == "MARKET" else 0.8
        parts = self._random.randint(2, 5)
        fate = self._random.random() if order.type == "LIMIT" else 1.0
        at = now
        for number in range(parts):
            last = number == parts - 1
            if number == 1 and fate < 0.15:
                self._at(at, lambda now: self._amend(order.id, now))
            if last and 0.15 <= fate < 0.3:
                self._at(at, lambda now: self._cancel(order.id, now))
            elif last:
                self._at(at, lambda now: self._fill_rest(order.id, now))
            else:
                self._at(at, lambda now: self._fill_part(order.id, now))
            at += 1 + int(self._random.random() * within * self._second_ms)

    def _abandoned(self, now: int) -> None:
        order = self._limit(now)
        if self._random.random() < 0.8:
            self._later(now, lambda now: self._cancel(order.id, now), within=2.0)
        else:
            self._later(now, lambda now: self._expire(order.id, now), within=2.0)

    def _triggered(self, now: int) -> None:
        """Place a conditional order; most are triggered, the others are cancelled instead."""
        symbol, side, position_side, qty = self._intent(now)
        kind = self._random.choice(_CONDITIONAL)
        order = self.exchange.place(
            symbol,
            side,
            qty,
            now=now,
            type=kind,
            position_side=position_side,
            price=self._near(symbol, now) if kind in PRICED else None,
            stop_price=self.exchange.market.price(symbol, now),
            client_id=self._name(),
        )
        called_off = self._random.random() < 0.25

        def fire(now: int) -> None:
            executing = self.exchange.trigger(order.id, now=now)
            if executing.type in PRICED:
                self._later(now, lambda now: self._fill_rest(executing.id, now), within=1.5)
            else:
                self.exchange.fill(executing.id, now=now)

        self._later(now, (lambda now: self._cancel(order.id, now)) if called_off else fire, within=1.5)

    def _money(self, now: int) -> None:
        draw = self._random.random()
        symbol = self._random.choice(list(self.exchange.market.instruments))
        if draw < 0.5:
            rate = Decimal(self._random.randint(-30, 30)) / 100_000
            self.exchange.fund(symbol, rate, now=now)
        elif draw < 0.85:
            asset = self.exchange.market.instruments[symbol].asset
            amount = Decimal(self._random.randint(1, 50_000)) / 100
            self.exchange.transfer(asset, amount if self._random.random() < 0.6 else -amount, now=now)
        else:
            self.exchange.set_leverage(symbol, self._random.randint(2, 20), self._random.randint(2, 20), now=now)

    def _market(self, now: int) -> Order:
        symbol, side, position_side, qty = self._intent(now)
        silent = self._random.random() < 0.7
        return self.exchange.place(symbol, side, qty, now=now, position_side=position_side, silent=silent)

    def _limit(self, now: int) -> Order:
        symbol, side, position_side, qty = self._intent(now)
        price = self._near(symbol, now)
        return self.exchange.place(
            symbol, side, qty, now=now, type="LIMIT", position_side=position_side, price=price, client_id=self._name()
        )

    def _intent(self, now: int) -> tuple[str, str, str | None, Decimal]:
        """Draw symbol, side, position side and a quantity of at least five steps, so that positions stay bounded."""
        symbol = self._random.choice(list(self.exchange.market.instruments))
        step = self.exchange.market.instruments[symbol].step
        qty = step * self._random.randint(5, MAX_STEPS)
        if not self.exchange.hedge:
            held = self.exchange.account.position(symbol, "BOTH").qty
            tilt = 0.5 - float(held / step) / (20 * MAX_STEPS)
            return symbol, "BUY" if self._random.random() < tilt else "SELL", None, qty
        position_side = self._random.choice(("LONG", "SHORT"))
        opens, closes = ("BUY", "SELL") if position_side == "LONG" else ("SELL", "BUY")
        closable = self.exchange.closable(symbol, position_side, closes)
        if closable >= 5 * step and self._random.random() < 0.3 + float(closable / step) / (10 * MAX_STEPS):
            return symbol, closes, position_side, min(qty, closable)
        return symbol, opens, position_side, qty

    def _near(self, symbol: str, now: int) -> Decimal:
        tick = self.exchange.market.instruments[symbol].tick
        return self.exchange.market.price(symbol, now) + tick * self._random.randint(-20, 20)

    def _name(self) -> str:
        return f"bot-{self._random.getrandbits(32):08x}" if self._random.random() < 0.5 else ""

    def _fill_part(self, order_id: int, now: int) -> None:
        order = self.exchange.orders[order_id]
        step = self.exchange.market.instruments[order.symbol].step
        left = int(order.remaining / step)
        if order.open and left > 1:
            price = order.price if order.price is not None else self._near(order.symbol, now)
            self.exchange.fill(order_id, step * self._random.randint(1, (left + 1) // 2), now=now, price=price)

    def _fill_rest(self, order_id: int, now: int) -> None:
        if self.exchange.orders[order_id].open:
            self.exchange.fill(order_id, now=now)

    def _amend(self, order_id: int, now: int) -> None:
        order = self.exchange.orders[order_id]
        step = self.exchange.market.instruments[order.symbol].step
        if order.open:
            smaller = order.executed + max(step, order.remaining / 2 // step * step)
            larger = order.qty + step * self._random.randint(1, 10)
            chance = self._random.random()
            qty = larger if chance < 0.5 else smaller if chance < 0.8 else order.executed or smaller
            self.exchange.amend(order_id, qty, now=now)

    def _cancel(self, order_id: int, now: int) -> None:
        if self.exchange.orders[order_id].open:
            self.exchange.cancel(order_id, now=now)

    def _expire(self, order_id: int, now: int) -> None:
        if self.exchange.orders[order_id].open:
            self.exchange.expire(order_id, now=now)
