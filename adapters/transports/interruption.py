"""Passes Ctrl-C on to the user's task: trio raises it in any unprotected code, also in tasks of ours."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def passed_on() -> Iterator[None]:
    """End the body at an interruption, and raise it again in the user's task."""
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
