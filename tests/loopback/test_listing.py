"""The list of scenarios over real sockets is a file in the repository, so that a dropped one is noticed."""

from __future__ import annotations

import pytest

from listenkey.adapters.venues.registry import SIMULATED

from . import test_others_over_aiohttp, test_others_over_websockets, test_over_aiohttp, test_over_websockets
from .listing import LISTING, written
from .scenarios.table import TRANSPORTS, played
from .wires import spoken


def test_the_list_is_that_of_the_table() -> None:
    """The list has each scenario, transport and wire of the table."""
    assert LISTING.read_text() == written(), "python -m tests.loopback.listing writes it"


def test_the_files_play_the_list() -> None:
    """Each file plays one transport with BingX or all others, to share the work; together they play the whole list."""
    lines = [line for line in LISTING.read_text().splitlines() if line and not line.startswith("#")]
    files = (test_over_aiohttp, test_over_websockets, test_others_over_aiohttp, test_others_over_websockets)
    assert sorted(str(line) for file in files for line in file.LINES) == sorted(lines)


@pytest.mark.parametrize("venue", SIMULATED)
def test_every_wire_that_is_simulated_is_played(venue: str) -> None:
    """Each simulated venue has wires here, and some scenarios are played on each of them, on both transports."""
    assert spoken(venue)
    for wire in spoken(venue):
        here, there = ([line.scenario for line in played(name) if line.wire == wire] for name in TRANSPORTS)
        assert here == there
        assert len(here) > 10
