"""What happens to the account: the simulator's flow of orders and payments, on the world's agenda."""

from __future__ import annotations

from typing import TYPE_CHECKING

from listenkey.adapters.simulator.flow import Action, Flow

from .setup import EPOCH

if TYPE_CHECKING:
    from .exchange import Market


class Activity(Flow):
    """The simulator's flow on the world's agenda."""

    def __init__(self, market: Market, rate: float, seed: int) -> None:
        self._market_ = market
        super().__init__(market.exchange, now=market.exchange.now, fills_per_second=rate, seed=seed, second_ms=1000.0)

    def _at(self, at: int, action: Action) -> None:
        self._market_.agenda.at((at - EPOCH) / 1000, self._do, action)

    def _do(self, action: Action) -> None:
        if not self.quiet:
            self._market_.act(action)

    def trade(self, now: int) -> None:
        """Something is filled, an order at once, in parts or once it is triggered; or something is paid."""
        draw = self._random.random()
        if draw < 0.1:
            self._money(now)
        elif draw < 0.2:
            self._triggered(now)
        elif draw < 0.55:
            self._simple(now)
        else:
            self._in_parts(now)
