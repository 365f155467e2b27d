"""Translates the venue's REST rows to the names of the truth, for clients that pass them on as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from .table import Moment, Row, Table, amount, keyed

Said = Mapping[str, Any]
SECOND = 1000
MILLISECOND = 1
"""The grain of times in a query of one order and of open orders; lists of the past have whole seconds."""
STATUS = {"PENDING": "NEW", "CANCELLED": "CANCELED"}


def fills(rows: Iterable[Said]) -> Table:
    """Rows of `fillHistory`: `volume` is the quantity, and of the two times the one with an offset is right."""
    return keyed((row["tradeId"], _fill(row)) for row in rows)


def orders(rows: Iterable[Said], grain: int) -> Table:
    """Rows of every list of orders, and of a single one; `grain` is that of their times, ms."""
    return keyed((str(row["orderId"]), _order(row, grain)) for row in rows)


def positions(rows: Iterable[Said]) -> Table:
    """Rows of `positions`."""
    return keyed((f"{row['symbol']} {row['positionSide']}", _position(row)) for row in rows)


def wallets(rows: Iterable[Said]) -> Table:
    """Rows of balance v3; an asset that was never held has no amount."""
    return keyed((row["asset"], {"balance": amount(row["balance"])}) for row in rows if row["balance"])


def income(rows: Iterable[Said]) -> Table:
    """Rows of `income`."""
    return keyed((f"{row['incomeType']} {row['tranId']}", _income(row)) for row in rows)


def position_mode(said: Said) -> Table:
    """The answer of `positionSide/dual`."""
    return {"account": {"hedged": {"true": True, "false": False}.get(said["dualSidePosition"])}}


def _fill(row: Said) -> Row:
    return {
        "order_id": row["orderId"],
        "trade_id": row["tradeId"],
        "symbol": row["symbol"],
        "side": row["side"].upper(),
        "position_side": _position_side(row["positionSide"].upper()),
        "qty": amount(row["volume"]),
        "price": amount(row["price"]),
        "fee": -amount(row["commission"]),
        "fee_asset": row["commissionAsset"],
        "ts": Moment(int(datetime.fromisoformat(row["filledTime"]).timestamp() * 1000), SECOND),
    }


def _order(row: Said, grain: int) -> Row:
    found: Row = {
        "client_order_id": row["clientOrderId"] or None,
        "symbol": row["symbol"],
        "side": row["side"],
        "position_side": _position_side(row["positionSide"]),
        "type": row["type"],
        "status": STATUS.get(row["status"], row["status"]),
        "price": amount(row["price"]),
        "qty": amount(row["origQty"]),
        "executed": amount(row["executedQty"]),
        "average_price": amount(row["avgPrice"]) or None,
        "fee": -amount(row["commission"]),
        "realized_pnl": amount(row["profit"]),
        "created": Moment(row["time"], grain),
        "updated": Moment(row["updateTime"], grain),
    }
    if "triggerOrderId" not in row:
        return found
    return {**found, "trigger_order_id": str(row["triggerOrderId"]) if row["triggerOrderId"] else None}


def _position(row: Said) -> Row:
    found: Row = {
        "qty": amount(row["positionAmt"]),
        "entry_price": amount(row["avgPrice"]),
        "margin_mode": "isolated" if row["isolated"] else "cross",
        "leverage": row["leverage"],
    }
    return found if "onlyOnePosition" not in row else {**found, "hedged": not row["onlyOnePosition"]}


def _income(row: Said) -> Row:
    return {
        "asset": row["asset"],
        "symbol": row["symbol"] or None,
        "amount": amount(row["income"]),
        "trade_id": row["tradeId"] or None,
        "ts": Moment(row["time"], SECOND),
    }


def _position_side(said: str) -> str | None:
    return None if said == "BOTH" else said
