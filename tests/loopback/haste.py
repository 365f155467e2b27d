"""Constants that no policy changes, made as brisk as a brisk policy: the core's own pauses, and a venue's limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from listenkey.adapters.simulator import server
from listenkey.adapters.venues.binance import pace, weights
from listenkey.core.books import cross_check
from listenkey.core.sync import schedule


@contextmanager
def haste() -> Iterator[None]:
    """After a read that failed, and after an alarm that found nothing; and the weight that a minute bears.

    Many exchanges run together, so each looks half as often for what is due.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "RETRY_INITIAL", 0.5)
        patch.setattr(schedule, "RETRY_MAX", 2.0)
        patch.setattr(cross_check, "QUIET_INITIAL", 0.5)
        patch.setattr(pace, "LIMIT", 30 * weights.LIMIT)
        patch.setattr(server, "TURN", 2 * server.TURN)
        yield
