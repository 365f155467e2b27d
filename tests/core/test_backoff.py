"""Delays double up to a maximum, half of each random; and no endpoint gets more failing calls than its venue bears."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.core.backoff import UNLIMITED, Backoff, CallLimit, FailureLimit, SpacedLimit
from listenkey.core.refusal import UNREACHED, Refusal, RefusalKind

LIMIT = CallLimit(15, 480.0)


@pytest.mark.parametrize(
    ("initial", "maximum", "delays"),
    [
        (1, 30, [1, 2, 4, 8, 16, 30, 30, 30]),
        (5, 60, [5, 10, 20, 40, 60, 60, 60, 60]),
        (30, 30, [30] * 8),
        (90, 30, [30] * 8),
        (0.4, 1, [0.4, 0.8, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_without_jitter(initial: float, maximum: float, delays: list[float]) -> None:
    """The delay doubles from the initial one up to the maximum, and begins again after a reset."""
    backoff = Backoff(initial, maximum)
    assert [backoff.delay() for _ in delays] == delays
    backoff.reset()
    assert backoff.delay() == delays[0]


@given(st.integers(), st.floats(0.001, 1e9), st.floats(0.001, 1e9))
def test_equal_jitter(seed: int, initial: float, maximum: float) -> None:
    """With jitter a delay is between half of the full one and all of it, without overflow."""
    jittered, full = Backoff(initial, maximum, Random(seed)), Backoff(initial, maximum)
    for _ in range(100):
        bound = full.delay()
        assert bound / 2 <= jittered.delay() <= bound


def test_jitter_spreads() -> None:
    """The random half is spread evenly, so that clients that failed together do not come back together."""
    delays = [Backoff(30, 30, Random(seed)).delay() for seed in range(1000)]
    assert min(delays) < 15.3
    assert max(delays) > 29.7
    assert 22 < sum(delays) / len(delays) < 23


def test_cap_is_not_an_exponent() -> None:
    """Ten thousand failures in a row still give the maximum."""
    backoff = Backoff(1e-3, 1e9)
    assert [backoff.delay() for _ in range(10_000)][-1] == 1e9


def test_failure_limit() -> None:
    """Fifteen failures are within the limit; the sixteenth waits until the first is 480 s old."""
    limit = FailureLimit(LIMIT)
    for n in range(15):
        assert limit.wait(n) == 0
        limit.failed(n, None)
    assert limit.wait(14) == 466
    assert limit.wait(479.5) == 0.5
    assert limit.wait(480) == 0
    limit.failed(480, Refusal(RefusalKind.RETRY))
    assert limit.wait(480) == 1


def test_what_the_venue_has_not_seen_it_cannot_count() -> None:
    """Requests that did not reach the venue do not count, so nothing waits when the network is up again."""
    limit = FailureLimit(LIMIT)
    for n in range(100):
        limit.failed(n, Refusal(RefusalKind.RETRY, UNREACHED, "Connection refused"))
    assert limit.wait(100) == 0


def test_a_spaced_limit_is_never_used_up() -> None:
    """Five failures are free; then attempts are 44 s apart until those are forgotten, and 32 s apart after that."""
    limit, now, waits = SpacedLimit(LIMIT), 0.0, list[float]()
    for _ in range(60):
        waits.append(limit.wait(now))
        now += waits[-1]
        limit.failed(now, None)
    assert waits[:5] == [0.0] * 5
    assert max(waits) == pytest.approx(480 / 11)
    assert waits[-15:] == pytest.approx([32.0] * 15)
    assert limit.count(now) <= LIMIT.calls
    assert limit.wait(now + LIMIT.window) == 0
    assert limit.count(now + 480) == 0


def test_what_went_well_the_second_time_is_forgiven() -> None:
    """A failure that is forgiven does not count any more; if there is none, nothing happens."""
    limit = SpacedLimit(LIMIT, 2)
    for now in range(2):
        limit.failed(now, None)
    assert limit.wait(1) == pytest.approx(479 / 14)
    limit.forgive()
    assert (limit.wait(1), limit.count(1)) == (0, 1)
    for _ in range(2):
        limit.forgive()
    assert limit.count(1) == 0


@pytest.mark.parametrize("kind", [FailureLimit, SpacedLimit])
@given(st.lists(st.floats(0, 200), min_size=1, max_size=80))
def test_no_window_holds_more(kind: type[FailureLimit], pauses: list[float]) -> None:
    """If attempts wait as the limit says, at most 15 fail in any 480 s."""
    limit, now, failures = kind(LIMIT), 0.0, list[float]()
    for pause in pauses:
        now += pause
        now += limit.wait(now)
        limit.failed(now, None)
        failures.append(now)
    for last in failures:
        assert sum(last - LIMIT.window + 1e-6 < at <= last for at in failures) <= LIMIT.calls


@given(st.lists(st.floats(0, 10), max_size=40), st.integers(1, 9), st.floats(1, 1000))
def test_the_limit_is_the_venues(pauses: list[float], calls: int, window: float) -> None:
    """The same for any other limit; without one no attempt waits."""
    limit, free, now = FailureLimit(CallLimit(calls, window)), SpacedLimit(UNLIMITED), 0.0
    failures: list[float] = []
    for pause in pauses:
        now += pause
        assert free.wait(now) == 0
        assert free.bears(now, 1000)
        free.failed(now, None)
        if limit.wait(now) == 0:
            limit.failed(now, None)
            failures.append(now)
        assert sum(at > now - window + 1e-6 for at in failures) <= calls


@pytest.mark.parametrize(
    ("limit", "free"), [(FailureLimit(LIMIT), 15), (SpacedLimit(LIMIT), 5), (SpacedLimit(LIMIT, 10), 10)]
)
def test_how_many_more_failures_are_borne(limit: FailureLimit, free: int) -> None:
    """As many as leave the next attempt free; failures older than 480 s do not count."""
    for known in range(free):
        assert limit.bears(100.0) is (known + 1 < free)
        assert limit.bears(100.0, free - known - 1)
        assert not limit.bears(100.0, free - known)
        limit.failed(100.0, None)
    assert not limit.bears(579.0, 0)
    assert limit.bears(581.0, free - 1)
