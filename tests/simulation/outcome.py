"""The outcome of one life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .faults import KINDS, Fault
from .judge import Judge

NOTICED_WITHIN = 200.0
"""An audit every 120 s looks at what is older than 5 s; one that fails is repeated within 60 s."""
CALM_AFTER = 300.0


class Outcome(NamedTuple):
    """One life in figures. Times are lists of virtual seconds; `survived` counts deaths and full disks by kind."""

    seed: int
    mode: str
    violation: str | None
    hours: float
    faults: Counter[str]
    made: int
    inside: int
    inside_each: bool
    delivered: int
    restarts: int
    survived: Counter[str]
    gaps: int
    blind: list[float]
    detected: list[float]
    recovered: list[float]
    latencies: list[float]
    digest: str


def times(judge: Judge, faults: Sequence[Fault]) -> tuple[list[float], list[float]]:
    """Return, for faults not disturbed by others, the seconds until a gap was open and from their end until health."""
    detected, recovered = [], []
    harmful = [fault for fault in faults if not KINDS[fault.kind].harmless]
    for fault in harmful:
        end = fault.at + fault.seconds
        opened = next((at for at, _ in judge.gaps if fault.at <= at <= end + NOTICED_WITHIN), None)
        if opened is None:
            continue
        healed = next((at for at in judge.healed_at if at > max(opened, end)), None)
        if healed is not None and not any(
            fault is not other and other.at + other.seconds > fault.at - CALM_AFTER and other.at < healed
            for other in harmful
        ):
            detected.append(opened - fault.at)
            recovered.append(healed - end)
    return detected, recovered
