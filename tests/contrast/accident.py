"""The accidents, and the state of each follower when listenkey has proven that nothing is missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import NamedTuple

from listenkey.adapters.simulator.server import Server

from .follower import Follower

LOOK = 0.05
PATIENCE = 600.0
"""Seconds after which an accident has hung."""
MISSED = 3
"""The number of fills during an accident."""
Make = Callable[[str, str], Follower]


class Accident(NamedTuple):
    """A fault of the simulated exchange with `made` fills during it; it `heals` if frames arrive afterwards.

    `word` is the name of the error to which it may lead.
    """

    word: str
    what: str
    fault: str
    made: int
    heals: bool
    seconds: float | None = None


ACCIDENTS = (
    Accident("lost", "the connection is cut, 3 fills meanwhile", "drop_tcp", MISSED, heals=True, seconds=0.5),
    Accident("lost", "the frame of a fill is lost, the socket lives on", "lose_frame", 1, heals=True),
    Accident("doubled", "the frame of a fill comes twice", "repeat_frame", 1, heals=True),
    Accident("false", "the socket stays open and falls silent, 3 fills meanwhile", "silent", MISSED, heals=False),
    Accident("false", "the key ends without a word, 3 fills meanwhile", "expire_silently", MISSED, heals=False),
)
EMPTY = "zero", "the balance is read while the venue answers with empty amounts"


class Outcome(NamedTuple):
    """The result of one follower after one accident: numbers of fills, and of its warnings that some may be missing."""

    lost: int
    doubled: int
    warnings: int


async def after(accident: Accident, makes: Sequence[Make]) -> list[Outcome]:
    """Let all followers follow one account through the accident. The first one decides when it is over."""
    async with AsyncExitStack() as stack:
        server, followers = await _following(stack, makes)
        _trade(server)
        await _until(lambda: all(follower.fills for follower in followers))
        before = [follower.warnings for follower in followers]
        fault = server.fault(accident.fault, seconds=accident.seconds)
        for _ in range(accident.made):
            _trade(server)
        judge = followers[0]
        if accident.heals:
            over = fault.ends if accident.seconds else 0.0
            await _until(lambda: server.elapsed() > over and _connected(server, followers))
            last = _trade(server)
            await _until(lambda: all(last in follower.fills for follower in followers))
        made = {str(fill.order_id) for fill in server.exchange.fills}
        await _until(lambda: judge.ready and made <= {*judge.fills})
        return [
            _outcome(made, follower.fills, follower.warnings - warnings)
            for follower, warnings in zip(followers, before, strict=True)
        ]


async def wallets(makes: Sequence[Make]) -> list[Decimal | str | None]:
    """Return each follower's balance of USDT while the venue's amounts are empty. The true one is 100000."""
    async with AsyncExitStack() as stack:
        server, followers = await _following(stack, makes)
        server.fault("rest_empty_amounts", seconds=3600)
        return [await follower.wallet() for follower in followers]


async def _following(stack: AsyncExitStack, makes: Sequence[Make]) -> tuple[Server, list[Follower]]:
    server = await stack.enter_async_context(Server(ping_interval=1.0, rate_limits=False))
    followers = [await stack.enter_async_context(make(server.rest_url, server.ws_url)) for make in makes]
    await _until(lambda: _connected(server, followers))
    return server, followers


def _connected(server: Server, followers: Sequence[Follower]) -> bool:
    return len([*server.hub]) >= len(followers) and all(follower.ready for follower in followers)


def _trade(server: Server) -> str:
    """Make a market order that is filled completely at once; return its id."""
    (fill,) = server.exchange.trade("BTC-USDT", "BUY", Decimal("0.01"), now=server.now(), position_side="LONG")
    server.step()
    return str(fill.order_id)


def _outcome(made: set[str], fills: Sequence[str], warnings: int) -> Outcome:
    count = Counter(fills)
    return Outcome(
        lost=sum(order not in count for order in made),
        doubled=sum(times - 1 for times in count.values()),
        warnings=warnings,
    )


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if so():
                return
            await asyncio.sleep(LOOK)
