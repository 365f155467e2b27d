"""A bot and its tests under faults, in one file: `pytest examples/bot_test.py`.

The exchange is simulated, fails on command and knows the truth: the bot must have its position, and each fill once.
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
    """Takes its position from account updates, keeps fills by id, and may trade only while nothing can be missing."""

    def __init__(self, symbol: str) -> None:
        self.symbol, self.fills = symbol, dict[str, Decimal]()
        self.held: dict[str | None, Decimal] = {}
        self.known = self.live = self.may_trade = False

    @property
    def sums(self) -> tuple[Decimal, Decimal]:
        """The position, below 0 if it is short, and what the fills add up to."""
        return sum(self.held.values(), Decimal(0)), sum(self.fills.values(), Decimal(0))

    async def run(self, venue: VenueAdapter) -> None:
        """Follow the account until the stream ends."""
        try:
            async with venue.subscribe() as stream:
                async for event in stream:
                    self.take(event)
                    self.may_trade = self.known and self.live and stream.health is listenkey.Health.LIVE
        finally:
            self.may_trade = False

    def take(self, event: listenkey.ExchangeEvent) -> None:
        """Note what an event says."""
        match event:
            case listenkey.AccountUpdate():
                self.held = {} if event.complete else self.held
                self.known = self.known or (event.complete and not event.redelivered)
                for each in (each for each in event.positions if each.symbol == self.symbol):
                    self.held[each.side] = -each.qty if each.side == "SHORT" else each.qty
            case listenkey.Fill() if event.symbol == self.symbol:
                self.fills[event.event_id] = event.fill_qty
            case listenkey.HealthChange():
                self.live = event.health is listenkey.Health.LIVE


async def under(exchange: SimulatedExchange, fault: str, seconds: float | None) -> None:
    """One fill before the bot begins, one before the fault, two inside it, one after it."""
    bot = Bot(SYMBOL)
    buy(exchange, "2")
    exchange.advance(60)
    async with (
        listenkey.open_venue("bingx-swap", policy=BRISK, **exchange.access) as venue,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(bot.run, venue)
        await until(lambda: bot.may_trade)
        buy(exchange, "0.1")
        await until(lambda: bot.sums == (Decimal("2.1"), Decimal("0.1")))
        exchange.fault(fault, seconds=seconds)
        for qty in ("0.2", "0.3"):
            buy(exchange, qty)
        await until(lambda: bot.sums == (Decimal("2.6"), Decimal("0.6")) and bot.may_trade)
        buy(exchange, "0.4")
        await until(lambda: bot.sums >= (Decimal(3), Decimal(1)))
        assert [*bot.sums] == [sum(Decimal(fill["qty"]) for fill in exchange.truth()["fills"]), 1]
        tasks.cancel_scope.cancel()
    assert not bot.may_trade


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
    """No fill is missed, and none is counted twice, also where the account holds something before."""
    anyio.run(under, listenkey_exchange, fault, FAULTS[fault])
