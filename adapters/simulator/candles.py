"""Candles of any interval, made of the minutes of a walk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from .walk import MINUTE_MS, Minute

DAY_MS = 86_400_000
MONDAY_MS = 4 * DAY_MS
"""Time from the epoch to the first Monday, ms."""
INTERVALS = {
    **{f"{count}m": count * MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * 3_600_000 for count in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
    "1M": 31 * DAY_MS,
}
"""The length of each interval, ms; for a month the longest."""


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of the interval that begins at `time`, ms; `volume` is in the base asset, `worth` in the margin asset."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    worth: Decimal


def begin_of(interval: str, time: int) -> int:
    """The time, ms, at which the candle that contains `time` began; weeks begin on Mondays, months on day 1, UTC."""
    if interval == "1M":
        month = datetime.fromtimestamp(time / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return int(month.timestamp() * 1000)
    offset = MONDAY_MS if interval == "1w" else 0
    return time - (time - offset) % INTERVALS[interval]


def next_of(interval: str, begun: int) -> int:
    """The time, ms, at which the candle after the one that began at `begun` begins."""
    return begin_of(interval, begun + INTERVALS[interval])


def candles(minutes: Sequence[Minute], interval: str, tick: Decimal, step: Decimal) -> list[Candle]:
    """Return candles of these minutes, oldest first."""
    found, first = [], 0
    while first < len(minutes):
        begun = begin_of(interval, minutes[first].time)
        last = bisect_left(minutes, (next_of(interval, begun),), first)
        found.append(candle_of(begun, minutes[first:last], tick, step))
        first = last
    return found


def candle_of(begun: int, minutes: Sequence[Minute], tick: Decimal, step: Decimal) -> Candle:
    """Return one candle of these minutes, which must be at least one."""
    first, last = minutes[0], minutes[-1]
    worth = Decimal(sum(each.worth for each in minutes))
    close = last.close * tick
    return Candle(
        time=begun,
        open=first.open * tick,
        high=max(each.high for each in minutes) * tick,
        low=min(each.low for each in minutes) * tick,
        close=close,
        volume=worth / close // step * step,
        worth=worth,
    )
