"""Events between the core and the consumer: in order, none dropped, and stored first if there is a journal.

The core never waits for the consumer. Beyond `limit` events, further ones stay in the journal until there is room;
without a journal the stream ends with an error, after the events within the limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import anyio
import anyio.lowlevel

from ...core.events import ExchangeEvent
from ...ports.errors import ListenKeyError, StreamStopped
from ...ports.journal import Entry, Journal

PAUSE_EVERY = 64
"""The events after which a consumer lets other tasks run, so that the stream can read."""


class Backlog:
    """A queue with one writer and one reader. With a journal, each pending event has its serial there."""

    def __init__(self, limit: int, journal: Journal | None = None) -> None:
        self._limit = limit
        self._journal = journal
        self._pending: deque[ExchangeEvent] = deque()
        self._serials: deque[int] = deque()
        self._spilled = False
        self._read_to = 0
        self._taken: int | None = None
        self._delivered = 0
        self._waiter: anyio.Event | None = None
        self._ended = False
        self._error: Exception | None = None

    def redeliver(self) -> None:
        """Queue the stored events that were not dealt with; to be called before `put`."""
        if self._journal is not None:
            self._queue(self._journal.unmarked())
            if self._waiter is not None:
                self._wake()

    @property
    def ended(self) -> bool:
        """True if no more events are accepted."""
        return self._ended

    def put(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """Store and queue the events of one call of the core. Raises `StreamStopped` if they cannot be stored."""
        if self._ended:
            return
        if self._journal is not None:
            entries = self._journal.append(events, proven_until)
            if self._spilled or len(self._pending) + len(entries) > self._limit:
                self._spilled = True
            else:
                self._queue(entries)
        elif len(self._pending) + len(events) <= self._limit:
            self._pending.extend(events)
        else:
            self._pending.extend(events[: self._limit - len(self._pending)])
            self.end(StreamStopped(f"the consumer is {self._limit} events behind, and there is no journal"))
        if self._waiter is not None:
            self._wake()

    def end(self, error: Exception | None = None) -> None:
        """Accept no more; after the pending events the iteration raises this error, or ends."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._wake()

    def close(self) -> None:
        """End; with a journal at once, since it keeps the pending events, else they are still delivered."""
        if self._journal is not None:
            self._pending.clear()
            self._serials.clear()
            self._spilled, self._taken = False, None
        self.end()

    async def get(self) -> ExchangeEvent:
        """Mark the last event, and return the next. At the end raises the error of `end`, or `StopAsyncIteration`;
        raises `ListenKeyError` if another task waits already.
        """
        if self._waiter is not None:
            raise ListenKeyError("another task waits for the next event: a stream has one reader at a time")
        if self._taken is not None:
            self.mark()
        if self._delivered % PAUSE_EVERY == PAUSE_EVERY - 1:
            await anyio.lowlevel.checkpoint()
        while not self._pending:
            if self._spilled and self._journal is not None:
                self._refill(self._journal)
                continue
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            waiter = self._waiter = anyio.Event()
            try:
                await waiter.wait()
            finally:
                if self._waiter is waiter:  # cancelled
                    self._waiter = None
        self._delivered += 1
        if self._serials:
            self._taken = self._serials.popleft()
        return self._pending.popleft()

    def mark(self) -> None:
        """Note that the consumer has dealt with the event that it took last."""
        taken, self._taken = self._taken, None
        if taken is not None and self._journal is not None:
            self._journal.mark(taken)

    def _refill(self, journal: Journal) -> None:
        entries = journal.read(self._read_to, self._limit)
        self._spilled = bool(entries)
        self._queue(entries)

    def _queue(self, entries: Sequence[Entry]) -> None:
        for serial, event in entries:
            self._pending.append(event)
            self._serials.append(serial)
            self._read_to = serial

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.set()
            self._waiter = None
