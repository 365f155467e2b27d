"""The events: immutable values, one per thing that happened on the account.

Amounts and prices are `Decimal`, exchange times are milliseconds since the epoch, ids are `str`, and what the venue did
not say is `None`, never zero. `gc=False` because no value can be part of a cycle: with a thousand accounts in a process
the collector would otherwise take half of its time.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from .discreet import Discreet
from .kinds import ExchangeEventKind as ExchangeEventKind
from .kinds import GapReason as GapReason
from .kinds import Health as Health
from .kinds import Source as Source
from .plain import printable

ZERO = Decimal(0)


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
    """The fields of every event; `frame` is the inflated `bytes` or `str` that it was read from, None if there was
    none.
    """

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
        return {name: printable(value) for name, value in (common | plain).items()}


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
    """HEALTH: delivered once per change; `state` is the lifecycle's."""

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
