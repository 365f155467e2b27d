"""The exact state of the simulated account as plain values: amounts are canonical strings, and ids strings."""

from __future__ import annotations

from typing import Any

from .account import PositionView
from .amounts import plain
from .exchange import Exchange
from .orders import Fill, Order


def truth_of(exchange: Exchange, now: int) -> dict[str, Any]:
    """Return all fills, orders, positions and income rows, and each asset's wallet with its sums by reason."""
    book = exchange.account.book
    wallets = book.wallets.items()
    return {
        "now": now,
        "mode": "hedge" if exchange.hedge else "one_way",
        "fills": [fill_truth(each, exchange.orders[each.order_id]) for each in exchange.fills],
        "orders": [order_truth(each) for each in exchange.orders.values()],
        "positions": [_position(each) for each in exchange.positions(now)],
        "opening": {asset: plain(each.opening) for asset, each in wallets},
        "wallet": {asset: plain(each.balance) for asset, each in wallets},
        "fees": {asset: plain(each.fees) for asset, each in wallets},
        "realized_pnl": {asset: plain(each.pnl) for asset, each in wallets},
        "funding": {asset: plain(each.funding) for asset, each in wallets},
        "transfers": {asset: plain(each.transfers) for asset, each in wallets},
        "income": [
            {
                "type": each.type,
                "asset": each.asset,
                "symbol": each.symbol or None,
                "amount": plain(each.amount),
                "tran_id": each.tran_id,
                "trade_id": each.trade_id or None,
                "ts": each.ts,
            }
            for each in book.income
        ],
    }


def fill_truth(fill: Fill, order: Order) -> dict[str, Any]:
    """One fill; `start` and `end` are cumulative quantities, `fee` is a cost."""
    return {
        "symbol": fill.symbol,
        "order_id": str(fill.order_id),
        "start": plain(fill.start),
        "end": plain(fill.end),
        "qty": plain(fill.qty),
        "price": plain(fill.price),
        "fee": plain(fill.fee),
        "fee_asset": fill.asset,
        "realized_pnl": plain(fill.pnl),
        "trade_id": str(fill.trade_id),
        "ts": fill.ts,
        "side": fill.side,
        "position_side": None if fill.position_side == "BOTH" else fill.position_side,
        "order_type": order.type,
        "client_order_id": order.client_id or None,
    }


def order_truth(order: Order) -> dict[str, Any]:
    """One order in its newest state."""
    return {
        "symbol": order.symbol,
        "order_id": str(order.id),
        "client_order_id": order.client_id or None,
        "side": order.side,
        "position_side": None if order.position_side == "BOTH" else order.position_side,
        "type": order.type,
        "status": order.status,
        "price": None if order.price is None else plain(order.price),
        "qty": plain(order.qty),
        "executed": plain(order.executed),
        "average_price": plain(order.average),
        "fee": plain(order.commission),
        "realized_pnl": plain(order.profit),
        "trigger_order_id": str(order.triggered_by) if order.triggered_by else None,
        "created": order.created,
        "updated": order.updated,
    }


def _position(view: PositionView) -> dict[str, Any]:
    return {
        "symbol": view.symbol,
        "side": "LONG" if view.qty > 0 else "SHORT",
        "qty": plain(abs(view.qty)),
        "entry_price": plain(view.entry),
        "margin_mode": view.margin_mode,
        "leverage": view.leverage,
    }
