"""A fill as it is remembered by everybody who has to know later what was delivered.

One value is shared: by its order, by the projection and the ledger, and by the revisions.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from .events import Fill


class Execution(Struct, frozen=True, gc=False):
    """A remembered fill: its figures, and its identity. Its id follows from its interval."""

    symbol: str
    order_id: str
    side: str | None
    position_side: str | None
    cumulative_qty: Decimal
    fill_qty: Decimal
    trade_id: str | None
    fee: Decimal | None
    fee_asset: str | None
    realized_pnl: Decimal | None
    exchange_ts: int | None
    client_order_id: str | None
    order_type: str | None
    status: str
    price: Decimal | None
    qty: Decimal | None
    fill_price: Decimal | None
    liquidation: bool
    settled_in: str | None = None
    """The asset of its PnL, where that is not known to be its fee's."""

    @property
    def pnl_asset(self) -> str | None:
        """The asset that its PnL is of."""
        return self.settled_in or self.fee_asset

    @property
    def gains(self) -> tuple[tuple[str | None, Decimal | None], ...]:
        """The change of each wallet, None if it is not known: less the fee, and the PnL."""
        return (self.fee_asset, None if self.fee is None else -self.fee), (self.pnl_asset, self.realized_pnl)


def execution(fill: Fill, settled_in: str | None = None) -> Execution:
    """Return the remembered part of a fill: its frame and the other fields would take eight times as much."""
    return Execution(
        fill.symbol,
        fill.order_id,
        fill.side,
        fill.position_side,
        fill.cumulative_qty,
        fill.fill_qty,
        fill.trade_id,
        fill.fee,
        fill.fee_asset,
        fill.realized_pnl,
        fill.exchange_ts,
        fill.client_order_id,
        fill.order_type,
        fill.status,
        fill.price,
        fill.qty,
        fill.fill_price,
        fill.liquidation,
        settled_in,
    )
