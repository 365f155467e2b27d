"""What is played over real sockets is a list, checked in, so that nobody drops any of it unnoticed."""

from __future__ import annotations

from . import test_binance, test_over_aiohttp, test_over_websockets
from .listing import LISTING, written


def test_the_list_is_that_of_the_table() -> None:
    """Each scenario, transport and wire."""
    assert LISTING.read_text() == written(), "python -m tests.loopback.listing writes it"


def test_the_files_play_the_list() -> None:
    """A file plays one transport, so that two processes share the work; together they leave nothing out."""
    lines = [line for line in LISTING.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(map(str, test_over_aiohttp.LINES + test_over_websockets.LINES + test_binance.LINES)) == sorted(lines)
