"""Collects the events that a stream delivers, and notices one that comes out of order."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from listenkey.core.events import ExchangeEvent, ExchangeEventKind, Fill, GapNotice


class Delivered:
    """All events so far; `gap_open` is True while a gap is open."""

    def __init__(self) -> None:
        self.events: list[ExchangeEvent] = []
        self.gap_open = False
        self.wrong: list[str] = []
        self.in_gap: set[str] = set()
        """Ids of the fills that came while a gap was open."""
        self._reach: dict[str, Decimal] = defaultdict(Decimal)

    def take(self, event: ExchangeEvent) -> None:
        """Take one event."""
        self.events.append(event)
        if isinstance(event, GapNotice) and event.kind != ExchangeEventKind.RECONNECTED:
            self.gap_open = event.kind == ExchangeEventKind.GAP_OPENED
        elif isinstance(event, Fill):
            if self.gap_open:
                self.in_gap.add(event.event_id)
            reach = self._reach[event.order_id]
            if not self.gap_open and not event.redelivered and event.cumulative_qty <= reach:
                self.wrong.append(f"out of order while no gap is open: {event.event_id} after {reach}")
            self._reach[event.order_id] = max(reach, event.cumulative_qty)

    def kinds(self, kind: str) -> list[ExchangeEvent]:
        """The events of a kind."""
        return [event for event in self.events if event.kind == kind]

    def gaps(self, kind: str = "GAP_OPENED") -> list[str]:
        """The reasons of the gap events of a kind."""
        return [event.reason.value for event in self.events if isinstance(event, GapNotice) and event.kind == kind]

    def fills(self, source: str | None = None) -> list[Fill]:
        """The delivered fills, all or those of one source."""
        return [event for event in self.events if isinstance(event, Fill) and source in (None, event.source)]
