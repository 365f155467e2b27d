"""Translates Binance's rows and frames to the names of the truth, for clients that pass them on as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .table import Moment, Row, Table, amount, keyed
from .truth import Truth

Said = Mapping[str, Any]
INCOME: Mapping[str, str] = {"COMMISSION": "TRADING_FEE"}
FUNDING = "FUNDING_FEE"
SECOND = 1000
"""The venue books funding at whole seconds."""
PLAIN = frozenset({"LIMIT", "MARKET"})
"""Types of orders that are not the algo service's."""


def plain_orders(truth: Truth) -> Table:
    """The orders that lists of orders contain."""
    return {key: row for key, row in truth.orders.items() if row["type"] in PLAIN}


def bookings(truth: Truth) -> Table:
    """The true income with the same names, without the model's own booking numbers; funding belongs to no trade."""
    named = ((key.partition(" ")[0], row) for key, row in truth.income.items())
    return keyed(_booking(kind, {**row, "trade_id": None} if kind == FUNDING else row) for kind, row in named)


def fills(rows: Iterable[Said]) -> Table:
    """Rows of `userTrades`."""
    return keyed((str(row["id"]), _fill(row)) for row in rows)


def orders(rows: Iterable[Said]) -> Table:
    """Rows of every list of orders, and of a single one."""
    return keyed((str(row["orderId"]), _order(row)) for row in rows)


def positions(rows: Iterable[Said]) -> Table:
    """Rows of `positionRisk`; those without an amount belong to symbols that are not held."""
    held = (row for row in rows if float(row["positionAmt"]))
    return keyed((_place(row["symbol"], row["positionAmt"]), _position(row)) for row in held)


def wallets(rows: Iterable[Said]) -> Table:
    """Rows of `balance`; every asset has one, even if it was never held."""
    return keyed((row["asset"], {"balance": amount(row["balance"])}) for row in rows if float(row["balance"]))


def account(said: Said) -> Table:
    """The assets of `account`."""
    return wallets({"asset": row["asset"], "balance": row["walletBalance"]} for row in said["assets"])


def income(rows: Iterable[Said]) -> Table:
    """Rows of `income`, by their trade, else by symbol and second."""
    return keyed(_booking(_kind(row["incomeType"]), _income(row)) for row in rows)


def position_mode(said: Said) -> Table:
    """The answer of `positionSide/dual`."""
    return {"account": {"hedged": said["dualSidePosition"]}}


def pushed_fills(frames: Iterable[Said]) -> Table:
    """The fills in frames of orders."""
    pushed = [each["o"] for each in frames if each["e"] == "ORDER_TRADE_UPDATE"]
    return keyed((str(order["t"]), _pushed_fill(order)) for order in pushed if float(order["l"]))


def pushed_orders(frames: Iterable[Said]) -> Table:
    """Each order as in its last frame."""
    pushed = {str(each["o"]["i"]): each["o"] for each in frames if each["e"] == "ORDER_TRADE_UPDATE"}
    return {key: _pushed_order(order) for key, order in pushed.items()}


def pushed_wallets(frames: Iterable[Said]) -> Table:
    """Each asset as in its last push."""
    pushed = [row for each in frames if each["e"] == "ACCOUNT_UPDATE" for row in each["a"].get("B") or ()]
    return {row["a"]: {"balance": amount(row["wb"])} for row in pushed}


def _fill(row: Said) -> Row:
    return {
        "order_id": str(row["orderId"]),
        "trade_id": str(row["id"]),
        "symbol": row["symbol"],
        "side": row["side"],
        "position_side": _position_side(row["positionSide"]),
        "qty": amount(row["qty"]),
        "price": amount(row["price"]),
        "fee": amount(row["commission"]),
        "fee_asset": row["commissionAsset"],
        "ts": Moment(row["time"], 1),
    }


def _pushed_fill(order: Said) -> Row:
    return {
        "order_id": str(order["i"]),
        "trade_id": str(order["t"]),
        "symbol": order["s"],
        "side": order["S"],
        "position_side": _position_side(order["ps"]),
        "qty": amount(order["l"]),
        "price": amount(order["L"]),
        "fee": amount(order["n"]),
        "fee_asset": order["N"],
        "ts": Moment(order["T"], 1),
    }


def _order(row: Said) -> Row:
    return {
        "symbol": row["symbol"],
        "side": row["side"],
        "position_side": _position_side(row["positionSide"]),
        "type": row["type"],
        "status": row["status"],
        "price": amount(row["price"]),
        "qty": amount(row["origQty"]),
        "executed": amount(row["executedQty"]),
        "average_price": amount(row["avgPrice"]) or None,
        "created": Moment(row["time"], 1),
        "updated": Moment(row["updateTime"], 1),
    }


def _pushed_order(order: Said) -> Row:
    return {
        "symbol": order["s"],
        "side": order["S"],
        "position_side": _position_side(order["ps"]),
        "type": order["o"],
        "status": order["X"],
        "price": amount(order["p"]),
        "qty": amount(order["q"]),
        "executed": amount(order["z"]),
        "average_price": amount(order["ap"]) or None,
    }


def _position(row: Said) -> Row:
    held = amount(row["positionAmt"])
    return {"qty": abs(held), "entry_price": amount(row["entryPrice"])}


def _place(symbol: str, held: str) -> str:
    return f"{symbol} {'SHORT' if held.startswith('-') else 'LONG'}"


def _income(row: Said) -> Row:
    return {
        "asset": row["asset"],
        "symbol": row["symbol"] or None,
        "amount": amount(row["income"]),
        "trade_id": row["tradeId"] or None,
        "ts": Moment(row["time"], SECOND if row["incomeType"] == FUNDING else 1),
    }


def _kind(said: str) -> str:
    """The truth's name of a type of income."""
    return INCOME.get(said, said)


def _booking(kind: str, row: Row) -> tuple[str, Row]:
    at = row["ts"].ms if isinstance(row["ts"], Moment) else int(str(row["ts"]))
    return f"{kind} {row['trade_id'] or at // SECOND} {row['symbol']}", row


def _position_side(said: str) -> str | None:
    return None if said == "BOTH" else said
