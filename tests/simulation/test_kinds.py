"""Every kind of fault alone, and several together, break no promise. The long form is `-m tests.simulation`."""

from __future__ import annotations

from typing import Any

import pytest

from listenkey.core.policy import Mode

from .faults import KINDS, Fault, kinds_of
from .life import live
from .setup import setup_of
from .venues import SWAP


@pytest.mark.parametrize("kind", kinds_of(SWAP))
def test_every_promise_is_kept_under_every_kind_of_fault(kind: str) -> None:
    """Two faults of the kind within a few minutes, with fills inside both."""
    hours = 0.25 if kind == "ghosts" else 0.05  # denied orders are asked for ten at a time in 480 s
    setup = setup_of(1000 + list(KINDS).index(kind), kinds=(kind,), hours=hours)
    outcome = live(setup)
    assert outcome.violation is None
    assert outcome.inside_each


@pytest.mark.parametrize("kind", [kind for kind in kinds_of(SWAP) if KINDS[kind].reads])
def test_every_promise_is_kept_without_a_socket(kind: str) -> None:
    """The same without a socket, for every kind that concerns reads."""
    setup = setup_of(1000 + list(KINDS).index(kind), kinds=(kind,), hours=0.06, mode="poll")
    outcome = live(setup)
    assert outcome.violation is None
    assert outcome.inside_each
    assert outcome.delivered


@pytest.mark.parametrize("mode", ["ws", "poll"])
def test_every_promise_is_kept_when_troubles_come_together(mode: Mode) -> None:
    """A life with faults as the campaign draws them breaks no promise."""
    assert live(setup_of(31, mode=mode)).violation is None


@pytest.mark.parametrize("windows", ["exact", "seconds"])
@pytest.mark.parametrize("crowd", KINDS["crowd"].variants)
def test_a_second_with_more_fills_than_a_list_shows_is_found_or_said_to_be_unknown(crowd: str, windows: Any) -> None:
    """By shorter windows, by symbol, or by the order; only what none of them shows ends in a gap that is not proven."""
    setup = setup_of(5, hours=0.05, mode="ws")._replace(faults=(Fault("crowd", 100.0, 0.0, crowd),), journal=False)
    setup = setup._replace(fill_rows=8, fill_windows=windows, closed_stops="unknown", triggered="own")
    outcome = live(setup)
    assert outcome.violation is None
    assert outcome.delivered < outcome.made


def test_a_process_that_dies_every_minute_asks_for_few_orders_that_do_not_exist() -> None:
    """Over all processes at most ten denied orders are asked for in 480 s; in the end all two dozen are over."""
    deaths = tuple(Fault("crash", 115.0 + 60 * number, 0.0, "", number) for number in range(8))
    setup = setup_of(3, hours=0.2, mode="ws")._replace(journal=True)
    outcome = live(setup._replace(faults=(Fault("ghosts", 100.0, 0.0), Fault("ghosts", 101.0, 0.0), *deaths)))
    assert outcome.violation is None
    assert outcome.restarts >= 8
