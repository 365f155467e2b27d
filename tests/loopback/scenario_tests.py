"""The tests of every file of scenarios: each file has its `LINES`, and plays them in a process of its own."""

from __future__ import annotations

import pytest

from .conftest import Outcomes
from .scenarios import Played


def test_scenario(outcomes: Outcomes, line: Played) -> None:
    """Each fill since the stream's beginning is delivered once, with the exchange's order, interval, price and fee, and
    in sequence per order while no gap is open; every delivered account existed; sums and ledger match; no key in use
    is deleted. Further rules are in the docstrings of `scenarios/`.
    """
    if (error := outcomes[line]) is not None:
        raise error


def test_each_is_played(request: pytest.FixtureRequest, outcomes: Outcomes) -> None:
    """The lines of the file, and no others, have been played."""
    assert sorted(outcomes) == sorted(request.module.LINES)
