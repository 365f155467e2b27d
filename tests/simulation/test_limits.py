"""Recoveries, however many, stay within the venue's limits as the exchange itself counts them, in virtual time."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from .faults import Fault
from .life import Life
from .services import adapted
from .setup import setup_of

MINUTE = 60.0
CUTS = 60


def test_sixty_cuts_in_an_hour_touch_no_limit(tmp_path: Path) -> None:
    """At the policy's defaults no call is refused or fails, each cut is one gap, and a link is soon back."""
    cuts = tuple(Fault("drop", MINUTE * number, 0.0, salt=number) for number in range(1, CUTS + 1))
    setup = setup_of(7, mode="ws", full_day=True, hours=(CUTS + 2) / 60)._replace(
        faults=cuts, closed_stops="listed", fill_rows=None, journal=False, greets=True
    )
    life = Life(setup, tmp_path)
    with adapted(setup.fill_rows):
        outcome = life.run()
    assert outcome.violation is None
    assert outcome.made > CUTS
    assert life.market.door.refused == []
    assert outcome.gaps == CUTS
    assert median(outcome.blind) < 0.5
