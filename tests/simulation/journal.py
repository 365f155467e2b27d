"""The journal of the world: a real one, in which the process may die at every statement and the disk may be full."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from listenkey.adapters.journal import SqliteJournal
from listenkey.core.events import ExchangeEvent
from listenkey.core.inputs import Checkpoint
from listenkey.ports.errors import StreamStopped
from listenkey.ports.journal import Entry
from listenkey.ports.questions import Question

from .disk import Disk, Files

Batch = tuple[Sequence[ExchangeEvent], int | None]
Stored = Callable[[Sequence[ExchangeEvent], int | None], None]
_WRITES = ("INSERT", "UPDATE", "DELETE", "COMMIT")


class Crash(BaseException):
    """The death of the process."""


class Fate:
    """When and where the process dies, and if the power or the room on the disk is lost; set by the world.

    It dies at the `steps`-th point from now; if `where` is set, only points of that name count.
    """

    def __init__(self, full: Callable[[], bool]) -> None:
        self.steps: int | None = None
        self.where = ""
        self.power = False
        self.full = full
        self.survived: Counter[str] = Counter()

    def point(self, where: str = "") -> None:
        """Pass a point at which the process may die. Raises `Crash`."""
        if self.steps is not None and self.where in ("", where):
            self.steps -= 1
            if self.steps <= 0:
                self.steps = None
                raise Crash


class Statements:
    """A connection to the journal on which the process may die before a statement, or inside of a commit."""

    def __init__(self, inner: sqlite3.Connection, disk: Disk, fate: Fate) -> None:
        self.left: Files | None = None
        self._inner = inner
        self._disk = disk
        self._fate = fate

    @property
    def in_transaction(self) -> bool:
        return self._inner.in_transaction

    def execute(self, text: str, values: Any = ()) -> sqlite3.Cursor:
        if self.left is None and not text.lstrip().startswith(("SELECT", "PRAGMA", "ROLLBACK")):
            self._may_fail(text, values)
        return self._inner.execute(text, values)

    def executemany(self, text: str, rows: Iterable[Any]) -> None:
        for row in rows:
            self.execute(text, row)

    def close(self) -> None:
        self._inner.close()

    def dies(self) -> Files:
        """The files as the death left them; if none has happened inside a statement, as one now leaves them."""
        if self.left is None:
            self._leave("between transactions", None)
        assert self.left is not None
        return self.left

    def _leave(self, where: str, commit: Callable[[], object] | None) -> None:
        self._fate.survived[f"{where}, no power" if self._fate.power else where] += 1
        self.left = self._disk.death(self._inner, commit, power=self._fate.power)

    def _may_fail(self, text: str, values: Any) -> None:
        inside = self._inner.in_transaction
        commits = text == "COMMIT" or (not inside and text.startswith("UPDATE"))
        try:
            self._fate.point("committing" if commits else "storing" if inside else "")
        except Crash:
            if commits:
                self._leave("inside of COMMIT", partial(self._inner.execute, text, values))
            else:
                self._leave("inside of a transaction" if inside else "between transactions", None)
            raise
        if self._fate.full() and text.lstrip().startswith(_WRITES):
            self._fate.survived["disk full"] += 1
            raise sqlite3.OperationalError("database or disk is full")


class WatchedJournal:
    """The journal, with the batch that is being stored; the process may die before and after every call."""

    def __init__(self, inner: SqliteJournal, disk: Disk, fate: Fate, stored: Stored, *, cramped: bool) -> None:
        self.in_flight: Batch | None = None
        self.begun = False
        self._inner = inner
        self._disk = disk
        self._fate = fate
        self._stored = stored
        if cramped:  # pages are written to the log before they are committed
            inner._connection.execute("PRAGMA cache_size = 1")
            inner._connection.execute("PRAGMA cache_spill = 1")
        self._statements = Statements(inner._connection, disk, fate)
        inner._connection = self._statements  # type: ignore[assignment]

    def _call(self, method: Callable[..., Any], *details: Any) -> Any:
        self._fate.point()
        result = method(*details)
        self._fate.point()
        return result

    def resume(self) -> Checkpoint | None:
        return self._inner.resume()

    def begin(self, exchange_ms: int) -> None:
        self._call(self._inner.begin, exchange_ms)
        self.begun = True

    def unmarked(self) -> Sequence[Entry]:
        return self._inner.unmarked()

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        self.in_flight = (events, proven_until)
        try:
            self._fate.point()
            result = self._inner.append(events, proven_until)
        except StreamStopped:
            self.in_flight = None
            raise
        self.in_flight = None
        self._stored(events, proven_until)
        self._fate.point()
        return result

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        return self._inner.read(after, limit)

    def mark(self, serial: int) -> None:
        self._call(self._inner.mark, serial)

    def questions(self) -> Sequence[Question]:
        return self._inner.questions()

    def keep_questions(self, asked: Sequence[Question]) -> None:
        self._call(self._inner.keep_questions, asked)

    def close(self) -> None:
        """Close in order: the log is written back into the database."""
        self._inner.close()

    def dies(self) -> None:
        """Close the journal, and put its files back as they were at the moment of death."""
        left = self._statements.dies()
        self._inner.close()
        self._disk.restore(left)
