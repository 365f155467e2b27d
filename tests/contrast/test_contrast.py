"""The table of the read-me and of docs/why.md is true; the column of ccxt is checked by the command."""

from __future__ import annotations

import asyncio

import pytest

from .loop import ReconnectLoop
from .ours import Listenkey
from .pages import PAGES, shown
from .table import table


@pytest.mark.loopback
def test_the_table_is_what_happens() -> None:
    """After each accident the cells of a reconnect loop and of listenkey are those of the pages."""
    rows = asyncio.run(table([Listenkey, ReconnectLoop]))
    for page in PAGES:
        assert shown(page, ccxt=False) == rows, page
