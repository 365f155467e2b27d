"""Shortens constants that no policy changes: pauses of the core, and a venue's limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from listenkey.adapters.venues.binance import pace, weights
from listenkey.core.books import cross_check
from listenkey.core.sync import schedule


@contextmanager
def haste() -> Iterator[None]:
    """Shorten the pauses after a failed read and after an alarm without result, and raise the weight of a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "RETRY_INITIAL", 0.5)
        patch.setattr(schedule, "RETRY_MAX", 2.0)
        patch.setattr(cross_check, "QUIET_INITIAL", 0.5)
        patch.setattr(pace, "LIMIT", 30 * weights.LIMIT)
        yield
