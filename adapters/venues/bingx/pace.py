"""Keeps requests under BingX's limits: per address and endpoint, per API key and endpoint, first come first served.

Nothing here sleeps or knows the time. A call takes a place in time at once, and gives it back if it is given up before.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections import deque
from collections.abc import Mapping

from ....core.backoff import FailureLimit, SpacedLimit
from ....ports.errors import RequestRefused
from ....ports.service import Service, clock, wait
from . import facts
from .answers import unanswered
from .codes import BRIEF

KEY_PATH = "/openApi/user/auth/userDataStream"
TIME_PATH = "/openApi/swap/v2/server/time"

RATES: Mapping[str, tuple[int, int]] = {
    KEY_PATH: (2, 2),
    TIME_PATH: (5, 5),  # not documented
    "/openApi/swap/v3/user/balance": (5, 3),
    "/openApi/swap/v2/user/positions": (10, 3),
    "/openApi/swap/v2/trade/openOrders": (5, 3),
    "/openApi/swap/v2/trade/order": (5, 3),  # older documents: 30 a second
    "/openApi/swap/v2/trade/allOrders": (5, 3),
    "/openApi/swap/v2/trade/fillHistory": (5, 2),
    "/openApi/swap/v2/user/income": (5, 2),
}
"""Requests a second that one API key, and one address, may send to a path."""
OTHERS = (2, 2)
UNLIMITED = (10**9, 10**9)

WINDOW = 1.05
"""Seconds that a "second" is taken for, since requests bunch up on their way."""
REPEATED = 10
"""Failures in 480 s that are free where the repeat of each passes: the rest of the 15 is left for what does not."""


class _Budget:
    """What one address, or one API key, may send to a path."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.places: deque[float] = deque(maxlen=1000)
        self.locked_until = -math.inf

    def next(self, now: float) -> float:
        """The first place that is free: no window has more than `size`, and nobody is overtaken."""
        places = self.places
        earliest = places[-self.size] + WINDOW if len(places) >= self.size else now
        return max(now, earliest, places[-1] if places else now)


class Endpoint:
    """A path and a method, for all who call it with one API key from one address, in any thread."""

    def __init__(self, method: str, path: str, address: _Budget, key: _Budget, lock: threading.Lock) -> None:
        self.method, self.path, self.name = method, path, f"{method} {path}"
        self._key = key
        self._budgets = (address, key)
        self._lock = lock
        self._failures = FailureLimit(facts.FAILING_CALLS)
        """All calls that the venue may count as failed."""
        self._spaced: tuple[SpacedLimit, ...] = (
            (SpacedLimit(facts.FAILING_CALLS, REPEATED), SpacedLimit(facts.FAILING_CALLS)) if method == "GET" else ()
        )
        """Those after which the next one may fail as well, which a question that has its answer is not; and of them the
        ones whose repeat has not passed. Whoever mints and renews keys waits by itself."""

    def turn(self) -> Service[float]:
        """Wait until a call may be sent; when that is.

        Raises `RequestRefused` (RETRY) when so many have failed that the venue would soon lock the endpoint, and while
        the venue itself has locked it for longer than a rate limit's second. Reads are spaced before that.
        """
        now = yield from clock()
        if (left := self.held_back(now)) > 0:
            failures = f"failed {self.failures(now)} times in {facts.FAILING_CALLS.window:.0f} s"
            raise RequestRefused(unanswered(False, f"{self.name} {failures}; held back before a ban", left))
        while (left := self._key.locked_until - now) > 0:
            if left > BRIEF:
                message = f"{self.path} is locked by the venue for another {left:.1f} s"
                raise RequestRefused(unanswered(False, message, left))
            now = yield from wait(self._key.locked_until)
        place = self.reserve(now)
        try:
            return (yield from wait(place))
        except GeneratorExit:
            self.release(place)
            raise

    def reserve(self, now: float) -> float:
        """Take a place: when the call may be sent."""
        with self._lock:
            place = max(budget.next(now) for budget in self._budgets)
            for budget in self._budgets:
                budget.places.append(place)
        return place

    def release(self, place: float) -> None:
        """Give a place back that was not used."""
        with self._lock:
            for budget in self._budgets:
                if place in budget.places:
                    budget.places.remove(place)

    def lock(self, until: float) -> None:
        """The venue wants no request to this path before then, whatever its method."""
        self._key.locked_until = until

    def failed(self, now: float, *, again: bool = True) -> None:
        """A call was answered with an error, or may have been; `again`: the next one may well fail too."""
        with self._lock:
            for limit in (self._failures, *(self._spaced if again else ())):
                limit.failed(now, None)

    def passed(self) -> None:
        """What failed a moment ago was repeated, and has passed: it spaces the others less."""
        with self._lock:
            for limit in self._spaced[1:]:
                limit.forgive()

    def failures(self, now: float) -> int:
        """How many calls the venue has answered with an error in the last 480 s, 15 at most."""
        with self._lock:
            return self._failures.count(now)

    def held_back(self, now: float) -> float:
        """Seconds for which no call is let through, because too many have failed."""
        with self._lock:
            return max(limit.wait(now) for limit in (self._failures, *self._spaced))

    def is_closed(self, now: float) -> bool:
        """Whether no call is let through now: by failures, or because the venue has locked the path."""
        return self._key.locked_until > now or self.held_back(now) > 0


class Pace:
    """One budget for all clients of a process; `rates` of None lets everything pass at once."""

    def __init__(self, rates: Mapping[str, tuple[int, int]] | None = RATES) -> None:
        self._rates = rates
        self._budgets: dict[tuple[str, str, str], _Budget] = {}
        self._endpoints: dict[tuple[str, str, str, str], Endpoint] = {}
        self._lock = threading.Lock()

    def endpoint(self, host: str, api_key: str, method: str, path: str) -> Endpoint:
        """The one that all share who call it with this API key."""
        owner = hashlib.blake2b(api_key.encode(), digest_size=8).hexdigest()
        per_key, per_address = UNLIMITED if self._rates is None else self._rates.get(path, OTHERS)
        with self._lock:
            address = self._budgets.setdefault((host, "", path), _Budget(per_address))
            key = self._budgets.setdefault((host, owner, path), _Budget(per_key))
            found = Endpoint(method, path, address, key, self._lock)
            return self._endpoints.setdefault((host, owner, method, path), found)


SHARED = Pace()
"""The budget of this process: the venue counts addresses, not objects."""
