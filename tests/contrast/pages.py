"""The table as the read-me and docs/why.md show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/why.md")
CCXT = 4
"""The column of ccxt."""


def shown(page: str, *, ccxt: bool) -> list[tuple[str, ...]]:
    """Return the cells between the markers without the head, and with or without the column of ccxt."""
    found = re.search("<!-- contrast: begin -->\n(.*?)<!-- contrast: end -->", (ROOT / page).read_text(), re.DOTALL)
    if found is None:
        raise ValueError(f"{page} has no such table")
    rows = [tuple(line.removeprefix("| ").removesuffix(" |").split(" | ")) for line in found[1].splitlines()[2:]]
    return rows if ccxt else [(*row[:CCXT], *row[CCXT + 1 :]) for row in rows]


def says(shown: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> bool:
    """True if the rows are those of a page; a cell with "this, or that" depends on timing, and both are right."""
    if len(shown) != len(rows):
        return False
    cells = zip(chain.from_iterable(shown), chain.from_iterable(rows), strict=True)
    return all(cell in (said, *said.split(", or ")) for said, cell in cells)
