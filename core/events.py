"""What a consumer is told: immutable values, one per thing that happened on the account.

Amounts and prices are `Decimal`, exchange times are milliseconds since the epoch, ids are `str`, and
what the wire did not say is `None`, never zero. `gc=False` because no value can be part of a cycle: with a thousand
accounts in a process the collector would otherwise take half of its time.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import msgspec

from .discreet import Discreet

ZERO = Decimal(0)

Source = Literal["ws", "poll", "local"]
"""Which way an event came: pushed, read by REST, or said by the library itself."""


class ExchangeEventKind(StrEnum):
    """The kinds of event."""

    ORDER_ACK = "ORDER_ACK"
    CANCEL_ACK = "CANCEL_ACK"
    ORDER_REJECT = "ORDER_REJECT"
    ORDER_EXPIRED = "ORDER_EXPIRED"
    PARTIAL_FILL = "PARTIAL_FILL"
    FULL_FILL = "FULL_FILL"
    FILL_REVISED = "FILL_REVISED"
    ACCOUNT_UPDATE = "ACCOUNT_UPDATE"
    FUNDING_FEE = "FUNDING_FEE"
    BALANCE_CHANGE = "BALANCE_CHANGE"
    CONFIG_UPDATE = "CONFIG_UPDATE"
    GAP_OPENED = "GAP_OPENED"
    GAP_CLOSED = "GAP_CLOSED"
    RECONNECTED = "RECONNECTED"
    HEALTH = "HEALTH"
    UNKNOWN = "UNKNOWN"


class Health(StrEnum):
    """How far the stream can be trusted at this moment."""

    LIVE = "LIVE"
    """A proven link and no gap."""
    SUSPECT = "SUSPECT"
    """A gap is open, the link is quieter than it should be, or its key is not being renewed."""
    BLIND = "BLIND"
    """No proven link."""


class GapReason(StrEnum):
    """Why a stretch is not proven."""

    LOST_SOCKET = "lost_socket"
    SILENT = "silent"
    KEY_GONE = "key_gone"
    HOLE = "hole"
    BALANCE = "balance"
    OVERSIZED = "oversized"
    READ_FAILED = "read_failed"
    LATE = "late"
    START = "start"


class Balance(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One asset of the account; `change` is the venue's own figure for what moved.

    `equity` is the wallet and `unrealized_pnl`; `used_margin` is bound by positions, `maintenance_margin` must be left.
    """

    asset: str
    wallet_balance: Decimal | None
    available: Decimal | None = None
    change: Decimal | None = None
    equity: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    used_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None


class Position(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One position; `qty` is never negative and 0 means closed; `side` is LONG, SHORT or None when flat."""

    symbol: str
    side: str | None
    qty: Decimal
    entry_price: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    margin_mode: str | None = None
    leverage: int | None = None
    mark_price: Decimal | None = None
    liquidation_price: Decimal | None = None


class ExchangeEvent(Discreet, frozen=True, gc=False, kw_only=True):
    """What every event has; `frame` is the inflated `bytes` or `str` that it was read from, None if there was none."""

    kind: ExchangeEventKind
    event_id: str
    exchange_ts: int | None
    source: Source
    redelivered: bool = False
    frame: Any = None

    def to_json(self) -> bytes:
        """One line of JSON: amounts as canonical strings, absent values as null, without `frame`."""
        return msgspec.json.encode(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; `frame` is left out."""
        plain: dict[str, Any] = msgspec.to_builtins(self, builtin_types=(Decimal,))
        common = {name: plain.pop(name) for name in ExchangeEvent.__struct_fields__}
        del common["frame"]
        return {name: _printable(value) for name, value in (common | plain).items()}


class OrderState(ExchangeEvent, frozen=True, gc=False):
    """ORDER_ACK, CANCEL_ACK, ORDER_REJECT or ORDER_EXPIRED: what an order is now."""

    symbol: str
    order_id: str
    client_order_id: str | None
    side: str | None
    position_side: str | None
    order_type: str | None
    status: str
    price: Decimal | None
    qty: Decimal | None
    cumulative_qty: Decimal


class Fill(OrderState, frozen=True, gc=False):
    """PARTIAL_FILL or FULL_FILL: the interval (cumulative_qty - fill_qty, cumulative_qty] of an order was executed.

    `fee` is a cost: positive is paid, negative a rebate.
    """

    fill_qty: Decimal
    fill_price: Decimal | None
    trade_id: str | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None
    liquidation: bool


class FillRevised(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """FILL_REVISED: a fill as it now holds; `replaces` is the fill's own `event_id`, and the last revision wins.

    Its quantity is the fill's, which is never to be added again. Only the price, the fee with its asset and the PnL
    may differ; None is what is not known after all.
    """

    kind: ExchangeEventKind = ExchangeEventKind.FILL_REVISED
    symbol: str
    order_id: str
    client_order_id: str | None
    side: str | None
    position_side: str | None
    order_type: str | None
    status: str
    price: Decimal | None
    qty: Decimal | None
    cumulative_qty: Decimal
    fill_qty: Decimal
    fill_price: Decimal | None
    trade_id: str | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None
    liquidation: bool
    replaces: str


class AccountUpdate(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """ACCOUNT_UPDATE: what changed, or with `complete` the whole account."""

    kind: ExchangeEventKind = ExchangeEventKind.ACCOUNT_UPDATE
    reason: str | None
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    complete: bool


class FundingFee(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """FUNDING_FEE: `amount` is positive when received; a final one names in `replaces` the provisional before it."""

    kind: ExchangeEventKind = ExchangeEventKind.FUNDING_FEE
    amount: Decimal | None
    asset: str | None
    symbol: str | None
    provisional: bool
    replaces: str | None = None


class BalanceChange(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """BALANCE_CHANGE: a transfer or other income that only REST shows; positive is an inflow."""

    kind: ExchangeEventKind = ExchangeEventKind.BALANCE_CHANGE
    amount: Decimal
    asset: str | None
    symbol: str | None
    reason: str


class ConfigUpdate(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """CONFIG_UPDATE: leverage and margin mode of a symbol."""

    kind: ExchangeEventKind = ExchangeEventKind.CONFIG_UPDATE
    symbol: str | None
    long_leverage: int | None
    short_leverage: int | None
    margin_mode: str | None


class GapNotice(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """GAP_OPENED, GAP_CLOSED or RECONNECTED; `since` is exchange time, `recovered` counts fills."""

    reason: GapReason
    since: int | None
    recovered: int
    proven: bool


class HealthChange(ExchangeEvent, frozen=True, gc=False, kw_only=True):
    """HEALTH: told once per change; `state` is the lifecycle's."""

    kind: ExchangeEventKind = ExchangeEventKind.HEALTH
    health: Health
    state: str


class Unknown(ExchangeEvent, frozen=True, kw_only=True):
    """UNKNOWN: a frame that the dialect could read but not interpret, decoded.

    One that could not be read at all is `{"base64", "length"}`: its beginning, redacted, and its size in bytes. `count`
    is how many of its shape it stands for; a line of JSON has it where that is more than itself.
    """

    kind: ExchangeEventKind = ExchangeEventKind.UNKNOWN
    raw: Any
    count: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values; `frame` is left out, and a `count` of 1."""
        plain = super().to_dict()
        if self.count == 1:
            del plain["count"]
        return plain


_CLASSES: dict[str, type[ExchangeEvent]] = {
    "ORDER_ACK": OrderState,
    "CANCEL_ACK": OrderState,
    "ORDER_REJECT": OrderState,
    "ORDER_EXPIRED": OrderState,
    "PARTIAL_FILL": Fill,
    "FULL_FILL": Fill,
    "FILL_REVISED": FillRevised,
    "ACCOUNT_UPDATE": AccountUpdate,
    "FUNDING_FEE": FundingFee,
    "BALANCE_CHANGE": BalanceChange,
    "CONFIG_UPDATE": ConfigUpdate,
    "GAP_OPENED": GapNotice,
    "GAP_CLOSED": GapNotice,
    "RECONNECTED": GapNotice,
    "HEALTH": HealthChange,
    "UNKNOWN": Unknown,
}


def from_json(line: bytes | str) -> ExchangeEvent:
    """The event that `to_json` wrote. Raises `msgspec.ValidationError` or `msgspec.DecodeError` on anything else."""
    plain = msgspec.json.decode(line)
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if not isinstance(kind, str) or kind not in _CLASSES:
        raise msgspec.ValidationError(f"not an event: kind {kind!r}")
    return msgspec.convert(plain, _CLASSES[kind])


def canonical(amount: Decimal) -> str:
    """The one way an amount is written: no exponent, no trailing zeros, no negative zero."""
    text = str(amount)
    if "E" in text:
        text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def fill_id(symbol: str, order_id: str, cumulative: Decimal) -> str:
    """The identity of a fill, the same whichever path brought it."""
    return f"fill:{symbol}:{order_id}:{canonical(cumulative)}"


def revision_id(
    symbol: str,
    order_id: str,
    cumulative: Decimal,
    fill_price: Decimal | None,
    fee: Decimal | None,
    realized_pnl: Decimal | None,
) -> str:
    """The identity of a revised fill: the fill's, and the figures that it now has."""
    amounts = ":".join("" if amount is None else canonical(amount) for amount in (fill_price, fee, realized_pnl))
    return f"revised:{symbol}:{order_id}:{canonical(cumulative)}:{amounts}"


def order_state_id(
    symbol: str, order_id: str, status: str, cumulative: Decimal, qty: Decimal | None, price: Decimal | None
) -> str:
    """The identity of an order's state."""
    amounts = ":".join("" if amount is None else canonical(amount) for amount in (cumulative, qty, price))
    return f"order:{symbol}:{order_id}:{status}:{amounts}"


def digest_id(kind: str, exchange_ts: int | None, *content: object) -> str:
    """The identity of an event that has no natural one: a digest of its kind, time and content."""
    plain = msgspec.to_builtins((exchange_ts, content), builtin_types=(Decimal,))
    text = msgspec.json.encode(_printable(plain))
    return f"{kind.lower()}:{hashlib.blake2b(text, digest_size=12).hexdigest()}"


def _printable(value: Any) -> Any:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, dict):
        return {name: _printable(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(inner) for inner in value]
    return value
