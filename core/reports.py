"""The reports that a dialect reads in one frame or one REST answer: stateless, and an absent value is None."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from .discreet import Discreet
from .events import Balance, Position
from .kinds import IncomeKind
from .refusal import Refusal

UNKNOWN = 1 << 62
"""More characters than any text has."""


class OrderRef(NamedTuple):
    """The name of an order at a venue."""

    symbol: str
    order_id: str


class OrderReport(msgspec.Struct, frozen=True, gc=False):
    """One order as a frame or a REST row shows it.

    `status` is `NEW PARTIALLY_FILLED FILLED CANCELED REJECTED EXPIRED` or the venue's own word. `last_qty` and
    `last_price` are of the one fill that caused the frame, where the wire says them, and 0 if none did; `fee` is a cost
    (positive is paid). `price` is None for market orders, `position_side` is None in one-way mode.
    """

    symbol: str
    order_id: str
    status: str
    cumulative_qty: Decimal
    client_order_id: str | None = None
    side: str | None = None
    position_side: str | None = None
    order_type: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None
    average_price: Decimal | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    trade_id: str | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    realized_pnl: Decimal | None = None
    liquidation: bool = False
    exchange_ts: int | None = None
    created_ts: int | None = None
    place: int = 0
    """Which of the reports of its frame it is, from 0; the connection says so, not the dialect."""
    longest: int = UNKNOWN
    """Characters of the longest text in its frame, at most: one whose texts are shorter than any secret holds none."""


class FillReport(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of the venue's fill list. `exchange_ts` may be coarse (`Dialect.time_grain_ms`)."""

    symbol: str
    order_id: str
    qty: Decimal
    exchange_ts: int
    price: Decimal | None = None
    trade_id: str | None = None
    side: str | None = None
    position_side: str | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    realized_pnl: Decimal | None = None


class IncomeReport(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of the venue's income list; positive is an inflow. (`tran_id`, `income_type`) is its identity.

    `income_type` is the venue's own word, `kind` what it means.
    """

    income_type: str
    kind: IncomeKind
    amount: Decimal
    tran_id: str
    exchange_ts: int
    asset: str | None = None
    symbol: str | None = None
    trade_id: str | None = None


class OddRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a list that cannot be read, or not all of it, and what it is about; `side`: of a hedged position."""

    kind: Literal["fill", "order", "position", "income"]
    endpoint: str
    """The list, by the venue's name."""
    excerpt: str
    """The beginning of the row, what is odd in it first; without secrets."""
    symbol: str | None = None
    side: str | None = None
    order_id: str | None = None
    qty: Decimal | None = None
    """Of a fill, where it can be read: one of 0 covers nothing."""
    order: OrderReport | None = None
    """An order that is over and of which only the executed quantity cannot be read; here it is 0."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One read of the account by REST.

    A whole read (`whole`) brackets orders, positions, balances and income between two readings of the fill list.
    A read of single orders holds those orders and all their fills, and nothing else. "No such order" fails no read.
    """

    as_of: int
    """Exchange time, ms, just before the first fill list was asked for."""
    exchange_ms: int
    """Exchange time, ms, when the read ended."""
    since: int | None
    """From when on, exclusive, the fill list is complete; later than asked for where the venue's history ends."""
    whole: bool
    settled: bool
    """Nothing moved between the two fill lists, and no income came after the read began."""
    moving: frozenset[str] = frozenset()
    """Ids of orders whose fills changed while they were read: their executed quantity anchors nothing."""
    one_way: bool = False
    """The account nets its positions: a symbol has one, and its side is the sign's."""
    balances: tuple[Balance, ...] = ()
    positions: tuple[Position, ...] = ()
    orders: tuple[OrderReport, ...] = ()
    """Open orders, orders that finished since, and every order that was asked for."""
    open_orders: frozenset[str] = frozenset()
    """Ids of those orders that are open."""
    denied: frozenset[OrderRef] = frozenset()
    """Orders that were asked for and that the venue does not know; of one that was read alone `fills` has all that it
    lists. What was asked for and is neither here nor in `orders` is in no list, and the venue was not asked."""
    unasked: frozenset[OrderRef] = frozenset()
    """Orders that were to be read alone and may not be asked for now, since too many such questions have failed."""
    fills: tuple[FillReport, ...] = ()
    income: tuple[IncomeReport, ...] = ()
    odd: tuple[OddRow, ...] = ()
    """Rows that are in none of the lists above."""
    positions_listed: Literal["rows", "none", "hollow"] = "rows"
    """The answer's list of positions: rows, a list of none, or no list at all."""
    income_refused: Refusal | None = None
    """The venue refuses to list income, and will until a person changes something: `income` is not known."""
    account_id: str | None = None
    """Whose account it is, where the balance names it. Of no concern to a connection; it is for who keeps a journal."""


class AccountReport(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A push of balances and positions: what changed, or with `snapshot` a periodic repetition.

    `reason` is the venue's own word for its cause, `by_fill` and `funding` are two that matter.
    """

    reason: str | None
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    by_fill: bool = False
    """A fill moved what it shows."""
    funding: bool = False
    snapshot: bool = False
    one_way: bool = False
    """The account nets its positions: a symbol has one, and its side is the sign's."""
    symbol: str | None = None
    """The symbol that funding was paid for, where the push names it beside its positions."""
    exchange_ts: int | None = None
    place: int = 0
    longest: int = UNKNOWN


class ConfigReport(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A push of a symbol's leverage and margin mode."""

    symbol: str | None
    long_leverage: int | None = None
    short_leverage: int | None = None
    margin_mode: str | None = None
    exchange_ts: int | None = None


class Heartbeat(Discreet, frozen=True, gc=False):
    """A ping of the venue and the exact text that answers it."""

    reply: str


class Acknowledged(msgspec.Struct, frozen=True):
    """The venue accepted the opening frame with this id."""

    id: str


class Rejected(msgspec.Struct, frozen=True):
    """An error frame, for the opening frame with this id where it has one."""

    id: str | None
    refusal: Refusal


class KeyExpired(Discreet, frozen=True):
    """The venue says that a key has expired; None when it does not say which, "" when it names none."""

    key: str | None


class KeyInDoubt(msgspec.Struct, frozen=True):
    """The venue's answer to a request on a socket makes it doubtful that the socket's key lives."""


class ClosingSoon(msgspec.Struct, frozen=True):
    """The venue is about to close the socket that says so."""


class Unrecognised(Discreet, frozen=True):
    """A frame that is well-formed and not understood; a `doubtful` one means that the account must be read.

    `order` is the one that it names, None where it names none. One that is `known` is of a documented kind for which
    there is no event: each is delivered.
    """

    content: Any
    exchange_ts: int | None = None
    doubtful: bool = False
    place: int = 0
    order: OrderRef | None = None
    known: bool = False


class Unreadable(msgspec.Struct, frozen=True):
    """A frame that is not in the venue's format at all, and why."""

    why: str


Report = (
    OrderReport
    | AccountReport
    | ConfigReport
    | Heartbeat
    | Acknowledged
    | Rejected
    | KeyExpired
    | KeyInDoubt
    | ClosingSoon
    | Unrecognised
    | Unreadable
)
