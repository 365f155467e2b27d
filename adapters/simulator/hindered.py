"""A desk whose orders suffer faults: they are refused, filled before a cancellation, or triggered unseen."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from .admission import CLOSING
from .desk import Desk
from .exchange import Exchange
from .faults import Fault, Faults
from .orders import TAKE_PROFITS, TRIGGERS, Order, OrderRefused
from .pushes import ACCOUNT_LATENCY_MS
from .ticket import Ticket


class HinderedDesk(Desk):
    """`elapsed` returns the faults' clock, seconds; `note` is called with each fault carried out, and its object."""

    def __init__(
        self, exchange: Exchange, faults: Faults, elapsed: Callable[[], float], note: Callable[[str, str], None]
    ) -> None:
        super().__init__(exchange)
        self._faults = faults
        self._elapsed = elapsed
        self._note = note

    def place(self, ticket: Ticket, *, now: int) -> Order:
        """Place an order; a fault may refuse one that only closes."""
        if ticket.type in CLOSING or self._admission.reduces(ticket):
            self._reject(ticket.symbol)
        return super().place(ticket, now=now)

    def close(self, symbol: str, position_side: str, *, now: int) -> Order:
        """Close a position; a fault may refuse it."""
        self._reject(symbol)
        return super().close(symbol, position_side, now=now)

    def cancel(self, order_id: int, *, now: int) -> Order:
        """Cancel an order, or what is left of it after a fault has filled it first."""
        order = self.exchange.open.get(order_id)
        if order is not None:
            self._race(order, now)
        return super().cancel(order_id, now=now)

    def cancel_all(self, *, now: int, symbol: str | None = None, type: str | None = None) -> list[Order]:
        """Cancel orders, or what is left of them after a fault has filled them first."""
        for order in self._open(symbol, type):
            self._race(order, now)
        return super().cancel_all(symbol=symbol, type=type, now=now)

    def stop_while_away(self, now: int) -> None:
        """If the fault is in force, trigger the oldest stop, drop its frames, and cut all connections from now on."""
        if (fault := self._active("stop_while_away")) is None:
            return
        stops = (each for each in self.exchange.open.values() if each.reduces and each.type in TRIGGERS - TAKE_PROFITS)
        for order in list(stops):
            if self._matching.overtake(order.id, order.remaining, now):
                self._spend(fault, order)
                self.exchange.due(now + ACCOUNT_LATENCY_MS)
                self._faults.order("drop_tcp", at=self._elapsed(), seconds=float(fault["away"]))
                return

    def _reject(self, symbol: str) -> None:
        fault = self._faults.take("reject_reduce_only", self._elapsed())
        if fault is not None:
            self._note(fault.name, symbol)
            raise OrderRefused(fault["code"], "No position to close")

    def _race(self, order: Order, now: int) -> None:
        if (fault := self._active("late_cancel")) and self._matching.overtake(order.id, order.remaining, now):
            self._spend(fault, order)
        elif order.type not in TRIGGERS and (fault := self._active("partial_cancel")):
            step = self.exchange.market.instruments[order.symbol].step
            wanted = order.remaining * Decimal(str(fault["share"]))
            part = min((wanted / step).to_integral_value(ROUND_CEILING) * step, order.remaining - step)
            if part and self._matching.overtake(order.id, part, now):
                self._spend(fault, order)

    def _active(self, name: str) -> Fault | None:
        return self._faults.active(name, self._elapsed())

    def _spend(self, fault: Fault, order: Order) -> None:
        self._faults.take(fault.name, self._elapsed())
        self._note(fault.name, f"{order.symbol} {order.id}")
