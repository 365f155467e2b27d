"""A list of the venue as it was read: rows that are understood, and odd ones.

Lists are asked for in windows, pairs of exchange times in ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from ....core.refusal import Refusal
from ....core.reports import FillReport, OddRow
from ..amounts import amount, identity, text, whole
from ..refusals import redacted

T = TypeVar("T")
LONGEST_VALUE = 40
SECOND = 1000
DAY = 86_400_000
LONGEST_WINDOW = 7 * DAY - SECOND


class Listing(NamedTuple, Generic[T]):
    """A list that was read: `rows` in its order, and `odd` ones, which are not in `rows`; or the `refusal` of it.

    If a part of it was read `by_symbol`, that part has only rows of the symbols that were known.
    """

    rows: tuple[T, ...]
    odd: tuple[OddRow, ...] = ()
    refusal: Refusal | None = None
    by_symbol: bool = False


def parted(found: Iterable[T | OddRow]) -> Listing[T]:
    """Return the rows that are understood, and the odd ones."""
    everything = tuple(found)
    rows = tuple(row for row in everything if not isinstance(row, OddRow))
    return Listing(rows, tuple(row for row in everything if isinstance(row, OddRow)))


def joined(*lists: Listing[FillReport]) -> Listing[FillReport]:
    """Join lists of fills, each of other symbols."""
    rows = sorted((row for each in lists for row in each.rows), key=lambda report: report.exchange_ts)
    return Listing(tuple(rows), tuple(row for each in lists for row in each.odd))


def windows(since: int, until: int) -> list[tuple[int, int]]:
    """Cut an interval, ms, into windows, oldest first. The first begins early, since times may be cut to the second."""
    start = min(since // SECOND * SECOND - SECOND, until - SECOND)
    starts = [*range(start, until, LONGEST_WINDOW), until]
    return list(pairwise(starts))


def parts(times: Iterable[int | None], start: int, end: int) -> list[tuple[int, int]]:
    """Divide a full window into parts, oldest first; none if it is one millisecond long.

    Any place of division is right. For a long window the seconds of its rows give one that needs few requests. Within a
    second, a venue that cuts times lists all rows at its first millisecond, so that one is a part of its own.
    """
    if end - start > SECOND:
        seconds = [at // SECOND * SECOND - 1 for at in times if at is not None]
        begins, ends = (sorted(at + far for at in seconds if start < at + far < end) for far in (0, SECOND))
        within = begins or ends or [(start + end) // 2]
        bounds = [start, within[len(within) // 2], end]
    else:
        whole_second = (start // SECOND + 1) * SECOND
        middle = [whole_second - 1, whole_second] if whole_second <= end else [(start + end) // 2]
        bounds = sorted({start, *middle, end})
    return list(pairwise(bounds)) if end - start > 1 else []


def crowded(kind: Literal["fill", "order", "income"], endpoint: str, end: int, narrow: Mapping[str, str]) -> OddRow:
    """The odd row for rows that a list may have left out at the end of a window that cannot be narrowed further."""
    return OddRow(
        kind=kind,
        endpoint=endpoint,
        excerpt=f"is full at {end} ms of exchange time and may leave rows out: compare with the venue's own history",
        symbol=narrow.get("symbol"),
        order_id=narrow.get("orderId"),
    )


def facts(report: FillReport) -> tuple[str, int, tuple[object, ...]]:
    """Return the facts that identify a fill's row: its order, its time, and the rest."""
    return report.order_id, report.exchange_ts, (report.symbol, report.trade_id, report.qty, report.price)


def age(report: FillReport) -> tuple[int, int]:
    """The key by which fills are sorted: those of one second by trade id."""
    return report.exchange_ts, whole(report.trade_id) or 0


def odd(kind: Literal["fill", "order", "position", "income"], endpoint: str, row: Any, *at_fault: str) -> OddRow:
    """The odd row for a row in which one of the fields `at_fault` cannot be read; they are shown first."""
    names = [*(name for name in at_fault if name in row), *(name for name in row if name not in at_fault)]
    shown = (f"{name}={str(row[name])[:LONGEST_VALUE]!r}" for name in names if not isinstance(row[name], (dict, list)))
    return OddRow(
        kind=kind,
        endpoint=endpoint,
        excerpt=redacted(" ".join(shown)),
        symbol=text(row.get("symbol")),
        order_id=identity(row.get("orderId")),
        qty=amount(row["volume"] if "volume" in row else row.get("qty")) if kind == "fill" else None,
    )
