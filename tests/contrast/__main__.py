"""What a reconnect loop, ccxt pro and listenkey have after the same accident on the simulated exchange.

    python -m tests.contrast

prints the table of docs/why.md. ccxt is left out where it is not installed (`make .venv/.bench` installs it).
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys

from .accident import Make
from .ccxt_pro import CcxtPro
from .loop import ReconnectLoop
from .ours import Listenkey
from .table import table


def main() -> int:
    """The command."""
    makes: list[Make] = [ReconnectLoop, Listenkey]
    if importlib.util.find_spec("ccxt") is None:
        print("ccxt is not installed: make .venv/.bench", file=sys.stderr)
    else:
        makes.insert(1, CcxtPro)
    for row in asyncio.run(table(makes)):
        print(f"| {' | '.join(row)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
