"""Differences that are the client's own: each with its reason, and only as long as it is still there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from .comparison import Difference
from .table import Moment, Value

HOUR_MS = 3_600_000
Subject = tuple[str, str]
"""A client, and what it was asked about."""


class Known(NamedTuple):
    """Differences of a client in one field of a subject, where the two values stand in this relation."""

    client: str
    subject: str
    field: str
    relation: Callable[[Value, Value], bool]
    reason: str

    def explains(self, difference: Difference) -> bool:
        """True if the difference is of this client, subject and field, and the values are in this relation."""
        same_place = (self.client, self.subject, self.field) == (
            difference.client,
            difference.subject,
            difference.field,
        )
        return same_place and self.relation(difference.truth, difference.theirs)


class Verdict(NamedTuple):
    """All differences of a run, sorted out."""

    unknown: list[Difference]
    explained: dict[Known, int]
    """How many differences each known one explains."""
    needless: list[Known]
    """Those that explain none although their subject was compared: the client or the exchange has changed."""

    @property
    def good(self) -> bool:
        """True if every difference is explained and every known one is still needed."""
        return not self.unknown and not self.needless


def verdict(differences: Iterable[Difference], known: Iterable[Known], compared: Collection[Subject]) -> Verdict:
    """Each difference goes to the first of the known ones that explains it; `compared` are the subjects of a client."""
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
    """The relation of exactly these two values."""
    return lambda left, right: (left, right) == (true, said)


def eight_hours_ahead(true: Value, said: Value) -> bool:
    """The client's time is the true one plus eight hours, in its own grain."""
    if not isinstance(true, int) or not isinstance(said, Moment):
        return False
    return said.ms == true - true % said.grain + 8 * HOUR_MS


def not_said(true: Value, said: Value) -> bool:
    """The client has nothing where something is true."""
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
