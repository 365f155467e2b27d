"""A journal: what has been told to the consumer survives the process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ..core.events import ExchangeEvent
from ..core.inputs import Checkpoint


class Entry(NamedTuple):
    """A stored event and its place in the journal."""

    serial: int
    event: ExchangeEvent


class Journal(Protocol):
    """Raises `StreamStopped` from any method when it cannot store: a full disk must stop the stream loudly."""

    def resume(self) -> Checkpoint | None:
        """Where the run before ended, or None for a new journal."""

    def begin(self, exchange_ms: int) -> None:
        """The stream begins at this exchange time: from then on fills are owed. Only the first call ever counts."""

    def unmarked(self) -> Sequence[Entry]:
        """Stored events that no consumer came back from, oldest first, each `redelivered`."""

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        """Store the events and, in the same transaction, what they prove. Durable against the death of the process."""

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """At most `limit` events with a serial above `after`, none of them marked: how what was spilled comes back."""

    def mark(self, serial: int) -> None:
        """The consumer is done with every event up to this one."""

    def close(self) -> None:
        """Flush and close; idempotent."""
