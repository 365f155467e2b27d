"""Rows of the answers about money and positions, in the shapes of versions 2 and 3."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from ..account import PositionView
from ..amounts import ZERO, booked, eight, plain
from ..rows import MAINTENANCE
from . import words
from .rows import Row
from .wire import break_even

MOST = "100000000"


class Money(NamedTuple):
    """The money of one asset: wallet, its part for cross margin, and what positions and orders bind of it."""

    asset: str
    wallet: Decimal = ZERO
    cross: Decimal = ZERO
    unrealised: Decimal = ZERO
    available: Decimal = ZERO
    bound: Decimal = ZERO
    frozen: Decimal = ZERO
    maintenance: Decimal = ZERO


def balance_row(money: Money, alias: str, now: int) -> Row:
    """A row of the balances."""
    return {
        "accountAlias": alias,
        "asset": money.asset,
        "balance": eight(money.wallet),
        "crossWalletBalance": eight(money.cross),
        "crossUnPnl": eight(money.unrealised),
        "availableBalance": eight(money.available),
        "maxWithdrawAmount": eight(min(money.available, money.wallet)),
        "marginAvailable": True,
        "updateTime": now if money.wallet else 0,
    }


def asset_row(money: Money, now: int) -> Row:
    """A row of the account's assets."""
    return {
        "asset": money.asset,
        "walletBalance": eight(money.wallet),
        "unrealizedProfit": eight(money.unrealised),
        "marginBalance": eight(money.wallet + money.unrealised),
        "maintMargin": eight(money.maintenance),
        "initialMargin": eight(money.bound + money.frozen),
        "positionInitialMargin": eight(money.bound),
        "openOrderInitialMargin": eight(money.frozen),
        "crossWalletBalance": eight(money.cross),
        "crossUnPnl": eight(money.unrealised),
        "availableBalance": eight(money.available),
        "maxWithdrawAmount": eight(min(money.available, money.wallet)),
        "updateTime": now if money.wallet else 0,
    }


def totals(money: Money) -> Row:
    """The totals of the account, which are those of its one margin asset."""
    row = asset_row(money, 0)
    names = ("initialMargin", "maintMargin", "walletBalance", "marginBalance", "crossWalletBalance", "crossUnPnl")
    more = ("positionInitialMargin", "openOrderInitialMargin", "unrealizedProfit")
    found = {f"total{name[0].upper()}{name[1:]}": row[name] for name in names + more}
    return found | {name: row[name] for name in ("availableBalance", "maxWithdrawAmount")}


def position_row(view: PositionView, second: bool) -> Row:
    """A position in the account's answer, of version 2 if `second`, else 3."""
    notional = view.qty * view.mark
    isolated = words.is_isolated(view.margin_mode)
    row: Row = {
        "symbol": view.symbol,
        "positionSide": view.side,
        "positionAmt": plain(view.qty),
        "unrealizedProfit": eight(view.unrealised),
        "isolatedMargin": eight(view.margin + view.unrealised if isolated else ZERO),
        "notional": plain(notional),
        "isolatedWallet": plain(view.margin if isolated else ZERO),
        "initialMargin": plain(view.margin),
        "maintMargin": plain(booked(abs(notional) * MAINTENANCE)),
        "updateTime": view.updated,
    }
    if second:
        row |= {
            "positionInitialMargin": plain(view.margin),
            "openOrderInitialMargin": "0",
            "leverage": str(view.leverage),
            "isolated": isolated,
            "entryPrice": plain(view.entry),
            "breakEvenPrice": plain(break_even(view)),
            "maxNotional": MOST,
            "bidNotional": "0",
            "askNotional": "0",
        }
    return row


def risk_row(view: PositionView, second: bool) -> Row:
    """A row of `positionRisk`, of version 2 if `second`, else 3; only version 2 has leverage and margin mode."""
    notional = view.qty * view.mark
    isolated = words.is_isolated(view.margin_mode)
    row: Row = {
        "symbol": view.symbol,
        "positionSide": view.side,
        "positionAmt": plain(view.qty),
        "entryPrice": plain(view.entry),
        "breakEvenPrice": plain(break_even(view)),
        "markPrice": eight(view.mark),
        "unRealizedProfit": eight(view.unrealised),
        "liquidationPrice": plain(_liquidation(view)),
        "isolatedMargin": eight(view.margin + view.unrealised if isolated else ZERO),
        "notional": plain(notional),
        "isolatedWallet": plain(view.margin if isolated else ZERO),
        "updateTime": view.updated,
    }
    if second:
        return row | {
            "leverage": str(view.leverage),
            "maxNotionalValue": MOST,
            "marginType": view.margin_mode,
            "isAutoAddMargin": "false",
        }
    return row | {
        "marginAsset": view.asset,
        "initialMargin": plain(view.margin),
        "maintMargin": plain(booked(abs(notional) * MAINTENANCE)),
        "positionInitialMargin": plain(view.margin),
        "openOrderInitialMargin": "0",
        "adl": 1 if view.qty else 0,
        "bidNotional": "0",
        "askNotional": "0",
    }


def _liquidation(view: PositionView) -> Decimal:
    """The price at which an isolated position has lost its margin; 0 for cross margin, where it is not modelled."""
    if not words.is_isolated(view.margin_mode) or not view.qty:
        return ZERO
    rate = MAINTENANCE if view.qty > 0 else -MAINTENANCE
    return booked(max((view.entry - view.margin / view.qty) / (1 - rate), ZERO))
