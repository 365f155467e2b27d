"""The naive way to read a frame: `gzip.decompress`, `json.loads`, and a dataclass with Decimals."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Fill:
    """One fill."""

    symbol: str
    client_order_id: str
    order_id: str
    side: str
    order_type: str
    qty: Decimal
    price: Decimal
    average: Decimal
    execution: str
    status: str
    fee_asset: str
    fee: Decimal
    exchange_ts: int
    position_side: str
    realized_pnl: Decimal
    cumulative_qty: Decimal
    trade_id: str
    last_qty: Decimal
    last_price: Decimal


@dataclass(frozen=True)
class Balance:
    """One wallet."""

    asset: str
    wallet: Decimal
    change: Decimal


@dataclass(frozen=True)
class Position:
    """One position."""

    symbol: str
    qty: Decimal
    entry: Decimal
    unrealized: Decimal
    margin_mode: str
    side: str


@dataclass(frozen=True)
class Account:
    """The balances and positions that changed."""

    reason: str
    exchange_ts: int
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]


def parsed(frame: bytes) -> Fill | Account:
    """Return the value in a frame. Raises for any other frame."""
    content: dict[str, Any] = json.loads(gzip.decompress(frame))
    if content["e"] == "ACCOUNT_UPDATE":
        return _account(content)
    order = content["o"]
    return Fill(
        symbol=order["s"],
        client_order_id=order["c"],
        order_id=str(order["i"]),
        side=order["S"],
        order_type=order["o"],
        qty=Decimal(order["q"]),
        price=Decimal(order["p"]),
        average=Decimal(order["ap"]),
        execution=order["x"],
        status=order["X"],
        fee_asset=order["N"],
        fee=-Decimal(order["n"]),
        exchange_ts=order["T"],
        position_side=order["ps"],
        realized_pnl=Decimal(order["rp"]),
        cumulative_qty=Decimal(order["z"]),
        trade_id=str(order["td"]),
        last_qty=Decimal(order["l"]),
        last_price=Decimal(order["L"]),
    )


def _account(content: dict[str, Any]) -> Account:
    body = content["a"]
    return Account(
        reason=body["m"],
        exchange_ts=content["E"],
        balances=tuple(Balance(row["a"], Decimal(row["wb"]), Decimal(row["bc"])) for row in body["B"]),
        positions=tuple(
            Position(row["s"], Decimal(row["pa"]), Decimal(row["ep"]), Decimal(row["up"]), row["mt"], row["ps"])
            for row in body["P"]
        ),
    )
