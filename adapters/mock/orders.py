"""Events of an order: a new state, a fill, a fill that is revised."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ...core.events import ExchangeEventKind, Fill, FillRevised, OrderState
from ...core.ids import fill_id, order_state_id, revision_id

K = ExchangeEventKind
_STATUS = {K.ORDER_ACK: "NEW", K.CANCEL_ACK: "CANCELED", K.ORDER_REJECT: "REJECTED", K.ORDER_EXPIRED: "EXPIRED"}


def moved(order: OrderState, kind: ExchangeEventKind, exchange_ts: int) -> OrderState:
    """The order's acknowledgement, cancellation, rejection or expiry."""
    status = _STATUS[kind]
    name = order_state_id(order.symbol, order.order_id, status, order.cumulative_qty, order.qty, order.price)
    changed = {"kind": kind, "event_id": name, "exchange_ts": exchange_ts, "status": status}
    return OrderState(**{**_fields(order), **changed})


def filled(
    order: OrderState,
    qty: Decimal,
    price: Decimal,
    exchange_ts: int,
    *,
    fee: Decimal,
    fee_asset: str,
    realized_pnl: Decimal,
    liquidation: bool,
    unsure: bool,
) -> Fill:
    """A fill of `qty` more of the order; an `unsure` one has no fee, PnL or trade id."""
    total = order.cumulative_qty + qty
    full = total == order.qty
    return Fill(
        **{
            **_fields(order),
            "kind": K.FULL_FILL if full else K.PARTIAL_FILL,
            "event_id": fill_id(order.symbol, order.order_id, total),
            "exchange_ts": exchange_ts,
            "status": "FILLED" if full else "PARTIALLY_FILLED",
            "cumulative_qty": total,
        },
        fill_qty=qty,
        fill_price=price,
        trade_id=None if unsure else f"{order.order_id}-{total}",
        fee=None if unsure else fee,
        fee_asset=fee_asset,
        realized_pnl=None if unsure else realized_pnl,
        liquidation=liquidation,
    )


def revised(
    fill: Fill | FillRevised, price: Decimal | None, fee: Decimal | None, realized_pnl: Decimal | None
) -> FillRevised:
    """The fill with these figures; `fill` may be the revision before."""
    same = {name: getattr(fill, name) for name in Fill.__struct_fields__ if name not in ("kind", "frame")}
    return FillRevised(
        **{
            **same,
            "event_id": revision_id(fill.symbol, fill.order_id, fill.cumulative_qty, price, fee, realized_pnl),
            "source": "poll",
            "redelivered": False,
            "fill_price": price,
            "fee": fee,
            "realized_pnl": realized_pnl,
        },
        replaces=fill.replaces if isinstance(fill, FillRevised) else fill.event_id,
    )


def _fields(order: OrderState) -> dict[str, Any]:
    """Return the fields of the order itself, of an event about it."""
    plain = {name: getattr(order, name) for name in OrderState.__struct_fields__}
    return {**plain, "source": "ws", "redelivered": False, "frame": None}
