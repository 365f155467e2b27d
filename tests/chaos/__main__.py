"""Chaos on real sockets: every fill against the exchange's truth, on every transport.

    python -m tests.chaos [--minutes 10] [--seed N] [--transport aiohttp|websockets] [--faults a,b] [--rate 4]

Without `--minutes` each fault comes once. Each transport has an exchange, a proxy and a client process of its own, and
all run at once. The exit code is 1 if anything was lost or doubled or does not add up.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from .certificates import certificates
from .faults import FAULTS
from .lane import TRANSPORTS
from .storm import PATIENCE, TOGETHER, Outcome, Plan, command, storm


async def storms(transports: tuple[str, ...], plan: Plan) -> list[Outcome]:
    """Run the storms of all transports at once."""
    with tempfile.TemporaryDirectory() as folder:
        papers = certificates(Path(folder))
        return list(await asyncio.gather(*(storm(transport, plan, papers) for transport in transports)))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, help="of chaos; without it each fault comes once")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--transport", choices=TRANSPORTS)
    parser.add_argument("--faults", type=_names, default=tuple(FAULTS), help=", ".join(FAULTS))
    parser.add_argument("--rate", type=float, help="fills per second: 25 where each fault comes once, else 4")
    parser.add_argument("--together", type=_sizes, default=TOGETHER, help="how many faults at a time, drawn from these")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds for a recovery")
    given = parser.parse_args()
    seed = random.randrange(1 << 32) if given.seed is None else given.seed
    seconds = None if given.minutes is None else given.minutes * 60
    rate = given.rate or (25.0 if seconds is None else 4.0)
    plan = Plan(seed, given.faults, seconds, rate, given.patience, given.together)
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    outcomes = asyncio.run(storms((given.transport,) if given.transport else TRANSPORTS, plan))
    for outcome in outcomes:
        print(outcome)
        print(f"  again: {command(plan, outcome.transport)}")
    print(f"took {time.monotonic() - began:.0f} s")
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(max(1, int(size)) for size in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in FAULTS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(FAULTS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
