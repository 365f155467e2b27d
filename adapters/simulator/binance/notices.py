"""Frames about the account without a push of the model: margin calls, and the multi-assets mode."""

from __future__ import annotations

from typing import Any

import msgspec

from ..account import PositionView
from ..amounts import booked, plain
from ..exchange import Exchange
from ..margin import Margin
from ..rows import MAINTENANCE
from . import words

Frame = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def margin_call(exchange: Exchange, margin: Margin, now: int) -> list[bytes]:
    """The frame of a margin call, with each position and its maintenance margin; none without positions."""
    held = exchange.positions(now)
    crossed = [each for each in held if not words.is_isolated(each.margin_mode)]
    frame: Frame = {"e": "MARGIN_CALL", "E": now}
    if crossed:
        frame["cw"] = plain(margin.cross_wallet(crossed[0].asset))
    frame["p"] = [_called(each) for each in held]
    return [_encode(frame)] if held else []


def assets_mode(on: bool, now: int) -> list[bytes]:
    """The frame of the multi-assets mode, on or off."""
    return [_encode({"e": "ACCOUNT_CONFIG_UPDATE", "E": now, "T": now, "ai": {"j": on}})]


def _called(view: PositionView) -> Frame:
    isolated = words.is_isolated(view.margin_mode)
    return {
        "s": view.symbol,
        "ps": view.side,
        "pa": plain(view.qty),
        "mt": "ISOLATED" if isolated else "CROSSED",
        "iw": plain(view.margin) if isolated else "0",
        "mp": plain(view.mark),
        "up": plain(view.unrealised),
        "mm": plain(booked(abs(view.qty) * view.mark * MAINTENANCE)),
    }
