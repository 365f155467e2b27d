"""Keeps requests under BingX's limits: per address and endpoint, per API key and endpoint, first come first served.

Nothing here belongs to an event loop: a caller takes a place in time at once and then sleeps until it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import anyio

from ....core.backoff import FailureLimit, SpacedLimit
from ....core.refusal import UNREACHED, Refusal, RefusalKind
from ....ports.errors import RequestRefused


class Rate(NamedTuple):
    """Requests a second that one API key and one address may send to an endpoint."""

    per_key: int
    per_address: int


KEY_PATH = "/openApi/user/auth/userDataStream"
TIME_PATH = "/openApi/swap/v2/server/time"

RATES: Mapping[str, Rate] = {
    KEY_PATH: Rate(2, 2),
    TIME_PATH: Rate(5, 5),  # not documented
    "/openApi/swap/v3/user/balance": Rate(5, 3),
    "/openApi/swap/v2/user/positions": Rate(10, 3),
    "/openApi/swap/v2/trade/openOrders": Rate(5, 3),
    "/openApi/swap/v2/trade/order": Rate(5, 3),  # older documents: 30 a second
    "/openApi/swap/v2/trade/allOrders": Rate(5, 3),
    "/openApi/swap/v2/trade/fillHistory": Rate(5, 2),
    "/openApi/swap/v2/user/income": Rate(5, 2),
}
OTHERS = Rate(2, 2)

WINDOW = 1.05
"""Seconds that a "second" is taken for, since requests bunch up on their way."""

BRIEF = 1.5
"""Seconds; a lock no longer than this is waited out, since a read of many requests would otherwise be lost for one."""

TICK = 0.001
"""Seconds; a clock may not move in less, and whoever sleeps up to a moment that is almost there would never arrive."""


REPEATED = 10
"""Failures in 480 s that are free where the repeat of each passes: the rest of the 15 is left for what does not."""


class _Failures(NamedTuple):
    """The failing calls of an endpoint."""

    counted: FailureLimit
    """All that the venue may count."""
    failed: FailureLimit
    """Those after which the next one may fail as well. A question that has its answer is none of them."""
    spaced: FailureLimit
    """Those of them that were not repeated, or whose repeat failed too."""


class Pace:
    """One budget for all clients of a process; `rates` of None lets everything pass at once."""

    def __init__(
        self,
        rates: Mapping[str, Rate] | None = RATES,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self._rates = rates
        self._monotonic = monotonic
        self._sleep = sleep
        self._places: dict[tuple[str, str, str], deque[float]] = {}
        self._failures: dict[tuple[str, str, str, str], _Failures] = {}
        self._locks: dict[tuple[str, str, str], float] = {}
        self._lock = threading.Lock()

    async def turn(self, host: str, api_key: str, method: str, path: str) -> None:
        """Returns when the request may be sent.

        Raises `RequestRefused` (RETRY) when the endpoint has failed so often that the venue would soon lock it, and
        while the venue itself has locked it for longer than a rate limit's second. Reads are spaced before that.
        """
        owner = _owner(api_key)
        wait = self.held_back(host, api_key, method, path)
        if wait > 0:
            count, window = self.failures(host, api_key, method, path), FailureLimit.window
            message = f"{method} {path} failed {count} times in {window:.0f} s; held back before a ban"
            raise RequestRefused(Refusal(RefusalKind.RETRY, UNREACHED, message, wait))
        await self._respect(host, owner, path)
        if self._rates is None:
            return
        rate = self._rates.get(path, OTHERS)
        with self._lock:
            now = self._monotonic()
            queues = (
                (self._queue(host, "", path, rate.per_address), rate.per_address),
                (self._queue(host, owner, path, rate.per_key), rate.per_key),
            )
            place = now
            for queue, size in queues:
                if queue:
                    place = max(place, queue[-1])
                if len(queue) >= size:
                    place = max(place, queue[-size] + WINDOW)
            for queue, _ in queues:
                queue.append(place)
        if place > now:
            try:
                await self._sleep(place - now)
            except BaseException:
                with self._lock:
                    for queue, _ in queues:
                        if place in queue:
                            queue.remove(place)
                raise

    def failed(self, host: str, api_key: str, method: str, path: str, *, again: bool = True) -> None:
        """The venue answered this endpoint with an error, or may have; `again`: the next call may well fail too."""
        with self._lock:
            failures = self._failures.setdefault((host, _owner(api_key), method, path), _limits(method))
            failures.counted.failed(self._monotonic(), None)
            if again:
                failures.failed.failed(self._monotonic(), None)
                failures.spaced.failed(self._monotonic(), None)

    def passed(self, host: str, api_key: str, method: str, path: str) -> None:
        """What failed at this endpoint a moment ago was repeated, and has passed: it spaces the others less."""
        with self._lock:
            failures = self._failures.get((host, _owner(api_key), method, path))
            if failures is not None and isinstance(failures.spaced, SpacedLimit):
                failures.spaced.forgive()

    def failures(self, host: str, api_key: str, method: str, path: str) -> int:
        """How many calls of this endpoint the venue has answered with an error in the last 480 s, 15 at most."""
        with self._lock:
            failures = self._failures.get((host, _owner(api_key), method, path))
            return 0 if failures is None else failures.counted.count(self._monotonic())

    def held_back(self, host: str, api_key: str, method: str, path: str) -> float:
        """Seconds for which no call of this endpoint is let through, because too many have failed."""
        with self._lock:
            failures = self._failures.get((host, _owner(api_key), method, path))
            return 0.0 if failures is None else max(limit.wait(self._monotonic()) for limit in failures)

    def is_closed(self, host: str, api_key: str, method: str, path: str) -> bool:
        """Whether this endpoint lets nothing through now: by its failures, or because the venue has locked it."""
        with self._lock:
            locked_until = self._locks.get((host, _owner(api_key), path), 0.0)
        return locked_until > self._monotonic() or self.held_back(host, api_key, method, path) > 0

    def locked(self, host: str, api_key: str, path: str, seconds: float) -> None:
        """The venue wants no request to this path, whatever its method, for so long."""
        with self._lock:
            self._locks[host, _owner(api_key), path] = self._monotonic() + seconds

    async def _respect(self, host: str, owner: str, path: str) -> None:
        while True:
            with self._lock:
                wait = self._locks.get((host, owner, path), 0.0) - self._monotonic()
            if wait <= 0:
                return
            if wait > BRIEF:
                message = f"{path} is locked by the venue for another {wait:.1f} s"
                raise RequestRefused(Refusal(RefusalKind.RETRY, UNREACHED, message, wait))
            await self._sleep(max(wait, TICK))

    def _queue(self, host: str, owner: str, path: str, size: int) -> deque[float]:
        return self._places.setdefault((host, owner, path), deque(maxlen=4 * size + 1000))


def _limits(method: str) -> _Failures:
    """Only reads are spaced here: whoever mints and renews keys waits by itself."""
    if method != "GET":
        return _Failures(FailureLimit(), FailureLimit(), FailureLimit())
    return _Failures(FailureLimit(), SpacedLimit(REPEATED), SpacedLimit())


def _owner(api_key: str) -> str:
    return hashlib.blake2b(api_key.encode(), digest_size=8).hexdigest()


SHARED = Pace()
"""The budget of this process: the venue counts addresses, not objects."""
