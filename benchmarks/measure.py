"""The methods of measuring: contenders take turns in one run, so that all have the same noise."""

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
"""A function that does its work once, from a new beginning, and returns the CPU ns of this thread."""
Verdict = Literal["met", "missed", ""]


class Target(msgspec.Struct, frozen=True):
    """The bound of a figure: at most `most`, or at least `least`."""

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
        """`met` or `missed`; empty without a target."""
        return "" if self.target is None else self.target.verdict(self.median)


class Absent(msgspec.Struct, frozen=True):
    """A row that could not be measured, with the reason."""

    subject: str
    name: str
    why: str


Row = Figure | Absent


def figure(
    subject: str, name: str, unit: str, values: Sequence[float], *, target: Target | None = None, note: str = ""
) -> Figure:
    """Return the figure of these values, one for each round."""
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
    """Return the ns of each contender in each round; another goes first in each, and a first round is not counted."""
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
    """Return the ratio of each round."""
    return [one / other for one, other in zip(above, below, strict=True)]


def cpu(work: Callable[[], object]) -> int:
    """Return the CPU ns of this thread for the work; the load of other processes does not count."""
    before = time.thread_time_ns()
    work()
    return time.thread_time_ns() - before


def over(items: Sequence[Item], work: Callable[[Item], object]) -> int:
    """Return the CPU ns for the work on each item, without keeping results."""

    def loop() -> None:
        for item in items:
            work(item)

    return cpu(loop)


class Watch:
    """Measures real time since it was made, without this thread's waits for a busy CPU; waits for I/O count."""

    def __init__(self) -> None:
        self._began = time.perf_counter_ns()
        self._waited = _waited_ns()

    def seconds(self) -> float:
        """Return the seconds so far; it runs on."""
        return (time.perf_counter_ns() - self._began - (_waited_ns() - self._waited)) / 1e9


def _waited_ns() -> int:
    try:
        with open("/proc/thread-self/schedstat") as schedstat:
            return int(schedstat.read().split()[1])
    except (OSError, IndexError):  # this kernel does not count it: then the load of others is in the figures
        return 0


def resident() -> int:
    """Return the bytes of this process that are in memory now."""
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
    """Return the lower quartile, the median and the upper quartile; for one value, that value."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high
