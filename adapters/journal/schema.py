"""The file format: how a journal is created, locked against a second writer, opened, and recognised."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Literal

from ...ports.errors import JournalRefused

APPLICATION_ID = 0x6C6B6A31
VERSION = 3
"""Schema 2 has revised fills, which a reader of schema 1 would take for damage; schema 3 has the owner."""

TABLES = {
    "events": """CREATE TABLE events (
    serial INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    order_key TEXT,
    ends INTEGER NOT NULL,
    body BLOB NOT NULL
)""",
    "events_of_orders": "CREATE INDEX events_of_orders ON events (order_key, at, ends) WHERE order_key IS NOT NULL",
    "events_of_no_order": "CREATE INDEX events_of_no_order ON events (at) WHERE order_key IS NULL",
    "state": """CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    began INTEGER,
    proven_until INTEGER,
    mark INTEGER NOT NULL,
    swept INTEGER NOT NULL
)""",
    "owner": """CREATE TABLE owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    salt BLOB NOT NULL,
    venue TEXT,
    host TEXT,
    account BLOB
)""",
    "api_keys": "CREATE TABLE api_keys (digest BLOB PRIMARY KEY) WITHOUT ROWID",
    "forgotten": "CREATE TABLE forgotten (serial INTEGER PRIMARY KEY)",
    "questions": """CREATE TABLE questions (
    at INTEGER NOT NULL,
    symbol TEXT NOT NULL,
    order_id TEXT NOT NULL,
    denied INTEGER NOT NULL
)""",
}
"""`at` is the later of an event's exchange time and of `proven_until` when it was stored, ms. An event that `ends` its
order is the last one of it. `swept` is the highest serial that retention has deleted: above it none may be missing,
except those `forgotten` on demand. `account` and the API keys are digests, with the `salt` of the file."""

_SINCE_3 = ("owner", "api_keys", "forgotten", "questions")
_NOBODYS = "INSERT INTO owner VALUES (1, randomblob(16), NULL, NULL, NULL)"

UPGRADES = {
    1: ("PRAGMA user_version = 2",),
    2: (*(TABLES[name] for name in _SINCE_3), _NOBODYS, "PRAGMA user_version = 3"),
}
"""The statements that turn an earlier schema into the next. Schema 2 has the tables of schema 1."""

Durability = Literal["process", "power"]


def tables(version: int) -> dict[str, str]:
    """The tables and indices of a schema, by name, as they were made."""
    return {name: made for name, made in TABLES.items() if version >= 3 or name not in _SINCE_3}


def lock(path: Path) -> sqlite3.Connection:
    """Lock the journal while the returned connection is open; the system drops the lock when the process dies.

    The lock is on an empty database beside the journal, so that others can still read the journal itself.
    """
    beside = path.with_name(path.name + "-lock")
    try:
        create_private(beside)
        holder = sqlite3.connect(beside, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise JournalRefused(f"{path}: the journal cannot be opened: {error}") from error
    try:
        holder.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        holder.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise JournalRefused(f"{path}: the journal is in use by another stream") from error
        raise JournalRefused(f"{path}: the journal cannot be locked: {error}") from error
    return holder


def open_for_writing(path: Path, durability: Durability) -> sqlite3.Connection:
    """Return a connection to the journal, which is created if there is none. Raises `JournalRefused`."""
    try:
        create_private(path)
        connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise JournalRefused(f"{path}: the journal cannot be opened: {error}") from error
    try:
        version = _recognise(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        if not version:
            _create(connection)
        elif version < VERSION:
            _upgrade(connection, version)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
        connection.execute("PRAGMA journal_size_limit = 16777216")
    except sqlite3.Error as error:
        connection.close()
        raise JournalRefused(f"{path}: the journal cannot be opened: {error}") from error
    except JournalRefused:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing; a stream may write meanwhile. Raises `JournalRefused`."""
    if not path.is_file():
        raise JournalRefused(f"{path}: there is no such journal")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1, isolation_level=None)
    except sqlite3.Error as error:
        raise JournalRefused(f"{path}: the journal cannot be read: {error}") from error
    try:
        if not _recognise(connection, path):
            raise JournalRefused(f"{path}: not a journal of listenkey")
    except sqlite3.Error as error:
        connection.close()
        raise JournalRefused(f"{path}: the journal cannot be read: {error}") from error
    except JournalRefused:
        connection.close()
        raise
    return connection


def _recognise(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema of a journal, 0 for an empty file; any other file is refused before it is changed."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise JournalRefused(f"{path}: not a journal of listenkey") from error
        raise
    if (application, version, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        raise JournalRefused(f"{path}: not a journal of listenkey")
    if version != VERSION and version not in UPGRADES:
        raise JournalRefused(f"{path}: written by another listenkey (schema {version}, this one has schema {VERSION})")
    return int(version)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES.values():
        connection.execute(statement)
    connection.execute("INSERT INTO state VALUES (1, NULL, NULL, 0, 0)")
    connection.execute(_NOBODYS)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Upgrade to the schema of today in one transaction: if the process dies in it, the file is unchanged."""
    connection.execute("BEGIN IMMEDIATE")
    for step in range(version, VERSION):
        for statement in UPGRADES[step]:
            connection.execute(statement)
    connection.execute("COMMIT")


def create_private(path: Path) -> None:
    """Create a file that only its user can read. An existing one is not opened: closing it would drop our locks."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
