"""Runs many lives on all cores, and sums up their outcomes."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from multiprocessing import get_context
from threading import Event, Semaphore
from typing import NamedTuple

from listenkey.core.policy import Mode

from .faults import KINDS
from .life import live
from .outcome import Outcome
from .setup import setup_of
from .venues import FIRST_DAY, VENUES, first_seed, is_day, venue_of


class Job(NamedTuple):
    """A life to run, in `mode` or, without one, in that of the seed; `often`: all its faults are of these kinds."""

    seed: int
    mode: Mode | None = None
    often: tuple[str, ...] = ()


def run(job: Job) -> Outcome:
    """Run the life; the seed and mode are added to any exception."""
    try:
        return live(setup_of(job.seed, full_day=is_day(job.seed), mode=job.mode, kinds=job.often))
    except Exception as error:
        error.add_note(f"seed {job.seed}, mode {job.mode}")
        raise


def jobs(
    lives: int,
    days: int,
    first: int,
    mode: Mode | None = None,
    often: tuple[str, ...] = (),
    venues: Sequence[str] = VENUES,
) -> list[Job]:
    """Return so many lives and days at each venue, days first because they take longest.

    With `often`, all faults are of these kinds, two of each in a life.
    """
    seeds = [FIRST_DAY + first + day for day in range(days)] + [first + life for life in range(lives)]
    return [Job(first_seed(venue) + seed, mode, often) for seed in seeds for venue in venues]


def campaign(planned: Iterable[Job], *, workers: int | None = None) -> Iterator[Outcome]:
    """Run the jobs and yield the outcomes as they come; `planned` is read only a few jobs ahead of the workers."""
    workers = workers or os.cpu_count() or 1
    ahead, over = Semaphore(2 * workers), Event()

    def wanted() -> Iterator[Job]:
        for job in planned:
            ahead.acquire()
            if over.is_set():
                return
            yield job

    with get_context("fork").Pool(workers) as pool:
        try:
            for outcome in pool.imap_unordered(run, wanted(), chunksize=1):
                ahead.release()
                yield outcome
        finally:
            over.set()
            ahead.release()


def endless(first: int, minutes: float, mode: Mode | None = None, venues: Sequence[str] = VENUES) -> Iterator[Job]:
    """Yield lives, one in forty of them a day, at each venue in turn, until the minutes are over."""
    until = time.monotonic() + minutes * 60
    for number in count(first):
        for venue in venues:
            if time.monotonic() > until:
                return
            yield Job(first_seed(venue) + number + (FIRST_DAY if number % 40 == 0 else 0), mode)


class Summary:
    """The sums over many outcomes, and their text."""

    def __init__(self) -> None:
        self.lives = self.days = self.made = self.inside = self.delivered = 0
        self.restarts = self.gaps = 0
        self.hours = 0.0
        self.outside: list[int] = []
        self.faults: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.venues: Counter[str] = Counter()
        self.survived: Counter[str] = Counter()
        self.violations: list[Outcome] = []
        self.times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, outcome: Outcome) -> None:
        """Add one outcome."""
        if is_day(outcome.seed):
            self.days += 1
        else:
            self.lives += 1
        self.modes[outcome.mode] += 1
        self.venues[venue_of(outcome.seed)] += 1
        self.survived += outcome.survived
        self.hours += outcome.hours
        self.faults += outcome.faults
        self.made += outcome.made
        self.inside += outcome.inside
        self.delivered += outcome.delivered
        self.restarts += outcome.restarts
        self.gaps += outcome.gaps
        if not outcome.inside_each:
            self.outside.append(outcome.seed)
        if outcome.violation is not None:
            self.violations.append(outcome)
        for name in _TIMES:
            self.times[name, outcome.mode] += getattr(outcome, name)

    def broken(self, *names: str) -> int:
        """Return the number of lives that ended with one of these violations."""
        return sum(outcome.violation is not None and outcome.violation.startswith(names) for outcome in self.violations)

    def __str__(self) -> str:
        lost = self.broken("no-fill-lost", "watermark-honest", "gap-said", "healed-in-time")
        doubled = self.broken("no-fill-twice")
        lines = [
            f"lives            {self.lives}, and {self.days} days; {self.hours:.0f} virtual hours",
            f"venues           {', '.join(f'{self.venues[venue]} {venue}' for venue in VENUES)}",
            f"modes            {self.modes['ws']} ws, {self.modes['poll']} poll",
            f"faults           {self.faults.total()}; {self.restarts} restarts; {self.gaps} gaps",
            f"deaths           {written_counts(self.survived)}",
            f"fills            {self.made} made, {self.inside} of them inside faults; {self.delivered} fill events",
            f"lost             {lost}",
            f"doubled          {doubled}",
            f"violations       {len(self.violations)}",
        ]
        for mode in sorted(self.modes, reverse=True):
            lines.append(f"times, {mode}")
            lines += [f"  {title:19}{percentiles(self.times[name, mode])}" for name, title in _TIMES.items()]
        lines.append("faults by kind   " + ", ".join(f"{name} {self.faults[name]}" for name in KINDS))
        if self.outside:
            lines.append(f"without fills inside a fault: seeds {self.outside}")
        for outcome in self.violations:
            lines.append(f"seed {outcome.seed}: {outcome.violation}")
            again = f"python -m tests.simulation --seed {outcome.seed} --mode {outcome.mode}"
            lines.append(f"  again: {again}; smallest: add --shrink")
        return "\n".join(lines)


def written_counts(counts: Counter[str]) -> str:
    """Return counts as text, the most frequent first."""
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"


def percentiles(values: list[float]) -> str:
    """Return the percentiles of some seconds as text."""
    if not values:
        return "none"
    ordered = sorted(values)
    parts = [(f"p{share}", ordered[min(len(ordered) - 1, len(ordered) * share // 100)]) for share in (50, 90, 99)]
    return (
        "  ".join(f"{name} {value:.2f} s" for name, value in parts) + f"  max {ordered[-1]:.2f} s  (n={len(ordered)})"
    )


_TIMES = {
    "blind": "blind",
    "detected": "until noticed",
    "recovered": "until whole again",
    "latencies": "fill to consumer",
}
