"""Other people's clients against the simulated exchange: frames, orders, fills, positions and money, in both modes.

    python -m tests.clients [--seed N]

The exit code is 1 if a client's reading differs from the truth and the list of known differences does not explain it,
or if that list has a difference that does not occur any more; 2 if a client is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import time
from importlib import metadata

from .known import KNOWN, verdict
from .report import report
from .session import Outcome, session

CLIENTS = {"ccxt": "ccxt.pro", "bixpy": "Bixpy.perpetual", "bingx-py": "bingx_py"}
"""The module of each package."""


async def both(seed: int) -> list[Outcome]:
    """Run both position modes at once, each with an exchange of its own."""
    async with asyncio.TaskGroup() as group:
        modes = [group.create_task(session(one_way=one_way, seed=seed)) for one_way in (False, True)]
    return [mode.result() for mode in modes]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    try:
        versions = [f"{name} {metadata.version(name)}" for name in CLIENTS]
    except metadata.PackageNotFoundError as error:
        print(f"{error.name} is not installed: make .venv/.bench", file=sys.stderr)
        return 2
    print(f"seed {given.seed}; {', '.join(versions)}", flush=True)
    began = time.monotonic()
    # Loading takes seconds, in which a running exchange would have no client.
    for module in CLIENTS.values():
        importlib.import_module(module)
    outcomes = asyncio.run(both(given.seed))
    readings = [reading for outcome in outcomes for reading in outcome.readings]
    compared = {(reading.client, subject) for reading in readings for subject in reading.compared}
    found = verdict((each for reading in readings for each in reading.differences), KNOWN, compared)
    for line in report(outcomes, found):
        print(line)
    print(f"took {time.monotonic() - began:.0f} s")
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
