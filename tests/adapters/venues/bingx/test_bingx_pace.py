"""Slots of calls: by API key, by address, by the venue's count of calls left, and by lot among waiting streams."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from listenkey.adapters.venues.bingx.keys import Handshake, Keys
from listenkey.adapters.venues.bingx.pace import KEY_PATH, OF_ADDRESS, OF_ADDRESS_AND_PATH, TIME_PATH, Endpoint, Pace
from listenkey.adapters.venues.queue import Queue
from listenkey.core.refusal import UNREACHED
from listenkey.ports.errors import RequestRefused
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Service, Wait

from .venue import Venue, reply

FILLS = "/openApi/swap/v2/trade/fillHistory"
INCOME = "/openApi/swap/v2/user/income"


def endpoint(pace: Pace, path: str = FILLS, *, method: str = "GET", host: str = "venue", key: str = "key") -> Endpoint:
    return pace.endpoint(host, key, method, path)


def most(places: Sequence[float], seconds: float) -> int:
    """Return the largest number of slots in any window of so many seconds."""
    return max(sum(start <= place < start + seconds for place in places) for start in places)


def test_a_key_has_its_calls_a_second() -> None:
    """An API key has five calls a second to each path; other keys, paths and addresses have their own."""
    pace = Pace()
    places = [endpoint(pace).reserve(0.0) for _ in range(12)]
    assert places[:5] == [0.0] * 5
    assert most(places, 1.0) == 5
    assert places[-1] < 2.2
    assert endpoint(pace, INCOME).reserve(0.0) == 0.0
    assert endpoint(pace, key="another").reserve(0.0) == 0.0
    assert endpoint(pace, host="elsewhere").reserve(0.0) == 0.0


def test_an_address_has_its_calls_in_ten_seconds() -> None:
    """An address has 300 calls to a path in ten seconds and 2000 to all of accounts, not counting the time."""
    pace, calls = Pace(), OF_ADDRESS_AND_PATH.calls
    places = [endpoint(pace, key=f"key {number}").reserve(0.0) for number in range(calls + 2)]
    assert places.count(0.0) == calls == 300
    assert most(places, 10.0) == calls
    for number in range(calls, OF_ADDRESS.calls):
        assert endpoint(pace, f"/{number % 30}", key=f"key {number}").reserve(0.0) == 0.0 or number >= 1998
    assert endpoint(pace, "/other", key="last").reserve(0.0) > 10
    assert endpoint(pace, TIME_PATH).reserve(0.0) == 0.0


def waiting(pace: Pace) -> tuple[Service[float], float]:
    """Ask for a turn at 0; return the waiting service and the time of its slot."""
    service = endpoint(pace).turn()
    next(service)
    step = service.send((0.0, None))
    assert isinstance(step, Wait)
    return service, step.until


def test_places_are_given_in_order() -> None:
    """Slots are given in the order of asking, and one that is given up is used again."""
    pace = Pace()
    held = [waiting(pace) for _ in range(9)]
    places = [place for _, place in held]
    assert places == sorted(places)
    assert sum(place > 0 for place in places) == 4
    given_up = []
    for _ in range(3):
        service, place = waiting(pace)
        service.close()
        given_up.append(place)
    assert len(set(given_up)) == 1
    assert given_up[0] >= places[-1]


def test_a_place_that_is_gone_is_no_place() -> None:
    """Giving back a slot that is long past changes nothing."""
    pace = Pace()
    first = endpoint(pace).reserve(0.0)
    assert [endpoint(pace).reserve(50.0) for _ in range(5)] == [50.0] * 5
    endpoint(pace).release(first)
    assert endpoint(pace).reserve(50.0) > 51


def left(venue: Venue, calls: str, seconds: float) -> HttpResponse:
    """Return a good answer with the number of calls left and the end of the window."""
    until = str(venue.ms() + int(seconds * 1000))
    good = reply({"code": 0, "msg": "", "data": []})
    return good._replace(headers={"x-ratelimit-requests-remain": calls, "x-ratelimit-requests-expire": until})


def test_what_the_venue_says_is_left_goes_before_our_own_count() -> None:
    """If the venue reports one call left, one more is sent, and the next when the window is over."""
    venue = Venue()
    rest = venue.rest(pace=Pace())
    venue.run(rest.now())
    venue.scripted["positions"] = [left(venue, "1", 0.8)]
    over = venue.clock.now + 0.8
    for _ in range(3):
        venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {}))
    assert venue.times[2] < over <= venue.times[3]


def test_a_long_window_that_is_used_up_is_no_failing_call() -> None:
    """A used up window that ends late refuses a call with the time, without sending it or counting a failure."""
    venue = Venue()
    rest = venue.rest(pace=Pace())
    venue.run(rest.now())
    venue.scripted["positions"] = [left(venue, "0", 9.0)]
    venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {}))
    sent = len(venue.calls)
    with pytest.raises(RequestRefused) as caught:
        venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {}))
    assert (len(venue.calls), caught.value.refusal.code) == (sent, UNREACHED)
    assert 8 < (caught.value.refusal.retry_after or 0) <= 9.1
    assert rest.endpoint("GET", "/openApi/swap/v2/user/positions").failures(venue.clock.now) == 0


@pytest.mark.parametrize(("remain", "seconds"), [("0", 3600.0), ("-1", 1.0), ("none", 1.0), ("0", -5.0)])
def test_an_allowance_that_cannot_be_is_not_believed(remain: str, seconds: float) -> None:
    """A report of calls left with an impossible number or time does not delay any call."""
    venue = Venue()
    rest = venue.rest(pace=Pace())
    venue.run(rest.now())
    venue.scripted["positions"] = [left(venue, remain, seconds)]
    for _ in range(2):
        venue.run(rest.call("GET", "/openApi/swap/v2/user/positions", {}))
    assert venue.clock.now - venue.began < 0.1


def queued(pace: Pace, number: int, *, new: bool) -> tuple[Service[float], float]:
    """Let a stream ask to mint at 0; return its waiting service and the time of its turn."""
    service = endpoint(pace, KEY_PATH, method="POST", key=f"key {number}").queued_turn(60.0, new=new)
    next(service)
    step = service.send((0.0, None))
    assert isinstance(step, Wait)
    return service, step.until


def went(waiting: list[tuple[str, Service[float], float]]) -> list[str]:
    """Wake all at the times they were given; return the names in the order in which they went."""
    gone = []
    while waiting:
        waiting.sort(key=lambda one: one[2])
        name, service, until = waiting.pop(0)
        try:
            step = service.send((until, None))
        except StopIteration:
            gone.append(name)
        else:
            assert isinstance(step, Wait)
            waiting.append((name, service, step.until))
    return gone


def test_streams_that_recover_go_before_new_ones_and_else_by_lot() -> None:
    """Of the streams that wait for a key, those that recover go first, and each kind goes in random order."""
    pace = Pace(lots=Random(5))
    for number in range(OF_ADDRESS_AND_PATH.calls):
        endpoint(pace, KEY_PATH, method="POST", key=f"key {number}").reserve(number / 100 - 3)
    those = [("new", False), ("old", True)] * 20
    held = [(f"{name} {n}", *queued(pace, 1000 + n, new=not old)) for n, (name, old) in enumerate(those)]
    assert all(until > 7 for _, _, until in held)
    order = went(held)
    assert [name.partition(" ")[0] for name in order] == ["old"] * 20 + ["new"] * 20
    numbers = [int(name.partition(" ")[2]) for name in order]
    assert numbers != sorted(numbers, key=lambda number: (number % 2 == 0, number))


def test_a_turn_that_is_too_far_off_is_no_failing_call() -> None:
    """A mint whose turn is too far off is refused with its time, is not sent, and is no failing call."""
    venue = Venue()
    pace = Pace(lots=Random(5))
    rest = venue.rest(pace=pace)
    minting = rest.endpoint("POST", KEY_PATH)
    for number in range(OF_ADDRESS_AND_PATH.calls):
        pace.endpoint("venue.test", f"key {number}", "POST", KEY_PATH).reserve(venue.clock.now)
    with pytest.raises(RequestRefused) as caught:
        venue.run(Keys(rest).create())
    assert caught.value.refusal.code == UNREACHED
    assert 9 < (caught.value.refusal.retry_after or 0) < 11
    assert [call.name for call in venue.calls] == ["time"]
    assert minting.failures(venue.clock.now) == 0


def test_who_gives_up_keeps_nobody_waiting() -> None:
    """A stream that leaves the queue does not delay the others."""
    queue = Queue(Random(1))
    first, second = sorted(queue.join(new=False) for _ in range(2))
    assert queue.ahead(second) == 1
    queue.leave(first)
    assert queue.ahead(second) == 0


def test_handshakes_share_the_pace() -> None:
    """An address has 300 handshakes in ten seconds, the next is refused with its time; recovering streams go first."""
    venue, pace = Venue(), Pace(lots=Random(5))
    first = Handshake("wss://venue.test/market", pace=pace)
    began = venue.run(first.turn())
    for number in range(1, OF_ADDRESS_AND_PATH.calls):
        pace.endpoint("venue.test", "", "GET", "/market").reserve(began + number / 100)
    with pytest.raises(RequestRefused) as caught:
        venue.run(Handshake("wss://venue.test/market", pace=pace).turn())
    assert caught.value.refusal.code == UNREACHED
    assert 10 < (caught.value.refusal.retry_after or 0) < 11
    venue.clock.now += 10
    services = [Handshake("wss://venue.test/market", pace=pace).turn() for _ in range(3)] + [first.turn()]
    waiting = []
    for number, service in enumerate(services):
        next(service)
        step = service.send((venue.clock.now, None))
        assert isinstance(step, Wait)
        waiting.append((str(number), service, step.until))
    assert went(waiting)[0] == "3"
