"""Over real sockets, whatever goes wrong: every fill once, equal to the exchange's, and the books matched."""

from __future__ import annotations

import pytest

from .conftest import Outcomes
from .listing import LISTING, written
from .scenarios import Played, played

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("line", played(), ids="-".join)
def test_scenario(outcomes: Outcomes, line: Played) -> None:
    """Order, interval, price and fee of every fill since the stream began are those of the exchange, none lost, none
    twice, per order in order while no gap is open; no account was told that there never was; the ledger matches.
    What else a scenario must keep is in its own words in `scenarios/`.
    """
    error = outcomes[line]
    if error is not None:
        raise error


def test_the_list_is_that_of_the_table() -> None:
    """What is played is checked in, so that nobody drops a scenario, a transport or a wire unnoticed."""
    assert LISTING.read_text() == written(), "python -m tests.loopback.listing writes it"


def test_each_is_played(outcomes: Outcomes) -> None:
    """Every line of the list has been played, and nothing else."""
    lines = [line for line in LISTING.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(map(str, outcomes)) == sorted(lines)
