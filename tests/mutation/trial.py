"""One mutant against the tests that reach it."""

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
"""A test may compute so many times as long as it does without a mutant and with every line traced,"""
FLOOR = 2.0
"""but at least so many seconds;"""
IMPORT = 20.0
"""and importing and collecting the tests may take so long."""
MEMORY = 4 << 30


class Fate(StrEnum):
    """The fate of a mutant; a stillborn one cannot even be imported and counts nowhere."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    STILLBORN = "stillborn"


class Verdict(NamedTuple):
    """The fate, and the test that brought it."""

    fate: Fate
    test: str = ""


def batches(mutant: Mutant, reach: Reach) -> list[dict[str, float]]:
    """The tests of the module's own subject, then the rest: most mutants die before the rest is even imported."""
    own: dict[str, float] = {}
    rest: dict[str, float] = {}
    for test, seconds in reach.of(mutant).items():
        (own if f"test_{mutant.source.path.stem}.py" in test else rest)[test] = seconds
    return [batch for batch in (own, rest) if batch]


def try_out(mutant: Mutant, reach: Reach) -> list[str]:
    """Run them, in a process of its own: the fate, and the test."""
    be_silent()
    keep_to_this_process()
    with suppress(OSError, ValueError):  # not every kernel lets a process bound its own
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
    """The verdict of a trial's process, even if it did not live to give it."""
    if outcome.signal in (signal.SIGVTALRM, signal.SIGKILL):
        return Verdict(Fate.TIMED_OUT)
    if outcome.signal:
        return Verdict(Fate.KILLED, signal.Signals(outcome.signal).name)
    fate, test = outcome.result
    return Verdict(Fate(fate), test)


def longest(mutant: Mutant, reach: Reach) -> float:
    """Seconds by the clock on the wall after which a trial is hopeless, however busy the machine is."""
    return 2 * IMPORT + PATIENCE * sum(reach.of(mutant).values()) + 60.0
