"""A simulated exchange in a thread and an event loop of its own, for a stream that runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.testing.exchange import SimulatedExchange

from .harness import RATE
from .wires import PINGS


class Threaded(SimulatedExchange):
    """The simulated exchange for users' tests, with access to its parts."""

    @property
    def exchange(self) -> Exchange:
        """The model of the exchange."""
        return self._server.exchange

    @property
    def venue(self) -> str:
        """The venue whose wire it has."""
        return self._server.venue

    @property
    def log(self) -> Log:
        """The log of its doors."""
        return self._server.log


@contextmanager
def threaded(key: str, **settings: Any) -> Iterator[Threaded]:
    """Run an exchange for this key during the context; nothing happens before `quiet(False)`."""
    settled: Any = {"api_secret": key[::-1], "fills_per_second": RATE, "ping_interval": PINGS, **settings}
    exchange = Threaded(api_key=key, **settled)
    exchange.quiet()
    with exchange:
        yield exchange
