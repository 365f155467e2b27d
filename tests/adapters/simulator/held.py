"""A simulated venue whose clock stands still until the test moves it."""

from __future__ import annotations

from typing import Any

from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.venue import Venue


class Held(Venue):
    """A venue whose clock `at`, in seconds since it was made, drives its limits, keys, faults and pings."""

    def __init__(self, **settings: Any) -> None:
        self.at = 0.0
        super().__init__(**settings)
        self.log.clock = self.elapsed  # type: ignore[method-assign]

    def elapsed(self) -> float:
        return self.at


class HeldServer(Held, Server):
    """A held venue that is served over loopback."""
