"""Stretches of time as rows of cells: the last half minute, its newest moment at the right edge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .model import LinkTrack, Span

SECONDS = 30.0


class Window(NamedTuple):
    """So many cells that end at `end`; cells stand still between two moments of one cell, so that nothing flickers."""

    end: float
    cells: int

    @classmethod
    def until(cls, now: float, cells: int) -> Window:
        """The window whose last cell holds `now`."""
        each = SECONDS / cells
        return cls(math.floor(now / each + 1) * each, cells)

    @property
    def start(self) -> float:
        return self.end - SECONDS

    def cells_of(self, span: Span) -> range:
        """The cells that the span touches."""
        each = SECONDS / self.cells
        first = math.floor((max(span.start, self.start) - self.start) / each)
        past = math.ceil((min(span.end, self.end) - self.start) / each)
        return range(first, max(past, first + 1) if span.end >= self.start else first)


def row_of(window: Window, spans: Iterable[Span], order: Sequence[str] = ()) -> list[str | None]:
    """Return the content of each cell: of several things in one cell, the one that comes first in `order`, else the
    last.
    """
    rank = {what: index for index, what in enumerate(order)}
    row: list[str | None] = [None] * window.cells
    for span in spans:
        for cell in window.cells_of(span):
            if cell < window.cells:
                before = row[cell]
                if before is None or rank.get(span.what, 0) <= rank.get(before, 0):
                    row[cell] = span.what
    return row


PHASES = ("opening", "proving", "draining", "live")
"""The shorter a phase is, the sooner it is shown."""


def lanes(window: Window, tracks: Iterable[LinkTrack], first: int) -> list[list[tuple[str | None, str]]]:
    """Two rows of cells, a phase and a letter each: links take turns, so that a successor lies beside its link.

    `first` is how many links there were before these.
    """
    rows: list[list[tuple[str | None, str]]] = [[(None, "")] * window.cells for _ in range(2)]
    for number, track in enumerate(tracks, first + 1):
        row = rows[(number - 1) % 2]
        shown = [cell for cell, phase in enumerate(row_of(window, track.spans, PHASES)) if phase is not None]
        for cell, phase in enumerate(row_of(window, track.spans, PHASES)):
            if phase is not None:
                row[cell] = (phase, "")
        label = f" {number} "
        if len(shown) >= len(label) + 4:
            for cell, letter in zip(shown[2:], label, strict=False):
                row[cell] = (row[cell][0], letter)
    return rows
