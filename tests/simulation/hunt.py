"""Lives with certain kinds of fault, until one breaks a promise: `python -m tests.simulation.hunt KINDS SECONDS`."""

from __future__ import annotations

import sys
import time
from itertools import count

from .life import live
from .setup import setup_of


def main() -> int:
    """One line for the first violation; 0 if there was one."""
    kinds, seconds = tuple(sys.argv[1].split(",")), float(sys.argv[2])
    until = time.monotonic() + seconds
    for seed in count():
        if time.monotonic() > until:
            print(f"nothing in {seed} lives")
            return 1
        outcome = live(setup_of(seed, kinds=kinds, hours=1.0))
        if outcome.violation is not None:
            print(f"seed {seed}: {outcome.violation}")
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
