"""The truth of `GET /simulator/truth` as tables, and the parts of them that an answer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .table import Row, Silence, Table, amount, numbered

STATES = {
    "NEW": "open",
    "PARTIALLY_FILLED": "open",
    "FILLED": "closed",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
}
"""The states of an order in the names that clients of many venues share."""


class Truth:
    """The truth at one moment, when nothing moves any more."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.mode: str = said["mode"]
        self._updated = {row["order_id"]: row["updated"] for row in said["orders"]}
        hedged = self.mode == "hedge"
        fills = [_fill(row) for row in said["fills"]]
        self.symbols = tuple(sorted({row["symbol"] for row in said["fills"]}))
        self.now: int = said["now"]
        self.since: int = min(row["ts"] for row in said["fills"]) - 1
        self.fills: Table = {str(row["trade_id"]): row for row in fills}
        self.fills_by_order: Table = numbered(fills)
        """The fills for answers without trade ids."""
        self.orders: Table = {row["order_id"]: _order(row) for row in said["orders"]}
        self.open_orders: Table = {key: row for key, row in self.orders.items() if row["state"] == "open"}
        self.ended_orders: Table = {key: row for key, row in self.orders.items() if row["state"] != "open"}
        self.positions: Table = {f"{row['symbol']} {row['side']}": _position(row, hedged) for row in said["positions"]}
        self.wallets: Table = {asset: {"balance": amount(text)} for asset, text in said["wallet"].items()}
        self.income: Table = {f"{row['type']} {row['tran_id']}": _income(row) for row in said["income"]}
        self.position_mode: Table = {"account": {"hedged": hedged}}

    def fills_of(self, symbol: str) -> Table:
        """The fills of one symbol."""
        return {key: row for key, row in self.fills.items() if row["symbol"] == symbol}

    def fills_by_order_of(self, symbol: str) -> Table:
        """The fills of one symbol, for answers without trade ids."""
        return {key: row for key, row in self.fills_by_order.items() if row["symbol"] == symbol}

    def shown_since(self, ts: int) -> dict[str, Row]:
        """The orders that frames must have shown after this time, ms, because they were executed or ended since."""
        return {
            key: row
            for key, row in self.orders.items()
            if self._updated[key] > ts and (row["executed"] or row["state"] != "open")
        }

    @property
    def samples(self) -> Table:
        """The newest order of each type and status."""
        newest = {(row["type"], row["status"]): key for key, row in self.orders.items()}
        return {key: self.orders[key] for key in newest.values()}


def _fill(row: Mapping[str, Any]) -> Row:
    return {
        "order_id": row["order_id"],
        "trade_id": row["trade_id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "position_side": row["position_side"],
        "qty": amount(row["qty"]),
        "price": amount(row["price"]),
        "fee": amount(row["fee"]),
        "fee_asset": row["fee_asset"],
        "ts": row["ts"],
    }


def _order(row: Mapping[str, Any]) -> Row:
    """Return the row of an order; an answer has a price even for a market order, which follows the market."""
    price = None if row["price"] is None else amount(row["price"])
    executed = amount(row["executed"])
    return {
        "client_order_id": row["client_order_id"],
        "symbol": row["symbol"],
        "side": row["side"],
        "position_side": row["position_side"],
        "type": row["type"],
        "kind": "market" if price is None else "limit",
        "status": row["status"],
        "state": STATES[row["status"]],
        "price": Silence.SILENT if price is None else price,
        "qty": amount(row["qty"]),
        "executed": executed,
        "average_price": amount(row["average_price"]) if executed else None,
        "fee": amount(row["fee"]),
        "realized_pnl": amount(row["realized_pnl"]),
        "trigger_order_id": row.get("trigger_order_id"),
        "created": row["created"],
        "updated": row["updated"],
    }


def _position(row: Mapping[str, Any], hedged: bool) -> Row:
    return {
        "qty": amount(row["qty"]),
        "entry_price": amount(row["entry_price"]),
        "margin_mode": row["margin_mode"],
        "leverage": row["leverage"],
        "hedged": hedged,
    }


def _income(row: Mapping[str, Any]) -> Row:
    return {
        "asset": row["asset"],
        "symbol": row["symbol"],
        "amount": amount(row["amount"]),
        "trade_id": row["trade_id"],
        "ts": row["ts"],
    }
