"""After an outage of REST the account is read soon, whatever failed during it and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

import pytest

from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.ports.errors import RequestRefused
from listenkey.ports.http import HttpResponse

from .test_bingx_journeys import SINCE, Far, traded
from .venue import Venue, reply

LONGEST_PAUSE = 80.0
"""The longest time, in seconds, that a path is closed after its last failure."""
JOURNEYS = (0.01, 0.1, 1.0, 5.0)
"""Seconds; each round trip takes a random part of one of these."""


class Outage(NamedTuple):
    """REST answers 500 for so many seconds; the reader waits `retry` seconds after a failure, or the refusal's time."""

    seconds: float
    timeout: float
    retry: float
    seed: int


def drawn(seed: int) -> Outage:
    draw = Random(f"outage {seed}")
    return Outage(
        draw.choice((10, 30, 60, 100, 200, 400, 1000)), draw.choice((10.0, 60.0)), draw.choice((0.5, 2.0, 5.0)), seed
    )


class Failing(Venue):
    """A venue that answers each request before `well_at` with HTTP 500."""

    well_at = 0.0

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        ails = self.clock.now < self.well_at
        answer = super().request(method, url, headers=headers, timeout=timeout)
        return reply(b"", 500) if ails else answer


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_account_is_read_soon_after(first: int) -> None:
    """After an outage a read passes as soon as the paths are open: waiting for one path does not close another."""
    for outage in map(drawn, range(first, first + 50)):
        late = read_after(outage)
        # A call that was given up counts as failed at its time-out at the latest.
        assert late <= outage.timeout + LONGEST_PAUSE + outage.retry + max(JOURNEYS), outage


def read_after(outage: Outage) -> float:
    """Return the seconds from the outage's end to the beginning of the read that passed."""
    draw = Random(outage.seed)
    venue = Failing()
    venue.orders, venue.fills = traded().orders, traded().fills
    far = Far(venue, lambda: draw.choice(JOURNEYS) * draw.random())
    rest = venue.rest(timeout=outage.timeout)
    reader = Reader(rest)
    venue.run(rest.now())
    venue.well_at = venue.clock.now + outage.seconds
    while True:
        began = venue.clock.now
        try:
            far.seconds(reader.read(SINCE))
        except RequestRefused as error:
            venue.clock.now += max(error.refusal.retry_after or 0.0, outage.retry)
        else:
            break
    return began - venue.well_at
