"""The clocks of this host."""

from __future__ import annotations

import time


class SystemClock:
    """`ports.clock.Clock` over `time.monotonic` and `time.time`."""

    monotonic = staticmethod(time.monotonic)

    def wall_ms(self) -> int:
        """Milliseconds since the epoch by the host's wall clock, which may jump."""
        return time.time_ns() // 1_000_000
