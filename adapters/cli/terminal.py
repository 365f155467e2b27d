"""Detects that a person looks at standard output, and finds the library that draws for them."""

from __future__ import annotations

import importlib.util
import os
import sys

from .exits import Exit, Failure


def has_terminal() -> bool:
    """True if standard output is a terminal on which one can draw. Needs rich then."""
    if sys.stdout is None or not sys.stdout.isatty() or os.environ.get("TERM") in (None, "", "dumb"):
        return False
    if importlib.util.find_spec("rich") is None:
        raise Failure(Exit.USAGE, "the live view needs rich: pip install 'listenkey[cli]', or use --json")
    return True
