"""The state of a mock stream after its last delivered event: health, state, books and `proven_until`."""

from __future__ import annotations

from ...core.events import ExchangeEvent, ExchangeEventKind, Health, HealthChange
from ...core.link.lifecycle import State
from .books import Books


class Progress:
    """The progress, which outlives a stream, since the next one continues the script. Times are exchange time, ms."""

    def __init__(self, began: int, books: Books) -> None:
        self.began = self.proven_until = began
        self.books = books
        self.health = Health.LIVE
        self.state = State.CONNECTED
        self._gap_open = False

    def take(self, event: ExchangeEvent) -> None:
        """Follow a delivered event."""
        self.books.take(event)
        if isinstance(event, HealthChange):
            self.health = event.health
            self.state = State.__members__.get(event.state, self.state)
        if event.kind in (ExchangeEventKind.GAP_OPENED, ExchangeEventKind.GAP_CLOSED):
            self._gap_open = event.kind is ExchangeEventKind.GAP_OPENED
        if not self._gap_open and event.exchange_ts is not None:
            self.proven_until = max(self.proven_until, event.exchange_ts)
