"""Reading a journal without changing it: its entries, and whether it keeps its promises."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...core.events import BalanceChange, ExchangeEvent, Fill, FillRevised, FundingFee, OrderState
from ...ports.errors import StreamStopped
from ...ports.journal import Entry
from .codec import unpack
from .rows import decoded, order_key
from .schema import open_for_reading, tables
from .sqlite import NEWEST

_CHUNK = 1000


class Finding(NamedTuple):
    """A promise that the file does not keep, and the serial of the entry that shows it, if it is one."""

    serial: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.serial is None else f"entry {self.serial}: {self.what}"


class Summary(NamedTuple):
    """The state of a journal besides its entries; times are exchange time, ms, and missing serials are 0."""

    began: int | None
    proven_until: int | None
    mark: int
    first: int
    last: int
    entries: int


def summary(path: str | PathLike[str]) -> Summary:
    """The state of the journal. Raises `JournalRefused`, or `StreamStopped` if it is damaged."""
    with closing(open_for_reading(Path(path))) as connection:
        try:
            state = connection.execute("SELECT began, proven_until, mark FROM state").fetchone()
            query = "SELECT coalesce(min(serial), 0), coalesce(max(serial), 0), count(*) FROM events"
            return Summary(*state, *connection.execute(query).fetchone())
        except (sqlite3.Error, TypeError) as error:
            raise StreamStopped(f"the journal {path} is damaged: {error}") from error


def show(path: str | PathLike[str]) -> Iterator[Entry]:
    """The entries, oldest first, also while a stream writes. Raises `JournalRefused`, or `StreamStopped` if damaged."""
    connection = open_for_reading(Path(path))

    def entries() -> Iterator[Entry]:
        with closing(connection):
            last = 0
            try:
                while rows := connection.execute(_NEXT, (last, _CHUNK)).fetchall():  # no reader holds the log back
                    yield from decoded(rows)
                    last = rows[-1][0]
            except (sqlite3.Error, msgspec.MsgspecError) as error:
                raise StreamStopped(f"the journal {path} is damaged behind entry {last}: {error}") from error

    return entries()


def verify(path: str | PathLike[str]) -> list[Finding]:
    """Return all broken promises of the journal; an empty list means that it is sound. Raises `JournalRefused`.

    Checked are the file and its tables, that no serial is missing above those that retention deleted, that the mark is
    in range, that every entry can be read, that no id of an order, fill or payment comes twice (unless `redelivered`),
    that no two fills of one order cover the same interval, and that a revision follows its fill, with the same
    interval.
    """
    with closing(open_for_reading(Path(path))) as connection:
        try:
            connection.execute("BEGIN")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version < 3:
                connection.execute("CREATE TEMP TABLE forgotten (serial INTEGER PRIMARY KEY)")
            findings = [*_file(connection, tables(version))]
            return findings or [*_serials(connection), *_entries(connection)]
        except sqlite3.Error as error:
            return [Finding(None, str(error))]


_GIVEN = """
SELECT serial FROM (SELECT serial FROM events UNION SELECT serial FROM forgotten) WHERE serial > ? ORDER BY serial"""
_NEXT = "SELECT serial, kind, body FROM events WHERE serial > ? ORDER BY serial LIMIT ?"


def _file(connection: sqlite3.Connection, expected: dict[str, str]) -> Iterator[Finding]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding(None, f"integrity: {line}")
    present = dict(connection.execute("SELECT name, sql FROM sqlite_master"))
    for name, statement in expected.items():
        if present.get(name) != statement:
            yield Finding(None, f"schema: {name} is {'other than it should be' if name in present else 'missing'}")
    for name in present.keys() - expected.keys():
        yield Finding(None, f"schema: {name} does not belong here")


def _serials(connection: sqlite3.Connection) -> Iterator[Finding]:
    state = connection.execute("SELECT mark, swept FROM state").fetchall()
    if len(state) != 1:
        yield Finding(None, f"state: {len(state)} rows in place of one")
        return
    [(mark, swept)] = state
    (newest,) = connection.execute(NEWEST).fetchone()
    if not 0 <= mark <= max(newest, swept):
        yield Finding(None, f"mark: {mark} is not among the serials, of which the last is {max(newest, swept)}")
    if swept > mark:
        yield Finding(None, f"retention: entries up to {swept} were deleted, and only those up to {mark} were marked")
    expected = swept + 1
    for (serial,) in connection.execute(_GIVEN, (swept,)):
        if serial != expected:
            yield Finding(serial, f"serial: {expected} should come before it")
        expected = serial + 1


def _entries(connection: sqlite3.Connection) -> Iterator[Finding]:
    ids: dict[str, int] = {}
    states: dict[str, str] = {}
    fills: dict[str, tuple[str | None, Decimal, Decimal]] = {}
    covered: defaultdict[str | None, list[tuple[Decimal, Decimal, int]]] = defaultdict(list)
    rows = connection.execute("SELECT serial, kind, order_key, body FROM events ORDER BY serial")
    for serial, kind, key, body in rows:
        try:
            event = unpack(kind, body)
        except msgspec.MsgspecError as error:
            yield Finding(serial, f"content: {error}")
            continue
        if event.kind != kind or key != order_key(event):
            yield Finding(serial, f"content: it is filed as {kind} of order {key}, which it is not")
        if isinstance(event, Fill):
            fills[event.event_id] = (key, event.cumulative_qty, event.fill_qty)
        if event.redelivered:
            continue
        yield from _repeated(serial, event, ids, states)
        if isinstance(event, FillRevised):
            yield from _misplaced(serial, event, fills)
        if isinstance(event, Fill):
            start = event.cumulative_qty - event.fill_qty
            covered[order_key(event)].append((start, event.cumulative_qty, serial))
            if event.fill_qty <= 0 or start < 0:
                yield Finding(serial, f"fill: {event.fill_qty} of {event.cumulative_qty} covers no ground")
    for intervals in covered.values():
        intervals.sort()
        for (_, end, one), (start, _, other) in pairwise(intervals):
            if start < end:
                yield Finding(max(one, other), f"fill: it covers ground that entry {min(one, other)} covers")


def _misplaced(
    serial: int, event: FillRevised, fills: dict[str, tuple[str | None, Decimal, Decimal]]
) -> Iterator[Finding]:
    replaced = fills.get(event.replaces)
    if replaced is None:
        yield Finding(serial, f"revision: no fill before it is {event.replaces}")
    elif replaced != (order_key(event), event.cumulative_qty, event.fill_qty):
        yield Finding(serial, f"revision: {event.replaces} is of other ground")


def _repeated(serial: int, event: ExchangeEvent, ids: dict[str, int], states: dict[str, str]) -> Iterator[Finding]:
    if isinstance(event, (Fill, FillRevised, FundingFee, BalanceChange)):
        if event.event_id in ids:
            yield Finding(serial, f"id: entry {ids[event.event_id]} has the same, {event.event_id}")
        ids[event.event_id] = serial
    if isinstance(event, OrderState):  # an order may return to a state by two amendments, but not repeat it
        key = f"{event.symbol} {event.order_id}"
        if states.get(key) == event.event_id and not isinstance(event, Fill):
            yield Finding(serial, f"id: the order was in this state already, {event.event_id}")
        states[key] = event.event_id
