"""Orders and their fills as immutable values; ids are snowflakes beyond 2^53."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from .amounts import SATOSHI, ZERO
from .terms import PLAIN, Terms

SNOWFLAKE_EPOCH_MS = 1288834974657
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
PRICED_TRIGGERS = frozenset({"TRIGGER_LIMIT", "STOP", "TAKE_PROFIT"})
"""Conditional orders that rest at a price after they are triggered; the others execute at the market's prices."""
STOP_LOSSES = frozenset({"STOP", "STOP_MARKET"})
TAKE_PROFITS = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_MARKET"})
STOPS = frozenset({"TRIGGER_MARKET", "TRIGGER_LIMIT"}) | STOP_LOSSES | TAKE_PROFITS
"""Conditional orders with a fixed trigger price."""
TRAILING = "TRAILING_STOP_MARKET"
TRIGGERS = STOPS | {TRAILING}
PRICED = frozenset({"LIMIT"}) | PRICED_TRIGGERS
TYPES = frozenset({"MARKET", "LIQUIDATION"}) | TRIGGERS | PRICED
Triggered = Literal["framed", "silent", "own"]
"""How a conditional order executes once it is triggered. `framed`, `silent`: it ends FILLED with nothing executed,
with or without a frame, and another order executes. `own`: it executes itself."""


class OrderRefused(Exception):
    """The venue refuses a call, with its error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Fill(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A fill of the interval (start, end] of an order's quantity; `fee` is a cost, `ts` exact exchange time, ms."""

    symbol: str
    order_id: int
    side: str
    position_side: str
    start: Decimal
    end: Decimal
    price: Decimal
    fee: Decimal
    asset: str
    pnl: Decimal
    trade_id: int
    ts: int
    maker: bool

    @property
    def qty(self) -> Decimal:
        """The quantity of this fill."""
        return self.end - self.start


class Order(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The state of one order; `guard` is the protective price that a market order has on the wire.

    `triggered_by` is the id of the conditional order that made this one, 0 for all others.
    """

    id: int
    symbol: str
    asset: str
    side: str
    position_side: str
    type: str
    qty: Decimal
    price: Decimal | None
    guard: Decimal
    stop_price: Decimal | None
    client_id: str
    reduce_only: bool
    created: int
    updated: int
    status: str = "NEW"
    triggered: bool = False
    triggered_by: int = 0
    executed: Decimal = ZERO
    quote: Decimal = ZERO
    commission: Decimal = ZERO
    profit: Decimal = ZERO
    terms: Terms = PLAIN

    @property
    def open(self) -> bool:
        """True while it can still be filled or cancelled."""
        return self.status in OPEN

    @property
    def remaining(self) -> Decimal:
        """The quantity that has not been executed."""
        return self.qty - self.executed

    @property
    def average(self) -> Decimal:
        """The average fill price to eight decimals, 0 before the first fill."""
        return (self.quote / self.executed).quantize(SATOSHI) if self.executed else ZERO

    @property
    def reduces(self) -> bool:
        """True if it may only make a position smaller."""
        return self.reduce_only or (self.position_side, self.side) in {("LONG", "SELL"), ("SHORT", "BUY")}

    @property
    def reserved(self) -> Decimal:
        """The quantity of the position that is reserved for it."""
        return self.remaining if self.reduces and self.terms.reserves else ZERO

    @property
    def frozen(self) -> Decimal:
        """The margin that it binds until it is filled."""
        return self.remaining * self.terms.margin

    @property
    def closed_stop(self) -> bool:
        """True if it is a conditional order that is not open any more."""
        return self.type in TRIGGERS and not self.open

    def spawned(self, id: int, guard: Decimal, now: int) -> Order:
        """The order that executes in place of this conditional one."""
        terms = Terms(reserves=self.terms.reserves, entry=self.terms.entry)
        return msgspec.structs.replace(
            self,
            id=id,
            terms=terms,
            type="LIMIT" if self.type in PRICED else "MARKET",
            guard=guard,
            stop_price=None,
            client_id="",
            created=now,
            updated=now,
            triggered_by=self.id,
        )

    def with_fill(self, fill: Fill) -> Order:
        """The order after one more fill."""
        status = "FILLED" if fill.end == self.qty else "PARTIALLY_FILLED"
        return msgspec.structs.replace(
            self,
            executed=fill.end,
            quote=self.quote + fill.qty * fill.price,
            commission=self.commission + fill.fee,
            profit=self.profit + fill.pnl,
            status=status,
            updated=fill.ts,
        )


class OrderIds:
    """Makes snowflake ids: unique, rising with time, far beyond 2^53."""

    def __init__(self) -> None:
        self._sequence = 0

    def next(self, now: int) -> int:
        """Return a new id that contains the exchange time `now`, ms."""
        self._sequence += 1
        return (now - SNOWFLAKE_EPOCH_MS) << 22 | (self._sequence & 0x3FFFFF)
