"""Over real sockets and websockets, on the wires of BingX, whatever goes wrong: every fill once; the books matched."""

from __future__ import annotations

import pytest

from .conftest import Outcomes
from .scenarios import Played, played
from .wires import spoken

pytestmark = pytest.mark.loopback
LINES = [line for line in played("websockets") if line.wire in spoken("bingx-swap")]


@pytest.mark.parametrize("line", LINES, ids="-".join)
def test_scenario(outcomes: Outcomes, line: Played) -> None:
    """Order, interval, price and fee of every fill since the stream began are those of the exchange, none lost, none
    twice, per order in order while no gap is open; no account came that there never was; sums and ledger match;
    nobody's key was deleted. What else a scenario must keep is in its own words in `scenarios/`.
    """
    if (error := outcomes[line]) is not None:
        raise error


def test_each_is_played(outcomes: Outcomes) -> None:
    """Every line of this file has been played, and nothing else."""
    assert sorted(outcomes) == sorted(LINES)
