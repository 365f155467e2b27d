"""ccxt, unmodified, trades on the simulated exchange: what it says is compared with the truth as it goes.

    python -m tests.clients.trading [--seed N] [--operations N]

First a client of each kind is pointed at the exchange and buys. Then every call of the table in
docs/trading-against-it.md is made: it works, or is refused with the code that the table names. Then a bot does so many
operations, in hedge and in one-way mode. The exit code is 1 if anything is not as it should be, 2 if ccxt is not
installed.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import sys
from argparse import Namespace
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from listenkey.adapters.testing.exchange import SimulatedExchange

from . import ccxt
from .bot import Bot
from .calling import DIFFERENT, EVERY, command, compared, deeds
from .calls import documented, made
from .comparison import Difference
from .known import KNOWN, verdict
from .pace import Unhurried
from .reading import Reading
from .stepped import stepped
from .truth import Truth

WAYS = ("ccxt", "ccxt.async_support", "ccxt.pro")


class Outcome(NamedTuple):
    """The outcome of one mode."""

    bot: Bot
    truth: Truth
    compared: int
    unknown: list[Difference]


async def trade(*, seed: int, hedge: bool, operations: int) -> Outcome:
    """Run the bot, and compare after every `EVERY` operations; the exchange's time stands still meanwhile."""
    reading = Reading(ccxt.NAME, Unhurried())
    async with stepped(seed=seed, hedge=hedge) as exchange, ccxt.client(exchange) as made:
        made.enableRateLimit = False
        await made.load_markets()
        bot = Bot(made, exchange, Random(seed))
        await made.create_order("BTC/USDT:USDT", "market", "buy", 0.001, None, {"hedged": True} if hedge else {})
        for number in range(1, operations + 1):
            await bot.act()
            if number % EVERY == 0 or number == operations:
                await ccxt.read(made, Truth(exchange.truth()), reading)
        truth = Truth(exchange.truth())
    unknown = verdict(reading.differences, KNOWN, set()).unknown
    return Outcome(bot, truth, reading.compared.total(), unknown)


def pointed(way: str) -> bool:
    """True if an order of this module's client, pointed at an exchange by `redirect`, is filled there."""
    with SimulatedExchange(rate_limits=False) as exchange:
        client = exchange.redirect(importlib.import_module(way).bingx({"timeout": 60_000}))
        order = "BTC/USDT:USDT", "market", "buy", 0.01, None, {"hedged": True}

        async def buy() -> None:
            try:
                await client.create_order(*order)
            finally:
                await client.close()

        if way == "ccxt":
            client.create_order(*order)
        else:
            asyncio.run(buy())
        return len(exchange.truth()["fills"]) == 1


def played(given: Namespace) -> Iterator[str]:
    """Run everything, and yield its lines."""
    for way in WAYS:
        if not pointed(way):
            yield f"{DIFFERENT}{way} is pointed at the exchange, and has bought nothing there"
    for hedge in (True, False):
        mode = "hedge" if hedge else "one_way"
        yield from compared(mode, documented(), asyncio.run(made(hedge=hedge)))
        bot, truth, rows, unknown = asyncio.run(trade(seed=given.seed, hedge=hedge, operations=given.operations))
        yield deeds(mode, bot)
        yield f"{mode}: {len(truth.fills)} fills of {len(truth.orders)} orders, {rows} rows compared"
        for each in unknown[:10]:
            yield f"{DIFFERENT}{each.source} {each.subject} {each.key} {each.field}: {each.truth}, not {each.theirs}"


def main() -> int:
    """Run the command."""
    if importlib.util.find_spec("ccxt") is None:
        print("ccxt is not installed: make .venv/.bench", file=sys.stderr)
        return 2
    return command("trading", __doc__, played)


if __name__ == "__main__":
    sys.exit(main())
