"""Many lives, on all cores: what they came to, as a summary."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from multiprocessing import get_context
from typing import NamedTuple

from .faults import KINDS
from .life import Outcome, live
from .setup import setup_of

FIRST_DAY = 1_000_000
"""Seeds of full days begin here, so that a seed names one life."""


class Job(NamedTuple):
    """A life to live."""

    seed: int

    @property
    def full_day(self) -> bool:
        return self.seed >= FIRST_DAY


def run(job: Job) -> Outcome:
    """In whatever process."""
    return live(setup_of(job.seed, full_day=job.full_day))


def jobs(lives: int, days: int, first: int) -> list[Job]:
    """Days first: they take longest."""
    return [Job(FIRST_DAY + first + day) for day in range(days)] + [Job(first + life) for life in range(lives)]


def campaign(planned: Iterable[Job], *, workers: int | None = None) -> Iterator[Outcome]:
    """The outcomes, as they come."""
    with get_context("fork").Pool(workers or os.cpu_count()) as pool:
        yield from pool.imap_unordered(run, planned, chunksize=1)


def endless(first: int, minutes: float) -> Iterator[Job]:
    """Lives, and a day in every forty, until time is up."""
    until = time.monotonic() + minutes * 60
    for number in count(first):
        if time.monotonic() > until:
            return
        yield Job(FIRST_DAY + number if number % 40 == 0 else number)


class Summary:
    """Adds outcomes up."""

    def __init__(self) -> None:
        self.lives = self.days = self.made = self.inside = self.delivered = 0
        self.restarts = self.gaps = 0
        self.hours = 0.0
        self.outside: list[int] = []
        self.faults: Counter[str] = Counter()
        self.violations: list[Outcome] = []
        self.times: dict[str, list[float]] = {name: [] for name in _TIMES}

    def add(self, outcome: Outcome) -> None:
        """One more."""
        if outcome.seed >= FIRST_DAY:
            self.days += 1
        else:
            self.lives += 1
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
            self.times[name] += getattr(outcome, name)

    def broken(self, *names: str) -> int:
        """How many lives ended in one of these violations."""
        return sum(outcome.violation is not None and outcome.violation.startswith(names) for outcome in self.violations)

    def __str__(self) -> str:
        lost = self.broken("no-fill-lost", "watermark-honest", "gap-said", "healed-in-time")
        doubled = self.broken("no-fill-twice")
        lines = [
            f"lives            {self.lives} of two hours, {self.days} of a day; {self.hours:.0f} virtual hours",
            f"faults           {self.faults.total()}; {self.restarts} restarts; {self.gaps} gaps",
            f"fills            {self.made} made, {self.inside} of them inside faults; {self.delivered} fill events",
            f"lost             {lost}",
            f"doubled          {doubled}",
            f"violations       {len(self.violations)}",
        ]
        lines += [f"{title:17}{percentiles(self.times[name])}" for name, title in _TIMES.items()]
        lines.append("faults by kind   " + ", ".join(f"{name} {self.faults[name]}" for name in KINDS))
        if self.outside:
            lines.append(f"without fills inside a fault: seeds {self.outside}")
        for outcome in self.violations:
            lines.append(f"seed {outcome.seed}: {outcome.violation}")
            lines.append(f"  again: python -m tests.simulation --seed {outcome.seed}; smallest: add --shrink")
        return "\n".join(lines)


def percentiles(values: list[float]) -> str:
    """Of seconds."""
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
