"""The number of round trips of a read: requests that do not depend on each other are sent together."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest

from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import RequestRefused
from listenkey.ports.service import Request, Service, both

from ....simulation.tasks import Once, spawn
from .venue import NOW, Venue, fill_row, order_row, reply

SINCE = NOW - 60_000


class Far:
    """A venue whose round trip takes a second, or a random time."""

    def __init__(self, venue: Venue, journey: Callable[[], float] = lambda: 1.0) -> None:
        self.venue = venue
        self._journey = journey
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def seconds(self, service: Service[Any]) -> tuple[float, Any]:
        """Run a service; return its seconds and its result. Raises what it raises."""
        results: list[Any] = []
        began = self.monotonic()

        def done(result: Any, error: Exception | None) -> None:
            results.append(result if error is None else error)

        spawn(service, self, done)
        while not results:
            at, _, then = heappop(self._due)
            self.venue.clock.now = at
            then()
        if isinstance(results[0], Exception):
            raise results[0]
        return self.monotonic() - began, results[0]

    def monotonic(self) -> float:
        return self.venue.clock.now

    def sleep(self, until: float, over: Once) -> None:
        self._at(until, over)

    def request(self, request: Request, answered: Once) -> None:
        now = self.monotonic()
        response = self.venue.request(request.method, request.url, headers=request.headers, timeout=request.timeout)
        self.venue.clock.now = now
        self._at(now + self._journey(), lambda: answered(response))

    def _at(self, when: float, then: Callable[[], None]) -> None:
        heappush(self._due, (when, next(self._number), then))


def traded() -> Venue:
    """Return a venue with a finished order."""
    venue = Venue()
    venue.orders = [order_row(11, NOW - 6000)]
    venue.fills = [fill_row(7, 11, NOW - 5000, profit="0")]
    return venue


@pytest.fixture
def far() -> Far:
    return Far(traded())


def test_a_whole_read_takes_four(far: Far) -> None:
    """A whole read takes four round trips: lists, open orders and balances, finished orders, and the lists again."""
    rest = far.venue.rest()
    reader = Reader(rest)
    assert far.seconds(reader.read(SINCE))[0] == 5  # the first read asks for the time first
    took, account = far.seconds(reader.read(SINCE))
    assert took == 4
    assert isinstance(account, Account)
    assert account.settled


def test_symbol_by_symbol_it_takes_no_more(far: Far) -> None:
    """A read by symbols takes no more round trips than one of all symbols."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    assert far.seconds(Reader(rest, by_symbol=True).read(SINCE))[0] == 4


def test_orders_alone_take_four(far: Far) -> None:
    """Single orders take four round trips: order, fills, order again, and costs; five take as long as one."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    far.venue.orders = [order_row(number, NOW - 6000) for number in range(1, 6)]
    far.venue.fills = [fill_row(number, number, NOW - 5000) for number in range(1, 6)]
    refs = tuple(OrderRef("BTC-USDT", str(number)) for number in range(1, 6))
    reader = Reader(rest)
    far.seconds(reader.read(SINCE, refs))
    for some in (refs[:1], refs):
        assert far.seconds(reader.read(None, some))[0] == 4


def test_a_clock_that_stood_still_is_noticed(far: Far) -> None:
    """Lists that end before the read's beginning by the venue's clock are read again."""
    rest = far.venue.rest()
    reader = Reader(rest)
    far.seconds(reader.read(SINCE))
    far.venue.began -= 3600.0
    took, account = far.seconds(reader.read(SINCE))
    assert took == 5
    assert account.as_of >= NOW + 3_600_000


def crowd(rest: Rest, calls: int) -> Service[tuple[Any, ...]]:
    return both(*(rest.call("GET", "/openApi/swap/v2/user/positions", {}) for _ in range(calls)))


def test_no_more_are_under_way_than_may_fail(far: Far) -> None:
    """Five calls of an endpoint may be under way at once, because five failures are free."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    took, _ = far.seconds(crowd(rest, 12))
    times = far.venue.times[1:]
    assert len(times) == 12
    assert max(sum(at <= start < at + 1.0 for at in times) for start in times) == 5
    assert 3 <= took < 3.5


def test_a_crowd_that_fails_does_not_use_up_what_may_fail(far: Far) -> None:
    """If all calls fail, five are sent and the others held back, and then one at a time until one succeeds."""
    rest = far.venue.rest()
    far.venue.run(rest.now())
    far.venue.scripted["positions"] = [reply(b"", 500)] * 9
    for sent in (5, 6, 7, 8, 9):
        with pytest.raises(RequestRefused):
            far.seconds(crowd(rest, 12))
        assert far.venue.count("positions") == sent
        far.venue.clock.now += 45
    far.seconds(crowd(rest, 12))
    assert far.venue.count("positions") == 21
