"""The exchange's clock, by its last answer and the time since."""

from __future__ import annotations

import math
from typing import NamedTuple


class Anchor(NamedTuple):
    """The exchange's clock by an answer, ms, and when, in seconds, it was asked for and heard."""

    at: int
    sent: float
    heard: float

    def earliest(self, now: float) -> int:
        """Its time now, or less."""
        return self.at + int((now - self.heard) * 1000)

    def latest(self, now: float) -> int:
        """Its time now, or more."""
        return self.at + math.ceil((now - self.sent) * 1000)
