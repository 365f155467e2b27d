"""Checks delivered and revised prices, fees and PnL against the exchange's: true or unknown, and in time revised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from listenkey import totals
from listenkey.adapters.simulator.orders import Fill as Trade
from listenkey.core.events import ExchangeEvent, Fill, FillRevised

from .setup import EPOCH, Setup
from .venues import USDM
from .violation import Violation

ZERO = Decimal(0)
SLACK = Decimal("0.00000002")
"""Average prices on the wire have eight decimals; a difference of two can be off by that much, times the quantity."""
UNNOTICED = frozenset(
    {
        "lose",
        "truncate",
        "swap",
        "silent",
        "expire",
        "expire_silently",
        "revoked",
        "renew_gone",
        "same_key",
        "stop",
    }
)
"""Faults by which a frame is lost, or a fill shown late, without anything that the next frame could show."""
NOTICED = 180.0
"""Seconds after such a fault until an audit or a rotation has replaced a socket that brings nothing."""


class _Delivered:
    """A fill: what the exchange executed, what was delivered last, and which figures were revised."""

    __slots__ = ("cumulative_qty", "fee", "pnl", "price", "qty", "revised", "side", "symbol", "trades")

    def __init__(self, event: Fill, trades: Sequence[Trade]) -> None:
        self.trades = trades
        self.symbol, self.side = event.symbol, event.side
        self.qty, self.cumulative_qty = event.fill_qty, event.cumulative_qty
        self.price, self.fee, self.pnl = event.fill_price, event.fee, event.realized_pnl
        self.revised: set[str] = set()

    @property
    def true_fee(self) -> Decimal:
        return sum((trade.fee for trade in self.trades), ZERO)

    @property
    def true_pnl(self) -> Decimal:
        return sum((trade.pnl for trade in self.trades), ZERO)

    def false(self) -> str | None:
        """Return the first figure of the fill that differs from the exchange's, with its value, or None."""
        notional = sum((trade.qty * trade.price for trade in self.trades), ZERO)
        if self.price is not None and abs(self.price * self.qty - notional) > SLACK * self.cumulative_qty:
            return f"price {self.price}"
        if self.fee not in (None, self.true_fee):
            return f"fee {self.fee} of {[trade.fee for trade in self.trades]}"
        if self.pnl not in (None, self.true_pnl):
            return f"realized_pnl {self.pnl} of {[trade.pnl for trade in self.trades]}"
        return None


class Amounts:
    """The fills of one stream. `exact`: a frame has the figures of its own fill, so no figure is ever false."""

    def __init__(self, setup: Setup, *, exact: bool) -> None:
        self._setup = setup
        self._unnoticed = [] if exact else [fault for fault in setup.faults if fault.kind in UNNOTICED]
        self.new_stream()

    def new_stream(self) -> None:
        """Begin a new stream: nothing has been delivered."""
        self._delivered: dict[str, _Delivered] = {}
        self._open: list[_Delivered] = []

    def deliver(self, event: Fill, trades: Sequence[Trade], *, gap_open: bool = True, again: bool = False) -> None:
        """A fill is delivered or, with `again`, recalled from a journal."""
        fill = self._delivered[event.event_id] = _Delivered(event, trades)
        self._open.append(fill)
        if event.fill_price is None and not gap_open:
            raise Violation("amounts-true", f"{event.event_id}: no price, and no gap is open")
        false = None if again else fill.false()
        *missed, last = trades
        merged = event.source == "ws" and any(map(self._may_be_lost, missed))
        if false and not (merged and fill.fee in (None, last.fee) and fill.pnl in (None, last.pnl)):
            raise Violation("amounts-true", f"{event.event_id}: {false}")

    def _may_be_lost(self, trade: Trade) -> bool:
        """True if the trade's frame may have been lost without anybody noticing."""
        at = (trade.ts - EPOCH) / 1000
        return any(fault.at - 5 <= at <= fault.until + NOTICED for fault in self._unnoticed)

    def revised(self, event: FillRevised) -> None:
        """A fill is revised: raise unless it was delivered, each figure changes once, and the new ones are true."""
        fill = self._delivered.get(event.replaces)
        what = f"{event.event_id} of {event.replaces}"
        if fill is None or (fill.cumulative_qty, fill.qty) != (event.cumulative_qty, event.fill_qty):
            raise Violation("amounts-true", f"{what}: no such fill was delivered")
        before = {"price": fill.price, "fee": fill.fee, "pnl": fill.pnl}
        after = {"price": event.fill_price, "fee": event.fee, "pnl": event.realized_pnl}
        changed = {name for name in before if before[name] != after[name]}
        if not changed or changed & fill.revised:
            raise Violation("amounts-true", f"{what}: {changed or 'nothing'} is revised, and {fill.revised} were")
        fill.revised |= changed
        fill.price, fill.fee, fill.pnl = event.fill_price, event.fee, event.realized_pnl
        if false := fill.false():
            raise Violation("amounts-true", f"{what}: {false}")

    def proven(self, until: int) -> None:
        """The stream is proven up to `until`: raise unless all earlier fills have true figures by now."""
        waiting = []
        for fill in self._open:
            if fill.trades[-1].ts > until:
                waiting.append(fill)
            elif false := fill.false():
                raise Violation("amounts-true", f"proven until {until}: {false}, made at {fill.trades[-1].ts}")
        self._open = waiting

    def check(self, events: Iterable[ExchangeEvent], *, restarted: bool) -> None:
        """At rest: raise unless every unknown figure has a reason and the sums of the known ones are the exchange's."""
        for event_id, fill in self._delivered.items():
            unknown = [name for name in ("price", "fee", "pnl") if getattr(fill, name) is None]
            reasons = self._reasons(fill, restarted)
            if set(unknown) - reasons:
                raise Violation("amounts-true", f"{event_id}: {unknown} of {fill.trades} stay unknown")
        quantities: dict[tuple[str, bool], Decimal] = defaultdict(Decimal)
        fees, pnls = ZERO, ZERO
        for fill in self._delivered.values():
            quantities[fill.symbol, fill.side == "SELL"] += fill.qty
            fees += ZERO if fill.fee is None else fill.true_fee
            pnls += ZERO if fill.pnl is None else fill.true_pnl
        found = totals(events)
        said = {(symbol, False): qty for symbol, qty in found.bought.items()}
        said |= {(symbol, True): qty for symbol, qty in found.sold.items()}
        if said != quantities or sum(found.fees.values(), ZERO) != fees:
            raise Violation("amounts-true", f"the sums are {found}, of {dict(quantities)} and fees {fees}")
        if sum(found.realized_pnl.values(), ZERO) != pnls:
            raise Violation("amounts-true", f"the sums are {found}, of PnL {pnls}")

    def _reasons(self, fill: _Delivered, restarted: bool) -> set[str]:
        """Return the figures that may be unknown, because the venue's rows need not say them under this setup."""
        setup = self._setup
        if setup.fill_rows is not None:  # a list that ends early may have lost the fill's own row
            return {"price", "fee", "pnl"}
        if setup.venue == USDM or setup.fill_shape == "newer":
            return set()
        named = setup.income_trades == "named" and all(trade.pnl for trade in fill.trades)
        late = restarted or any(fault.kind in ("lag", "outage", "partition") for fault in setup.faults)
        return set() if named and not late else {"pnl"}
