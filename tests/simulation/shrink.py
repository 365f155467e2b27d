"""Finds the smallest list of faults that still breaks the same promise."""

from __future__ import annotations

from collections.abc import Callable

from .faults import Fault
from .life import live
from .outcome import Outcome
from .setup import Setup


def invariant(outcome: Outcome) -> str | None:
    """Return the name of the broken invariant, None if none is."""
    return None if outcome.violation is None else outcome.violation.partition(":")[0]


def shrink(setup: Setup, say: Callable[[str], None] = lambda _text: None) -> Setup:
    """Leave out halves, quarters and so on of the faults, as long as the same invariant is broken."""
    broken = invariant(live(setup))
    if broken is None:
        return setup
    faults, parts = setup.faults, 2
    while faults:
        size = max(1, len(faults) // parts)
        for start in range(0, len(faults), size):
            fewer: tuple[Fault, ...] = faults[:start] + faults[start + size :]
            if invariant(live(setup._replace(faults=fewer))) == broken:
                faults, parts = fewer, max(2, parts - 1)
                say(f"{len(faults)} faults are enough")
                break
        else:
            if size == 1:
                break
            parts = min(len(faults), parts * 2)
    return setup._replace(faults=faults)
