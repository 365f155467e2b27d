"""Orders meet the market: they take from the book, rest and are filled, are triggered, or are cancelled when hollow."""

from __future__ import annotations

from decimal import Decimal

from .admission import Admission
from .amounts import ZERO
from .brackets import Brackets
from .depth import Depth
from .exchange import Exchange
from .orders import PRICED, TRIGGERS, Order
from .triggers import Trigger, trigger_of


class Matching:
    """Matches the orders that it was given; changes that others make to them are noticed at the next step."""

    def __init__(self, exchange: Exchange, depth: Depth, admission: Admission) -> None:
        self._exchange = exchange
        self._depth = depth
        self._admission = admission
        self._brackets = Brackets(exchange, self._watch)
        self._resting: dict[int, None] = {}
        self._waiting: dict[int, Trigger] = {}

    @property
    def busy(self) -> bool:
        """True if an order waits for the market."""
        return bool(self._resting or self._waiting)

    def enter(self, order: Order, now: int) -> None:
        """Take a new order: it waits for its trigger, or takes from the book and rests with what is left."""
        if order.type in TRIGGERS:
            self._watch(order, now)
            return
        limit = order.price
        partly = order.terms.time_in_force != "FOK"
        if partly or self._depth.within(order.symbol, order.side, limit, now) >= order.qty:
            self._take(order, limit, now)
        self._settle(order.id, now)

    def step(self, now: int) -> None:
        """Trigger and fill the orders that the market has reached by now; cancel those whose position is gone."""
        for order_id, trigger in list(self._waiting.items()):
            order = self._exchange.orders[order_id]
            if not order.open or order.triggered:
                self._waiting.pop(order_id, None)
                if order.triggered:
                    self._brackets.triggered(order, now)
            elif self._is_hollow(order):
                self._end(order_id, now)
            elif trigger.reached(self._exchange.market.price(order.symbol, now)):
                self._fire(order, now)
        for order_id in list(self._resting):
            self._meet(order_id, now)
        self._tidy(now)

    def overtake(self, order_id: int, qty: Decimal, now: int) -> bool:
        """Fill `qty` of a waiting order as if the market had just reached its price; return False if it cannot be.

        A conditional order is triggered, and the order that executes is filled at its own price or the trigger's.
        """
        order = self._exchange.orders[order_id]
        if (
            (order_id not in self._resting and order_id not in self._waiting)
            or not order.open
            or self._is_hollow(order)
        ):
            return False
        if order_id in self._waiting:
            self._fire(order, now, order.stop_price if order.price is None else order.price)
            return self._exchange.orders[order_id].triggered
        if not self._admission.is_affordable(order, order.remaining, order.frozen, now):
            return False
        self._fill(order, min(qty, self._executable(order)), order.price, now, maker=True)
        self._tidy(now)
        return True

    def _watch(self, order: Order, now: int) -> None:
        self._waiting[order.id] = trigger_of(order, self._exchange.market.price(order.symbol, now))

    def _fire(self, order: Order, now: int, at: Decimal | None = None) -> None:
        """Trigger a conditional order and end the other legs; it takes from the book, or is filled at price `at`."""
        exchange = self._exchange
        del self._waiting[order.id]
        qty = order.remaining
        if order.reduces:
            held = abs(exchange.account.position(order.symbol, order.position_side).qty)
            qty = held if order.terms.closes else min(qty, held)
        if not self._admission.is_affordable(order, qty, ZERO, now):
            self._end(order.id, now)
            return
        self._brackets.triggered(order, now)
        made = exchange.trigger(order.id, qty, now=now)
        if at is None:
            self._take(made, made.price, now)
        else:
            self._fill(made, self._executable(made), at, now, maker=False)
        self._settle(made.id, now)

    def _meet(self, order_id: int, now: int) -> None:
        """Fill a resting order at its own price with the quantity that others offer there."""
        order = self._exchange.orders[order_id]
        self._brackets.filled(order, now)
        if not order.open:
            del self._resting[order_id]
            return
        if not self._depth.meets(order.symbol, order.side, order.price, now):
            return
        if self._is_hollow(order) or not self._admission.is_affordable(order, order.remaining, order.frozen, now):
            self._end(order_id, now)
            return
        qty = self._executable(order)
        met = sum((each.qty for each in self._depth.take(order.symbol, order.side, qty, order.price, now)), ZERO)
        self._fill(order, met, order.price, now, maker=True)
        if self._exchange.orders[order_id].open and self._is_hollow(order):
            self._end(order_id, now)

    def _take(self, order: Order, limit: Decimal | None, now: int) -> None:
        for price, part in self._depth.take(order.symbol, order.side, self._executable(order), limit, now):
            self._fill(order, part, price, now, maker=False)

    def _fill(self, order: Order, qty: Decimal, price: Decimal | None, now: int, *, maker: bool) -> None:
        fill = self._exchange.fill(order.id, qty, now=now, price=price, maker=maker)
        self._brackets.filled(self._exchange.orders[fill.order_id], now)

    def _settle(self, order_id: int, now: int) -> None:
        """Let the unfilled part of the order rest if its type and time in force allow it, else cancel it."""
        order = self._exchange.orders[order_id]
        if order.open and order.type in PRICED and order.terms.time_in_force in {"GTC", "POST_ONLY"}:
            self._resting[order_id] = None
        elif order.open:
            self._end(order_id, now)
        self._tidy(now)

    def _tidy(self, now: int) -> None:
        """Cancel the waiting orders that would close a position which is gone."""
        for waiting in [self._exchange.orders[each] for each in self._waiting]:
            if waiting.open and self._is_hollow(waiting):
                self._end(waiting.id, now)

    def _executable(self, order: Order) -> Decimal:
        if not order.reduces:
            return order.remaining
        return min(order.remaining, abs(self._exchange.account.position(order.symbol, order.position_side).qty))

    def _is_hollow(self, order: Order) -> bool:
        """True if the order would close a position that is not there any more."""
        if not order.reduces:
            return False
        held = self._exchange.account.position(order.symbol, order.position_side).qty
        return not held or (held > 0) == (order.side == "BUY")

    def _end(self, order_id: int, now: int) -> None:
        self._waiting.pop(order_id, None)
        self._resting.pop(order_id, None)
        self._exchange.cancel(order_id, now=now)
