"""The exchange's clock, as far as its last answer and the time since tell."""

from __future__ import annotations

import math
from typing import NamedTuple


class Anchor(NamedTuple):
    """What the exchange's clock said, ms, and when, in seconds, it was asked for and heard."""

    at: int
    sent: float
    heard: float

    def earliest(self, now: float) -> int:
        """What it says now, or less."""
        return self.at + int((now - self.heard) * 1000)

    def latest(self, now: float) -> int:
        """What it says now, or more."""
        return self.at + math.ceil((now - self.sent) * 1000)
