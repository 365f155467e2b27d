"""The admission of scenarios: one at least, slowly more, and fewer when the loop is late. Time is simulated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from .admission import BUSY, LATE, PROMPT, TICK, TICKS, Admission


class Machine:
    """A simulated loop whose scenarios each take the share `load` of its time; above 1 in all, ticks are late."""

    def __init__(self, load: float) -> None:
        self.load = load
        self.now = self.spent = 0.0
        self.admission = Admission(lambda: self.now, lambda: self.spent)

    def measure(self, times: int = 1) -> list[int]:
        """Let every admitted scenario begin and stay; return the number that runs after each measurement."""
        seen = []
        for _ in range(times):
            self.admission.running = max(self.admission.running, self.admission.allowed)
            self._tick()
            seen.append(self.admission.running)
        return seen

    def finish(self) -> None:
        """End the scenarios beyond the allowed number."""
        self.admission.running = min(self.admission.running, self.admission.allowed)

    def _tick(self) -> None:
        wanted = self.admission.running * self.load
        late = 0.0 if wanted < 1 else wanted * LATE * 2
        for _ in range(TICKS):
            self.now += TICK + late
            self.spent += min(1.0, wanted) * (TICK + late)
            self.admission.ticked(late)


def test_it_begins_with_one_and_adds_one_at_a_time() -> None:
    """While the loop is prompt and idle, each measurement allows one more."""
    machine = Machine(load=0.01)
    assert machine.measure(6) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("load", "carried"), [(0.05, 15), (0.2, 4), (0.6, 2), (0.8, 1), (3.0, 1)])
def test_it_finds_what_a_machine_carries(load: float, carried: int) -> None:
    """No more begin when the loop is busy most of the time; on a machine that is too slow for one, one runs."""
    machine = Machine(load)
    for _ in range(60):
        machine.measure()
        machine.finish()
    assert machine.admission.allowed == pytest.approx(carried, abs=1)
    assert machine.admission.allowed >= 1


def test_it_gives_way_and_comes_back() -> None:
    """When the machine is busy, none begins until fewer run, down to one; when it is idle again, more do."""
    machine = Machine(load=0.05)
    machine.measure(10)
    machine.load = 2.0
    for _ in range(20):
        machine.measure()
        machine.finish()
    assert machine.admission.allowed == 1
    machine.load = 0.05
    assert machine.measure(5) == [1, 2, 3, 4, 5]


def test_one_late_tick_is_none() -> None:
    """One late tick, as of a long computation of one scenario, does not lower the number."""
    admission = Admission(lambda: 0.0, lambda: 0.0)
    admission.running = admission.allowed = 5
    for late in (2 * LATE, *[0.0] * (TICKS - 1)):
        admission.ticked(late)
    assert admission.allowed >= 5


def test_those_who_are_not_here_are_not_waited_for() -> None:
    """The allowed number does not rise while places are unused, since only running scenarios are measured."""
    admission = Admission(lambda: 0.0, lambda: 0.0)
    for _ in range(10):
        admission.decide(0.0, 0.0)
    assert admission.allowed == 1


@pytest.mark.parametrize(
    ("late", "share", "change"),
    [
        (0.0, 0.0, 1),
        (PROMPT, BUSY, 1),
        (PROMPT * 1.01, 0.0, 0),
        (0.0, BUSY * 1.01, 0),
        (LATE, 0.1, 0),
        (LATE * 1.01, 0.1, -1),
    ],
)
def test_what_a_measurement_decides(late: float, share: float, change: int) -> None:
    """Lateness and load must both be low for another place; only lateness takes one away."""
    admission = Admission(lambda: 0.0, lambda: 0.0)
    admission.running = admission.allowed = 4
    admission.decide(late, share)
    assert admission.allowed == 4 + change


def test_places() -> None:
    """Places are given in the order of requests, each to one scenario, and returned even after an error."""
    admission, said = Admission(lambda: 0.0, lambda: 0.0), list[str]()

    async def guest(name: str, until: asyncio.Event) -> None:
        async with admission.place():
            said.append(f"{name} in")
            await until.wait()
            if name == "a":
                raise ValueError(name)
        said.append(f"{name} out")

    async def night() -> None:
        leaves = {name: asyncio.Event() for name in "abc"}
        guests = {name: asyncio.create_task(guest(name, leaves[name])) for name in "abc"}
        await _until(lambda: said == ["a in"])
        leaves["a"].set()
        with pytest.raises(ValueError, match="a"):
            await guests["a"]
        await _until(lambda: said == ["a in", "b in"])
        admission.decide(0.0, 0.0)
        await _until(lambda: said == ["a in", "b in", "c in"])
        leaves["b"].set()
        leaves["c"].set()
        await asyncio.gather(guests["b"], guests["c"])
        assert (admission.running, admission.most) == (0, 2)

    asyncio.run(night())


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(20):
        await asyncio.sleep(0)
    assert holds()
