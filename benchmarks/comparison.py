"""Compares this checkout with another one, the base: ratios of costs, next to those of the base with itself.

Each round starts a process for this checkout, one for the base and one for the base again, which measure in turns, in
another order each time. The passes are short, so that three that follow each other have the same noise: their costs
are compared, and the median of these ratios is the round's ratio.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, cycle, islice, permutations
from typing import Literal, Protocol

import msgspec

from .measure import quartiles
from .probe import Costs
from .sides import Greeting

Place = Literal["this", "base", "again"]
Key = tuple[str, str, str]
"""The key of a row: subject, name, unit."""


class Prober(Protocol):
    """Measures a subject of a side pass by pass."""

    def ready(self) -> Greeting:
        """Wait until it is ready; called once, before the passes."""
        ...

    def one(self) -> Costs:
        """The costs of one pass, each above 0."""
        ...


class Side(Protocol):
    """A checkout that can be measured."""

    def probe(self, subject: str, *, quick: bool, seed: int) -> AbstractContextManager[Prober]:
        """Start a prober of a subject."""
        ...


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A row: `ratio` is the cost here by that of the base, `low` and `high` the quartiles of the base with itself."""

    subject: str
    name: str
    unit: str
    this: float
    base: float
    ratio: float
    low: float
    high: float
    limit: float
    rounds: int
    passes: int

    @property
    def bound(self) -> float:
        """The largest ratio allowed: the limit, or the spread of the base against itself if that is larger."""
        return max(self.limit, self.high, 1 / self.low)

    @property
    def verdict(self) -> Literal["within", "beyond"]:
        """`within` if the ratio is at most the bound, else `beyond`."""
        return "within" if self.ratio <= self.bound else "beyond"


class Alone(msgspec.Struct, frozen=True):
    """A row that cannot be compared: the side that has it, and what the other lacks, if it is known."""

    subject: str
    name: str
    side: Place | Literal["neither"]
    why: str


class Comparison:
    """Compares two sides in subjects, each with its number of passes per round. Raises the exceptions of a side."""

    def __init__(self, this: Side, base: Side, passes: Mapping[str, int], *, quick: bool = False) -> None:
        self._sides: dict[Place, Side] = {"this": this, "base": base, "again": base}
        self._passes = passes
        self._quick = quick
        self._number = 0
        self._missing: dict[str, dict[Place, str]] = {}
        self._rounds: dict[Key, list[dict[Place, list[float]]]] = {}

    def round(self) -> None:
        """Measure all subjects once more, without those that a side lacks."""
        self._number += 1
        for subject, passes in self._passes.items():
            if subject not in self._missing:
                self._measure(subject, passes)

    def rows(self, limit: float) -> list[Compared | Alone]:
        """Return the rows so far; subjects that neither side has come last."""
        rows: list[Compared | Alone] = []
        for (subject, name, unit), rounds in self._rounds.items():
            if all(place in costs for costs in rounds for place in self._sides):
                rows.append(_compared(subject, name, unit, rounds, limit))
                continue
            lacks = self._missing.get(subject, {})
            side: Place = "this" if "this" in rounds[0] else "base"
            rows.append(Alone(subject, name, side, lacks.get("base" if side == "this" else "this", "")))
        for subject, lacks in self._missing.items():
            if len(lacks) == len(self._sides):
                rows.append(Alone(subject, "all of it", "neither", lacks["this"]))
        return rows

    def _measure(self, subject: str, passes: int) -> None:
        with ExitStack() as stack:
            probes = {
                place: stack.enter_context(side.probe(subject, quick=self._quick, seed=self._number))
                for place, side in self._sides.items()
            }
            greetings = {place: probe.ready() for place, probe in probes.items()}
            missing = {place: greeting.missing for place, greeting in greetings.items() if greeting.missing}
            if missing:
                self._missing[subject] = missing
            found = {place: [greeting.costs] for place, greeting in greetings.items() if place not in missing}
            orders = islice(cycle(permutations(found)), self._number, self._number + passes)
            for place in chain.from_iterable(orders):
                found[place].append(probes[place].one())
        costs: dict[Key, dict[Place, list[float]]] = {}
        for place, measured in found.items():
            for name, unit, cost in chain.from_iterable(measured):
                costs.setdefault((subject, name, unit), {}).setdefault(place, []).append(cost)
        for key, of_sides in costs.items():
            self._rounds.setdefault(key, []).append(of_sides)


def _compared(
    subject: str, name: str, unit: str, rounds: Sequence[Mapping[Place, Sequence[float]]], limit: float
) -> Compared:
    low, _, high = quartiles([_ratio(costs["again"], costs["base"]) for costs in rounds])
    return Compared(
        subject=subject,
        name=name,
        unit=unit,
        this=statistics.median(chain.from_iterable(costs["this"] for costs in rounds)),
        base=statistics.median(chain.from_iterable(costs["base"] for costs in rounds)),
        ratio=statistics.median(_ratio(costs["this"], costs["base"]) for costs in rounds),
        low=low,
        high=high,
        limit=limit,
        rounds=len(rounds),
        passes=len(rounds[0]["base"]),
    )


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(above, below, strict=False))
