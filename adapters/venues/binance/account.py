"""Reads pushes of balances and positions, and of settings."""

from __future__ import annotations

from typing import Any

from ....core.events import Balance, Position
from ....core.reports import AccountReport, ConfigReport
from ..amounts import amount, moment, positive, text, whole
from .facts import BY_FILL, FUNDING
from .words import held, margin_mode, sides


def account(content: dict[str, Any], longest: int) -> AccountReport | None:
    """The report in an account push, or None if any part of it cannot be trusted.

    `cw`, the wallet of the cross account, is not the available balance, so it is not used.
    """
    body = content.get("a")
    if not isinstance(body, dict):
        return None
    owned, rows = _rows(body, "B"), _rows(body, "P")
    if owned is None or rows is None:
        return None
    balances: list[Balance] = []
    for row in owned:
        if (balance := _balance(row)) is None:
            return None
        balances.append(balance)
    one_way = False
    positions: list[Position] = []
    for row in sides(rows, "s", "ps"):
        if (position := _position(row)) is None:
            return None
        positions.append(position)
        one_way = one_way or row.get("ps") == "BOTH"
    reason = text(body.get("m"))
    return AccountReport(
        reason=reason,
        balances=tuple(balances),
        positions=tuple(positions),
        by_fill=reason == BY_FILL,
        funding=reason == FUNDING,
        one_way=one_way,
        symbol=text(body.get("S")),
        exchange_ts=moment(content.get("T"), content.get("E")),
        longest=longest,
    )


def config(content: dict[str, Any]) -> ConfigReport | None:
    """A symbol's leverage, which holds for both sides; None for a setting of the whole account."""
    body = content.get("ac")
    leverage = whole(body.get("l")) if isinstance(body, dict) else None
    if not isinstance(body, dict) or leverage is None or not 0 < leverage < 10**6:
        return None
    return ConfigReport(
        symbol=text(body.get("s")),
        long_leverage=leverage,
        short_leverage=leverage,
        exchange_ts=moment(content.get("T"), content.get("E")),
    )


def _rows(body: dict[str, Any], name: str) -> list[dict[str, Any]] | None:
    """A list of the body; a missing or null one is empty. None for another value."""
    found = body.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) and all(isinstance(row, dict) for row in found) else None


def _balance(row: dict[str, Any]) -> Balance | None:
    asset, wallet = text(row.get("a")), amount(row.get("wb"))
    if asset is None or wallet is None:
        return None
    return Balance(asset=asset, wallet_balance=wallet, change=amount(row.get("bc")))


def _position(row: dict[str, Any]) -> Position | None:
    symbol, quantity = text(row.get("s")), amount(row.get("pa"))
    if symbol is None or quantity is None:
        return None
    return Position(
        symbol=symbol,
        side=held(row.get("ps"), quantity),
        qty=quantity.copy_abs(),
        entry_price=positive(row.get("ep")) if quantity else None,
        unrealized_pnl=amount(row.get("up")),
        margin_mode=margin_mode(row.get("mt")),
    )
