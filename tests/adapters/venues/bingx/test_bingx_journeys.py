"""How many journeys to the venue a read takes: what does not need an answer goes out with what does."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest

from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.service import Request, Service

from ....simulation.tasks import Once, spawn
from .venue import NOW, Venue, fill_row, order_row

SINCE = NOW - 60_000


class Far:
    """A venue to which each journey and back takes a second."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def seconds(self, service: Service[Any]) -> tuple[float, Any]:
        """How long a service takes, and its result."""
        results: list[Any] = []
        began = self.monotonic()

        def done(result: Any, error: Exception | None) -> None:
            assert error is None
            results.append(result)

        spawn(service, self, done)
        while not results:
            at, _, then = heappop(self._due)
            self.venue.clock.now = at
            then()
        return self.monotonic() - began, results[0]

    def monotonic(self) -> float:
        return self.venue.clock.now

    def sleep(self, until: float, over: Once) -> None:
        self._at(until, over)

    def request(self, request: Request, answered: Once) -> None:
        now = self.monotonic()
        response = self.venue.request(request.method, request.url, headers=request.headers, timeout=request.timeout)
        self.venue.clock.now = now
        self._at(now + 1.0, lambda: answered(response))

    def _at(self, when: float, then: Callable[[], None]) -> None:
        heappush(self._due, (when, next(self._number), then))


@pytest.fixture
def far() -> Far:
    venue = Venue()
    venue.orders = [order_row(11, NOW - 6000)]
    venue.fills = [fill_row(7, 11, NOW - 5000, profit="0")]
    return Far(venue)


def test_a_whole_read_takes_four(far: Far) -> None:
    """Lists and the clock; open orders, positions and balances; orders that are over and the clock; the lists again."""
    rest = far.venue.rest()
    reader = Reader(rest)
    assert far.seconds(reader.read(SINCE))[0] == 5  # before all else the clock, which nobody has asked yet
    took, account = far.seconds(reader.read(SINCE))
    assert took == 4
    assert isinstance(account, Account)
    assert account.settled


def test_symbol_by_symbol_it_takes_no_more(far: Far) -> None:
    """A symbol that orders or positions name is asked for with the others."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    assert far.seconds(Reader(rest, by_symbol=True).read(SINCE))[0] == 4


def test_orders_alone_take_four(far: Far) -> None:
    """The order, its fills, the order again, and what they cost; ten of them take no longer than one."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    far.venue.orders = [order_row(number, NOW - 6000) for number in range(1, 11)]
    far.venue.fills = [fill_row(number, number, NOW - 5000) for number in range(1, 11)]
    refs = tuple(OrderRef("BTC-USDT", str(number)) for number in range(1, 11))
    reader = Reader(rest)
    far.seconds(reader.read(SINCE, refs))
    for some in (refs[:1], refs):
        assert far.seconds(reader.read(None, some))[0] == 4


def test_a_clock_that_stood_still_is_noticed(far: Far) -> None:
    """Lists that ended before the read began, by the venue's clock, are read again; nothing is promised by them."""
    rest = far.venue.rest()
    reader = Reader(rest)
    far.seconds(reader.read(SINCE))
    far.venue.began -= 3600.0
    took, account = far.seconds(reader.read(SINCE))
    assert took == 5
    assert account.as_of >= NOW + 3_600_000
