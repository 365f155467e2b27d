"""How things are measured: contenders take turns in one run, so that a noisy machine is noisy to all of them."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

ROOT = Path(__file__).resolve().parent.parent
Item = TypeVar("Item")
Contender = Callable[[], int]
"""Does its work once, from its own fresh beginning, and says in how many CPU nanoseconds of this thread."""
Verdict = Literal["met", "missed", ""]


class Target(msgspec.Struct, frozen=True):
    """The bound of a figure: at most or at least so much."""

    most: float | None = None
    least: float | None = None

    def verdict(self, value: float) -> Verdict:
        """`met` if the value is within the bound, else `missed`."""
        met = (self.most is None or value <= self.most) and (self.least is None or value >= self.least)
        return "met" if met else "missed"

    def __str__(self) -> str:
        return f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured number: the median of `rounds`, with the quartiles around it."""

    subject: str
    name: str
    unit: str
    median: float
    low: float
    high: float
    rounds: int
    target: Target | None = None
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Met, missed, or nothing where there is no target."""
        return "" if self.target is None else self.target.verdict(self.median)


class Absent(msgspec.Struct, frozen=True):
    """A row that could not be measured, and why."""

    subject: str
    name: str
    why: str


Row = Figure | Absent


def figure(
    subject: str, name: str, unit: str, values: Sequence[float], *, target: Target | None = None, note: str = ""
) -> Figure:
    """The figure that these values, one of each round, give."""
    low, median, high = quartiles(values)
    return Figure(
        subject=subject,
        name=name,
        unit=unit,
        median=median,
        low=low,
        high=high,
        rounds=len(values),
        target=target,
        note=note,
    )


def in_turns(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """The nanoseconds of each contender in each round; each round another goes first, and one round is for warmth."""
    names = list(contenders)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        shift = number % len(names)
        gc.collect()
        for name in names[shift:] + names[:shift]:
            spent = contenders[name]()
            if number:
                times[name].append(spent)
    return times


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Round by round."""
    return [one / other for one, other in zip(above, below, strict=True)]


def cpu(work: Callable[[], object]) -> int:
    """CPU nanoseconds of this thread; what others do on the machine does not count."""
    before = time.thread_time_ns()
    work()
    return time.thread_time_ns() - before


def over(items: Sequence[Item], work: Callable[[Item], object]) -> int:
    """CPU nanoseconds for doing the work on each item, nothing kept."""

    def loop() -> None:
        for item in items:
            work(item)

    return cpu(loop)


class Watch:
    """Real time since it was made, less what this thread waited for a CPU that others held: waiting for I/O counts."""

    def __init__(self) -> None:
        self._began = time.perf_counter_ns()
        self._waited = _waited_ns()

    def seconds(self) -> float:
        """So much; it runs on."""
        return (time.perf_counter_ns() - self._began - (_waited_ns() - self._waited)) / 1e9


def _waited_ns() -> int:
    try:
        with open("/proc/thread-self/schedstat") as schedstat:
            return int(schedstat.read().split()[1])
    except (OSError, IndexError):  # a kernel that keeps no such account: then others' load is in the figures
        return 0


def resident() -> int:
    """Bytes of this process that are in memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def apart(module: str, *arguments: str) -> Any:
    """Run `python -m benchmarks.MODULE ARGUMENTS` in a process of its own; return the JSON that it prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed: {done.stderr.strip()[-2000:]}")
    return msgspec.json.decode(done.stdout)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower one, the median and the upper one; of one value, itself."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
