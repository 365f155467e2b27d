"""`python -m tests.simulation`: lives by the hundred, or one again."""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

from .campaign import Summary, campaign, endless, jobs
from .faults import KINDS, kinds_of, parse_all, written
from .life import live
from .setup import Setup, setup_of
from .shrink import shrink
from .venues import SEEDS, VENUES, first_seed, is_day


def main() -> int:
    """Run lives as the options ask; return 0 if every promise was kept, else 1."""
    options = _parser().parse_args()
    if options.seed is not None:
        return _one(options)
    began = time.monotonic()
    among = VENUES if options.venue is None else (options.venue,)
    venues = [venue for venue in among if set(options.often) <= set(kinds_of(venue))]
    if options.minutes:
        planned = endless(options.first, options.minutes, options.mode, venues)
    else:
        planned = iter(jobs(options.lives, options.days, options.first, options.mode, options.often, venues))
    summary = Summary()
    for outcome in campaign(planned, workers=options.workers):
        summary.add(outcome)
        if outcome.violation is not None:
            print(f"seed {outcome.seed}: {outcome.violation}", file=sys.stderr, flush=True)
    print(summary)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"took             {time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of processor time")
    return 1 if summary.violations or summary.outside else 0


def _one(options: argparse.Namespace) -> int:
    seed = options.seed if options.venue is None else first_seed(options.venue) + options.seed % SEEDS
    setup = setup_of(seed, full_day=is_day(seed), mode=options.mode, kinds=options.often)
    if options.faults is not None:
        setup = setup._replace(faults=parse_all(options.faults))
    outcome = live(setup, options.record)
    print(f"seed {setup.seed}: {setup}")
    print(f"{outcome.made} fills made, {outcome.delivered} delivered, {outcome.gaps} gaps, digest {outcome.digest}")
    print(outcome.violation or "every promise was kept")
    if outcome.violation is not None:
        if options.shrink:
            setup = shrink(setup, lambda text: print(text, file=sys.stderr, flush=True))
            print(live(setup).violation)
        print(command(setup))
    return 0 if outcome.violation is None else 1


def command(setup: Setup) -> str:
    """Return the command line that runs this life again."""
    return f'python -m tests.simulation --seed {setup.seed} --mode {setup.mode} --faults "{written(setup.faults)}"'


def _kinds(text: str) -> tuple[str, ...]:
    """Return the kinds of fault named in `text`. Raises `ArgumentTypeError` for an unknown one."""
    chosen = tuple(text.split(","))
    if unknown := set(chosen) - KINDS.keys():
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: there are {', '.join(KINDS)}")
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--lives", type=int, default=150, help="of an hour or two, on a compressed schedule, per venue")
    parser.add_argument("--days", type=int, default=5, help="on the real schedule, per venue")
    parser.add_argument("--venue", choices=VENUES, default=None, help="of all lives; by default each has its share")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, default=0.0, help="go on for so long instead")
    parser.add_argument(
        "--mode", choices=("ws", "poll"), default=None, help="of all lives; the seed draws it otherwise"
    )
    parser.add_argument(
        "--often",
        type=_kinds,
        default=(),
        metavar="KIND,…",
        help="only faults of these kinds, two of each in a life, with a socket",
    )
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--seed", type=int, default=None, help="one life only")
    parser.add_argument("--faults", default=None, help="its faults, in place of those that the seed draws")
    parser.add_argument("--shrink", action="store_true", help="find the smallest list of faults that fails the same")
    parser.add_argument("--record", type=Path, default=None, help="record the life, for `listenkey replay`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
