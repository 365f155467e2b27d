"""The faults of calls that place orders: an answer is lost, or the next calls exceed a rate limit."""

from __future__ import annotations

import math
from collections.abc import Callable

from .faults import Faults


class Placements:
    """Times are seconds of the faults' clock; `note` is called with each fault carried out, and its object."""

    def __init__(self, faults: Faults, note: Callable[[str, str], None]) -> None:
        self._faults = faults
        self._note = note
        self._accepted = 0
        self._limited_until = -math.inf

    def limited_until(self, now: float) -> float | None:
        """The time until which placing orders is refused as too fast; None if it is allowed."""
        return self._limited_until if now < self._limited_until else None

    def accepted(self, path: str, now: float) -> bool:
        """Note that a call to this path has placed orders; return False if its answer is lost."""
        if fault := self._faults.active("limit_bracket", now):
            self._accepted += 1
            if self._accepted >= fault["calls"]:
                self._faults.take(fault.name, now)
                self._limited_until, self._accepted = now + float(fault["lasting"]), 0
                self._note(fault.name, f"for {fault['lasting']:g} s")
        else:
            self._accepted = 0
        lost = self._faults.take("lose_answer", now) is not None
        if lost:
            self._note("lose_answer", path)
        return not lost
