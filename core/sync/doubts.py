"""Frames that nobody understands, by their shape: when one makes the account be read.

A doubtful frame opens a gap, since it may have brought a fill, and the read that it causes closes the gap. If reads for
a shape find nothing, its frames wait ever longer for the next one, and open no gap meanwhile; but one that came after
the last read was asked for is always followed by another.
"""

from __future__ import annotations

from collections.abc import Callable

from ..backoff import Backoff
from ..context import Context
from ..timers import Timer

QUIET_INITIAL = 5.0
QUIET_MAX = 3600.0
SHAPES = 256
"""So many shapes are kept apart; when there are more, and none is old, the rest are one."""


class Doubts:
    """Remembers which shapes of frames have caused a read, and when the next one may."""

    def __init__(self, context: Context, alarm: Callable[[int | None, bool], None]) -> None:
        self._context = context
        self._alarm = alarm
        """Called with the exchange time, ms, since which the account is in doubt, and whether that is a gap."""
        self._shapes: dict[str, _Shape] = {}

    def doubt(self, shape: str, since: int | None, *, gap: bool = True) -> None:
        """A frame of this shape leaves the account in doubt since this exchange time."""
        known, now = self._of(shape), self._context.now
        known.doubted_at = now
        if known.alarmed_at is not None:
            return
        if not known.waiting:
            known.since, known.gap = since, gap
        if now >= known.quiet_until:
            self._raise(known)
        elif not known.waiting:
            known.waiting = True
            self._arm()

    def read(self, asked_at: float, recovered: int) -> None:
        """Note a read that has passed, was asked for at that time, and recovered so many fills."""
        if not self._shapes:
            return
        for known in self._shapes.values():
            if not known.waiting if known.alarmed_at is None else known.alarmed_at > asked_at:
                continue
            if recovered:
                known.quiet.reset()
                known.quiet_until = self._context.now
            elif known.alarmed_at is not None:
                known.quiet_until = self._context.now + known.quiet.delay()
            known.alarmed_at = None
            known.waiting = known.doubted_at > asked_at
            known.since = self._context.exchange_time() if known.waiting else None
        self._arm()

    def overdue(self) -> None:
        """Frames have waited long enough."""
        for known in self._shapes.values():
            if known.waiting and known.quiet_until <= self._context.now:
                self._raise(known)
        self._arm()

    def _raise(self, known: _Shape) -> None:
        known.waiting = False
        known.alarmed_at = self._context.now
        self._alarm(known.since, known.gap)

    def _arm(self) -> None:
        due = min((known.quiet_until for known in self._shapes.values() if known.waiting), default=None)
        if due is None:
            self._context.timers.cancel((Timer.DOUBT, 0))
        else:
            self._context.timers.arm((Timer.DOUBT, 0), max(due, self._context.now))

    def _of(self, shape: str) -> _Shape:
        known = self._shapes.get(shape)
        if known is None:
            if len(self._shapes) >= SHAPES:
                now = self._context.now
                self._shapes = {name: each for name, each in self._shapes.items() if not each.is_old(now)}
            known = self._shapes.setdefault(shape if len(self._shapes) < SHAPES - 1 else "", _Shape())
        return known


class _Shape:
    """The record of one shape."""

    __slots__ = ("alarmed_at", "doubted_at", "gap", "quiet", "quiet_until", "since", "waiting")

    def __init__(self) -> None:
        self.doubted_at = float("-inf")
        self.alarmed_at: float | None = None
        """When the read was wanted that is still to pass."""
        self.waiting = False
        """A frame waits for the quiet to end."""
        self.since: int | None = None
        self.gap = True
        self.quiet = Backoff(QUIET_INITIAL, QUIET_MAX)
        self.quiet_until = float("-inf")

    def is_old(self, now: float) -> bool:
        """True if forgetting the record loses nothing."""
        return self.alarmed_at is None and not self.waiting and self.doubted_at < now - 2 * QUIET_MAX
