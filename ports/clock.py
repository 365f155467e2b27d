"""Time, for the edges that need it; the core is handed time and never asks."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A monotonic clock in seconds, of any origin, and the host's wall clock in ms since the epoch."""

    def monotonic(self) -> float:
        """Seconds; never goes backwards."""

    def wall_ms(self) -> int:
        """Milliseconds since the epoch, as the host believes; may jump."""
