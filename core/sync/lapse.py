"""The age of the last read that passed: if reads fail for two audit intervals, a gap opens, once; polls grow stale.

One failing read is no news while a link brings frames: it is repeated. Where there are only polls each failing one
opens the gap at once, and this is not used.
"""

from __future__ import annotations

from collections.abc import Callable

from ..context import Context
from ..policy import Mode
from ..timers import Timer

UNAUDITED = 120.0
"""Seconds used as the audit interval where there are no audits."""
INTERVALS = 2


class Lapse:
    """Remembers since when reads fail, and whether that was reported."""

    def __init__(self, context: Context, mode: Mode, report: Callable[[], None]) -> None:
        self._context = context
        self._polls = mode == "poll"
        self._report = report
        self._passed_at = float("-inf")
        self._failing = False
        self._stretch = 0.0
        """For how long reads were put off since the last one that passed."""
        self._fresh_until = float("-inf")
        context.alarms |= {
            Timer.LAPSE: lambda _id, _late: self._report(),
            Timer.STALE: lambda _id, _late: None,  # health is judged after every timer
        }

    @property
    def interval(self) -> float:
        """Seconds between audits, or the value used in their place; more, where a limit stretches it."""
        return (self._context.policy.audit_interval or UNAUDITED) + self._stretch

    @property
    def fresh(self) -> bool:
        """Without a link: whether the last read that passed is younger than two poll intervals."""
        return self._context.now < self._fresh_until

    def stretch(self, wait: float) -> None:
        """A read is put off by so many seconds, which is no failure: what passed last may be older by that."""
        self._stretch += wait
        if self._polls and self.fresh:
            self._fresh_until += wait
            self._context.timers.arm((Timer.STALE, 0), self._fresh_until)

    def passed(self) -> None:
        """A read has passed."""
        self._stretch = 0.0
        self._passed_at = self._context.now
        if self._polls:
            self._fresh_until = self._context.now + 2 * self._context.policy.poll_interval
            self._context.timers.arm((Timer.STALE, 0), self._fresh_until)
        if self._failing:
            self._failing = False
            self._context.timers.cancel((Timer.LAPSE, 0))

    def missed(self, asked_at: float) -> None:
        """A read that was asked for or wanted then has failed, was given up, or is held back."""
        if self._failing or self._polls:
            return
        self._failing = True
        audited = self._context.policy.audit_interval > 0 and self._passed_at > float("-inf")
        self._context.timers.arm(
            (Timer.LAPSE, 0), (self._passed_at if audited else asked_at) + INTERVALS * self.interval
        )
