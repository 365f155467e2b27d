"""The list of what is the client's own: each with a reason, each still needed, and nothing wider than it says."""

from __future__ import annotations

import pytest

from .comparison import Difference
from .known import HOUR_MS, KNOWN, Known, verdict
from .table import Moment, Value

NOON = 1795953600123


def difference(known: Known, true: Value, said: Value) -> Difference:
    """One in the place of a known difference."""
    return Difference(known.client, "a call", known.subject, "7", known.field, true, said)


KEPT = Known("a client", "order", "state", lambda true, said: (true, said) == ("expired", "EXPIRED"), "It has no word.")
SEEN = difference(KEPT, "expired", "EXPIRED")
PLACE = {("a client", "order")}


def test_a_known_difference_is_counted_and_well() -> None:
    """A difference that the list explains does not fail the check."""
    found = verdict([SEEN, SEEN], [KEPT], PLACE)
    assert (found.unknown, found.explained, found.needless) == ([], {KEPT: 2}, [])
    assert found.good


@pytest.mark.parametrize(
    "other",
    [
        SEEN._replace(client="another"),
        SEEN._replace(subject="fill"),
        SEEN._replace(field="side"),
        SEEN._replace(truth="open"),
        SEEN._replace(theirs="REJECTED"),
    ],
)
def test_any_other_fails(other: Difference) -> None:
    """Another client, subject, field or value is not explained, however near it is."""
    found = verdict([SEEN, other], [KEPT], PLACE)
    assert found.unknown == [other]
    assert not found.good


def test_what_does_not_occur_any_more_fails() -> None:
    """A known difference of something that was compared, and that explains nothing, must leave the list."""
    found = verdict([], [KEPT], PLACE)
    assert found.needless == [KEPT]
    assert not found.good


def test_what_was_not_compared_says_nothing_about_the_list() -> None:
    """A client that could not be asked fails the check by that, and not by what it would have said."""
    assert verdict([], [KEPT], set()).needless == []


def test_all_the_same_is_well() -> None:
    """Without a difference and without a list there is nothing to say."""
    assert verdict([], [], PLACE).good


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.client}-{known.subject}-{known.field}")
def test_each_has_a_reason(known: Known) -> None:
    """The reason is a sentence about the client that it names."""
    assert known.client.split()[0] in known.reason
    assert len(known.reason.split()) > 8
    assert known.reason.endswith(".")


def test_each_place_and_relation_stands_once() -> None:
    """No two explain the same difference: one of them would never be needed."""
    samples: list[tuple[Value, Value]] = [
        *(("expired", "EXPIRED"), ("CANCELED", "'CANCELLED'"), ("EXPIRED", "'EXPIRED'"), (True, None), (False, None)),
        (NOON, Moment(NOON - 123 + 8 * HOUR_MS, 1000)),
    ]
    for known in KNOWN:
        for true, said in samples:
            assert sum(each.explains(difference(known, true, said)) for each in KNOWN) <= 1


@pytest.mark.parametrize(
    ("client", "field", "true", "said", "explained"),
    [
        ("ccxt", "ts", NOON, Moment(NOON - 123 + 8 * HOUR_MS, 1000), True),
        ("ccxt", "ts", NOON, Moment(NOON + 8 * HOUR_MS, 1), True),
        ("ccxt", "ts", NOON, Moment(NOON - 123 + 9 * HOUR_MS, 1000), False),
        ("ccxt", "ts", NOON, Moment(NOON + 877 + 8 * HOUR_MS, 1000), False),
        ("ccxt", "ts", NOON, None, False),
        ("ccxt", "hedged", True, None, True),
        ("ccxt", "hedged", True, False, False),
        ("ccxt", "state", "expired", "EXPIRED", True),
        ("ccxt", "state", "open", "EXPIRED", False),
        ("bingx-py", "model status", "CANCELED", "'CANCELLED'", True),
        ("bingx-py", "model status", "FILLED", "'CANCELLED'", False),
        ("bingx-py", "model price", "CANCELED", "'CANCELLED'", False),
    ],
)
def test_each_explains_what_it_says(client: str, field: str, true: Value, said: Value, explained: bool) -> None:
    """The list is exact: a time that is eight hours ahead, not nine; a word that is missing, not any word."""
    subjects = {known.subject for known in KNOWN if known.client == client}
    found = [Difference(client, "a call", subject, "7", field, true, said) for subject in subjects]
    assert any(known.explains(each) for known in KNOWN for each in found) is explained
