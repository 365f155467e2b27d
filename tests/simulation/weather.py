"""The faults in force, and the callbacks at their beginning and end."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from listenkey.adapters.simulator.seeds import seeded

from .agenda import Agenda
from .faults import Fault

Ear = Callable[[Fault, Random], None]


class Weather:
    """Calls `begins` and `ends` with each fault, and with a random generator of its own."""

    def __init__(self, agenda: Agenda, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        self.begins: list[Ear] = []
        self.ends: list[Ear] = []
        self._agenda = agenda
        self._on: dict[str, list[Fault]] = {}
        for fault in faults:
            agenda.at(fault.at, self._begin, fault)

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self._agenda.now

    def on(self, kind: str) -> Fault | None:
        """Return the fault of this kind that is in force; of several, the one that ends last."""
        found = self._on.get(kind)
        return max(found, key=lambda fault: fault.at + fault.seconds) if found else None

    def clears(self, kind: str) -> float:
        """Return when the fault of this kind in force ends; now, if there is none."""
        fault = self.on(kind)
        return self._agenda.now if fault is None else max(self._agenda.now, fault.at + fault.seconds)

    def _begin(self, fault: Fault) -> None:
        random = seeded(fault.salt, fault.kind)
        self._on.setdefault(fault.kind, []).append(fault)
        self._agenda.at(fault.at + fault.seconds, self._end, fault, random)
        for ear in self.begins:
            ear(fault, random)

    def _end(self, fault: Fault, random: Random) -> None:
        self._on[fault.kind].remove(fault)
        for ear in self.ends:
            ear(fault, random)
