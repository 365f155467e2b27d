"""The exchange's door for REST: which fault a call meets, and how much of the account is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.listenkeys import ListenKeys
from listenkey.ports.http import HttpResponse

from .faults import Fault
from .setup import Setup
from .spoiling import Columns, Spoiling
from .weather import Weather

TORN = 0.3
"""Share of the requests of a read that fail; a read has about ten."""


class Door(ABC):
    """`refused` lists the calls that failed: time, call, reason. `ended_keys` are keys that end before their time."""

    def __init__(self, weather: Weather, setup: Setup, exchange: Exchange, keys: ListenKeys, columns: Columns) -> None:
        self.refused: list[tuple[float, str, str]] = []
        self.ended_keys: set[str] = set()
        self.exchange, self.keys = exchange, keys
        self.weather = weather
        self.spoiling = Spoiling(weather, columns, setup.policy.audit_interval, setup.fill_rows)
        self._setup = setup
        self._ended_at = -1
        self._skew = 0
        self._torn: Random | None = None
        weather.begins.append(self._begin)
        weather.ends.append(self._end)

    @abstractmethod
    def answer(self, method: str, url: str, now: int) -> HttpResponse | None:
        """The answer to a call, None if there is none."""

    def process_ended(self, now: int) -> None:
        """A process of ours has ended at this exchange time, ms."""
        self._ended_at = now

    def _begin(self, fault: Fault, random: Random) -> None:
        if fault.kind == "skew":
            self._skew = random.randint(-1000, 1000)
        elif fault.kind == "torn_reads":
            self._torn = random

    def _end(self, fault: Fault, random: Random) -> None:
        if fault.kind == "skew":
            self._skew = 0

    def _met(self, method: str, *, about_keys: bool) -> Fault | None:
        """The fault by which a call fails, if one does."""
        weather = self.weather
        fault = weather.on("rest_down")
        if fault is None and not about_keys:
            fault = weather.on("reads_down") or self._tears() or self.spoiling.fails()
        if fault is None and about_keys and method == "PUT":
            fault = weather.on("renew_busy")
        return fault

    def _tears(self) -> Fault | None:
        fault = self.weather.on("torn_reads")
        return fault if fault is not None and self._torn is not None and self._torn.random() < TORN else None
