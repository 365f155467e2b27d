"""`python -m tests.mutation`: what became of every mutant, and why the survivors may live.

A listed survivor is believed, and counts as one. Exit 1 below 85 %, or if a survivor has no reason.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter

from .fork import each
from .mutant import Mutant, mutants
from .operators import Edit
from .reach import LONGEST, reach
from .source import ROOT, sources
from .survivors import reasons
from .trial import Fate, Verdict, longest, try_out, verdict

MODULES = (
    "account/order",
    "account/coverage",
    "account/average",
    "account/shown",
    "sync/continuity",
    "sync/reconciler",
    "link/link",
    "link/lifecycle",
)
WANTED = 0.85


def main() -> int:
    """Try the mutants of all modules, or of the named ones; return the exit code."""
    options = _options()
    os.chdir(ROOT)
    modules = list(sources(tuple(options.module or MODULES)))
    chosen = [mutant for module in modules for mutant in mutants(module)]
    if options.limit is not None:
        chosen = sorted(random.Random(0).sample(chosen, min(options.limit, len(chosen))), key=chosen.index)
    if options.match:
        chosen = [mutant for mutant in chosen if any(options.match in part for part in mutant.key)]
    if options.list:
        for mutant in chosen:
            print(_described(mutant))
        return 0
    began = time.monotonic()
    reached = reach(modules)
    print(f"{len(reached.seconds)} tests pass without a mutant; {len(chosen)} mutants", flush=True)
    if options.within is not None:
        reached = reached.within(options.within)
    same = Mutant(modules[0], Edit(0, 0, ""), "", range(1, 1 + modules[0].text.count("\n")), "", "")
    ((_, outcome),) = each([same], lambda mutant: try_out(mutant, reached), 1, lambda _: LONGEST)
    if verdict(outcome).fate is not Fate.SURVIVED:
        raise ValueError(f"a mutant without a change does not survive: {verdict(outcome)}")
    listed = {} if options.listed else reasons()
    verdicts = {mutant: Verdict(Fate.SURVIVED) for mutant in chosen if mutant.key in listed}
    trials = each(
        [mutant for mutant in chosen if mutant not in verdicts],
        lambda mutant: try_out(mutant, reached),
        options.jobs,
        lambda mutant: longest(mutant, reached),
    )
    for mutant, outcome in trials:
        verdicts[mutant] = verdict(outcome)
        if options.verbose or verdicts[mutant].fate is Fate.SURVIVED:
            print(f"{' '.join(verdicts[mutant])}: {_described(mutant)}", file=sys.stderr, flush=True)
    whole = options.limit is None and not options.match
    code = _report([(mutant, verdicts[mutant].fate) for mutant in chosen], whole)
    print(f"{time.monotonic() - began:.0f} seconds")
    return code


def _report(fates: list[tuple[Mutant, Fate]], whole: bool) -> int:
    listed = reasons()
    without = 0
    for mutant, fate in fates:
        if fate is Fate.SURVIVED:
            reason = listed.get(mutant.key)
            without += reason is None
            print(f"\n{_described(mutant)}\n  {reason or 'NO REASON'}")
    keys = {mutant.key for mutant, fate in fates if fate is Fate.SURVIVED}
    modules = {mutant.source.path.stem for mutant, _ in fates}
    for key in [key for key in listed if whole and key not in keys and key[0].partition(".")[0] in modules]:
        print(f"\nlisted, and no survivor: {' | '.join(key)}")
    print(f"\n{'module':12} {'mutants':>8} {'killed':>8} {'timed out':>10} {'survived':>9} {'score':>7}")
    score = 1.0
    for module in [*dict.fromkeys(mutant.source.path.stem for mutant, _ in fates), "all"]:
        counts = Counter(fate for mutant, fate in fates if module in ("all", mutant.source.path.stem))
        killed, late, survived = (counts[fate] for fate in (Fate.KILLED, Fate.TIMED_OUT, Fate.SURVIVED))
        born = killed + late + survived
        score = (killed + late) / max(born, 1)
        print(f"{module:12} {born:8} {killed:8} {late:10} {survived:9} {score:7.1%}")
    print(f"{without} of {len(keys)} survivors have no reason")
    return int(score < WANTED or without > 0)


def _described(mutant: Mutant) -> str:
    return f"{mutant.where} {mutant.key[0]}\n- {mutant.before}\n+ {mutant.after}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", choices=MODULES, help="may be said again; all by default")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at a time")
    parser.add_argument("--limit", type=int, help="so many mutants, drawn at random, always the same")
    parser.add_argument("--match", help="only mutants whose function or changed line has this text")
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    parser.add_argument("--listed", action="store_true", help="try out the listed survivors too, which takes longer")
    parser.add_argument("--within", type=float, help="leave out the tests that take longer than so many seconds")
    parser.add_argument("--verbose", action="store_true", help="print every fate as it comes, and the test")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(  # noqa: S606 - the same command, with strings hashed the same in every run
            sys.executable,
            [sys.executable, "-m", "tests.mutation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    sys.exit(main())
