"""Makes fills inside every fault: without any, a fault would test nothing."""

from __future__ import annotations

from random import Random

from .exchange import Market
from .faults import Fault


class Inside:
    """`made` counts the fills inside each fault that is over."""

    def __init__(self, market: Market) -> None:
        self.made: list[int] = []
        self._market = market
        self._agenda = market.agenda

    def plan(self, fault: Fault, random: Random) -> None:
        """Plan fills inside a fault that begins now."""
        span = fault.until - fault.at
        for _ in range(random.randint(2, 6)):
            self._agenda.after(random.random() * span, self._market.act, self._market.flow.trade)
        self._agenda.at(fault.until - 0.02, self._count, len(self._market.exchange.fills))

    def _count(self, before: int) -> None:
        if len(self._market.exchange.fills) == before:
            self._market.force_fill()
        self.made.append(len(self._market.exchange.fills) - before)
