"""The number of calls to the venue: one mint at a time, few in a minute, and failing calls within their limit."""

from __future__ import annotations

from collections import deque

from .violation import Violation

REQUEST_TIMEOUT = 10.0
MINTS_IN_A_MINUTE = 12
"""Enough for delays that double from half a second to fifteen, and for a rotation or two."""
DENIED = 10
FAILURES, FAILURE_WINDOW = 15, 479.5
"""480 s, less what our clock may drift (two parts in ten thousand) and by how much calls differ in length."""


class Denied:
    """Requests for orders that did not exist: those of one account, over all processes that share a journal."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def noted(self, now: float) -> None:
        """The venue denied an order."""
        self._times.append(now)
        while self._times[0] <= now - FAILURE_WINDOW:
            self._times.popleft()
        if len(self._times) > DENIED:
            raise Violation("attempts-bounded", f"{len(self._times)} denied orders within {FAILURE_WINDOW:g} s")


class Attempts:
    """The attempts of one process."""

    def __init__(self) -> None:
        self._mint: tuple[int, float] | None = None
        self._mints: deque[float] = deque()
        self._failures: dict[str, deque[float]] = {}

    def minted(self, request: int, now: float) -> None:
        """A key is asked for."""
        if self._mint is not None and now < self._mint[1] + REQUEST_TIMEOUT - 0.1:
            raise Violation("one-mint", f"mint {request} while {self._mint[0]} is in flight")
        self._mint = (request, now)
        self._mints.append(now)
        while self._mints[0] < now - 60:
            self._mints.popleft()
        if len(self._mints) > MINTS_IN_A_MINUTE:
            raise Violation("attempts-bounded", f"{len(self._mints)} mints within a minute")

    def answered(self, request: int) -> None:
        """A request was granted or refused."""
        if self._mint is not None and request == self._mint[0]:
            self._mint = None

    def failed(self, endpoint: str, now: float) -> None:
        """The venue refused a call."""
        times = self._failures.setdefault(endpoint, deque())
        times.append(now)
        while times[0] <= now - FAILURE_WINDOW:
            times.popleft()
        if len(times) > FAILURES:
            raise Violation("attempts-bounded", f"{len(times)} failing calls of {endpoint} within {FAILURE_WINDOW:g} s")
