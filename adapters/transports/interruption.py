"""Ctrl-C is meant for the user's task. Trio raises it wherever unprotected code runs, in a task of ours too."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def passed_on() -> Iterator[None]:
    """An interruption that strikes here ends the body, and is raised once more, where the user's task sees it."""
    try:
        yield
    except KeyboardInterrupt:
        signal.raise_signal(signal.SIGINT)
    except BaseExceptionGroup as group:
        interruptions, rest = group.split(KeyboardInterrupt)
        if interruptions is not None:
            signal.raise_signal(signal.SIGINT)
        if rest is not None:
            raise rest from None
