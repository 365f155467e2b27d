"""The exchange's own record, against which every event is held."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from listenkey.adapters.simulator.orders import Fill as Trade
from listenkey.adapters.simulator.orders import Order
from listenkey.core.events import ExchangeEvent, Fill, FillRevised, OrderState

from .amounts import Amounts
from .exchange import Market
from .money import Money
from .setup import Setup
from .violation import Violation

ZERO = Decimal(0)
ENDED = frozenset({"CANCELED", "EXPIRED", "REJECTED", "FILLED", "NOT_FOUND"})
Interval = tuple[Decimal, Decimal]


class Delivered:
    """The delivered intervals of one order, and the states delivered of it."""

    __slots__ = ("coverage", "ended", "shown", "top")

    def __init__(self) -> None:
        self.coverage: list[Interval] = []
        self.top: Decimal | None = None
        self.shown = ZERO
        self.ended = False


class Truth:
    """One account's history, and the part of it that the stream has delivered so far."""

    def __init__(self, market: Market, amounts: Amounts, setup: Setup) -> None:
        self.amounts = amounts
        self._forgets = setup.closed_stops == "unknown"  # the venue denies conditional orders that are over
        self._exchange = market.exchange
        self._spoiling = market.door.spoiling
        self._crowds = market.crowds
        self._ghosts = market.door.spoiling.ghosts
        self.money = Money(market, setup)
        self.new_stream()

    def new_stream(self) -> None:
        """Begin a new stream: nothing has been delivered."""
        self.money.new_stream()
        self.amounts.new_stream()
        self._delivered: dict[str, Delivered] = {}
        self._eaten: dict[str, list[Interval]] = {}
        self._began: int | None = None
        self._checked = 0
        self._written_off: set[int] = set()
        """Trades whose rows could not be read for so long that they were written off."""
        self._unproven_until = -1
        """When a gap was closed last of which the stream said that it is not proven, exchange ms."""

    def owed_from(self, began: int) -> None:
        """The stream began at this exchange time: fills from then on are owed."""
        self._began = self.money.began = began
        self._checked = bisect_left(self._exchange.fills, began, key=lambda fill: fill.ts)

    def forget(self, delivered: Iterable[ExchangeEvent], eaten: Iterable[ExchangeEvent], proven: int | None) -> None:
        """The journal has lost the rest: only these events were delivered and consumed, all others are owed again."""
        began = self._began
        self.new_stream()
        if began is not None:
            self.owed_from(began)
        for event in delivered:
            if isinstance(event, OrderState):
                self._recall(event)
            elif isinstance(event, FillRevised):
                self.amounts.revised(event)
            else:
                self.money.deliver(event)
        for event in eaten:
            if isinstance(event, Fill):
                self.consumed(event)
        if proven is not None:
            self.proven(proven)

    def _recall(self, event: OrderState) -> None:
        known = self._delivered.setdefault(event.order_id, Delivered())
        known.ended = known.ended or event.status in ENDED
        if isinstance(event, Fill):
            start, end = event.cumulative_qty - event.fill_qty, event.cumulative_qty
            self.amounts.deliver(event, self._part(event.order_id, start, end), again=True)
            known.coverage.append((start, end))
            known.top = max(known.top or ZERO, event.cumulative_qty)
        else:
            known.shown = max(known.shown, event.cumulative_qty)

    # Orders

    def filled(self, event: Fill, gap_open: bool) -> None:
        """A fill is delivered: judge it."""
        start, end = event.cumulative_qty - event.fill_qty, event.cumulative_qty
        trades = self._trades(event.order_id)
        part = self._part(event.order_id, start, end)
        what = f"order {event.order_id} ({start}, {end}]"
        if not part or part[0].start != start or part[-1].end != end:
            raise Violation("only-the-truth", f"{what} is not what was executed")
        if event.side != part[0].side or event.symbol != part[0].symbol:
            raise Violation("only-the-truth", f"{what}: {event.side} {event.symbol}")
        self.amounts.deliver(event, part, gap_open=gap_open)
        known = self._delivered.setdefault(event.order_id, Delivered())
        if any(start < high and low < end for low, high in known.coverage):
            raise Violation("no-fill-twice", f"{what} overlaps with {known.coverage}")
        if not gap_open:
            due = known.top if known.top is not None else self._base(trades)
            least = due if known.top is not None else min(due, start)
            if not (least <= start <= due):
                raise Violation("order-kept", f"{what} comes when {due} is due, and no gap is open")
            if known.ended:
                raise Violation("order-kept", f"{what} comes after the order's end, and no gap is open")
        known.coverage.append((start, end))
        known.top = end if known.top is None else max(known.top, end)
        if event.status in ENDED:
            known.ended = True

    def shown(self, event: OrderState, gap_open: bool) -> None:
        """A state is delivered: judge it."""
        known = self._delivered.setdefault(event.order_id, Delivered())
        order = self._exchange.orders.get(int(event.order_id))
        if order is None or event.cumulative_qty > order.executed or not self._is_so(order, event.status):
            raise Violation("only-the-truth", f"order {event.order_id} never was {event.status}")
        if not gap_open:
            if event.status in ENDED and event.cumulative_qty > self._reach(event.order_id, known):
                raise Violation("order-kept", f"{event.status} of order {event.order_id} overtakes its fills")
            if event.cumulative_qty < known.shown or (known.ended and event.status not in ENDED):
                raise Violation("order-kept", f"{event.event_id} takes the order back")
        known.shown = max(known.shown, event.cumulative_qty)
        if event.status in ENDED:
            known.ended = True

    def _is_so(self, order: Order, status: str) -> bool:
        """True if the order ended with this status, or if the status is not one of an end."""
        if status == "NOT_FOUND":
            return self.is_denied(str(order.id))
        return status not in ENDED or order.status == status

    def is_denied(self, name: str) -> bool:
        """True if the venue denies this order."""
        order = self._exchange.orders[int(name)]
        return order.id in self._ghosts or (self._forgets and order.closed_stop)

    def unended(self) -> list[str]:
        """Orders that were delivered and are over without an event for it; mostly the last fill is that event."""
        found = []
        for name, known in self._delivered.items():
            order = self._exchange.orders[int(name)]
            if not (known.ended or order.open):
                found.append(name)
        return found

    def consumed(self, event: Fill) -> None:
        """The consumer has a new fill: raise if it had a part of it before."""
        start, end = event.cumulative_qty - event.fill_qty, event.cumulative_qty
        eaten = self._eaten.setdefault(event.order_id, [])
        if any(start < high and low < end for low, high in eaten):
            raise Violation("no-fill-twice", f"the consumer has {event.event_id} twice")
        eaten.append((start, end))

    def unproven(self) -> None:
        """A gap was closed, and something in it will never be known."""
        self._unproven_until = self._exchange.now

    def proven(self, until: int) -> None:
        """The stream is proven up to `until`: raise unless all earlier fills were delivered."""
        self.amounts.proven(until)
        fills = self._exchange.fills
        while self._checked < len(fills) and fills[self._checked].ts <= until:
            fill = fills[self._checked]
            left_out = self._crowds.has(fill) and self.is_denied(str(fill.order_id)) and fill.ts <= self._unproven_until
            if left_out or self._spoiling.is_written_off(fill.order_id, fill.trade_id):
                self._written_off.add(fill.trade_id)
            if not self._is_delivered(fill):
                late = f"fill ({fill.start}, {fill.end}] of order {fill.order_id}, made at {fill.ts}"
                raise Violation("watermark-honest", f"proven until {until}, but {late}, was not delivered")
            self._checked += 1

    def missing(self, until: int, *, eaten: bool = False) -> list[Trade]:
        """Return the fills up to then that are owed and were not delivered or, with `eaten`, not consumed."""
        if self._began is None:
            return []
        fills = self._exchange.fills
        first = bisect_left(fills, self._began, key=lambda fill: fill.ts)
        return [fill for fill in fills[first:] if fill.ts <= until and not self._is_delivered(fill, eaten=eaten)]

    def unseen(self, until: int) -> list[Trade]:
        """Return the fills up to then that were not delivered, without those before the last `proven_until`."""
        found = []
        for fill in self._exchange.fills[self._checked :] if self._began is not None else ():
            if fill.ts > until:
                break
            if not self._is_delivered(fill):
                found.append(fill)
        return found

    def is_delivered(self, fill: Trade) -> bool:
        """True if the fill was delivered."""
        return self._is_delivered(fill)

    def _is_delivered(self, fill: Trade, *, eaten: bool = False) -> bool:
        name = str(fill.order_id)
        if fill.trade_id in self._written_off:
            return True
        if eaten:
            return any(low <= fill.start and fill.end <= high for low, high in self._eaten.get(name, ()))
        known = self._delivered.get(name)
        return known is not None and any(low <= fill.start and fill.end <= high for low, high in known.coverage)

    def _trades(self, order_id: str) -> list[Trade]:
        return self._exchange.fills_of.get(int(order_id), [])

    def _part(self, order_id: str, start: Decimal, end: Decimal) -> list[Trade]:
        return [trade for trade in self._trades(order_id) if start < trade.end <= end]

    def _base(self, trades: list[Trade]) -> Decimal:
        """Return the quantity at which the coverage of an order that is owed begins."""
        began = self._began if self._began is not None else self._exchange.now
        return next((trade.start for trade in trades if trade.ts >= began), trades[-1].end)

    def _reach(self, order_id: str, known: Delivered) -> Decimal:
        trades = self._trades(order_id)
        reach = self._base(trades) if trades else ZERO
        for low, high in sorted(known.coverage):
            if low <= reach:
                reach = max(reach, high)
        return reach
