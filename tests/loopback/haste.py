"""The core's own pauses, which no policy changes, as much shorter as the times of a brisk policy are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from listenkey.core.books import witness
from listenkey.core.sync import reads


@contextmanager
def haste() -> Iterator[None]:
    """After a read that failed, and after an alarm that found nothing, for as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reads, "RETRY_INITIAL", 0.5)
        patch.setattr(reads, "RETRY_MAX", 2.0)
        patch.setattr(witness, "QUIET_INITIAL", 0.5)
        yield
