"""A server whose turns come late postpones its work, and does not drop clients because of its own delay.

The code is the real one, on a clock that the tests move.
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
    """A venue whose turns are called by the test."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"fills_per_second": 50.0, "ping_interval": PING, "seed": 4, "epoch_ms": EPOCH, **settings})

    def passes(self, seconds: float) -> None:
        """Take turns in time for so many seconds."""
        for _ in range(round(seconds / TURN)):
            self.at += TURN
            self.step()

    def misses(self, seconds: float) -> None:
        """Take no turn for so many seconds, and then one."""
        self.at += seconds
        self.step()

    def made(self) -> list[tuple[str, str, str]]:
        """Return the fills so far, each by symbol, side and quantity, without its time."""
        orders = self.exchange.orders
        return [
            (orders[each.order_id].symbol, orders[each.order_id].side, str(each.qty)) for each in self.exchange.fills
        ]

    def join(self) -> Stream:
        """Add an open socket that is not read."""
        key = self.keys.mint(self.now())
        return self.hub.join(key, web.WebSocketResponse(), make_mocked_request("GET", "/swap-market"))


def test_what_was_missed_is_not_made_up_for() -> None:
    """Ten seconds without a turn add only few fills, and the rate after that is as usual."""
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
    """Late turns make the same fills in the same order, but later."""
    prompt, late = Late(), Late()
    prompt.passes(6)
    for _ in range(20):
        late.passes(0.4)
        late.misses(3)
    traded = prompt.made()
    assert len(traded) > 200
    assert late.made()[: len(traded)] == traded


def test_turns_that_are_a_little_late_change_nothing() -> None:
    """Turns that are late by less than `LATE` give the same fills at the same times."""
    prompt, late = Late(), Late()
    prompt.passes(4)
    while late.at + 0.9 * LATE < prompt.at:
        late.misses(0.9 * LATE)
    late.misses(prompt.at - late.at)
    assert late.exchange.fills == prompt.exchange.fills


def test_a_turn_is_late_by_real_time() -> None:
    """With exchange time a thousand times as fast, a turn in time makes fills at the usual rate of real time."""
    venue = Late(time_scale=1000.0)
    venue.passes(2)
    assert 50 < len(venue.exchange.fills) < 200


def test_nothing_is_made_that_does_not_leave() -> None:
    """While a socket's queue is full no fills are made, and they are not made up for afterwards."""
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
    """Frames that a fault delays do not count as a full queue, so fills go on."""
    venue = Late(faults=["delay@0+1000"])
    stream = venue.join()
    venue.fault("delay", by=3600.0, seconds=10.0)
    venue.passes(8)
    assert not stream.crowded(venue.elapsed())
    assert len(venue.exchange.fills) > 200


def test_who_does_not_answer_is_dropped() -> None:
    """If turns are in time, a client is dropped after six unanswered pings."""
    venue = Late(fills_per_second=0.0)
    stream = venue.join()
    venue.passes((1 + UNANSWERED_PINGS) * PING - 2 * TURN)
    assert stream.reason == "client"
    venue.passes(4 * TURN)
    assert stream.reason == "no pong"


def test_a_pong_that_we_have_not_read_is_no_missing_pong() -> None:
    """Time without a turn does not drop a client, whose pong could not be read; time with turns does."""
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
    """After a pause one ping is sent, and the next after an interval, regardless of how many were missed."""
    venue = Late(fills_per_second=0.0)
    venue.join().hear("Pong")
    venue.passes(PING + TURN)
    venue.misses(missed)
    venue.passes(PING - 2 * TURN)
    assert 2 <= venue.log.pings_sent <= 3
