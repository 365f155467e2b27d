"""Checks a stream without a socket: it is LIVE only while its last read is younger than two intervals.

If a read is put off because the weight is spent, the interval is longer by as much, as the stream itself reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from listenkey.core import actions, inputs
from listenkey.core.events import Health
from listenkey.core.refusal import PUT_OFF

from .agenda import Agenda
from .violation import Violation

if TYPE_CHECKING:
    from .judge import Judge
    from .process import Process

DRIFT = 3e-4
"""A clock may drift by two parts in ten thousand."""
SLACK = 0.02
SOONEST, LATEST = 1.0, 600.0
"""Seconds by which a read may be put off."""


class Polls:
    """Judges health where there are only polls; `limit` is the age of the last read up to which it counts, seconds."""

    def __init__(self, judge: Judge, agenda: Agenda, limit: float) -> None:
        self._judge = judge
        self._agenda = agenda
        self._limit = limit
        self._slack = SLACK + DRIFT * limit
        self._process: Process | None = None
        self._read_at = float("-inf")
        self._put_off = 0.0
        """Seconds by which reads have been put off since the last one that passed."""

    def handled(self, process: Process, received: inputs.Input, ordered: Sequence[actions.Action]) -> None:
        """One step of the process is done: judge its health now, and again when the last read is too old."""
        now = self._agenda.now
        if process is not self._process:
            self._process, self._read_at, self._put_off = process, float("-inf"), 0.0
        proven = any(isinstance(each, actions.MarkProven) for each in ordered)
        if isinstance(received, inputs.AccountRead) and (proven or _is_set_aside(process)):
            self._read_at, self._put_off = now, 0.0
            self._agenda.after(self._limit + self._slack, self._look, process, now)
        if isinstance(received, inputs.Refused) and received.refusal.code == PUT_OFF:
            self._put_off += min(max(SOONEST, received.refusal.retry_after or 0.0), LATEST)
        age, health = now - self._read_at - self._put_off, process.connection.health
        if health is not Health.BLIND and age > self._limit + self._slack:
            raise Violation("live-is-fresh", f"{health} {age:.2f} s after the last read")
        if health is Health.BLIND and age < self._limit - self._slack and not process.connection._supervisor.stopped:
            raise Violation("live-is-fresh", f"{health} {age:.2f} s after a read")

    def _look(self, process: Process, read_at: float) -> None:
        if process.over or process.stands_still or process.failed or process.finished or read_at < self._read_at:
            return
        age = self._agenda.now - read_at - self._put_off
        if age < self._limit:
            self._agenda.after(self._limit + self._slack - age, self._look, process, read_at)
        elif process is self._process and self._judge.health is not Health.BLIND:
            raise Violation("live-is-fresh", f"{self._judge.health} {age:.2f} s after the last read")


def _is_set_aside(process: Process) -> bool:
    """True if the read just answered has passed but for rows that cannot be read: a gap is open for them."""
    connection = process.connection
    fresh_until = connection._context.now + 2 * connection.policy.poll_interval
    return connection._continuity.gap_open and connection._continuity._reconciler._lapse._fresh_until == fresh_until
