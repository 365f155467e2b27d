"""How long to wait after a failure: capped doubling, with or without jitter, and limits on failing calls."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from .refusal import UNREACHED, Refusal


class Backoff:
    """Delays in seconds that double from `initial` to `maximum`; with `jitter`, half of each is drawn."""

    __slots__ = ("_initial", "_jitter", "_maximum", "_next")

    def __init__(self, initial: float, maximum: float, jitter: Random | None = None) -> None:
        self._initial = min(initial, maximum)
        self._maximum = maximum
        self._jitter = jitter
        self._next = self._initial

    def delay(self) -> float:
        """The next delay. The cap is on the delay itself, so no exponent can overflow."""
        full = self._next
        self._next = min(full * 2, self._maximum)
        return full if self._jitter is None else full / 2 + self._jitter.random() * full / 2

    def reset(self) -> None:
        """Start from the beginning again."""
        self._next = self._initial


class CallLimit(NamedTuple):
    """At most so many failing calls in any `window` seconds."""

    calls: int
    window: float


UNLIMITED = CallLimit(1, 0.0)
"""Any number of them."""


class FailureLimit:
    """Keeps failing calls within a limit, which is well below what makes a venue lock somebody out."""

    __slots__ = ("_calls", "_failures", "_window")

    def __init__(self, limit: CallLimit) -> None:
        self._calls, self._window = limit
        self._failures: list[float] = []
        """The last ones. Each account has four of these, and an empty deque takes as much memory as fourteen lists."""

    def failed(self, now: float, refusal: Refusal | None) -> None:
        """Count a failing call, unless the venue cannot have seen it; None is a call that was never answered."""
        if refusal is None or refusal.code != UNREACHED:
            self._failures.append(now)
            del self._failures[: -self._calls]

    def wait(self, now: float) -> float:
        """Seconds until one more failure would be within the limit; 0 if it is now."""
        if len(self._failures) < self._calls:
            return 0.0
        return max(0.0, self._failures[0] + self._window - now)

    def count(self, now: float) -> int:
        """How many failures of the last window are known, as many as the limit at most."""
        return sum(at > now - self._window for at in self._failures)

    def bears(self, now: float, failures: int = 1) -> bool:
        """True if after so many more failures the next attempt could still be made at once."""
        return self._window == 0.0 or self.count(now) + failures < self._at_once

    @property
    def _at_once(self) -> int:
        """After so many failures the next attempt has to wait."""
        return self._calls


class SpacedLimit(FailureLimit):
    """The same limit, never used up at once: after `free` failures attempts are at least window / calls apart.

    What is left of the limit is spread over what is left of the window. With 15 in 480 s the longest pause is 44 s
    after 5 that were free, and 80 s after 10, not minutes; later it is 32 s.
    """

    __slots__ = ("_free",)

    def __init__(self, limit: CallLimit, free: int = 5) -> None:
        super().__init__(limit)
        self._free = free

    @property
    def _at_once(self) -> int:
        return self._free

    def forgive(self) -> None:
        """The last failure has passed: what failed was tried again, and went well."""
        if self._failures:
            self._failures.pop()

    def wait(self, now: float) -> float:
        """Seconds until the next attempt; 0 if it is now."""
        if len(self._failures) < self._free:
            return 0.0
        recent = [at for at in self._failures if at > now - self._window]
        if len(recent) < self._free:
            return 0.0
        spread = (recent[0] + self._window - recent[-1]) / (self._calls - len(recent) + 1)
        return max(0.0, recent[-1] + max(spread, self._window / self._calls) - now)
