"""The state that the parts of a connection share within one call: numbers, anomalies, and the venue's clock."""

from __future__ import annotations

import pytest

from listenkey.core import actions
from listenkey.core.context import DETAIL_LIMIT, Context
from listenkey.core.policy import Policy
from listenkey.core.timers import Timer


def context(now: float = 0.0) -> Context:
    made = Context(Policy(), seed=0)
    made.now = now
    return made


def test_numbers() -> None:
    """Every number is fresh, and they begin at 1."""
    one = context()
    assert [one.number() for _ in range(4)] == [1, 2, 3, 4]


def test_actions_keep_their_order() -> None:
    """Actions are returned in the order in which they were emitted."""
    one = context()
    for request in range(3):
        one.emit(actions.CreateKey(request))
    assert one.actions == [actions.CreateKey(0), actions.CreateKey(1), actions.CreateKey(2)]


def test_anomalies_are_counted_by_name() -> None:
    """Each name has its own count, and each report gives the count so far."""
    one = context()
    for name in ("a", "b", "a"):
        one.report(name, "seen")
    seen = [action.anomaly for action in one.actions if isinstance(action, actions.Report)]
    assert [(anomaly.name, anomaly.detail, anomaly.count) for anomaly in seen] == [
        ("a", "seen", 1),
        ("b", "seen", 1),
        ("a", "seen", 2),
    ]


@pytest.mark.parametrize("secret", ["a1b2c3d4" * 8, "A" * 24, "abcd+/_-" * 3])
def test_details_hide_what_could_be_a_key(secret: str) -> None:
    """A long run of letters and digits is redacted, also where the detail is cut; the detail has a limit."""
    one = context()
    for detail in (secret, f'{{"key":"{secret}"}}', "x " * 40 + secret, "y " * 500):
        one.report("a", detail)
    for action in one.actions:
        assert isinstance(action, actions.Report)
        assert secret not in action.anomaly.detail
        assert len(action.anomaly.detail) <= DETAIL_LIMIT
    first = one.actions[0]
    assert isinstance(first, actions.Report)
    assert first.anomaly.detail == "[redacted]"


def test_timers_are_armed_from_now() -> None:
    """`arm` counts from the time of this call."""
    one = context(100.0)
    one.arm((Timer.MINT, 0), 5)
    assert one.timers.deadline == 105


def test_exchange_time() -> None:
    """The venue's clock is the last time it gave plus the time since; it is unknown before the first."""
    one = context(100.0)
    assert one.exchange_time() is None
    one.set_exchange_time(1_700_000_000_000)
    one.now = 102.5
    assert one.exchange_time() == 1_700_000_002_500
    one.set_exchange_time(1_700_000_000_000)  # the venue's clock was set back
    assert one.exchange_time() == 1_700_000_000_000


def test_the_seed_is_the_only_chance() -> None:
    """Contexts with the same seed draw the same random numbers."""
    assert context().rng.random() == context().rng.random()
    assert context().rng.random() != Context(Policy(), seed=1).rng.random()
