"""Which part of an order's execution is covered: the intervals of its cumulative quantity that were delivered.

A fill covers the interval (cumulative - quantity, cumulative]. Covered intervals never overlap.

    0 ....... base ================ contiguous ......... [island] .... top
     not due         delivered                    hole     delivered

It is contiguous from the base, where what is due begins. Islands lie above holes, and exist only while a gap is open.
"""

from __future__ import annotations

from decimal import Decimal

from ..events import ZERO
from ..plain import canonical

Interval = tuple[Decimal, Decimal]
"""Above the first quantity, up to the second one."""


class Coverage:
    """`base` is None until it is known; until then nothing is covered for good."""

    __slots__ = ("_islands", "base", "contiguous")

    def __init__(self, base: Decimal | None = None) -> None:
        self.base = base
        self.contiguous = ZERO if base is None else base
        """Everything from the base up to this quantity is covered."""
        self._islands: tuple[Interval, ...] = ()

    def __str__(self) -> str:
        """As in "from 0 to 5, hole to 7, island to 9"."""
        known = "base unknown" if self.base is None else f"from {canonical(self.base)} to {canonical(self.contiguous)}"
        parts = [known]
        for start, end in self._islands:
            parts += [f"hole to {canonical(start)}", f"island to {canonical(end)}"]
        return ", ".join(parts)

    @property
    def top(self) -> Decimal:
        """The highest covered quantity."""
        return self._islands[-1][1] if self._islands else self.contiguous

    @property
    def has_holes(self) -> bool:
        """True if something below the top is not covered."""
        return bool(self._islands)

    def begin(self, base: Decimal) -> None:
        """Set the base, from which on executions are due: for the first time, or lower because an older fill turned up.

        A base above the contiguous part writes off all that lies below it: the hole then counts as covered.
        """
        if self.base is None or self.contiguous < base:
            self.base = base if self.base in (None, self.contiguous) else self.base
            self.contiguous = base
            self._join()
        elif base < self.base:
            if self.contiguous > self.base:
                self._islands = ((self.base, self.contiguous), *self._islands)
            self.base = self.contiguous = base

    def add(self, start: Decimal, end: Decimal) -> list[Interval]:
        """Cover an interval; what of it was not covered before."""
        added = self._uncovered(start, end)
        islands: list[Interval] = []
        for low, high in sorted((*self._islands, *added)):
            if islands and islands[-1][1] == low:
                low = islands.pop()[0]
            islands.append((low, high))
        self._islands = tuple(islands)
        self._join()
        return added

    def missing(self, start: Decimal, end: Decimal) -> Decimal:
        """How much of an interval is not covered."""
        return sum((high - low for low, high in self._uncovered(start, end)), ZERO)

    def contiguous_with(self, start: Decimal, end: Decimal) -> Decimal:
        """Up to where it would be contiguous if this interval were covered too."""
        contiguous = max(self.contiguous, end) if start <= self.contiguous else self.contiguous
        for low, high in self._islands:
            if low <= contiguous:
                contiguous = max(contiguous, high)
        return contiguous

    def _uncovered(self, start: Decimal, end: Decimal) -> list[Interval]:
        pieces = []
        low = max(start, self.contiguous)
        for island_start, island_end in self._islands:
            if low < island_start:
                if end <= island_start:
                    break
                pieces.append((low, island_start))
            low = max(low, island_end)
        if low < end:
            pieces.append((low, end))
        return pieces

    def _join(self) -> None:
        """Islands that nothing parts from what is contiguous are part of it."""
        while self._islands and self._islands[0][0] <= self.contiguous:
            self.contiguous = max(self.contiguous, self._islands[0][1])
            self._islands = self._islands[1:]
