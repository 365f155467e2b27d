"""The script of a mock stream: events in order, with the points at which iteration ends or fails."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
import anyio.lowlevel

from ...core.book import Book
from ...core.events import ExchangeEvent, Health
from ...core.link.lifecycle import State
from ...core.link.view import LinkView
from ...ports.errors import CredentialsRefused, ListenKeyError, StreamStopped
from .progress import Progress


class Ending(NamedTuple):
    """The point of the script where iteration ends, with an error or without."""

    error: Callable[[], ListenKeyError] | None


class MockStream:
    """An `EventStream` over the script: waits at its end, unless `MockVenue.end()` was called."""

    def __init__(self, script: Script, progress: Progress) -> None:
        self._script = script
        self._progress = progress
        self._ended: Ending | None = None

    def __aiter__(self) -> AsyncIterator[ExchangeEvent]:
        return self

    async def __anext__(self) -> ExchangeEvent:
        await anyio.lowlevel.checkpoint()
        while self._ended is None:
            item = await self._script.take(self)
            if isinstance(item, ExchangeEvent):
                self._progress.take(item)
                return item
            self._ended = item
        if self._ended.error is not None:
            raise self._ended.error()
        raise StopAsyncIteration

    @property
    def health(self) -> Health:
        """Health after the last delivered event; LIVE before the first."""
        return self._progress.health

    @property
    def state(self) -> State:
        """State after the last delivered event; CONNECTED before the first."""
        return self._progress.state

    @property
    def links(self) -> tuple[LinkView, ...]:
        """Always empty: a mock has no sockets."""
        return ()

    @property
    def books(self) -> tuple[Book, ...]:
        """One book for each asset, computed from the delivered events."""
        return self._progress.books.shown

    @property
    def began(self) -> int | None:
        """Exchange time, ms, at which the mock was made."""
        return self._progress.began

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, of the newest delivered event; it does not move while a gap is open."""
        return self._progress.proven_until

    def rotate(self) -> None:
        """Note the call in `MockVenue.calls`, and do nothing else."""
        self._script.calls.append("rotate")

    def resync(self) -> None:
        """Note the call in `MockVenue.calls`, and do nothing else."""
        self._script.calls.append("resync")


class Script:
    """One script, read by one stream at a time; the next stream continues where the last one stopped."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.calls: list[str] = []
        """The consumer's calls: subscribe, unsubscribe, rotate, resync, snapshot, close."""
        self._script: deque[ExchangeEvent | Ending] = deque()
        self._stream: MockStream | None = None
        self._in_hand = False
        self._waiting: list[anyio.Event] = []

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[MockStream]:
        """Enter a stream; only one at a time. Raises `RuntimeError` for a second one."""
        if self._stream is not None:
            raise RuntimeError("this MockVenue has a stream already")
        self.calls.append("subscribe")
        self._stream = stream = MockStream(self, self._progress)
        try:
            yield stream
        finally:
            stream._ended = stream._ended or Ending(None)
            self._stream, self._in_hand = None, False
            self.calls.append("unsubscribe")
            self._wake()

    async def handled(self) -> None:
        """Return when the consumer has dealt with everything fed so far."""
        await anyio.lowlevel.checkpoint()
        while self._script or self._in_hand:
            await self._next_change()

    def stop(self, message: str) -> None:
        """Script that iteration raises `StreamStopped` at this point."""
        self.put(Ending(lambda: StreamStopped(message)))

    def refuse_credentials(self, message: str = "the venue refuses the credentials") -> None:
        """Script that iteration raises `CredentialsRefused` at this point."""
        self.put(Ending(lambda: CredentialsRefused(message)))

    def end(self) -> None:
        """Script that iteration ends at this point; another stream continues after it."""
        self.put(Ending(None))

    def put(self, item: ExchangeEvent | Ending) -> None:
        """Deliver an item after all that were put before."""
        self._script.append(item)
        self._wake()

    async def take(self, stream: MockStream) -> ExchangeEvent | Ending:
        """Wait for the stream's next item and return it."""
        self._in_hand = False
        self._wake()
        while not self._script and stream._ended is None:
            await self._next_change()
        if stream._ended is not None:
            return stream._ended
        item = self._script.popleft()
        self._in_hand = isinstance(item, ExchangeEvent)
        self._wake()
        return item

    async def _next_change(self) -> None:
        change = anyio.Event()
        self._waiting.append(change)
        await change.wait()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            change.set()
