"""Over real sockets, whatever goes wrong: every fill once, equal to the exchange's, and the books matched."""

from __future__ import annotations

import pytest

from .conftest import Outcomes
from .scenarios import ALONE, TABLE

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("transport", ["aiohttp", "websockets"])
@pytest.mark.parametrize("name", [*TABLE, *ALONE])
def test_scenario(outcomes: Outcomes, name: str, transport: str) -> None:
    """Order, interval, price and fee of every fill since the stream began are those of the exchange, none lost, none
    twice, per order in order while no gap is open; no account was told that there never was; the ledger matches.
    What else a scenario must keep is in its own words in `scenarios.py`.
    """
    error = outcomes[name, transport]
    if error is not None:
        raise error
