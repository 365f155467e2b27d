"""Known differences of clients, each with its reason; one that does not occur any more must be removed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from .comparison import Difference
from .table import Moment, Value

HOUR_MS = 3_600_000
Subject = tuple[str, str]
"""A client, and the subject of its answer."""


class Known(NamedTuple):
    """Known differences of a client in one field of a subject, for which this relation of the two values holds."""

    client: str
    subject: str
    field: str
    relation: Callable[[Value, Value], bool]
    reason: str

    def explains(self, difference: Difference) -> bool:
        """True if the difference has this client, subject and field, and the relation holds for its values."""
        same_place = (self.client, self.subject, self.field) == (
            difference.client,
            difference.subject,
            difference.field,
        )
        return same_place and self.relation(difference.truth, difference.theirs)


class Verdict(NamedTuple):
    """All differences of a run, known and unknown."""

    unknown: list[Difference]
    explained: dict[Known, int]
    """The number of differences that each known one explains."""
    needless: list[Known]
    """Known ones that explain none although their subject was compared: the client or the exchange has changed."""

    @property
    def good(self) -> bool:
        """True if every difference is explained and every known one is needed."""
        return not self.unknown and not self.needless


def verdict(differences: Iterable[Difference], known: Iterable[Known], compared: Collection[Subject]) -> Verdict:
    """Assign each difference to the first known one that explains it; `compared` are the compared subjects."""
    counts = dict.fromkeys(known, 0)
    unknown = []
    for difference in differences:
        cause = next((each for each in counts if each.explains(difference)), None)
        if cause is None:
            unknown.append(difference)
        else:
            counts[cause] += 1
    needless = [each for each, count in counts.items() if not count and (each.client, each.subject) in compared]
    return Verdict(unknown, {each: count for each, count in counts.items() if count}, needless)


def is_pair(true: Value, said: Value) -> Callable[[Value, Value], bool]:
    """Return the relation that holds for exactly these two values."""
    return lambda left, right: (left, right) == (true, said)


def eight_hours_ahead(true: Value, said: Value) -> bool:
    """True if the client's time is the true one plus eight hours, in its own grain."""
    if not isinstance(true, int) or not isinstance(said, Moment):
        return False
    return said.ms == true - true % said.grain + 8 * HOUR_MS


def not_said(true: Value, said: Value) -> bool:
    """True if the client has no value where the truth has one."""
    return true is not None and said is None


KNOWN: tuple[Known, ...] = (
    Known(
        "ccxt",
        "fill",
        "ts",
        eight_hours_ahead,
        "ccxt reads the column `filledTm`, which has the venue's wall time (UTC+8) under a Z, and not `filledTime`, "
        "which has an offset.",
    ),
    Known(
        "ccxt",
        "order",
        "state",
        is_pair("expired", "EXPIRED"),
        "ccxt's `parse_order_status` has no entry for EXPIRED and hands the venue's word on.",
    ),
    Known(
        "ccxt pro",
        "order",
        "state",
        is_pair("expired", "EXPIRED"),
        "ccxt pro reads orders with ccxt's `parse_order_status`, which has no entry for EXPIRED.",
    ),
    Known(
        "ccxt",
        "position",
        "hedged",
        not_said,
        "ccxt's `parse_position` never says whether positions are hedged, although the rows have `onlyOnePosition`.",
    ),
    Known(
        "bingx-py",
        "order",
        "model status",
        is_pair("CANCELED", "'CANCELLED'"),
        "bingx-py's `OrderStatus` has CANCELED where the venue writes two L; its models refuse the whole answer.",
    ),
    Known(
        "bingx-py",
        "order",
        "model status",
        is_pair("EXPIRED", "'EXPIRED'"),
        "bingx-py's `OrderStatus` has no EXPIRED; its models refuse the whole answer.",
    ),
)
