"""Rows of REST answers about positions, open and closed."""

from __future__ import annotations

from .account import PositionView
from .amounts import ZERO, booked, plain
from .closings import Closing
from .rows import MAINTENANCE, Row


def position_id(symbol: str, side: str) -> str:
    """The venue's id of a position, which never changes."""
    return str(1735000000000000000 + sum(map(ord, symbol + side)))


def position_row(view: PositionView, *, signed_shorts: bool = False) -> Row:
    """A row of positions v2. A short's amount is positive; with `signed_shorts` it is negative in one-way mode."""
    hedged = view.side != "BOTH"
    amount = plain(view.qty if signed_shorts and not hedged else abs(view.qty))
    return {
        "positionId": position_id(view.symbol, view.side),
        "symbol": view.symbol,
        "currency": view.asset,
        "positionAmt": amount,
        "availableAmt": amount,
        "positionSide": view.side if hedged else ("LONG" if view.qty > 0 else "SHORT"),
        "isolated": view.margin_mode == "isolated",
        "avgPrice": plain(view.entry),
        "initialMargin": plain(view.margin),
        "margin": plain(view.margin + view.unrealised),
        "leverage": view.leverage,
        "unrealizedProfit": plain(view.unrealised),
        "realisedProfit": plain(view.realised),
        "liquidationPrice": _liquidation(view),
        "markPrice": plain(view.mark),
        "positionValue": f"{abs(view.qty) * view.mark:.4f}",
        "onlyOnePosition": not hedged,
        "updateTime": view.updated,
    }


def _liquidation(view: PositionView) -> float:
    """The price at which an isolated position has lost its margin; 0 for cross margin, as the venue sends it."""
    if view.margin_mode != "isolated" or not view.qty:
        return 0
    rate = MAINTENANCE if view.qty > 0 else -MAINTENANCE
    return float(max((view.entry - view.margin / view.qty) / (1 - rate), ZERO))


def closing_row(closing: Closing, leverage: int, margin_mode: str) -> Row:
    """A row of closed positions, with times in whole seconds; fees are negative."""
    net = closing.pnl - closing.fees + closing.funding
    return {
        "positionId": position_id(closing.symbol, closing.position_side),
        "symbol": closing.symbol,
        "isolated": margin_mode == "isolated",
        "positionSide": closing.side,
        "openTime": closing.opened // 1000 * 1000,
        "updateTime": closing.closed // 1000 * 1000,
        "avgPrice": plain(booked(closing.paid / closing.qty)),
        "avgClosePrice": plain(booked(closing.got / closing.qty)),
        "realisedProfit": plain(closing.pnl),
        "netProfit": plain(booked(net)),
        "positionAmt": plain(closing.qty),
        "closePositionAmt": plain(closing.qty),
        "leverage": leverage,
        "closeAllPositions": True,
        "positionCommission": plain(booked(-closing.fees)),
        "totalFunding": plain(booked(closing.funding)),
    }
