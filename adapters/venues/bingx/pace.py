"""Keeps requests below BingX's limits: per address, per address and endpoint, per API key and endpoint.

Nothing here sleeps or reads a clock. A call takes a slot, a time at which it may be sent, and gives it back if it is
given up before. Mints and handshakes of many streams wait in a queue of their own.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from random import Random, SystemRandom

from ....core.backoff import FailureLimit, SpacedLimit
from ....ports.errors import RequestRefused
from ....ports.service import Service, clock, wait
from ..budget import UNLIMITED, Budget, Rate
from ..queue import Queue
from ..refusals import unanswered
from . import facts
from .codes import BRIEF

KEY_PATH = "/openApi/user/auth/userDataStream"
TIME_PATH = "/openApi/swap/v2/server/time"

OF_KEY: Mapping[str, int] = {
    KEY_PATH: 2,
    "/openApi/swap/v3/user/balance": 5,
    "/openApi/swap/v2/user/positions": 10,
    "/openApi/swap/v2/trade/openOrders": 5,
    "/openApi/swap/v2/trade/order": 5,  # older documents: 30
    "/openApi/swap/v2/trade/allOrders": 5,
    "/openApi/swap/v2/trade/fillHistory": 5,
    "/openApi/swap/v2/user/income": 5,
}
"""Requests per second that one API key may send to a path: "by UID". Other paths have no such limit."""
OF_ADDRESS = Rate(2000, 10.0)
OF_ADDRESS_AND_PATH = Rate(300, 10.0)
OF_ADDRESS_AND_MARKET = Rate(500, 10.0)
"""Limits of one address for all paths of accounts, for each of them, and for market data. No document has a limit of
handshakes; they count as one more path of accounts.
"""
LONGEST_WINDOW = 15.0
"""The latest end of a window, in seconds from now, that is believed; the venue's longest window has 10."""
PATIENCE = 0.25
"""The part of a time-out that may be spent waiting for a turn among the streams of a process."""
LOOK = 0.1
"""Seconds between two checks if calls under way have ended."""
REPEATED = 10
"""Failures in 480 s that cause no spacing if each repeat passes; the rest of the 15 is for failures that stay."""


class Endpoint:
    """A path and method, for all calls with one API key from one address, in any thread."""

    def __init__(self, name: str, key: Budget, shared: tuple[Budget, ...], queue: Queue, lock: threading.Lock) -> None:
        self.name = name
        self.method, _, self.path = name.partition(" ")
        self._key = key
        self._shared = shared
        self._queue = queue
        self._lock = lock
        self._failures = FailureLimit(facts.FAILING_CALLS)
        """All calls that the venue may count as failed."""
        self._under_way = 0
        is_read, bears = self.method == "GET", facts.FAILING_CALLS
        self._spaced: tuple[SpacedLimit, ...] = (SpacedLimit(bears, REPEATED), SpacedLimit(bears)) if is_read else ()
        """Limits of failures after which the next call may fail too (not of denied orders): of all of them, and of
        those whose repeat has not passed. Calls that mint or renew keys have none, as they wait by themselves."""

    def turn(self) -> Service[float]:
        """Wait until a call may be sent; return the time, s.

        Raises `RequestRefused` (RETRY) if so many calls have failed that the venue would soon lock the endpoint, and if
        the venue has locked it, or has no call left, for longer than `BRIEF`. Reads are spaced before that.
        """
        slot = self.reserve((yield from self._opened()))
        try:
            return (yield from wait(slot))
        except GeneratorExit:
            self.release(slot)
            raise

    def queued_turn(self, patience: float, *, new: bool) -> Service[float]:
        """Wait for a turn among the streams of a process: those that are not `new` go first, the others by lot.

        Raises `RequestRefused` (RETRY), which is no failing call, if the turn is later than in `patience` seconds.
        """
        now = yield from self._opened()
        with self._lock:
            ticket = self._queue.join(new=new)
        try:
            while (slot := self._slot_of(ticket, now)) > now:
                if slot - now > patience:
                    message = f"{self.name}: other streams of this process go first, for {slot - now:.1f} s"
                    raise RequestRefused(unanswered(False, message, slot - now))
                now = yield from wait(slot)
            return now
        finally:
            with self._lock:
                self._queue.leave(ticket)

    def enter(self) -> Service[None]:
        """Wait while so many calls are under way that this one would have to be spaced if they failed.

        The caller must call `leave` after its call. Raises `RequestRefused` as `turn` does.
        """
        now = yield from clock()
        while not self._entered(now):
            self.check(now)
            now = yield from wait(now + LOOK)

    def leave(self) -> None:
        """Note that a call that has entered has ended."""
        with self._lock:
            self._under_way -= 1

    def reserve(self, now: float) -> float:
        """Take the next slot, the time, s, at which the call may be sent."""
        with self._lock:
            return self._take(max(budget.next(now) for budget in self._budgets), now)

    def release(self, slot: float) -> None:
        """Give a slot back that was not used."""
        with self._lock:
            for budget in self._budgets:
                budget.release(slot)

    def lock(self, until: float) -> None:
        """Note that no request to this path, of any method, may be sent before `until`, s."""
        self._key.locked_until = until

    def note_allowance(self, left: int, asked_at: float, until: float) -> None:
        """Note that by the answer to a call sent at `asked_at`, `left` more may follow it until `until`, s."""
        with self._lock:
            self._key.note_allowance(left, asked_at, until)

    def failed(self, now: float, *, again: bool = True) -> None:
        """Count a call that was, or may have been, answered with an error; with `again` the next may fail too."""
        with self._lock:
            for limit in (self._failures, *(self._spaced if again else ())):
                limit.failed(now, None)

    def passed(self) -> None:
        """Note that the repeat of a failed call has passed: the failure spaces further calls less."""
        with self._lock:
            for limit in self._spaced[1:]:
                limit.forgive()

    def failures(self, now: float) -> int:
        """The number of calls that the venue has answered with an error in the last 480 s, 15 at most."""
        with self._lock:
            return self._failures.count(now)

    def held_back(self, now: float) -> float:
        """Seconds for which no call is sent, because too many have failed."""
        with self._lock:
            return max(limit.wait(now) for limit in (self._failures, *self._spaced))

    def open_at(self, now: float) -> float:
        """The time, s, from which on calls are sent: after locks and the wait for failed calls, not before `now`."""
        return max(now, self._key.locked_until, now + self.held_back(now))

    def is_closed(self, now: float) -> bool:
        """True if no call is sent now, because of failures or a lock of the venue."""
        return self.open_at(now) > now

    def check(self, now: float) -> None:
        """Raise `RequestRefused` (RETRY) if calls are held back, or the path is locked for longer than `BRIEF`."""
        if (left := self.held_back(now)) > 0:
            failures = f"failed {self.failures(now)} times in {facts.FAILING_CALLS.window:.0f} s"
            raise RequestRefused(unanswered(False, f"{self.name} {failures}; held back before a ban", left))
        if (left := self._closed_until(now) - now) > BRIEF:
            message = f"{self.path} is locked by the venue for another {left:.1f} s"
            raise RequestRefused(unanswered(False, message, left))

    @property
    def _budgets(self) -> tuple[Budget, ...]:
        return (self._key, *self._shared)

    def _opened(self) -> Service[float]:
        now = yield from clock()
        self.check(now)
        while (opened := self._closed_until(now)) > now:
            now = yield from wait(opened)
            self.check(now)
        return now

    def _entered(self, now: float) -> bool:
        with self._lock:
            others = self._under_way
            borne = others == 0 or all(limit.bears(now, others) for limit in self._spaced)
            enters = borne and self._failures.bears(now, others)
            self._under_way += enters
            return enters

    def _closed_until(self, now: float) -> float:
        with self._lock:
            return self._key.closed_until(now)

    def _slot_of(self, ticket: tuple[bool, float], now: float) -> float:
        """The slot of this ticket; if that is now, it is taken."""
        with self._lock:
            ahead = self._queue.ahead(ticket)
            slot = max(self._key.next(now), *(budget.next(now, ahead) for budget in self._shared))
            return slot if slot > now else self._take(slot, now)

    def _take(self, slot: float, now: float) -> float:
        for budget in self._budgets:
            budget.take(slot, now)
        return slot


class Pace:
    """The limits of all clients of a process; if not `limited`, everything passes at once. `lots` draws the order of
    streams.
    """

    def __init__(self, *, limited: bool = True, lots: Random | None = None) -> None:
        self._limited = limited
        self._lots = SystemRandom() if lots is None else lots
        self._budgets: dict[tuple[str, ...], Budget] = {}
        self._queues: dict[tuple[str, str], Queue] = {}
        self._endpoints: dict[tuple[str, str, str], Endpoint] = {}
        self._lock = threading.Lock()

    def endpoint(self, host: str, api_key: str, method: str, path: str) -> Endpoint:
        """The endpoint for all calls with this API key; without an API key it is limited by address alone."""
        owner = hashlib.blake2b(api_key.encode(), digest_size=8).hexdigest() if api_key else ""
        name = f"{method} {path}"
        with self._lock:
            if (found := self._endpoints.get((host, owner, name))) is None:
                per_second = OF_KEY.get(path) if owner else None
                key = self._budget(UNLIMITED if per_second is None else Rate(per_second, 1.0), host, path, owner)
                if path == TIME_PATH:
                    shared: tuple[Budget, ...] = (self._budget(OF_ADDRESS_AND_MARKET, host, "market"),)
                else:
                    address = self._budget(OF_ADDRESS_AND_PATH, host, path)
                    shared = (address, self._budget(OF_ADDRESS, host))
                queue = self._queues.setdefault((host, name), Queue(self._lots))
                found = self._endpoints[host, owner, name] = Endpoint(name, key, shared, queue, self._lock)
            return found

    def _budget(self, rate: Rate, *whose: str) -> Budget:
        return self._budgets.setdefault(whose, Budget(rate if self._limited else UNLIMITED))


SHARED = Pace()
"""The limits of this process: the venue counts by address."""
