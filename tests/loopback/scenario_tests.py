"""The tests of every file of scenarios: each file has its `LINES`, and plays them in a process of its own."""

from __future__ import annotations

import pytest

from .conftest import Outcomes
from .scenarios import Played


def test_scenario(outcomes: Outcomes, line: Played) -> None:
    """Order, interval, price and fee of every fill since the stream began are those of the exchange, none lost, none
    twice, per order in order while no gap is open; no account came that there never was; sums and ledger match;
    nobody's key was deleted. What else a scenario must keep is in its own words in `scenarios/`.
    """
    if (error := outcomes[line]) is not None:
        raise error


def test_each_is_played(request: pytest.FixtureRequest, outcomes: Outcomes) -> None:
    """Every line of the file has been played, and nothing else."""
    assert sorted(outcomes) == sorted(request.module.LINES)
