"""A bot and its tests under faults, in one file: `pytest examples/bot_test.py`.

The exchange is simulated, on loopback. It knows what is true and fails on command; the bot must have the same position.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import anyio
import pytest

import listenkey
from listenkey.adapters.testing.exchange import SimulatedExchange
from listenkey.ports.venue import VenueAdapter

SYMBOL = "BTC-USDT"
BRISK = listenkey.Policy(
    silence_timeout=5, backoff_initial=0.2, healthy_after=0.5, audit_interval=1, backfill_overlap=0.3
)
"""The defaults suit a real venue; a test need not wait two minutes for an audit."""
FAULTS = {
    "drop_tcp": 0.5,  # every connection is reset, and for half a second nobody answers
    "lose_frame": None,  # the frame of the next fill never arrives
    "repeat_frame": None,  # the frame of the next fill comes twice
}


class Bot:
    """Keeps its position in one symbol, and may trade only while nothing can be missing."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.position = Decimal(0)
        self.may_trade = False

    async def run(self, venue: VenueAdapter) -> None:
        """Follow the account until the stream ends."""
        async with venue.subscribe() as stream:
            async for event in stream:
                if isinstance(event, listenkey.Fill) and event.symbol == self.symbol:
                    self.position += event.fill_qty if event.side == "BUY" else -event.fill_qty
                self.may_trade = stream.health is listenkey.Health.LIVE


async def under(exchange: SimulatedExchange, fault: str, seconds: float | None) -> None:
    """One fill before the fault, two inside it, one after it."""
    bot = Bot(SYMBOL)
    async with (
        listenkey.open_venue("bingx-swap", policy=BRISK, **exchange.access) as venue,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(bot.run, venue)
        await until(lambda: bot.may_trade)
        buy(exchange, "0.1")
        await until(lambda: bot.position == Decimal("0.1"))
        exchange.fault(fault, seconds=seconds)
        buy(exchange, "0.2")
        buy(exchange, "0.3")
        await until(lambda: bot.position == Decimal("0.6") and bot.may_trade)
        buy(exchange, "0.4")
        await until(lambda: bot.position >= 1)
        assert bot.position == sum(Decimal(fill["qty"]) for fill in exchange.truth()["fills"]) == 1
        tasks.cancel_scope.cancel()


def buy(exchange: SimulatedExchange, qty: str) -> None:
    """A market order of the account, filled at once."""
    exchange.trade(SYMBOL, "BUY", qty, position_side="LONG")


async def until(so: Callable[[], bool]) -> None:
    """Wait until something is so. Raises `TimeoutError` if it never is."""
    with anyio.fail_after(600):
        while True:
            if so():
                return
            await anyio.sleep(0.05)


@pytest.mark.listenkey_exchange(ping_interval=1, rate_limits=False)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_position_is_the_exchanges(fault: str, listenkey_exchange: SimulatedExchange) -> None:
    """No fill is missed, and none is counted twice."""
    anyio.run(under, listenkey_exchange, fault, FAULTS[fault])
