"""Detects a terminal on standard output, and the library that draws on it."""

from __future__ import annotations

import importlib.util
import os
import sys

from .exits import Exit, Failure


def has_terminal() -> bool:
    """True if standard output is a terminal on which one can draw; rich must be installed then."""
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("TERM") in (None, "", "dumb"):
        return False
    if importlib.util.find_spec("rich") is None:
        raise Failure(Exit.USAGE, "the live view needs rich: pip install 'listenkey[cli]', or use --json")
    return True
