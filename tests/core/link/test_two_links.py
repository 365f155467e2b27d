"""Two links at a time, a process that slept, and frames that are not about orders."""

from __future__ import annotations

import pytest

from listenkey.core import actions, inputs
from listenkey.core.reports import ConfigReport, Unrecognised

from ..trading import ready

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


@WIRES
def test_two_links_bring_everything_and_it_is_delivered_once(wire: str) -> None:
    """The old link leads and the new one's copies wait; a frame that one of the two loses is brought by the other."""
    world = ready(wire)
    order = world.exchange.place("90")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    assert len(world.connection.links) == 2
    for n in range(16):
        if n % 4 < 2:
            world.exchange.lose_one(n % 4)
        world.exchange.fill(order, "1")
        world.passes(0.5)
    world.passes(20)
    assert [interval[1] for interval in world.intervals(order)] == [str(n) for n in range(1, 17)]
    assert {interval[2] for interval in world.intervals(order)} == {"ws"}
    assert world.gaps == []
    assert len({fill.frame for fill in world.fills()}) == 16


def test_copies_wait_each_for_its_own_time() -> None:
    """A fill that only the successor brings is delivered `reorder_window` after its frame came."""
    world = ready(reorder_window=0.5)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    for _ in range(2):
        world.exchange.lose_one(0)
        world.exchange.fill(order, "1")
        world.passes(0.2)
    world.passes(0.2)
    assert world.intervals(order) == [("0", "1", "ws")]
    world.passes(0.2)
    assert world.intervals(order) == [("0", "1", "ws"), ("1", "2", "ws")]


def test_copies_are_delivered_at_once_when_nobody_leads_any_more() -> None:
    """If the leader is lost during the drain, the successor's held frames wait only for the read."""
    world = ready(reorder_window=2)
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    world.exchange.lose_one(0)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert world.intervals(order) == []
    leader = world.connection.links[0].socket
    world.feed(inputs.SocketClosed(leader, 1006))
    assert world.intervals(order) == [("0", "1", "ws")]
    world.passes(20)
    assert world.gaps == [("GAP_OPENED", "lost_socket"), ("GAP_CLOSED", "lost_socket")]


def test_copies_are_delivered_before_their_link_leads_at_the_end_of_a_rotation() -> None:
    """At the end of a rotation the successor's held copies are delivered first, then its new frames."""
    world = ready(reorder_window=2)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    while len(world.connection.links) < 2 or not world.connection.links[1].proven:
        world.passes(0.01)
    drained = world.now + 10
    world.run(drained - 0.1)
    world.exchange.lose_one(0)
    world.exchange.fill(order, "1")
    world.run(drained - 0.02)
    assert len(world.connection.links) == 2
    assert world.intervals(order) == []
    world.run(drained)
    assert world.intervals(order) == [("0", "1", "ws")]
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert world.intervals(order) == [("0", "1", "ws"), ("1", "2", "ws")]


def test_copies_are_delivered_before_the_end() -> None:
    """A stop delivers the fills that only the successor has brought, before `Finish`."""
    world = ready(reorder_window=2)
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    world.exchange.lose_one(0)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert world.intervals(order) == []
    done = world.feed(inputs.Stop())
    assert world.intervals(order) == [("0", "1", "ws")]
    assert isinstance(done[-1], actions.Finish)


def test_a_process_that_slept_reads_what_waited_and_loses_nothing() -> None:
    """After a sleep, the frames waiting in the socket are handled before the link is judged silent."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(1)
    world.sleep_until(world.now + 60)
    for n in range(20):
        world.at(world.now + n * 3, lambda: world.exchange.fill(order, "1"))
    world.passes(120)
    assert [interval[1] for interval in world.intervals(order)] == [str(n) for n in range(1, 21)]
    assert world.gaps == []


def test_a_frame_that_nobody_understands_is_delivered_and_if_doubtful_the_account_is_read() -> None:
    """An unknown frame is delivered with its content; if it is doubtful, a gap is open until a read passes."""
    world = ready()
    world.exchange.say(Unrecognised({"e": "NEWS"}, 5, doubtful=False))
    world.passes(1)
    assert world.summary() == ["UNKNOWN"]
    order = world.exchange.place("9")
    world.exchange.lose()
    world.exchange.lose(after=1)
    world.exchange.fill(order, "2")
    world.exchange.say(Unrecognised({"e": "ORDER", "q": "NaN"}, doubtful=True))
    world.passes(2)
    assert world.summary()[2:] == ["UNKNOWN", "GAP_OPENED hole", f"PARTIAL_FILL {order} 2 poll", "GAP_CLOSED hole 1"]


def test_settings_are_delivered() -> None:
    """A push of leverage and margin mode is delivered without waiting."""
    world = ready()
    for _ in range(2):
        world.exchange.say(ConfigReport(symbol="BTC-USDT", long_leverage=5, exchange_ts=world.exchange_ms))
        world.passes(1)
    assert world.summary() == ["CONFIG_UPDATE"]


def test_garbage_on_a_successor_that_is_not_proven() -> None:
    """An unreadable frame is delivered and reported, and opens no gap: the other link brings the venue's frames."""
    world = ready()
    world.feed(inputs.Rotate())
    world.passes(0.105)
    leader, successor = world.connection.links
    assert leader.proven
    assert not successor.proven
    done = world.feed(inputs.FrameReceived(successor.socket, "{"))
    assert [type(action) for action in done] == [actions.Report]
    world.passes(1)
    assert world.summary() == ["UNKNOWN"]
    assert world.gaps == []
