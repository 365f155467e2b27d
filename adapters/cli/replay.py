"""`listenkey replay`: a recording, fed through the core again. There is no format for recordings yet."""

from __future__ import annotations

from argparse import Namespace

from .exits import Exit, Failure


def run(options: Namespace) -> Exit:
    """Say so."""
    raise Failure(Exit.USAGE, f"replay {options.file}: recordings are not available in this version")
