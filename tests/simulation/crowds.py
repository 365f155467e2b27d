"""Seconds in which a symbol has more fills than any list of them shows, where windows of that list go by seconds."""

from __future__ import annotations

from collections import Counter

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import Fill

from .setup import WHOLE_SECOND, Setup


class Crowds:
    """One account's. What a list leaves out of them is found by its order, if the venue knows that."""

    def __init__(self, exchange: Exchange, setup: Setup) -> None:
        self._fills = exchange.fills
        self._most = setup.fill_rows if setup.fill_windows == "seconds" else None
        self._seen = 0
        self._made: Counter[tuple[str, int]] = Counter()
        self._newest = -1

    @property
    def newest(self) -> int:
        """Exchange time, ms, of the last fill of such a second; -1 before the first."""
        if self._most is not None:
            for fill in self._fills[self._seen :]:
                self._made[_moment(fill)] += 1
                if self._made[_moment(fill)] >= self._most:
                    self._newest = fill.ts
            self._seen = len(self._fills)
        return self._newest

    def has(self, fill: Fill) -> bool:
        """True if the fill was made in such a second."""
        return self.newest >= 0 and self._most is not None and self._made[_moment(fill)] >= self._most


def _moment(fill: Fill) -> tuple[str, int]:
    return fill.symbol, fill.ts // WHOLE_SECOND
