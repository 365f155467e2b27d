"""Lives with some kinds of fault until one breaks a promise.

`python -m tests.simulation.hunt KINDS LIVES MODE GIVEN`; the last is JSON, fields of a setup in place of those that
the seed draws.
"""

from __future__ import annotations

import json
import sys

from listenkey.core.policy import Mode

from .life import live
from .setup import setup_of


def main() -> int:
    """One line for the first violation; 0 if there was one."""
    kinds, lives = tuple(sys.argv[1].split(",")), int(sys.argv[2])
    mode: Mode = "poll" if sys.argv[3] == "poll" else "ws"
    given = json.loads(sys.argv[4])
    for seed in range(lives):
        outcome = live(setup_of(seed, kinds=kinds, hours=1.0, mode=mode)._replace(**given))
        if outcome.violation is not None:
            print(f"seed {seed}: {outcome.violation}")
            return 0
    print(f"nothing in {lives} lives")
    return 1


if __name__ == "__main__":
    sys.exit(main())
