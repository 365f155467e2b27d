"""Reads the account part of a push, `a` with its `B` and `P`, which swap and spot write alike."""

from __future__ import annotations

from typing import Any

from ....core.events import Balance, Position
from ....core.reports import AccountReport
from ..amounts import amount, moment, positive, text
from .facts import BY_FILL, FUNDING
from .vocabulary import held, margin_mode


def account(content: dict[str, Any], *, free: bool, snapshot: bool = False) -> AccountReport | None:
    """The report in an account push, or None if any part of it cannot be trusted.

    `free` is True if `cw` is the available balance, as on spot. On the swap it is the wallet less position margin, even
    in cross mode: neither the free nor the available margin, so it is not used.
    """
    body = content.get("a")
    if not isinstance(body, dict):
        return None
    rows = _held(_rows(body, "P"))
    balances, positions = [_balance(row, free) for row in _rows(body, "B")], [_position(row) for row in rows]
    if None in balances or None in positions:
        return None
    one_way = any(row.get("ps") == "BOTH" for row in rows)
    if one_way and _is_hedged(rows):
        return None
    reason = text(body.get("m"))
    return AccountReport(
        reason=reason,
        balances=tuple(found for found in balances if found is not None),
        positions=tuple(found for found in positions if found is not None),
        by_fill=reason == BY_FILL,
        funding=reason == FUNDING,
        one_way=one_way,
        snapshot=snapshot,
        exchange_ts=moment(content.get("T"), content.get("E")),
    )


def _rows(body: dict[str, Any], name: str) -> list[Any]:
    """A list of the body; a missing or null one is empty, and another value becomes one row that is not accepted."""
    found = body.get(name)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _held(rows: list[Any]) -> list[Any]:
    """The rows that are positions: if there is a LONG or SHORT, a row BOTH of 0 is none, of any symbol."""
    if not _is_hedged(rows):
        return rows
    return [row for row in rows if not isinstance(row, dict) or row.get("ps") != "BOTH" or amount(row.get("pa")) != 0]


def _is_hedged(rows: list[Any]) -> bool:
    return any(isinstance(row, dict) and row.get("ps") in ("LONG", "SHORT") for row in rows)


def _balance(row: Any, free: bool) -> Balance | None:
    if not isinstance(row, dict):
        return None
    asset, wallet = text(row.get("a")), amount(row.get("wb"))
    if asset is None or wallet is None:
        return None
    available = amount(row.get("cw")) if free else None
    return Balance(asset=asset, wallet_balance=wallet, available=available, change=amount(row.get("bc")))


def _position(row: Any) -> Position | None:
    if not isinstance(row, dict):
        return None
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
