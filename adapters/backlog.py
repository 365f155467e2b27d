"""Events between the core and the consumer: in order, none dropped, stored first where there is a journal.

The core never waits for the consumer. Past `limit` what is pending stays in the journal until there is room, or,
without a journal, is delivered in order and then the stream ends with a clear error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import anyio
import anyio.lowlevel

from ..core.events import ExchangeEvent
from ..ports.errors import StreamStopped
from ..ports.journal import Entry, Journal

PAUSE_EVERY = 64
"""A consumer that always finds an event would never let the stream read; it pauses once in so many."""


class Backlog:
    """One writer, one reader. Serials are the journal's; without one they are 0."""

    def __init__(self, limit: int, journal: Journal | None = None) -> None:
        self._limit = limit
        self._journal = journal
        self._pending: deque[Entry] = deque()
        self._spilled = False
        self._read_to = 0
        self._taken: Entry | None = None
        self._delivered = 0
        self._waiter: anyio.Event | None = None
        self._ended = False
        self._error: Exception | None = None
        if journal is not None:
            self._pending.extend(journal.unmarked())
            self._read_to = self._pending[-1].serial if self._pending else 0

    @property
    def ended(self) -> bool:
        """Whether nothing more is accepted."""
        return self._ended

    def put(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """Store and queue what one call of the core delivered. Raises `StreamStopped` if it cannot be stored."""
        if self._ended:
            return
        if self._journal is not None:
            entries = self._journal.append(events, proven_until)
            if self._spilled or len(self._pending) + len(entries) > self._limit:
                self._spilled = True
            elif entries:
                self._pending.extend(entries)
                self._read_to = entries[-1].serial
        else:
            room = self._limit - len(self._pending)
            self._pending.extend(Entry(0, event) for event in events[:room])
            if len(events) > room:
                self.end(StreamStopped(f"the consumer is {self._limit} events behind, and there is no journal"))
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Nothing follows what is pending but this error, or the end of the iteration."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._wake()

    async def get(self) -> ExchangeEvent:
        """The next event, after marking the one before. Raises what `end` was given, or `StopAsyncIteration`."""
        self.mark()
        while not self._pending:
            if self._spilled and self._journal is not None:
                self._refill(self._journal)
                continue
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._waiter = anyio.Event()
            await self._waiter.wait()
        self._delivered += 1
        if self._delivered % PAUSE_EVERY == 0:
            await anyio.lowlevel.checkpoint()
        self._taken = self._pending.popleft()
        return self._taken.event

    def mark(self) -> None:
        """The consumer has dealt with the event that it took last."""
        taken, self._taken = self._taken, None
        if taken is not None and self._journal is not None:
            self._journal.mark(taken.serial)

    def _refill(self, journal: Journal) -> None:
        entries = journal.read(self._read_to, self._limit)
        self._spilled = bool(entries)
        if entries:
            self._pending.extend(entries)
            self._read_to = entries[-1].serial

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.set()
            self._waiter = None
