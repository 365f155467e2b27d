"""The weight spent at an address is counted together with that of others, and reads have priorities."""

from __future__ import annotations

from random import Random

import pytest

from listenkey.adapters.venues.binance.pace import HANDSHAKES, Address, Door, Pace
from listenkey.core.kinds import Purpose
from listenkey.core.refusal import PUT_OFF, UNREACHED
from listenkey.ports.errors import RequestRefused
from listenkey.ports.service import Service, Wait

MINUTE = 63.0
"""Seconds: a minute is counted as a twentieth longer, because requests may arrive closer together."""


def take(address: Address, weight: int, now: float) -> float:
    """Return the time at which a request of this weight may be sent."""
    service = address.turn(weight)
    step = next(service)
    while True:
        assert isinstance(step, Wait)
        now = max(now, step.until)
        try:
            step = service.send((now, None))
        except StopIteration as end:
            at: float = end.value
            return at


def refusal(service: Service[object], now: float) -> RequestRefused:
    next(service)
    with pytest.raises(RequestRefused) as caught:
        service.send((now, None))
    return caught.value


def admitted(address: Address, weight: int, purpose: Purpose, now: float) -> bool:
    service = address.admit(weight, purpose)
    next(service)
    with pytest.raises((StopIteration, RequestRefused)) as ended:
        service.send((now, None))
    if isinstance(ended.value, RequestRefused):
        assert ended.value.refusal.code == PUT_OFF
    return isinstance(ended.value, StopIteration)


@pytest.fixture
def address() -> Address:
    return Pace().address("venue.test")


def test_no_minute_is_overspent(address: Address) -> None:
    """With any weights no window of a minute has more than the limit allows."""
    rng = Random(1)
    sent: list[tuple[float, int]] = []
    now = 0.0
    for _ in range(700):
        weight = rng.choice([1, 5, 30, 40])
        now = max(now + rng.random() / 5, take(address, weight, now))
        sent.append((now, weight))
    for at, _ in sent:
        assert sum(weight for when, weight in sent if at - 60.0 < when <= at) <= 2400 * 0.95


def test_others_spend_too(address: Address) -> None:
    """Weight in the header that is not the library's own counts as spent for a minute."""
    take(address, 100, 0.0)
    address.note_used(2280, sent=0.0, heard=0.1)
    assert take(address, 1, 1.0) == pytest.approx(MINUTE)


def test_a_count_without_others(address: Address) -> None:
    """The library's own weight in the header's count is not counted twice, also while requests are under way."""
    take(address, 100, 0.0)
    take(address, 100, 0.05)
    address.note_used(100, sent=0.0, heard=0.1)
    assert take(address, 2080, 1.0) == 1.0


def test_a_newer_count_replaces_the_older(address: Address) -> None:
    """A newer count of the header replaces an older one."""
    address.note_used(2400, sent=0.0, heard=0.1)
    address.note_used(0, sent=1.0, heard=1.1)
    assert take(address, 100, 2.0) == 2.0


def test_what_is_urgent_goes_first(address: Address) -> None:
    """With little weight left polls are put off, then audits, but a read for recovery is admitted and waits."""
    take(address, 1000, 0.0)
    assert admitted(address, 120, Purpose.AUDIT, 1.0)
    assert not admitted(address, 120, Purpose.POLL, 1.0)
    take(address, 500, 2.0)
    assert not admitted(address, 120, Purpose.AUDIT, 3.0)
    take(address, 700, 3.0)
    assert admitted(address, 120, Purpose.SYNC, 4.0)
    assert take(address, 120, 4.0) == pytest.approx(MINUTE)
    assert admitted(address, 120, Purpose.POLL, 200.0)


def test_a_read_that_is_put_off_hears_until_when(address: Address) -> None:
    """A read that is put off has the time after which the weight will be available."""
    take(address, 1400, 0.0)
    found = refusal(address.admit(120, Purpose.AUDIT), 10.0).refusal
    assert found.retry_after == pytest.approx(MINUTE - 10)
    assert "audit put off" in found.message


def test_a_read_heavier_than_its_share(address: Address) -> None:
    """A read heavier than its share is admitted if the minute is empty."""
    assert admitted(address, 5000, Purpose.POLL, 0.0)


def test_too_fast(address: Address) -> None:
    """A locked address refuses requests until the lock's end, and waits if that is near."""
    address.lock(100.0)
    for service in (address.turn(1), address.admit(1, Purpose.SYNC)):
        found = refusal(service, 50.0).refusal
        assert (found.code, found.retry_after) == (UNREACHED, 50.0)
    assert take(address, 1, 99.0) == 100.0
    address.lock(90.0)
    assert take(address, 1, 101.0) == 101.0


def test_all_accounts_share_an_address() -> None:
    """All accounts share the weight of a host, and each host has its own."""
    pace = Pace()
    assert pace.address("a") is pace.address("a")
    assert pace.address("a") is not pace.address("b")
    assert pace.handshakes("a") is pace.handshakes("a")
    assert pace.handshakes("a") is not pace.mints("a")


def test_without_limits() -> None:
    """Without limits all requests pass at once."""
    address = Pace(limited=False).address("a")
    assert [take(address, 2400, 0.0) for _ in range(5)] == [0.0] * 5
    assert admitted(address, 10**6, Purpose.POLL, 0.0)


def queued(door: Door, now: float, *, new: bool, patience: float = 2.5) -> Service[float]:
    service = door.turn(patience, new=new)
    next(service)
    return service


def test_streams_that_recover_go_first() -> None:
    """Of the waiting handshakes those of streams that recover go before those of new streams."""
    door = Pace(lots=Random(3)).handshakes("a")
    for _ in range(HANDSHAKES.calls):
        service = queued(door, 0.0, new=True)
        with pytest.raises(StopIteration):
            service.send((0.0, None))
    last = HANDSHAKES.seconds * 1.05
    new, old = (queued(door, last - 1, new=new) for new in (True, False))
    for service in (new, old):
        step = service.send((last - 1, None))
        assert isinstance(step, Wait)
    with pytest.raises(StopIteration) as ended:
        old.send((last, None))
    assert ended.value.value == last


def test_a_turn_that_is_far_off() -> None:
    """A turn that is too far off is refused with its time, and does not count as a failing call."""
    door = Pace().handshakes("a")
    for _ in range(HANDSHAKES.calls):
        with pytest.raises(StopIteration):
            queued(door, 0.0, new=False).send((0.0, None))
    found = refusal(door.turn(2.5, new=False), 5.0).refusal
    assert (found.code, found.retry_after) == (UNREACHED, HANDSHAKES.seconds * 1.05 - 5)
