"""Lives at Binance: its own kinds of fault, troubles together, a day on which nothing happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from listenkey.adapters.recording.replay import replay
from listenkey.core.policy import Mode

from .campaign import jobs
from .faults import KINDS, Fault, kinds_of
from .life import live
from .mistakes import BUGS
from .setup import setup_of
from .venues import FIRST_DAY, SWAP, USDM, first_seed, is_day, venue_of

FIRST = first_seed(USDM)
OWN = [kind for kind in KINDS if KINDS[kind].of == USDM]


@pytest.mark.parametrize("kind", OWN)
def test_every_promise_is_kept_under_every_kind_of_fault(kind: str) -> None:
    """Two faults of the kind within a few minutes, with fills inside both."""
    outcome = live(setup_of(FIRST + 1000 + OWN.index(kind), kinds=(kind,), hours=0.06))
    assert outcome.violation is None
    assert outcome.inside_each


@pytest.mark.parametrize(("mode", "seed"), [("ws", 31), ("poll", 31)])
def test_every_promise_is_kept_when_troubles_come_together(mode: Mode, seed: int) -> None:
    """A life with faults as the campaign draws them, but shorter, breaks no promise."""
    outcome = live(setup_of(FIRST + seed, mode=mode, hours=0.25))
    assert outcome.violation is None
    assert outcome.delivered


def test_an_idle_stream_stays_live() -> None:
    """For hours only pings come: they are answered, no gap opens, and the stream is blind only at the start."""
    setup = setup_of(FIRST + FIRST_DAY, full_day=True, mode="ws", hours=3)
    outcome = live(setup._replace(faults=(), rate=1e-9))
    assert outcome.violation is None
    assert (outcome.made, outcome.gaps, len(outcome.blind)) == (0, 0, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_half_open_socket_is_found_once_it_has_not_answered(seed: int) -> None:
    """It is found within `probe_after` and `silence_timeout`, even if nothing has happened for long."""
    setup = setup_of(FIRST + seed, mode="ws", hours=0.15)._replace(faults=(Fault("half_open", 300.0, 0.0),), rate=1e-9)
    outcome = live(setup)
    assert outcome.violation is None
    (detected,) = outcome.detected
    assert detected <= setup.policy.probe_after + setup.policy.silence_timeout + 1


def test_a_recorded_life_replays_and_has_no_key(tmp_path: Path) -> None:
    """A key is 64 letters and digits; the recording has only names of that length in their place, one for each key."""
    path = tmp_path / "life.rec"
    kinds = ("another_deletes", "crash", "foreign", "garbage", "expire")
    assert live(setup_of(FIRST + 5, hours=0.2, kinds=kinds), path).violation is None
    assert replay(path) is None
    keys = set(re.findall(rb"[A-Za-z0-9]{64}", path.read_bytes()))
    assert keys
    assert all(re.fullmatch(rb"k[0-9]+x+", key) for key in keys)


def test_a_seed_is_lived_at_one_venue() -> None:
    """Seeds below the first one of Binance are BingX's; a campaign has as many lives of each venue."""
    planned = [job.seed for job in jobs(3, 1, 0)]
    assert [(venue_of(seed), is_day(seed)) for seed in planned] == [
        *((venue, True) for venue in (SWAP, USDM)),
        *((venue, False) for venue in (SWAP, USDM) * 3),
    ]
    assert [setup_of(seed).venue for seed in planned] == [venue_of(seed) for seed in planned]
    assert {setup_of(seed).facts != {} for seed in planned} == {False, True}
    assert setup_of(FIRST + 7) == setup_of(FIRST + 7) != setup_of(7)


def test_faults_are_of_their_venue() -> None:
    """A life has no fault of another venue."""
    for seed in range(40):
        for first in (0, FIRST):
            setup = setup_of(first + seed)
            assert {fault.kind for fault in setup.faults} <= set(kinds_of(setup.venue))


def test_a_deliberate_bug_is_caught() -> None:
    """A bug is caught in lives at Binance; `-m tests.simulation.bugs` tries all of them."""
    from .bugs import catch

    assert catch("others-key", 3).invariant in BUGS["others-key"].caught_by
