"""An exchange in this process whose time stands still until it is told to go on: what happens follows from the seed."""

from __future__ import annotations

import time

from listenkey.adapters.simulator.server import Server

AGO = 86_400
"""Seconds before now at which it begins: a client that asks for what has been until now is shown all of it."""


class Stepped(Server):
    """It has no limits of calls, and takes a client's timestamps as they are."""

    def __init__(self, *, seed: int, hedge: bool) -> None:
        self._now = int(time.time() - AGO) * 1000
        super().__init__(seed=seed, hedge=hedge, epoch_ms=self._now, rate_limits=False, time_scale=2.0)

    def now(self) -> int:
        """Exchange time, ms."""
        return self._now

    def advance(self, seconds: int) -> None:
        """Let time pass, a second at a time, and everything that it brings."""
        for _ in range(seconds):
            self._now += 1000
            self.step()
