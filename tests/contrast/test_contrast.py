"""The table of the read-me and of docs/why.md is what happens; the column of ccxt is printed by the command."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from .loop import ReconnectLoop
from .ours import Listenkey
from .table import table

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/why.md")


def _shown(page: str) -> list[tuple[str, ...]]:
    """The cells of the table between the markers, without its head and without the column of ccxt."""
    found = re.search("<!-- contrast: begin -->\n(.*?)<!-- contrast: end -->", (ROOT / page).read_text(), re.DOTALL)
    assert found, page
    rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in found[1].splitlines()[2:]]
    return [(*row[:3], row[4]) for row in rows]


@pytest.mark.loopback
def test_the_table_is_what_happens() -> None:
    """After each accident a reconnect loop and listenkey have what the pages say."""
    rows = asyncio.run(table([ReconnectLoop, Listenkey]))
    for page in PAGES:
        assert _shown(page) == rows, page
