"""The tables that are compared: rows by key, with the same names and values on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import NamedTuple


class Silence(Enum):
    """A value that the truth does not have, so that the client's is not compared."""

    SILENT = "not said"


class Moment(NamedTuple):
    """A client's time, ms since the epoch, in whole multiples of `grain` ms."""

    ms: int
    grain: int

    def __str__(self) -> str:
        return f"{self.ms} to {self.grain} ms"


Value = str | int | bool | Decimal | Moment | Silence | None
"""Amounts are `Decimal`, not float. Times in the truth are whole ms."""
Row = Mapping[str, Value]
Table = Mapping[str, Row]


def amount(said: str | float) -> Decimal:
    """Return an amount exactly as it is written; for a float the shortest number that represents it."""
    return Decimal(said if isinstance(said, str) else repr(said))


def moment(ms: int | None, grain: int) -> Moment | None:
    """Return a client's time, None if it has none."""
    return None if ms is None else Moment(ms, grain)


def keyed(rows: Iterable[tuple[str, Row]]) -> Table:
    """Return rows by key. Raises `ValueError` if a key comes twice."""
    table: dict[str, Row] = {}
    for key, row in rows:
        if key in table:
            raise ValueError(f"{key} stands there twice")
        table[key] = row
    return table


def numbered(fills: Iterable[Row]) -> Table:
    """Return fills without trade ids, oldest first, as a table; those of an order are distinguished by content."""
    table: dict[str, Row] = {}
    count: Counter[str] = Counter()
    for fill in sorted(fills, key=lambda row: [Decimal(str(row[name])) for name in ("qty", "price", "fee")]):
        order = str(fill["order_id"])
        count[order] += 1
        table[f"{order}#{count[order]}"] = fill
    return table
