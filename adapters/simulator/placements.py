"""The faults of calls that place orders: an answer is lost, or the calls that follow are too fast."""

from __future__ import annotations

import math
from collections.abc import Callable

from .faults import Faults


class Placements:
    """Times are of the clock of faults, seconds; what was carried out is told to `note`: the fault, and to what."""

    def __init__(self, faults: Faults, note: Callable[[str, str], None]) -> None:
        self._faults = faults
        self._note = note
        self._accepted = 0
        self._limited_until = -math.inf

    def limited_until(self, now: float) -> float | None:
        """Until when placing orders is too fast, None if it is not."""
        return self._limited_until if now < self._limited_until else None

    def accepted(self, path: str, now: float) -> bool:
        """A call to this path has placed orders; whether whoever called is told."""
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
