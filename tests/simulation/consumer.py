"""The consumer: takes one event after the other, sometimes slowly, and comes back for the next."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from listenkey.adapters.driver.backlog import Backlog
from listenkey.ports.errors import StreamStopped

if TYPE_CHECKING:
    from .process import Process
    from .watcher import Watcher


class Consumer:
    """A loop `async for` over the stream, on the world's agenda."""

    def __init__(self, process: Process, backlog: Backlog, watcher: Watcher, random: Random) -> None:
        self.gone = False
        self._process = process
        self._agenda = process.agenda
        self._backlog = backlog
        self._watcher = watcher
        self._random = random
        self._busy_until = float("-inf")
        self._planned = False

    def busy(self, seconds: float) -> None:
        """Take no event for so many seconds."""
        self._busy_until = max(self._busy_until, self._agenda.now + seconds)

    def soon(self) -> None:
        """Plan to take the events that are pending, as soon as the consumer is not busy."""
        if not self._planned:
            self._planned = True
            self._agenda.at(self._busy_until, self._process.gate, self._process, self.go)

    def go(self) -> None:
        """Take the events that are pending."""
        self._planned = False
        if self.gone:
            return
        try:
            self._take()
        except StreamStopped:
            self.gone = True
            raise

    def _take(self) -> None:
        backlog, process = self._backlog, self._process
        while backlog._pending or backlog._spilled:
            if self._busy_until > self._agenda.now:
                self.soon()
                return
            taken = backlog._taken is not None
            if not backlog._pending:
                self._mark()
                backlog._refill(backlog._journal)  # type: ignore[arg-type]
                continue
            getting = backlog.get()
            try:
                getting.send(None)
            except StopIteration as got:
                event = got.value
            else:
                raise AssertionError("the backlog waits although there is something")
            if taken:
                self._watcher.marked(process)
            process.fate.point()
            self._watcher.consumed(process, event)
            process.fate.point()
            if self._random.random() < 0.02:
                self.busy(self._random.random() * 0.5)
        if self._busy_until > self._agenda.now:
            self.soon()
        else:
            self._mark()

    def _mark(self) -> None:
        if self._backlog._taken is not None:
            self._backlog.mark()
            self._watcher.marked(self._process)
