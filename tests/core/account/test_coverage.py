"""The covered part of an order: a table to read, and properties against a set of single units."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.core.account.coverage import Coverage, Interval

from ..exchange import D
from ..judge import merged

TOP = 12


def coverage_of(base: str | None, *intervals: tuple[str, str]) -> Coverage:
    coverage = Coverage(None if base is None else D(base))
    for start, end in intervals:
        coverage.add(D(start), D(end))
    return coverage


@pytest.mark.parametrize(
    ("base", "covered", "begin", "reads"),
    [
        pytest.param(None, [], None, "base unknown", id="unknown"),
        pytest.param(None, [], "0", "from 0 to 0", id="from the beginning"),
        pytest.param(None, [], "3", "from 3 to 3", id="running"),
        pytest.param("3", [("3", "5")], "3", "from 3 to 5", id="known already"),
        pytest.param("3", [("3", "5")], "4", "from 3 to 5", id="inside what is covered"),
        pytest.param("3", [("3", "5")], "1", "from 1 to 1, hole to 3, island to 5", id="lowered under what is covered"),
        pytest.param("3", [], "1", "from 1 to 1", id="lowered, nothing covered"),
        pytest.param("3", [("3", "5")], "0", "from 0 to 0, hole to 3, island to 5", id="lowered to the beginning"),
        pytest.param(
            "4",
            [("4", "5"), ("7", "8"), ("9.50", "10")],
            "1",
            "from 1 to 1, hole to 4, island to 5, hole to 7, island to 8, hole to 9.5, island to 10",
            id="lowered under islands",
        ),
        pytest.param("0", [], "3", "from 3 to 3", id="raised, nothing covered"),
        pytest.param("0", [("0", "2")], "3", "from 0 to 3", id="raised over a hole"),
        pytest.param("0", [("4", "6")], "3", "from 3 to 3, hole to 4, island to 6", id="raised below an island"),
        pytest.param("0", [("4", "6")], "4", "from 4 to 6", id="raised to an island"),
        pytest.param("0", [("4", "6")], "8", "from 8 to 8", id="raised over an island"),
        pytest.param(
            "0", [("4", "6"), ("2", "3"), ("3", "4")], "0", "from 0 to 0, hole to 2, island to 6", id="joined"
        ),
    ],
)
def test_where_what_is_owed_begins(base: str | None, covered: list[Interval], begin: str | None, reads: str) -> None:
    """The base becomes known, or is lowered below the coverage, or is raised because what is below is no longer due."""
    coverage = coverage_of(base, *covered)  # type: ignore[arg-type]
    if begin is not None:
        coverage.begin(D(begin))
    assert str(coverage) == reads


def test_no_interval_that_is_empty_is_covered() -> None:
    """An interval without length covers nothing, wherever it begins."""
    coverage = coverage_of("0", ("0", "2"), ("5", "6"))
    for start, end in [("2", "2"), ("2", "1"), ("4", "3"), ("3", "3"), ("9", "9")]:
        assert coverage.add(D(start), D(end)) == []
    assert str(coverage) == "from 0 to 2, hole to 5, island to 6"


class Step(NamedTuple):
    """Cover an interval or, if its length is 0, set the base to its start."""

    start: int
    length: int


class Units:
    """The naive implementation: the base, and a set of the covered units."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.covered: set[int] = set()

    @property
    def contiguous(self) -> int:
        return next(unit for unit in range(self.base, 4 * TOP) if unit not in self.covered)

    def begin(self, base: int) -> None:
        contiguous = self.contiguous
        if contiguous < base:  # a hole that is not due any more; where nothing was covered the base moves
            self.covered |= set(range(contiguous, base))
            self.base = base if self.base == contiguous else self.base
        self.base = min(self.base, base)
        self.covered -= set(range(self.base))


steps = st.lists(st.builds(Step, st.integers(0, TOP), st.integers(0, 5)), max_size=12)


@given(st.integers(0, 4), steps)
def test_it_is_a_set_of_units(base: int, taken: list[Step]) -> None:
    """`add` returns exactly the units that were not covered before, as ordered pieces that do not overlap or touch."""
    coverage, units = Coverage(D(base)), Units(base)
    for start, length in taken:
        if length == 0:
            coverage.begin(D(start))
            units.begin(start)
        elif start >= units.base:
            interval = D(start), D(start + length)
            new = set(range(start, start + length)) - units.covered
            missing, contiguous = coverage.missing(*interval), coverage.contiguous_with(*interval)
            added = coverage.add(*interval)
            units.covered |= new
            assert unit_set(added) == new
            assert added == sorted(added) == merged(added)
            assert missing == len(new)
            assert contiguous == coverage.contiguous
            assert coverage.add(*interval) == []
        assert coverage.base == units.base
        assert coverage.contiguous == units.contiguous
        assert coverage.top == max(units.contiguous, *(unit + 1 for unit in units.covered), 0)
        assert coverage.has_holes == (coverage.top > coverage.contiguous)
        assert all(
            coverage.missing(D(unit), D(unit + 1)) == (unit not in units.covered) for unit in range(units.base, 20)
        )


@given(st.lists(st.builds(Step, st.integers(0, TOP), st.integers(1, 5)), max_size=8), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(taken: list[Step], rng: random.Random) -> None:
    """The same intervals give the same coverage in any order and with any repeats."""
    shuffled = [*taken, *taken]
    rng.shuffle(shuffled)
    one, other = Coverage(Decimal(0)), Coverage(Decimal(0))
    for into, some in ((one, taken), (other, shuffled)):
        for start, length in some:
            into.add(D(start), D(start + length))
    assert str(one) == str(other)


def unit_set(intervals: list[Interval]) -> set[int]:
    return {unit for start, end in intervals for unit in range(int(start), int(end))}
