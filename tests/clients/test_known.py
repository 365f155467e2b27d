"""The list of known differences: each has a reason, is still needed, and explains no others."""

from __future__ import annotations

import pytest

from .comparison import Difference
from .known import HOUR_MS, KNOWN, Known, verdict
from .table import Moment, Value

NOON = 1795953600123


def difference(known: Known, true: Value, said: Value) -> Difference:
    """Return a difference with the client, subject and field of a known one."""
    return Difference(known.client, "a call", known.subject, "7", known.field, true, said)


KEPT = Known("a client", "order", "state", lambda true, said: (true, said) == ("expired", "EXPIRED"), "It has no word.")
SEEN = difference(KEPT, "expired", "EXPIRED")
PLACE = {("a client", "order")}


def test_a_known_difference_is_counted_and_well() -> None:
    """A difference that the list explains is counted, and does not fail the check."""
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
    """A difference of another client, subject, field or value is not explained."""
    found = verdict([SEEN, other], [KEPT], PLACE)
    assert found.unknown == [other]
    assert not found.good


def test_what_does_not_occur_any_more_fails() -> None:
    """A known difference that explains nothing, although its subject was compared, fails the check."""
    found = verdict([], [KEPT], PLACE)
    assert found.needless == [KEPT]
    assert not found.good


def test_what_was_not_compared_says_nothing_about_the_list() -> None:
    """A subject that was not compared fails the check by itself, and not by known differences without use."""
    assert verdict([], [KEPT], set()).needless == []


def test_all_the_same_is_well() -> None:
    """Without differences and without a list the check passes."""
    assert verdict([], [], PLACE).good


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.client}-{known.subject}-{known.field}")
def test_each_has_a_reason(known: Known) -> None:
    """Each reason is a sentence about its client."""
    assert known.client.split()[0] in known.reason
    assert len(known.reason.split()) > 8
    assert known.reason.endswith(".")


def test_each_place_and_relation_stands_once() -> None:
    """No two explain the same difference, since one of them would never be needed."""
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
    """The relations are exact: eight hours ahead, not nine; a missing value, not any value."""
    subjects = {known.subject for known in KNOWN if known.client == client}
    found = [Difference(client, "a call", subject, "7", field, true, said) for subject in subjects]
    assert any(known.explains(each) for known in KNOWN for each in found) is explained
