"""Spans of time as rows of cells: the last half minute, with the newest moment at the right edge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .model import LinkTrack, Span

SECONDS = 30.0


class Window(NamedTuple):
    """A window of cells that ends at `end`; it moves on by whole cells, so that the picture does not flicker."""

    end: float
    cells: int

    @classmethod
    def until(cls, now: float, cells: int) -> Window:
        """The window whose last cell contains `now`."""
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
"""Phases in the order of precedence: shorter ones are shown first."""


def lanes(window: Window, tracks: Iterable[LinkTrack], first: int) -> list[list[tuple[str | None, str]]]:
    """Return two rows of cells, each a phase and a letter; links alternate, so that a successor is beside its link.

    `first` is the number of links before these.
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
