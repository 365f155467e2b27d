"""The activity on the exchange while ccxt pro listens: seeded for a while, then some chosen acts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from .exchange import Exchange

Truth = Mapping[str, Any]
FILLS = 100
POLL = 0.1
LAST = (21, 22)
"""Leverage, long and short, which only the last act sets: seeded activity stays below."""


async def until(exchange: Exchange, holds: Callable[[Truth], bool]) -> Truth:
    """Ask for the truth until `holds` returns True for it; return that truth."""
    while True:
        truth = await exchange.truth()
        if holds(truth):
            return truth
        await asyncio.sleep(POLL)


async def activity(exchange: Exchange) -> int:
    """Run the seeded activity for a while, then the acts that it may have left out; return its beginning, exchange ms.

    After that there are orders in every state, also conditional ones, positions on both sides, and bookings of all
    kinds.
    """
    begun: int = (await exchange.truth())["now"]
    await exchange.act("quiet", on=False)
    truth = await until(exchange, lambda truth: sum(each["ts"] > begun for each in truth["fills"]) >= FILLS)
    await exchange.act("quiet", on=True)
    long, short = sides(truth["mode"])
    limit = {"type": "LIMIT", "price": "70", "symbol": "LTC-USDT", "side": "BUY", **long}
    await exchange.act("place", qty="1", **limit)
    partial = await exchange.act("place", qty="2", **limit)
    await exchange.act("fill", order_id=partial["order_id"], qty="0.5")
    over = await exchange.act("place", qty="1", **limit)
    await exchange.act("expire", order_id=over["order_id"])
    dropped = await exchange.act("place", qty="1", client_order_id="mine-1", **limit)
    await exchange.act("fill", order_id=dropped["order_id"], qty="0.3")
    await exchange.act("cancel", order_id=dropped["order_id"])
    await exchange.act("trade", symbol="SOL-USDT", side="BUY", qty="1000", **long)
    stop = {"symbol": "SOL-USDT", "side": "SELL", "stop_price": "100", **long}
    fired = await exchange.act("place", type="STOP_MARKET", qty="3", **stop)
    await exchange.act("fill", order_id=fired["order_id"])
    await exchange.act("place", type="TRIGGER_MARKET", qty="2", **stop)
    await exchange.act("trade", symbol="ETH-USDT", side="SELL", qty="100", parts=2, **short)
    await exchange.act("funding", symbol="ETH-USDT")
    await exchange.act("transfer", amount="-12.5")
    await exchange.act("leverage", symbol="BTC-USDT", long=LAST[0], short=LAST[1])
    return begun


def sides(mode: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of an order in this mode for a long position, and for a short one."""
    return ({"position_side": "LONG"}, {"position_side": "SHORT"}) if mode == "hedge" else ({}, {})


def is_last(frame: object) -> bool:
    """True if this frame shows the last act: every frame of an order was sent before it."""
    if not isinstance(frame, dict) or frame.get("e") != "ACCOUNT_CONFIG_UPDATE":
        return False
    return (frame["ac"]["l"], frame["ac"]["S"]) == LAST
