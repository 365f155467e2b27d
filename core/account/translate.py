"""Makes events of reports: their kinds, their fields and their ids."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ..events import (
    ZERO,
    AccountUpdate,
    Balance,
    ConfigUpdate,
    ExchangeEventKind,
    Fill,
    OrderState,
    Position,
    Source,
    Unknown,
)
from ..excerpt import Excerpt
from ..frames import Frame
from ..ids import digest_id, fill_id, frame_id, order_state_id
from ..reports import ConfigReport, FillReport, OrderRef, OrderReport
from .order import Piece
from .shown import NOT_FOUND

_Kind = ExchangeEventKind
_FULL, _PARTIAL = _Kind.FULL_FILL, _Kind.PARTIAL_FILL
STATES = {
    "NEW": _Kind.ORDER_ACK,
    "CANCELED": _Kind.CANCEL_ACK,
    "REJECTED": _Kind.ORDER_REJECT,
    "EXPIRED": _Kind.ORDER_EXPIRED,
    NOT_FOUND: _Kind.ORDER_EXPIRED,
}
"""The kind of event for each state without a fill; a partly filled order has one when it is amended."""


def is_state(report: OrderReport) -> bool:
    """True if no fill made the reported state; an order that is FILLED with nothing executed has no fill."""
    return report.status in STATES or (report.status == "FILLED" and report.cumulative_qty == ZERO)


def is_end(report: OrderReport, delivered: Decimal) -> bool:
    """True if a report ends an order whose execution was delivered up to `delivered`, and no fill has ended it.

    An order that is amended down to its executed quantity ends so.
    """
    return report.status == "FILLED" and ZERO < report.cumulative_qty >= delivered


def fill(
    ref: OrderRef,
    report: OrderReport,
    frame: Frame,
    cumulative_qty: Decimal,
    fill_qty: Decimal,
    fill_price: Decimal | None,
    fee: Decimal | None,
    realized_pnl: Decimal | None,
) -> Fill:
    """Return the fill of a frame: all that the frame reports, or a piece of it that ends at `cumulative_qty`.

    Fills of an order share the texts of its `ref`.
    """
    symbol, order_id = ref
    status, qty = report.status, report.qty
    if _completes(report, cumulative_qty):
        kind = _FULL
    else:
        kind, status = _PARTIAL, "PARTIALLY_FILLED" if cumulative_qty != report.cumulative_qty else status
    return Fill(
        symbol,
        order_id,
        report.client_order_id,
        report.side,
        report.position_side,
        report.order_type,
        status,
        report.price,
        qty,
        cumulative_qty,
        fill_qty,
        fill_price,
        report.trade_id,
        fee,
        report.fee_asset,
        realized_pnl,
        report.liquidation,
        kind=kind,
        event_id=fill_id(symbol, order_id, cumulative_qty),
        exchange_ts=report.exchange_ts,
        source="ws",
        frame=frame,
    )


def recovered_fill(row: FillReport, piece: Piece, report: OrderReport) -> Fill:
    """Return the fill of a row of the venue's list; `report` is the order as it is known."""
    full = _completes(report, piece.end)
    return Fill(
        kind=_FULL if full else _PARTIAL,
        event_id=fill_id(row.symbol, row.order_id, piece.end),
        exchange_ts=row.exchange_ts,
        source="poll",
        symbol=row.symbol,
        order_id=row.order_id,
        client_order_id=report.client_order_id,
        side=row.side or report.side,
        position_side=report.position_side,
        order_type=report.order_type,
        status="FILLED" if full else "PARTIALLY_FILLED",
        price=report.price,
        qty=report.qty,
        cumulative_qty=piece.end,
        fill_qty=piece.end - piece.start,
        fill_price=piece.price,
        trade_id=row.trade_id,
        fee=row.fee if piece.whole else None,
        fee_asset=row.fee_asset,
        realized_pnl=row.realized_pnl if piece.whole else None,
        liquidation=report.liquidation,
    )


def _completes(report: OrderReport, cumulative_qty: Decimal) -> bool:
    """True if a fill that ends there is the order's last: it reaches the quantity, or the whole known execution."""
    if report.qty and cumulative_qty >= report.qty:
        return True
    return report.status == "FILLED" and cumulative_qty == report.cumulative_qty


def state_id(report: OrderReport) -> str:
    """The identity of the state that a report shows."""
    return order_state_id(
        report.symbol, report.order_id, report.status, report.cumulative_qty, report.qty, report.price
    )


def state(report: OrderReport, event_id: str, source: Source, frame: Frame = None) -> OrderState:
    """Return an order's state as an event."""
    return OrderState(
        kind=STATES.get(report.status, _Kind.ORDER_ACK),
        event_id=event_id,
        exchange_ts=report.exchange_ts,
        source=source,
        frame=frame,
        symbol=report.symbol,
        order_id=report.order_id,
        client_order_id=report.client_order_id,
        side=report.side,
        position_side=report.position_side,
        order_type=report.order_type,
        status=report.status,
        price=report.price,
        qty=report.qty,
        cumulative_qty=report.cumulative_qty,
    )


def account(
    event_id: str,
    exchange_ts: int | None,
    source: Source,
    reason: str | None,
    balances: tuple[Balance, ...],
    positions: tuple[Position, ...],
    *,
    complete: bool = True,
) -> AccountUpdate:
    """Return a read of the account as an event: all of it, or the readable part."""
    return AccountUpdate(
        event_id=event_id,
        exchange_ts=exchange_ts,
        source=source,
        reason=reason,
        balances=balances,
        positions=positions,
        complete=complete,
    )


def config(report: ConfigReport, frame: Frame) -> ConfigUpdate:
    """Leverage and margin mode of a symbol."""
    content = (report.symbol, report.long_leverage, report.short_leverage, report.margin_mode)
    return ConfigUpdate(
        event_id=digest_id(_Kind.CONFIG_UPDATE, report.exchange_ts, content),
        exchange_ts=report.exchange_ts,
        source="ws",
        frame=frame,
        symbol=report.symbol,
        long_leverage=report.long_leverage,
        short_leverage=report.short_leverage,
        margin_mode=report.margin_mode,
    )


def unknown(exchange_ts: int | None, raw: object, frame: Frame, place: int) -> Unknown:
    """A frame that nobody here understands, whole."""
    event_id = frame_id("unknown", frame, place)
    return Unknown(event_id=event_id, exchange_ts=exchange_ts, source="ws", frame=frame, raw=raw)


def unreadable(found: Excerpt, now: float) -> Unknown:
    """A frame that cannot be read, as far as it may be shown; two are two events, though their bytes are the same."""
    raw = {"base64": msgspec.to_builtins(found.beginning), "length": found.length}
    event_id = digest_id(_Kind.UNKNOWN, None, raw["base64"], found.length, now)
    return Unknown(event_id=event_id, exchange_ts=None, source="ws", frame=found.beginning, raw=raw)
