"""The list of venues: each has a family that offers what is asked of one."""

from __future__ import annotations

import pytest

from listenkey.adapters.simulator.kinds import FAULTS_OF
from listenkey.adapters.venues.registry import SIMULATED, VENUES, family


@pytest.mark.parametrize("venue", VENUES)
def test_every_venue_has_a_family(venue: str) -> None:
    """Its dialect bears the venue's name, and each environment has addresses of its own."""
    assert family(venue).dialect(venue).name == venue
    assert family(venue).dialect(venue, cumulative_costs=True).cumulative_costs
    addresses = [family(each).hosts(each) for each in VENUES]
    assert len({*addresses}) == len(VENUES)


def test_other_names_are_refused() -> None:
    """In one line that says which there are."""
    with pytest.raises(ValueError, match=r"venue must be one of bingx-swap, .*, not 'nowhere'"):
        family("nowhere")


def test_what_is_simulated_is_a_venue() -> None:
    """The simulated exchange speaks the wire of a listed venue, of each family one, and no other."""
    assert tuple(FAULTS_OF) == SIMULATED
    assert {VENUES[venue] for venue in SIMULATED} == set(VENUES.values())
