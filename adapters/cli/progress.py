"""How far a file has been read, on a terminal alone: one line on standard error, gone when it has been read."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

EVERY = 0.1
"""Seconds between two figures."""
CLEAR = "\r\x1b[K"


class Progress:
    """Called with a file's name, the bytes that have been read and those that there are. Leaving clears the line."""

    def __init__(self) -> None:
        self._shows = sys.stderr is not None and sys.stderr.isatty()
        self._shown_at = -EVERY
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write(CLEAR)

    def __call__(self, name: str, done: int, size: int) -> None:
        """Show it, if a person looks and that was not just done."""
        now = time.monotonic()
        if self._shows and now - self._shown_at >= EVERY:
            self._shown_at, self._drawn = now, True
            self._write(f"{CLEAR}reading {name}: {100 * done // max(size, 1)} %")

    def _write(self, text: str) -> None:
        try:
            print(text, end="", file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self._shows = False
