"""How long to wait after a failure: capped doubling, with or without jitter, and limits on failing calls."""

from __future__ import annotations

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
    _free = calls
    """After so many the next attempt has to wait."""

    def __init__(self) -> None:
        self._failures: list[float] = []
        """The last ones. Each account has four of these, and an empty deque takes as much memory as fourteen lists."""

    def failed(self, now: float, refusal: Refusal | None) -> None:
        """Count a failing call, unless the venue cannot have seen it; None is a call that was never answered."""
        if refusal is None or refusal.code != UNREACHED:
            self._failures.append(now)
            del self._failures[: -self.calls]

    def wait(self, now: float) -> float:
        """Seconds until one more failure would be within the limit; 0 if it is now."""
        if len(self._failures) < self.calls:
            return 0.0
        return max(0.0, self._failures[0] + self.window - now)

    def count(self, now: float) -> int:
        """How many failures of the last 480 s are known, 15 at most."""
        return sum(at > now - self.window for at in self._failures)

    def bears(self, now: float, failures: int = 1) -> bool:
        """Whether after so many more failures the next attempt could still be made at once."""
        return self.count(now) + failures < self._free


class SpacedLimit(FailureLimit):
    """The same limit, never used up at once: after `free` failures in 480 s attempts are at least 32 s apart, 480 / 15.

    What is left of the limit is spread over what is left of the 480 s, so that the longest pause after 5 is 44 s, and
    after 10 it is 80 s, not minutes.
    """

    __slots__ = ("_free",)

    def __init__(self, free: int = 5) -> None:
        super().__init__()
        self._free = free

    def forgive(self) -> None:
        """The last failure has passed: what failed was tried again, and went well."""
        if self._failures:
            self._failures.pop()

    def wait(self, now: float) -> float:
        """Seconds until the next attempt; 0 if it is now."""
        if len(self._failures) < self._free:
            return 0.0
        recent = [at for at in self._failures if at > now - self.window]
        if len(recent) < self._free:
            return 0.0
        spread = (recent[0] + self.window - recent[-1]) / (self.calls - len(recent) + 1)
        return max(0.0, recent[-1] + max(spread, self.window / self.calls) - now)
