"""Compares a reconnect loop, ccxt pro and listenkey after the same accidents on the simulated exchange.

    python -m tests.contrast

prints the table of docs/why.md, and exits with 1 if a page shows another. ccxt is left out where it is not installed
(`make .venv/.bench` installs it).
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys

from .accident import Make
from .ccxt_pro import CcxtPro
from .loop import ReconnectLoop
from .ours import Listenkey
from .pages import PAGES, says, shown
from .table import table


def main() -> int:
    """The command."""
    ccxt = importlib.util.find_spec("ccxt") is not None
    if not ccxt:
        print("ccxt is not installed: make .venv/.bench", file=sys.stderr)
    makes: list[Make] = [Listenkey, ReconnectLoop, CcxtPro] if ccxt else [Listenkey, ReconnectLoop]
    rows = asyncio.run(table(makes))
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    wrong = [page for page in PAGES if not says(shown(page, ccxt=ccxt), rows)]
    for page in wrong:
        print(f"{page} shows something else", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
