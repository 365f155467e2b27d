"""`listenkey diagram`: the state diagram, printed from the table that the machine runs."""

from __future__ import annotations

from ...core.link.lifecycle import mermaid
from .exits import Exit
from .lines import Lines


def run() -> Exit:
    """Print it."""
    Lines().write_now(mermaid().rstrip("\n").encode())
    return Exit.DONE
