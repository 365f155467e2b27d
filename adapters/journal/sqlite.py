"""The journal that a stream writes: an event is stored before it is delivered and marked when it has been dealt with.

Every call is one transaction of one SQLite file in WAL mode. A file has one writer at a time, this object may be used
from any thread, and calls block for as long as the disk takes (a few microseconds, unless the disk is asked to sync).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

import msgspec

from ...core.events import ExchangeEvent
from ...core.inputs import Checkpoint
from ...core.reports import OrderRef
from ...ports.errors import StreamStopped
from ...ports.journal import Entry
from ...ports.questions import Question
from .hold import Hold
from .owner import Owner
from .retention import Retention
from .rows import LARGEST, again, decoded, order_of, row
from .schema import Durability, open_for_writing

RESUME_OVERLAP = 900.0
"""Seconds of exchange time behind `proven_until` from which on a run that resumes gets the stored events. It is longer
than reads reach back for payments, which would be delivered again otherwise.
"""

WITNESSES = 5
"""The number of newest orders that the venue is asked for to recognise the account."""

_INSERT = "INSERT INTO events (serial, kind, at, order_key, ends, body) VALUES (?, ?, ?, ?, ?, ?)"
_SINCE = """
SELECT serial, kind, body FROM events WHERE order_key IS NULL AND at >= :since OR order_key IN (
    SELECT order_key FROM events WHERE order_key IS NOT NULL GROUP BY order_key
    HAVING max(at) >= :since OR NOT max(ends)
) ORDER BY serial"""
_NEWEST_ORDERS = """
SELECT order_key FROM events WHERE order_key IS NOT NULL GROUP BY order_key ORDER BY max(serial) DESC LIMIT ?"""
NEWEST = """
SELECT max(coalesce((SELECT max(serial) FROM events), 0), coalesce((SELECT max(serial) FROM forgotten), 0))"""
"""The query of the highest serial that is stored or forgotten; the mark and `swept` may be higher."""
_AFTER = "SELECT serial, kind, body FROM events WHERE serial > ? ORDER BY serial LIMIT ?"


class SqliteJournal:
    """A `Journal` in the file `path`, created if there is none.

    With `durability="process"` events survive the death of the process; with `"power"` also that of the machine, at the
    price of a sync for each transaction. `retain` (seconds of exchange time, at least 900) is how long marked events of
    finished orders stay behind `proven_until`; those of an open order stay with it. `max_bytes` stops the stream before
    the file becomes larger. With `adopt` the journal is taken to be this account's without proof, unless the venue's
    answer disproves it. Raises `JournalRefused` for a file that is no journal, is of a newer version, or is in use.
    """

    _began: int | None
    _proven: int | None
    _mark: int
    _last: int

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        durability: Durability = "process",
        retain: float = 3600,
        max_bytes: int | None = None,
        adopt: bool = False,
    ) -> None:
        if durability not in ("process", "power"):
            raise ValueError(f"durability must be 'process' or 'power', not {durability!r}")
        if not RESUME_OVERLAP <= retain < float("inf"):
            raise ValueError(f"retain must be {RESUME_OVERLAP:.0f} seconds or more, not {retain!r}")
        self.path = Path(path).resolve()
        self._retention = Retention(retain)
        self._guard = threading.RLock()
        self._closed = False
        self._hold = Hold(self.path)
        try:
            self._connection = open_for_writing(self.path, durability)
        except BaseException:
            self._hold.close()
            raise
        try:
            self._load(max_bytes)
            with self._failing_loudly():
                self._owner = Owner(self.path, self._connection, adopt=adopt)
            self._hold.watch()
        except BaseException:
            self.close()
            raise

    def claim(self, venue: str, host: str, api_key: str) -> None:
        """Claim the journal for this account. Raises `JournalRefused` if it is another account's."""
        self._owner.claim(venue, host, api_key)

    @property
    def recognised(self) -> bool:
        """True if stored events may be delivered without further proof of the account."""
        return self._owner.recognised

    def witnesses(self, account_id: str | None) -> Sequence[OrderRef]:
        """Orders of which the venue must know one, if the account's id cannot prove the owner; else none."""
        if self._owner.is_comparable(account_id):
            return ()
        with self._guard, self._failing_loudly():
            return [order_of(key) for (key,) in self._connection.execute(_NEWEST_ORDERS, (WITNESSES,))]

    def recognise(self, account_id: str | None, found: Collection[OrderRef] = ()) -> None:
        """Judge the claim after the venue's answer. Raises `JournalRefused`, or later `StreamStopped`."""
        with self._guard:
            if self._owner.recognise(account_id, found):
                with self._transaction() as connection:
                    self._owner.store(connection)

    def resume(self) -> Checkpoint | None:
        """Return the state at the end of the last run; None if no stream has begun in this journal.

        The events are those since fifteen minutes before `proven_until`, and all stored events of every order that is
        open or has an event among them, since a part of an order would look like a hole.
        """
        if self._began is None:
            return None
        since = -LARGEST if self._proven is None else self._proven - int(RESUME_OVERLAP * 1000)
        events = tuple(entry.event for entry in self._select(_SINCE, {"since": since}))
        return Checkpoint(began=self._began, proven_until=self._proven, events=events)

    def begin(self, exchange_ms: int) -> None:
        """Store the beginning of the stream, ms; without it, the first appended exchange time counts."""
        if self._began is None:
            with self._transaction() as connection:
                connection.execute("UPDATE state SET began = ?", (exchange_ms,))
            self._began = exchange_ms

    def unmarked(self) -> Sequence[Entry]:
        """Every stored event above the mark, oldest first, flagged `redelivered`: it may have been seen before."""
        return [again(entry) for entry in self._select(_AFTER, (self._mark, -1))]

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        """Store the events and `proven_until`, all or nothing; serials continue without a hole."""
        with self._guard:
            self._hold.look(now=proven_until is not None)
            entries = [Entry(serial, event) for serial, event in enumerate(events, self._last + 1)]
            proven = self._proven if proven_until is None else proven_until
            began = self._began
            if began is None:
                times = [event.exchange_ts or 0 for event in events] + [proven or 0]
                began = min((time for time in times if 0 < time <= LARGEST), default=None)
            with self._transaction() as connection:
                connection.executemany(_INSERT, [row(entry, proven or 0) for entry in entries])
                if (began, proven) != (self._began, self._proven):
                    connection.execute("UPDATE state SET began = ?, proven_until = ?", (began, proven))
                swept_to = self._retention.swept_to
                if proven_until is not None:
                    swept_to = self._retention.sweep(connection, proven_until, self._mark)
            self._last += len(entries)
            self._began, self._proven, self._retention.swept_to = began, proven, swept_to
        return entries

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """At most `limit` unmarked events above serial `after`; those that an earlier run stored are `redelivered`."""
        entries = self._select(_AFTER, (max(after, self._mark), limit))
        return [again(entry) if entry.serial <= self._last_before else entry for entry in entries]

    def mark(self, serial: int) -> None:
        """Mark all events up to `serial` as dealt with; it never goes back. Raises `ValueError` if it is not stored."""
        if serial > self._last:
            raise ValueError(f"serial {serial} is not stored; the last is {self._last}")
        if serial > self._mark:
            with self._guard, self._failing_loudly():
                self._hold.look(now=False)
                self._connection.execute("UPDATE state SET mark = ?", (serial,))
                self._mark = serial

    def questions(self) -> Sequence[Question]:
        """Return the questions that `keep_questions` has kept."""
        with self._guard, self._failing_loudly():
            rows = self._connection.execute("SELECT at, symbol, order_id, denied FROM questions ORDER BY rowid")
            return [Question(at, symbol, order_id, bool(denied)) for at, symbol, order_id, denied in rows]

    def keep_questions(self, asked: Sequence[Question]) -> None:
        """Keep the questions, which are few, in place of the earlier ones.

        They are not kept while the journal is not recognised as this account's.
        """
        if not self.recognised:
            return
        with self._transaction() as connection:
            connection.execute("DELETE FROM questions")
            connection.executemany("INSERT INTO questions VALUES (?, ?, ?, ?)", asked)

    def close(self) -> None:
        """Move the write-ahead log into the file, even if that was moved, and release the file."""
        with self._guard:
            if not self._closed:
                self._closed = True
                with suppress(sqlite3.Error):  # SQLite leaves the log if the file has another name now
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
            self._hold.close()

    def _load(self, max_bytes: int | None) -> None:
        with self._failing_loudly():
            if max_bytes is not None:
                (page,) = self._connection.execute("PRAGMA page_size").fetchone()
                self._connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")
            state = self._connection.execute("SELECT began, proven_until, mark, swept FROM state").fetchone()
            if state is None:
                raise StreamStopped(f"the journal {self.path} is damaged: it has lost its state")
            (newest,) = self._connection.execute(NEWEST).fetchone()
        self._began, self._proven, self._mark, swept = state
        self._last = self._last_before = max(newest, self._mark, swept)

    def _select(self, query: str, bounds: tuple[int, ...] | dict[str, int]) -> list[Entry]:
        with self._guard, self._failing_loudly():
            return list(decoded(self._connection.execute(query, bounds)))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._guard, self._failing_loudly():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _failing_loudly(self) -> Iterator[None]:
        if self._closed:
            raise StreamStopped(f"the journal {self.path} is closed")
        try:
            yield
        except (sqlite3.Error, OverflowError) as error:
            raise StreamStopped(f"the journal {self.path} cannot be used any more: {error}") from error
        except msgspec.MsgspecError as error:
            raise StreamStopped(f"the journal {self.path} is damaged: {error}") from error
