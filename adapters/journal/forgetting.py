"""Takes events out of a journal for its user: those of an order, or all. The owner stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ...core.reports import OrderRef
from ...ports.errors import JournalRefused
from .hold import Hold
from .rows import order_of
from .schema import open_for_reading, open_for_writing
from .sqlite import NEWEST

_OF_ORDER = "SELECT DISTINCT order_key FROM events WHERE order_key IS NOT NULL"
_UNNAMED = "UPDATE questions SET symbol = '', order_id = ''"
"""The statement that removes the order from questions; they stay, since they still count at the venue."""


class Forgotten(NamedTuple):
    """The result: the order, None for all, the number of removed events, and of those that were not dealt with."""

    order: OrderRef | None
    events: int
    unmarked: int


def forget(path: str | PathLike[str], orders: Sequence[str] | None) -> list[Forgotten]:
    """Take out all events of these orders; with None all events, so that the next start begins without any.

    An order is an id, or SYMBOL:ID if several symbols have the same id. The change is made completely or not at all.
    Raises `JournalRefused` for a file that is no journal or is in use, and for an order that is not in it.
    """
    with _opened(Path(path).resolve()) as connection:
        mark, swept = connection.execute("SELECT mark, swept FROM state").fetchone()
        if orders is None:
            return [_all(connection, mark, swept)]
        keys = [key for (key,) in connection.execute(_OF_ORDER)]
        chosen = dict.fromkeys(_named(Path(path), order, keys) for order in orders)
        return [_order(connection, key, mark) for key in chosen]


def _all(connection: sqlite3.Connection, mark: int, swept: int) -> Forgotten:
    (newest,) = connection.execute(NEWEST).fetchone()
    last = max(newest, mark, swept)
    unmarked = connection.execute("DELETE FROM events WHERE serial > ?", (mark,)).rowcount
    marked = connection.execute("DELETE FROM events").rowcount
    connection.execute("DELETE FROM forgotten")
    connection.execute(_UNNAMED)
    connection.execute("UPDATE state SET began = NULL, proven_until = NULL, mark = ?, swept = ?", (last, last))
    return Forgotten(None, marked + unmarked, unmarked)


def _order(connection: sqlite3.Connection, key: str, mark: int) -> Forgotten:
    serials = connection.execute("DELETE FROM events WHERE order_key = ? RETURNING serial", (key,)).fetchall()
    connection.executemany("INSERT INTO forgotten VALUES (?)", serials)
    connection.execute(f"{_UNNAMED} WHERE symbol = ? AND order_id = ?", order_of(key))
    return Forgotten(order_of(key), len(serials), sum(serial > mark for (serial,) in serials))


def _named(path: Path, order: str, keys: Sequence[str]) -> str:
    """Return the key of the order. Raises `JournalRefused` if it is not in the journal, or more than once."""
    symbol, _, order_id = order.rpartition(":")
    by_both = [key for key in keys if order_of(key) == OrderRef(symbol, order_id)]
    found = by_both or [key for key in keys if order_of(key).order_id == order]
    if not found:
        raise JournalRefused(f"{path}: the journal has no order {order}")
    if len(found) > 1:
        several = ", ".join(":".join(order_of(key)) for key in found)
        raise JournalRefused(f"{path}: the journal has more than one order {order}: {several}")
    return found[0]


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal in one transaction, in which no stream writes it."""
    if not path.is_file():
        raise JournalRefused(f"{path}: there is no such journal")
    hold = Hold(path)
    try:
        open_for_reading(path).close()  # an empty file is no journal, and does not become one
        with closing(open_for_writing(path, "power")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise JournalRefused(f"{path}: the journal cannot be changed: {error}") from error
    finally:
        hold.close()
