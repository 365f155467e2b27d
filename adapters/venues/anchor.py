"""The exchange's clock, estimated by its last answer and the time since then."""

from __future__ import annotations

import math
from typing import NamedTuple


class Anchor(NamedTuple):
    """The exchange time `at` of an answer, ms, and the times, s, at which it was asked for and came."""

    at: int
    sent: float
    heard: float

    def earliest(self, now: float) -> int:
        """The lowest exchange time, ms, that it can be at `now`, s."""
        return self.at + int((now - self.heard) * 1000)

    def latest(self, now: float) -> int:
        """The highest exchange time, ms, that it can be at `now`, s."""
        return self.at + math.ceil((now - self.sent) * 1000)
