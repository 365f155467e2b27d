"""The table as the read-me and docs/why.md show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/why.md")
CCXT = 4
"""Its column."""


def shown(page: str, *, ccxt: bool) -> list[tuple[str, ...]]:
    """The cells between the markers, without the head; without the column of ccxt where that is not asked for."""
    found = re.search("<!-- contrast: begin -->\n(.*?)<!-- contrast: end -->", (ROOT / page).read_text(), re.DOTALL)
    if found is None:
        raise ValueError(f"{page} has no such table")
    rows = [tuple(line.removeprefix("| ").removesuffix(" |").split(" | ")) for line in found[1].splitlines()[2:]]
    return rows if ccxt else [(*row[:CCXT], *row[CCXT + 1 :]) for row in rows]


def says(shown: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> bool:
    """True if the rows are as a page shows them; where it has "this, or that" it depends on who comes first."""
    if len(shown) != len(rows):
        return False
    cells = zip(chain.from_iterable(shown), chain.from_iterable(rows), strict=True)
    return all(cell in (said, *said.split(", or ")) for said, cell in cells)
