"""Runs lives with some kinds of fault until one breaks a promise.

`python -m tests.simulation.hunt VENUE KINDS LIVES MODE GIVEN`; the last is JSON, fields of a setup in place of those
that the seed draws.
"""

from __future__ import annotations

import json
import sys

from listenkey.core.policy import Mode

from .life import live
from .setup import setup_of
from .venues import first_seed


def main() -> int:
    """Print one line for the first violation; return 0 if there was one, else 1."""
    venue, kinds, lives = sys.argv[1], tuple(sys.argv[2].split(",")), int(sys.argv[3])
    mode: Mode = "poll" if sys.argv[4] == "poll" else "ws"
    given = json.loads(sys.argv[5])
    facts = given.pop("facts", {})
    for seed in range(first_seed(venue), first_seed(venue) + lives):
        setup = setup_of(seed, kinds=kinds, hours=1.0, mode=mode)
        outcome = live(setup._replace(facts={**setup.facts, **facts}, **given))
        if outcome.violation is not None:
            print(f"seed {seed}: {outcome.violation}")
            return 0
    print(f"nothing in {lives} lives")
    return 1


if __name__ == "__main__":
    sys.exit(main())
