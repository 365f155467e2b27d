"""The lifecycle of five states: it makes every move of its table, and no other."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from listenkey.core.link.effects import Effects
from listenkey.core.link.lifecycle import TABLE, Lifecycle, State, Trigger, mermaid
from listenkey.core.link.pair import Successor

DESIGN = """
IDLE       start             IDLE
IDLE       key granted       KEYED
IDLE       key refused       BACKOFF
IDLE       refused for good  IDLE
KEYED      proven            CONNECTED
KEYED      lost              BACKOFF
KEYED      key gone          BACKOFF
KEYED      refused for good  IDLE
BACKOFF    delay over        IDLE
CONNECTED  aged              ROTATING
CONNECTED  key gone          ROTATING
CONNECTED  asked to rotate   ROTATING
CONNECTED  lost              BACKOFF
ROTATING   key granted       ROTATING
ROTATING   successor proven  ROTATING
ROTATING   successor failed  CONNECTED
ROTATING   drained           CONNECTED
ROTATING   key gone          ROTATING
ROTATING   lost              IDLE       successor without key
ROTATING   lost              KEYED      successor unproven
ROTATING   lost              CONNECTED  successor proven
IDLE       stop              IDLE
KEYED      stop              IDLE
CONNECTED  stop              IDLE
ROTATING   stop              IDLE
BACKOFF    stop              IDLE
"""
"""The table of the design, written a second time. In `start` and ROTATING's `key gone` the state stays the same."""

MOVES = [tuple(re.split(r"  +", line.strip())) for line in DESIGN.strip().splitlines()]


def test_table_is_the_designs() -> None:
    """The rows are exactly the design's: source, trigger, destination and, where needed, the successor's progress."""
    rows = [(row.source, row.trigger, row.target, *([row.given] if row.given else [])) for row in TABLE]
    assert sorted(rows) == sorted(MOVES)
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("source", State)
@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("progress", Successor)
def test_every_state_and_trigger(source: State, trigger: Trigger, progress: Successor) -> None:
    """A pair with a row moves as the row says and gives its effect; any other pair changes nothing."""
    rows = [
        row
        for row in TABLE
        if row.source is source and row.trigger is trigger and (row.given is None or row.given is progress)
    ]
    assert len(rows) <= 1
    lifecycle = Lifecycle()
    lifecycle.state = source
    effect = lifecycle.move(trigger, progress)
    if rows:
        assert (lifecycle.state, effect) == (rows[0].target, rows[0].effect)
    else:
        assert (lifecycle.state, effect) == (source, None)
    assert type(lifecycle.state) is State


def test_a_row_whose_condition_does_not_hold_is_no_move() -> None:
    """If all rows of a pair depend on the successor's progress and none is given, nothing moves."""
    lifecycle = Lifecycle()
    lifecycle.state = State.CONNECTED
    assert lifecycle.move(Trigger.AGED) is Effects.mint
    assert (lifecycle.move(Trigger.LOST), lifecycle.state) == (None, State.ROTATING)


def test_every_effect_is_a_method() -> None:
    """A row's effect is a method of `Effects` itself, found by reference, that takes the cause of the move."""
    for row in TABLE:
        assert list(inspect.signature(row.effect).parameters)[1].lstrip("_") == "cause"
        assert row.effect is vars(Effects)[row.effect.__name__]


def test_no_state_is_a_trap() -> None:
    """From every state every other can be reached, and all of them lead back to IDLE by `stop`."""
    for start in State:
        reached, front = {start}, {start}
        while front:
            front = {row.target for row in TABLE if row.source in front} - reached
            reached |= front
        assert reached == set(State)
    assert {row.source for row in TABLE if row.trigger is Trigger.STOP and row.target is State.IDLE} == set(State)


def test_two_lives_do_not_meet() -> None:
    """The engine is shared and has no state: connections do not affect each other, even from several threads."""

    def live(seed: int) -> bool:
        rng, lifecycle, state = Random(seed), Lifecycle(), State.IDLE
        for _ in range(300):
            trigger, progress = rng.choice(list(Trigger)), rng.choice(list(Successor))
            rows = [row for row in TABLE if (row.source, row.trigger) == (state, trigger)]
            row = next((row for row in rows if row.given in (None, progress)), None)
            state = row.target if row else state
            if (lifecycle.move(trigger, progress), lifecycle.state) != (row.effect if row else None, state):
                return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(live, range(32)))


def test_the_diagram_is_the_table() -> None:
    """Every row is on an arrow between its two states, every arrow's label is a row, and no arrow comes twice."""
    lines = mermaid().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> IDLE"]
    assert mermaid().endswith("\n")
    drawn = []
    for line in lines[2:]:
        arrow = re.fullmatch(r"    (\w+) --> (\w+): (.+)", line)
        assert arrow is not None
        source, target, labels = arrow.groups()
        drawn.append([(source, target, label) for label in labels.split(" / ")])
    assert len({arrow[0][:2] for arrow in drawn}) == len(drawn)
    rows = [(row.source, row.target, f"{row.trigger} ({row.given})" if row.given else row.trigger) for row in TABLE]
    assert sorted(label for arrow in drawn for label in arrow) == sorted(rows)


def test_the_engine_is_silent() -> None:
    """With logging as programs find it, no move writes to standard output or error."""
    code = (
        "from listenkey.core.link.lifecycle import *\n"
        "for state in State:\n"
        "    for trigger in Trigger:\n"
        "        lifecycle = Lifecycle(); lifecycle.state = state; lifecycle.move(trigger, Successor.PROVEN)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, check=True, timeout=600)
    assert (done.stdout, done.stderr) == (b"", b"")
