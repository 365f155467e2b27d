"""The core's own pauses, which no policy changes, as much shorter as the times of a brisk policy are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from listenkey.core.books import cross_check
from listenkey.core.sync import schedule


@contextmanager
def haste() -> Iterator[None]:
    """After a read that failed, and after an alarm that found nothing, for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "RETRY_INITIAL", 0.5)
        patch.setattr(schedule, "RETRY_MAX", 2.0)
        patch.setattr(cross_check, "QUIET_INITIAL", 0.5)
        yield
