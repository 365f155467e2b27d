"""The trial of one mutant: the tests that reach it are run."""

from __future__ import annotations

import importlib
import resource
import signal
import warnings
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from .fork import Outcome
from .loader import supply
from .mutant import Mutant
from .reach import Reach
from .session import Session, allow, be_silent, keep_to_this_process

PATIENCE = 5
"""The factor by which a test may take longer than without a mutant and with every line traced."""
FLOOR = 2.0
"""The least time limit of a test, s."""
IMPORT = 20.0
"""The time limit for importing and collecting the tests, s."""
MEMORY = 4 << 30


class Fate(StrEnum):
    """The fate of a mutant; a stillborn one cannot be imported and is not counted."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    STILLBORN = "stillborn"


class Verdict(NamedTuple):
    """The fate of a mutant, and the test that decided it."""

    fate: Fate
    test: str = ""


def batches(mutant: Mutant, reach: Reach) -> list[dict[str, float]]:
    """Return the tests of the module's own subject, then the rest, which most mutants do not reach."""
    own: dict[str, float] = {}
    rest: dict[str, float] = {}
    for test, seconds in reach.of(mutant).items():
        (own if f"test_{mutant.source.path.stem}.py" in test else rest)[test] = seconds
    return [batch for batch in (own, rest) if batch]


def try_out(mutant: Mutant, reach: Reach) -> list[str]:
    """Run the tests in this process, a child; return the fate and the test."""
    be_silent()
    keep_to_this_process()
    with suppress(OSError, ValueError):  # not every kernel lets a process limit its own
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    supply({mutant.source.name: (mutant.source.path, mutant.text)})
    allow(IMPORT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(mutant.source.name)
    except Exception as error:
        return [Fate.STILLBORN, repr(error)]
    for batch in batches(mutant, reach):
        allow(IMPORT)
        session = Session(batch, lambda seconds: max(FLOOR, PATIENCE * seconds))
        if not session.run(sorted({test.partition("::")[0] for test in batch})):
            return [Fate.KILLED, session.failed or ""]
    return [Fate.SURVIVED, ""]


def verdict(outcome: Outcome) -> Verdict:
    """Return the verdict of a trial's process, also of one that was killed."""
    if outcome.signal in (signal.SIGVTALRM, signal.SIGKILL):
        return Verdict(Fate.TIMED_OUT)
    if outcome.signal:
        return Verdict(Fate.KILLED, signal.Signals(outcome.signal).name)
    fate, test = outcome.result
    return Verdict(Fate(fate), test)


def longest(mutant: Mutant, reach: Reach) -> float:
    """The seconds of real time after which a trial is given up, even on a busy machine."""
    return 2 * IMPORT + PATIENCE * sum(reach.of(mutant).values()) + 60.0
