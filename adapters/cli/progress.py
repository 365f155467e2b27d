"""The progress of reading a file: a line on standard error, if that is a terminal, which is removed at the end."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

EVERY = 0.1
"""Seconds between two updates."""
CLEAR = "\r\x1b[K"


class Progress:
    """Shows progress: called with a file's name, the bytes read and its size. Leaving the context clears the line."""

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
        """Show the progress, if it is a terminal and the last update is not too new."""
        now = time.monotonic()
        if self._shows and now - self._shown_at >= EVERY:
            self._shown_at, self._drawn = now, True
            self._write(f"{CLEAR}reading {name}: {100 * done // max(size, 1)} %")

    def _write(self, text: str) -> None:
        try:
            print(text, end="", file=sys.stderr, flush=True)
        except (OSError, ValueError):
            self._shows = False
