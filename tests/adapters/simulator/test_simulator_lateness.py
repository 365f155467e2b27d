"""A server whose turn comes late: what it could not do in time it does later, and holds its lateness against nobody.

Real code on a clock that the tests move.
"""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from listenkey.adapters.simulator.sockets import LATE, UNANSWERED_PINGS, Stream

from .held import Held

TURN = 0.01
PING = 0.5
EPOCH = 1_760_000_000_000


class Late(Held):
    """A venue whose turns the test takes."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"fills_per_second": 50.0, "ping_interval": PING, "seed": 4, "epoch_ms": EPOCH, **settings})

    def passes(self, seconds: float) -> None:
        """Turns in time."""
        for _ in range(round(seconds / TURN)):
            self.at += TURN
            self.step()

    def misses(self, seconds: float) -> None:
        """No turn for so long, and then one."""
        self.at += seconds
        self.step()

    def made(self) -> list[tuple[str, str, str]]:
        """The fills so far, each by symbol, side and quantity, without its time."""
        orders = self.exchange.orders
        return [
            (orders[each.order_id].symbol, orders[each.order_id].side, str(each.qty)) for each in self.exchange.fills
        ]

    def join(self) -> Stream:
        """A socket that is open, and of which nobody reads."""
        key = self.keys.mint(self.now())
        return self.hub.join(key, web.WebSocketResponse(), make_mocked_request("GET", "/swap-market"))


def test_what_was_missed_is_not_made_up_for() -> None:
    """After ten seconds without a turn there are hardly more fills than before, and then as many as ever."""
    venue = Late()
    venue.passes(2)
    before = len(venue.exchange.fills)
    venue.misses(10)
    after = len(venue.exchange.fills)
    venue.passes(2)
    assert before > 50
    assert after - before < 50 * LATE * 3
    assert 50 < len(venue.exchange.fills) - after < 200


def test_what_was_missed_comes_later() -> None:
    """However late the turns are, the same is traded in the same order: it is postponed, and nothing is left out."""
    prompt, late = Late(), Late()
    prompt.passes(6)
    for _ in range(20):
        late.passes(0.4)
        late.misses(3)
    traded = prompt.made()
    assert len(traded) > 200
    assert late.made()[: len(traded)] == traded


def test_turns_that_are_a_little_late_change_nothing() -> None:
    """Up to `LATE` everything happens at its own time."""
    prompt, late = Late(), Late()
    prompt.passes(4)
    while late.at + 0.9 * LATE < prompt.at:
        late.misses(0.9 * LATE)
    late.misses(prompt.at - late.at)
    assert late.exchange.fills == prompt.exchange.fills


def test_a_turn_is_late_by_real_time() -> None:
    """Where exchange time runs a thousand times as fast, a turn that is in time is none the less."""
    venue = Late(time_scale=1000.0)
    venue.passes(2)
    assert 50 < len(venue.exchange.fills) < 200


def test_nothing_is_made_that_does_not_leave() -> None:
    """While a socket's queue is full nothing new happens; what was held back is not made up for afterwards."""
    venue = Late()
    stream = venue.join()
    venue.passes(30)
    full = len(venue.exchange.fills)
    venue.passes(10)
    assert len(venue.exchange.fills) == full
    assert stream.crowded(venue.elapsed())
    venue.hub.leave(stream, None)
    venue.step()
    assert len(venue.exchange.fills) - full < 50 * LATE * 3


def test_frames_that_are_to_leave_later_are_no_crowd() -> None:
    """The fault that delays frames holds nothing back."""
    venue = Late(faults=["delay@0+1000"])
    stream = venue.join()
    venue.fault("delay", by=3600.0, seconds=10.0)
    venue.passes(8)
    assert not stream.crowded(venue.elapsed())
    assert len(venue.exchange.fills) > 200


def test_who_does_not_answer_is_dropped() -> None:
    """After six pings, when every turn is in time."""
    venue = Late(fills_per_second=0.0)
    stream = venue.join()
    venue.passes((1 + UNANSWERED_PINGS) * PING - 2 * TURN)
    assert stream.reason == "client"
    venue.passes(4 * TURN)
    assert stream.reason == "no pong"


def test_a_pong_that_we_have_not_read_is_no_missing_pong() -> None:
    """Time in which there was no turn is not held against a client: its pong waits to be read."""
    venue = Late(fills_per_second=0.0)
    stream = venue.join()
    for _ in range(5):
        venue.passes(2 * PING)
        venue.misses(20 * PING)
        assert stream.reason == "client"
        stream.hear("Pong")
    venue.passes(PING + TURN)
    venue.misses(20 * PING)
    venue.passes((UNANSWERED_PINGS + 1) * PING)
    assert stream.reason == "no pong"


@pytest.mark.parametrize("missed", [3.0, 100.0])
def test_pings_that_were_missed_are_not_made_up_for(missed: float) -> None:
    """At once after the pause, and from then on at intervals, however many were missed."""
    venue = Late(fills_per_second=0.0)
    venue.join().hear("Pong")
    venue.passes(PING + TURN)
    venue.misses(missed)
    venue.passes(PING - 2 * TURN)
    assert 2 <= venue.log.pings_sent <= 3
