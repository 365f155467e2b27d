"""When the account is read: one read at a time, the most urgent first, and after a failure not too soon again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NamedTuple

from .actions import ReadAccount
from .backoff import Backoff, FailureLimit
from .refusal import Refusal
from .reports import Account, OrderRef
from .turn import Turn

RETRY_INITIAL = 5.0
RETRY_MAX = 60.0
CALLS_IN_A_READ = 6
"""A read is several requests; this many time-outs of one request is when it is given up."""
PATIENCE_MAX = 3600.0
"""Seconds. After a read that took too long the next is given twice the time: its window is no smaller."""


class Purpose(IntEnum):
    """Why the account is read; the higher includes the lower."""

    POLL = 0
    AUDIT = 1
    SYNC = 2


class Asked(NamedTuple):
    """A read under way."""

    request: int
    purpose: Purpose
    asked_at: float
    since: int | None
    account: Account | None = None
    """The whole read that single orders are now read for."""

    def is_reached_by(self, account: Account) -> bool:
        """Whether the venue's history goes back as far as was asked for."""
        return self.since is None or account.since is None or account.since <= self.since


class Reads:
    """Timers: ("read", 0) when the next may be asked for, ("reading", request) when the answer is overdue."""

    def __init__(self, turn: Turn, window: Callable[[], int | None], orders: Callable[[], Iterable[OrderRef]]) -> None:
        self._turn = turn
        self._window = window
        self._orders = orders
        self._wanted: Purpose | None = None
        self._asked: Asked | None = None
        self._retry = Backoff(RETRY_INITIAL, RETRY_MAX)
        self._patience = CALLS_IN_A_READ * turn.policy.request_timeout
        self._failures = FailureLimit()
        self._not_before = float("-inf")
        self._floor = float("-inf")
        self._urgent_at = float("-inf")
        self._stopped = False

    def want(self, purpose: Purpose, *, now: bool = False) -> None:
        """Read as soon as it is allowed; `now` does not wait for the delay after a failure, only for the venue's."""
        self._wanted = purpose if self._wanted is None else max(self._wanted, purpose)
        if now:
            self._not_before = float("-inf")
            self._urgent_at = self._turn.now
        self.ask()

    def ask(self) -> None:
        """Ask for what is wanted, if nothing is under way and it is not too soon."""
        if self._asked is not None or self._wanted is None or self._stopped:
            return
        turn = self._turn
        start = max(self._not_before, self._floor, turn.now + self._failures.wait(turn.now))
        if start > turn.now:
            turn.timers.arm(("read", 0), start)
            return
        turn.timers.cancel(("read", 0))
        purpose, self._wanted = self._wanted, None
        since = self._window()
        orders = tuple(self._orders()) if since is not None else ()
        self._ask(Asked(turn.number(), purpose, turn.now, since), since, orders)

    def ask_alone(self, asked: Asked, account: Account, orders: tuple[OrderRef, ...]) -> None:
        """The whole read is in hand; read these orders alone for it."""
        self._ask(asked._replace(request=self._turn.number(), account=account), None, orders)

    def answered(self, request: int) -> Asked | None:
        """The read that this answers, which is under way no more; None if it no longer matters."""
        asked = self._asked
        if asked is None or asked.request != request:
            return None
        self._asked = None
        self._turn.timers.cancel(("reading", request))
        return asked

    def passed(self) -> None:
        """A read passed."""
        self._retry.reset()
        self._patience = CALLS_IN_A_READ * self._turn.policy.request_timeout
        self._not_before = float("-inf")

    def failed(self, asked: Asked, refusal: Refusal | None) -> None:
        """A read failed, or did not add up: try again later, unless something urgent has come up since."""
        now = self._turn.now
        self._failures.failed(now, refusal)
        if refusal is not None and refusal.retry_after is not None:
            self._floor = max(self._floor, now + refusal.retry_after)
        if asked.asked_at >= self._urgent_at:
            self._not_before = now + self._retry.delay()
        self.want(asked.purpose)

    def overdue(self) -> None:
        """The read under way takes longer than it should."""
        self._patience = max(self._patience, min(2 * self._patience, PATIENCE_MAX))

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._stopped = True
        self._turn.timers.cancel(("read", 0))
        if self._asked is not None:
            self.answered(self._asked.request)

    def _ask(self, asked: Asked, since: int | None, orders: tuple[OrderRef, ...]) -> None:
        self._asked = asked
        self._turn.arm(("reading", asked.request), self._patience)
        self._turn.emit(ReadAccount(asked.request, since, orders))
