"""A wall clock that jumps: functions of the time of day see it, monotonic clocks and the event loop do not."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager

import freezegun
from freezegun.api import TickingDateTimeFactory

_STEADY = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")


class WallClock:
    """The host's wall clock, as this process sees it."""

    def __init__(self, ticking: TickingDateTimeFactory) -> None:
        self._ticking = ticking

    def jump(self, seconds: float) -> None:
        """Move the clock by `seconds`, ahead or back."""
        self._ticking.move_to(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))


@contextmanager
def wall_clock() -> Iterator[WallClock]:
    """Replace the wall clock of the whole process during the body; it is right at first."""
    steady = {name: getattr(time, name) for name in _STEADY}
    now = datetime.datetime.now(datetime.UTC)
    with freezegun.freeze_time(now, tick=True, real_asyncio=True) as ticking:
        assert isinstance(ticking, TickingDateTimeFactory)
        for name, clock in steady.items():
            setattr(time, name, clock)
        yield WallClock(ticking)
