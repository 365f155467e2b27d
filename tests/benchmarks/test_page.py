"""The page of figures has each target and its verdict, and the picture agrees with it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.measure import Target, figure
from benchmarks.picture import svg

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "figures.md").read_text()
COUNTS = {"No target is": 0, "One target is": 1, "Two targets are": 2, "Three targets are": 3, "Four targets are": 4}


def _numbers(cell: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", cell)]


def _rows() -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]


def test_each_target_says_what_it_is_and_a_missed_one_is_marked() -> None:
    """A target is at most or at least; the table, the sentence below it and the picture have the same number."""
    missed = 0
    for _, median, target, _ in _rows()[1:]:
        if not target:
            continue
        assert target.startswith(("at most ", "at least ")), target
        most = target.startswith("at most")
        pairs = [*zip(_numbers(median), _numbers(target), strict=False)]
        met = all(value <= limit if most else value >= limit for value, limit in pairs)
        assert pairs
        assert ("**missed**" in target) is not met, target
        missed += not met
    (said,) = re.findall(r"^(\w+ targets? (?:is|are)) missed", PAGE, re.MULTILINE)
    assert COUNTS[said] == missed == (DOCS / "benchmarks.svg").read_text().count(": missed)")


def test_a_picture_has_a_background_of_its_own_and_a_legend() -> None:
    """A picture can be opened by itself, in light and dark; targets are texts, and the foot has the date."""
    rows = [
        figure("decode", "one", "x", [3.0], target=Target(most=2.0)),
        figure("decode", "two", "x", [9.0], target=Target(least=8)),
    ]
    drawn = svg(rows, {"date": "2026-11-30", "libraries": "listenkey 0.2.0"})
    first = ET.fromstring(drawn)[1]  # noqa: S314 - our own
    assert first.get("class") == "background"
    assert float(first.get("height", 0)) + 1 == float(ET.fromstring(drawn).get("height", 0))  # noqa: S314 - our own
    assert drawn.count(".background {") == 2
    for said in ("(at most 2: missed)", "(at least 8: met)", "a target is missed", "measured on 2026-11-30"):
        assert f"{said}</text>" in drawn
    assert ">decode, times<" in drawn


def test_a_picture_shows_comparisons_alone() -> None:
    """A figure without ratio and target is only in the table, so that the picture fits a screen."""
    rows = [figure("start", "import all", "ms", [3.0]), figure("start", "import one / import all", "x", [0.5])]
    drawn = svg(rows, {})
    assert "import one / import all" in drawn
    assert drawn.count("import all<") == 1
