"""A list of the venue as it was read: the rows that are understood, and beside them those that are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from ....core.refusal import Refusal
from ....core.reports import OddRow
from .amounts import amount, identity, word
from .codes import redacted

T = TypeVar("T")
LONGEST_VALUE = 40


class Listing(NamedTuple, Generic[T]):
    """`rows` in the list's order, and `odd` ones, which are in no `rows`; or why nothing is listed."""

    rows: tuple[T, ...]
    odd: tuple[OddRow, ...] = ()
    refusal: Refusal | None = None


def parted(found: Iterable[T | OddRow]) -> Listing[T]:
    """The rows that are understood, and the others."""
    everything = tuple(found)
    rows = tuple(row for row in everything if not isinstance(row, OddRow))
    return Listing(rows, tuple(row for row in everything if isinstance(row, OddRow)))


def odd(kind: Literal["fill", "order", "position", "income"], endpoint: str, row: Any, *at_fault: str) -> OddRow:
    """A row of which the fields `at_fault` cannot be read, one of them at least; they are shown first."""
    names = [*(name for name in at_fault if name in row), *(name for name in row if name not in at_fault)]
    shown = (f"{name}={str(row[name])[:LONGEST_VALUE]!r}" for name in names if not isinstance(row[name], (dict, list)))
    return OddRow(
        kind=kind,
        endpoint=endpoint,
        excerpt=redacted(" ".join(shown)),
        symbol=word(row.get("symbol")),
        order_id=identity(row.get("orderId")),
        qty=amount(row["volume"] if "volume" in row else row.get("qty")) if kind == "fill" else None,
    )
