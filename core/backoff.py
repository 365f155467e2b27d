"""How long to wait after a failure: capped doubling, with or without jitter, and a limit on failing calls."""

from __future__ import annotations

from collections import deque
from random import Random

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


class FailureLimit:
    """At most 15 failing calls in any 480 s: BingX locks an endpoint at 20 (its error text names both numbers)."""

    __slots__ = ("_failures",)
    calls = 15
    window = 480.0

    def __init__(self) -> None:
        self._failures: deque[float] = deque(maxlen=self.calls)

    def failed(self, now: float, refusal: Refusal | None) -> None:
        """Count a failing call, unless the venue cannot have seen it; None is a call that was never answered."""
        if refusal is None or refusal.code != UNREACHED:
            self._failures.append(now)

    def wait(self, now: float) -> float:
        """Seconds until one more failure would be within the limit; 0 if it is now."""
        if len(self._failures) < self.calls:
            return 0.0
        return max(0.0, self._failures[0] + self.window - now)
