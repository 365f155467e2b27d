"""Two sides in turns: the ratios, the spread of one with itself, and rows that cannot be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import permutations

import pytest

from benchmarks.comparison import Alone, Compared, Comparison, Prober
from benchmarks.probe import Costs
from benchmarks.report import compared_json, compared_table
from benchmarks.sides import Greeting


class Script:
    """A side whose passes cost what a test gives, and which records the passes."""

    def __init__(
        self, costs: Callable[[], Costs], *, ready: Costs | None = None, lacks: Mapping[str, str] | None = None
    ) -> None:
        self.asked: list[object] = []
        self.seeds: list[int] = []
        self._costs, self._ready, self._lacks = costs, ready or [], lacks or {}

    @contextmanager
    def probe(self, subject: str, *, quick: bool, seed: int) -> Iterator[Prober]:
        self.seeds.append(seed)
        yield _Probe(self, self._lacks.get(subject, ""))

    def greet(self, missing: str) -> Greeting:
        return Greeting([], missing, [] if missing else self._ready)

    def one(self, probe: object) -> Costs:
        self.asked.append(probe)
        return self._costs()


class _Probe:
    def __init__(self, side: Script, missing: str) -> None:
        self._side, self._missing = side, missing

    def ready(self) -> Greeting:
        return self._side.greet(self._missing)

    def one(self) -> Costs:
        assert not self._missing
        return self._side.one(self)


def steady(cost: float) -> Script:
    """Return a side of one row that always costs the same."""
    return Script(lambda: [("row", "us", cost)])


def rows(
    this: Script, base: Script, *, rounds: int = 3, passes: int = 6, limit: float = 1.05
) -> list[Compared | Alone]:
    """Return the rows of one subject after some rounds."""
    comparison = Comparison(this, base, {"subject": passes})
    for _ in range(rounds):
        comparison.round()
    return comparison.rows(limit)


def compared(ratio: float, low: float = 1.0, high: float = 1.0, limit: float = 1.05) -> Compared:
    """Return a row with these figures."""
    return Compared(
        subject="subject",
        name="row",
        unit="us",
        this=ratio,
        base=1.0,
        ratio=ratio,
        low=low,
        high=high,
        limit=limit,
        rounds=3,
        passes=2,
    )


def test_steady_costs_give_their_ratio() -> None:
    """Without noise the ratio is that of the costs, and that of the base with itself is 1."""
    (row,) = rows(steady(11.0), steady(10.0), rounds=4, passes=5)
    assert row == Compared(
        subject="subject",
        name="row",
        unit="us",
        this=11.0,
        base=10.0,
        ratio=1.1,
        low=1.0,
        high=1.0,
        limit=1.05,
        rounds=4,
        passes=5,
    )
    assert row.verdict == "beyond"


@pytest.mark.parametrize("drift", [1.01, 0.99])
def test_a_drift_of_the_machine_cancels(drift: float) -> None:
    """If all costs drift in a round, neighbouring passes have the same drift, and the ratio stays."""
    pace = 1.0

    def at(cost: float) -> Callable[[], Costs]:
        def costs() -> Costs:
            nonlocal pace
            pace *= drift
            return [("row", "us", cost * pace)]

        return costs

    (row,) = rows(Script(at(12.0)), Script(at(10.0)), rounds=4, passes=24)
    assert isinstance(row, Compared)
    assert row.ratio == pytest.approx(1.2, rel=0.002)
    assert [row.low, row.high] == pytest.approx([1.0, 1.0], rel=0.002)


def test_single_bad_passes_and_single_bad_rounds_do_not_count() -> None:
    """Medians are taken of neighbours and of rounds, so that outliers in less than half of them change nothing."""
    number = 0

    def disturbed() -> Costs:
        nonlocal number
        number += 1
        bad = number % 5 == 0 or number <= 5
        return [("row", "us", 70.0 if bad else 10.0)]

    (row,) = rows(Script(disturbed), steady(10.0), rounds=5, passes=5)
    assert isinstance(row, Compared)
    assert row.ratio == 1.0


def test_everyone_is_asked_once_a_pass_in_every_order() -> None:
    """Six passes have all six orders, the next round begins with another one, and in a round all have one seed."""
    asked: list[str] = []

    def noting(name: str) -> Script:
        def costs() -> Costs:
            asked.append(name)
            return [("row", "us", 1.0)]

        return Script(costs)

    this, base = noting("this"), noting("base")
    rows(this, base, rounds=2, passes=6)
    places = {id(probe): place for probe, place in zip(dict.fromkeys(base.asked), "bcbc", strict=True)}
    again = iter(base.asked)
    letters = ["t" if name == "this" else places[id(next(again))] for name in asked]
    orders = [tuple(letters[start : start + 3]) for start in range(0, len(letters), 3)]
    first, second = orders[:6], orders[6:]
    assert set(first) == set(second) == set(permutations("tbc"))
    assert first[0] != second[0]
    assert (this.seeds, base.seeds) == ([1, 2], [1, 1, 2, 2])


def test_what_getting_ready_cost_is_one_sample_a_round() -> None:
    """Preparation is compared like a pass, and the row has the number of samples."""
    this = Script(lambda: [("row", "us", 1.0)], ready=[("memory", "KiB", 30.0)])
    base = Script(lambda: [("row", "us", 1.0)], ready=[("memory", "KiB", 20.0)])
    memory, row = rows(this, base, rounds=3, passes=4)
    assert isinstance(memory, Compared)
    assert isinstance(row, Compared)
    assert (memory.name, memory.ratio, memory.rounds, memory.passes) == ("memory", 1.5, 3, 1)
    assert (row.name, row.passes) == ("row", 4)


def test_a_row_of_one_side_is_named() -> None:
    """A row of one side is named, and the other rows of its subject are compared."""
    this = Script(lambda: [("row", "us", 1.0), ("new", "us", 1.0)])
    base = Script(lambda: [("old", "us", 1.0), ("row", "us", 1.0)])
    found = rows(this, base)
    assert [row.name for row in found if isinstance(row, Compared)] == ["row"]
    assert [row for row in found if isinstance(row, Alone)] == [
        Alone("subject", "new", "this", ""),
        Alone("subject", "old", "base", ""),
    ]


def test_a_row_that_comes_less_often_on_one_side_is_compared_as_often() -> None:
    """A row may come in fewer passes on one side: as many are compared as both have."""
    names = iter("aabab" * 3)
    this = Script(lambda: [(next(names), "us", 3.0)])
    base = Script(lambda: [("a", "us", 2.0)])
    first = rows(this, base, rounds=3, passes=5)[0]
    assert isinstance(first, Compared)
    assert (first.name, first.ratio) == ("a", 1.5)


@pytest.mark.parametrize("lacking", ["this", "base"])
def test_a_subject_that_one_side_lacks_is_measured_once_and_named(lacking: str) -> None:
    """The subject's rows name what the other side lacks, and the other subjects are measured on."""
    lacks = {"new": "ImportError: no such thing"}
    poor, rich = Script(lambda: [("row", "us", 1.0)], lacks=lacks), steady(1.0)
    this, base = (poor, rich) if lacking == "this" else (rich, poor)
    comparison = Comparison(this, base, {"new": 2, "old": 2})
    for _ in range(3):
        comparison.round()
    alone, row = comparison.rows(1.05)
    assert alone == Alone("new", "row", "base" if lacking == "this" else "this", "ImportError: no such thing")
    assert isinstance(row, Compared)
    assert (row.subject, row.rounds) == ("old", 3)


def test_a_subject_that_neither_side_has_is_named() -> None:
    """A subject that neither side has gets a row too."""
    lacks = {"subject": "ImportError: no such thing"}
    poor = Script(lambda: [("row", "us", 1.0)], lacks=lacks)
    assert rows(poor, poor) == [Alone("subject", "all of it", "neither", "ImportError: no such thing")]


@pytest.mark.parametrize(
    ("row", "bound", "verdict"),
    [
        (compared(1.05), 1.05, "within"),
        (compared(1.051), 1.05, "beyond"),
        (compared(1.04, limit=1.03), 1.03, "beyond"),
        (compared(1.2, low=0.98, high=1.25), 1.25, "within"),
        (compared(1.2, low=0.8, high=1.1), 1.25, "within"),
        (compared(1.3, low=0.8, high=1.1), 1.25, "beyond"),
        (compared(0.5), 1.05, "within"),
    ],
)
def test_the_bound_is_the_limit_or_the_spread_where_that_is_larger(row: Compared, bound: float, verdict: str) -> None:
    """The spread counts on both sides of 1; a lower cost is always within the bound."""
    assert (row.bound, row.verdict) == (bound, verdict)


def test_the_spread_is_the_quartiles_of_the_base_against_itself() -> None:
    """Four rounds of 1.0, 1.1, 1.2 and 1.3 have the quartiles 1.075 and 1.225; a single round has its own ratio."""
    passes = iter([10.0, 10.0, 10.0, 11.0, 10.0, 12.0, 10.0, 13.0])
    noisy = Script(lambda: [("row", "us", next(passes))])
    comparison = Comparison(steady(10.0), Ordered(noisy), {"subject": 1})
    for _ in range(4):
        comparison.round()
    (row,) = comparison.rows(1.05)
    assert isinstance(row, Compared)
    assert [row.low, row.high] == pytest.approx([1.075, 1.225])
    assert row.bound == row.high


class Ordered:
    """A side whose pass costs are fixed when a probe begins, so that the order of passes does not matter."""

    def __init__(self, side: Script) -> None:
        self._side = side

    @contextmanager
    def probe(self, subject: str, *, quick: bool, seed: int) -> Iterator[Prober]:
        costs = self._side.one(self)
        with Script(lambda: costs).probe(subject, quick=quick, seed=seed) as probe:
            yield probe


def test_table_and_data_say_the_same() -> None:
    """Table and data have every row, with its verdict and its bound."""
    found: list[Compared | Alone] = [
        compared(1.2),
        Alone("other", "new row", "this", "ImportError: old"),
        Alone("third", "all", "neither", ""),
    ]
    printed, written = compared_table(found), compared_json(found, {"date": "today"}).decode()
    for text in (
        "1.200",
        "1.000 .. 1.000",
        "1.050",
        "3 x 2",
        "beyond",
        "in this alone: ImportError: old",
        "on neither",
    ):
        assert text in printed
    for text in ('"ratio": 1.2', '"bound": 1.05', '"verdict": "beyond"', '"side": "this"', '"date": "today"'):
        assert text in written
