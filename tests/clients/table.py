"""The tables that are compared: rows by key, on both sides in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import NamedTuple


class Silence(Enum):
    """On this the truth is silent: whatever a client has there is not compared."""

    SILENT = "not said"


class Moment(NamedTuple):
    """A time that a client gives, ms since the epoch, in whole multiples of `grain` ms."""

    ms: int
    grain: int

    def __str__(self) -> str:
        return f"{self.ms} to {self.grain} ms"


Value = str | int | bool | Decimal | Moment | Silence | None
"""Amounts are `Decimal`, never a float. In the truth a time is a whole number of ms."""
Row = Mapping[str, Value]
Table = Mapping[str, Row]


def amount(said: str | float) -> Decimal:
    """An amount exactly as it is written; of a float the shortest number that stands for it."""
    return Decimal(said if isinstance(said, str) else repr(said))


def moment(ms: int | None, grain: int) -> Moment | None:
    """A time as a client gives it, if it gives one."""
    return None if ms is None else Moment(ms, grain)


def keyed(rows: Iterable[tuple[str, Row]]) -> Table:
    """Rows by key. Raises `ValueError` for one that stands there twice."""
    table: dict[str, Row] = {}
    for key, row in rows:
        if key in table:
            raise ValueError(f"{key} stands there twice")
        table[key] = row
    return table


def numbered(fills: Iterable[Row]) -> Table:
    """Fills without a trade id, oldest first, as a table: those of an order are distinguished by what they say."""
    table: dict[str, Row] = {}
    count: Counter[str] = Counter()
    for fill in sorted(fills, key=lambda row: [Decimal(str(row[name])) for name in ("qty", "price", "fee")]):
        order = str(fill["order_id"])
        count[order] += 1
        table[f"{order}#{count[order]}"] = fill
    return table
