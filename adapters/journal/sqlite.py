"""The journal that a stream writes: an event is stored before it is delivered and marked when it has been dealt with.

Every call is one transaction of one SQLite file in WAL mode. A file has one writer at a time, this object may be used
from any thread, and calls block for as long as the disk takes (a few microseconds, unless the disk is asked to sync).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import msgspec

from ...core.events import ExchangeEvent, ExchangeEventKind, FillRevised, OrderState
from ...core.inputs import Checkpoint
from ...ports.errors import StreamStopped
from ...ports.journal import Entry
from ...ports.questions import Question
from .codec import pack, unpack
from .schema import LATER, Durability, lock, open_for_writing

RESUME_OVERLAP = 900.0
"""Seconds of exchange time behind `proven_until` from which on a run that resumes is told what was stored: further back
than any read of the account shows payments, or they would be told again."""

_ENDING_KINDS = {
    ExchangeEventKind.FULL_FILL,
    ExchangeEventKind.CANCEL_ACK,
    ExchangeEventKind.ORDER_EXPIRED,
    ExchangeEventKind.ORDER_REJECT,
}
_ENDING_STATES = {"FILLED", "CANCELED", "EXPIRED", "REJECTED"}
_SWEEP_EVERY = 60_000
_SWEEP_ROWS = 5000
_SWEEP_ORDERS = 500
_LARGEST = (1 << 63) - 1

_INSERT = "INSERT INTO events (serial, kind, at, order_key, ends, body) VALUES (?, ?, ?, ?, ?, ?)"
_SINCE = """
SELECT serial, kind, body FROM events WHERE order_key IS NULL AND at >= :since OR order_key IN (
    SELECT order_key FROM events WHERE order_key IS NOT NULL GROUP BY order_key
    HAVING max(at) >= :since OR NOT max(ends)
) ORDER BY serial"""
_AFTER = "SELECT serial, kind, body FROM events WHERE serial > ? ORDER BY serial LIMIT ?"
_SWEEP_LOOSE = """
DELETE FROM events WHERE serial IN (
    SELECT serial FROM events WHERE order_key IS NULL AND at < :edge AND serial <= :mark LIMIT :limit
) RETURNING serial"""
_SWEEP_WHOLE = """
DELETE FROM events WHERE order_key IN (
    SELECT order_key FROM events WHERE order_key IS NOT NULL GROUP BY order_key
    HAVING max(ends) AND max(at) < :edge AND max(serial) <= :mark LIMIT :limit
) RETURNING serial"""


class SqliteJournal:
    """A `Journal` in the file `path`, created if there is none.

    `durability="process"` survives the death of the process; `"power"` also that of the machine, at the price of a
    sync for each transaction. `retain` (seconds of exchange time, at least 900) is how far behind `proven_until`
    finished and marked events stay; those of an open order stay with it. `max_bytes` stops the stream before the file
    grows beyond. Raises `JournalRefused` for a file that is foreign, newer, or in use, whoever uses it.
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
    ) -> None:
        if durability not in ("process", "power"):
            raise ValueError(f"durability must be 'process' or 'power', not {durability!r}")
        if not RESUME_OVERLAP <= retain < float("inf"):
            raise ValueError(f"retain must be {RESUME_OVERLAP:.0f} seconds or more, not {retain!r}")
        self.path = Path(path).resolve()
        self._retain = int(retain * 1000)
        self._swept_to: int | None = None
        self._guard = threading.RLock()
        self._closed = False
        self._lock = lock(self.path)
        try:
            self._connection = open_for_writing(self.path, durability)
        except BaseException:
            self._lock.close()
            raise
        try:
            self._load(max_bytes)
        except BaseException:
            self.close()
            raise

    def resume(self) -> Checkpoint | None:
        """Where the run before ended; None when the journal knows of no beginning.

        The events are those since fifteen minutes before `proven_until`, and for every order that is open or has an
        event among them all that is stored of it: part of an order would look like a hole.
        """
        if self._began is None:
            return None
        since = -_LARGEST if self._proven is None else self._proven - int(RESUME_OVERLAP * 1000)
        events = tuple(entry.event for entry in self._select(_SINCE, {"since": since}))
        return Checkpoint(began=self._began, proven_until=self._proven, events=events)

    def begin(self, exchange_ms: int) -> None:
        """Store when the stream began, ms. Without it the first exchange time that is appended stands in."""
        if self._began is None:
            with self._transaction() as connection:
                connection.execute("UPDATE state SET began = ?", (exchange_ms,))
            self._began = exchange_ms

    def unmarked(self) -> Sequence[Entry]:
        """Every stored event above the mark, oldest first, flagged `redelivered`: it may have been seen before."""
        return [_again(entry) for entry in self._select(_AFTER, (self._mark, -1))]

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        """Store the events and what they prove, all or nothing; serials follow on without a gap."""
        with self._guard:
            entries = [Entry(serial, event) for serial, event in enumerate(events, self._last + 1)]
            proven = self._proven if proven_until is None else proven_until
            began = self._began
            if began is None:
                times = [event.exchange_ts or 0 for event in events] + [proven or 0]
                began = min((time for time in times if 0 < time <= _LARGEST), default=None)
            with self._transaction() as connection:
                connection.executemany(_INSERT, [_row(entry, proven or 0) for entry in entries])
                if (began, proven) != (self._began, self._proven):
                    connection.execute("UPDATE state SET began = ?, proven_until = ?", (began, proven))
                swept_to = (
                    self._swept_to if proven_until is None else self._sweep(connection, proven_until - self._retain)
                )
            self._last += len(entries)
            self._began, self._proven, self._swept_to = began, proven, swept_to
        return entries

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """At most `limit` unmarked events above serial `after`; those that an earlier run stored are `redelivered`."""
        entries = self._select(_AFTER, (max(after, self._mark), limit))
        return [_again(entry) if entry.serial <= self._last_before else entry for entry in entries]

    def mark(self, serial: int) -> None:
        """Write that all up to `serial` is dealt with; never goes back. Raises `ValueError` for what is not stored."""
        if serial > self._last:
            raise ValueError(f"serial {serial} is not stored; the last is {self._last}")
        if serial > self._mark:
            with self._guard, self._failing_loudly():
                self._connection.execute("UPDATE state SET mark = ?", (serial,))
                self._mark = serial

    def questions(self) -> Sequence[Question]:
        """What `keep_questions` has kept; nothing in a journal of before."""
        with self._guard, self._failing_loudly():
            if not self._has_questions():
                return []
            rows = self._connection.execute("SELECT at, symbol, order_id, denied FROM questions ORDER BY rowid")
            return [Question(at, symbol, order_id, bool(denied)) for at, symbol, order_id, denied in rows]

    def keep_questions(self, asked: Sequence[Question]) -> None:
        """Keep which orders were asked for that the venue may not know, in place of those before; a few rows."""
        with self._transaction() as connection:
            if not self._has_questions():
                connection.execute(LATER["questions"])
            connection.execute("DELETE FROM questions")
            connection.executemany("INSERT INTO questions VALUES (?, ?, ?, ?)", asked)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self._guard:
            self._closed = True
            self._connection.close()
            self._lock.close()

    def _load(self, max_bytes: int | None) -> None:
        with self._failing_loudly():
            if max_bytes is not None:
                (page,) = self._connection.execute("PRAGMA page_size").fetchone()
                self._connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")
            state = self._connection.execute("SELECT began, proven_until, mark, swept FROM state").fetchone()
            if state is None:
                raise StreamStopped(f"the journal {self.path} is damaged: it has lost its state")
            (newest,) = self._connection.execute("SELECT coalesce(max(serial), 0) FROM events").fetchone()
        self._began, self._proven, self._mark, swept = state
        self._last = self._last_before = max(newest, self._mark, swept)

    def _sweep(self, connection: sqlite3.Connection, edge: int) -> int | None:
        """Delete what no resuming run can need, a bounded number at a time; returns how far that is done."""
        if self._swept_to is not None and edge < self._swept_to + _SWEEP_EVERY:
            return self._swept_to
        bounds = {"edge": edge, "mark": self._mark}
        loose = connection.execute(_SWEEP_LOOSE, {**bounds, "limit": _SWEEP_ROWS}).fetchall()
        whole = connection.execute(_SWEEP_WHOLE, {**bounds, "limit": _SWEEP_ORDERS}).fetchall()
        if loose or whole:
            connection.execute("UPDATE state SET swept = max(swept, ?)", max(loose + whole))
        return self._swept_to if len(loose) == _SWEEP_ROWS or len(whole) >= _SWEEP_ORDERS else edge

    def _select(self, query: str, bounds: tuple[int, ...] | dict[str, int]) -> list[Entry]:
        with self._guard, self._failing_loudly():
            return list(decoded(self._connection.execute(query, bounds)))

    def _has_questions(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE name = 'questions'"
        return self._connection.execute(query).fetchone() is not None

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


def decoded(rows: Iterable[tuple[int, str, bytes]]) -> Iterator[Entry]:
    """The entries of the rows (serial, kind, body). Raises `msgspec.MsgspecError`."""
    for serial, kind, body in rows:
        yield Entry(serial, unpack(kind, body))


def order_key(event: ExchangeEvent) -> str | None:
    """What names the event's order in the file, None where it is of none; no symbol holds a space."""
    return f"{event.symbol} {event.order_id}" if isinstance(event, (OrderState, FillRevised)) else None


def _row(entry: Entry, proven: int) -> tuple[int, str, int, str | None, bool, bytes]:
    event = entry.event
    at = min(max(event.exchange_ts or 0, proven), _LARGEST)
    ends = isinstance(event, OrderState) and (event.kind in _ENDING_KINDS or event.status in _ENDING_STATES)
    return entry.serial, event.kind.value, at, order_key(event), ends, pack(event)


def _again(entry: Entry) -> Entry:
    return Entry(entry.serial, msgspec.structs.replace(entry.event, redelivered=True))
