"""Audits: when they are made, which fills they judge, and what follows from their findings."""

from __future__ import annotations

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import GapNotice, Health
from listenkey.core.reports import Unrecognised

from ..trading import REFUSED, Plan, ready, trading

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


def test_an_audit_follows_each_interruption_and_then_comes_at_its_interval() -> None:
    """An audit comes soon after the overlap has passed, because venues show fills late; then every `audit_interval`."""
    world = trading().run(300)
    assert world.times(actions.ReadAccount) == pytest.approx([0.11, 6.23, 126.35, 246.47])
    assert trading(audit_interval=0).run(300).times(actions.ReadAccount) == pytest.approx([0.11])
    rotated = trading(audit_interval=1000, rotate_after=500, rotate_jitter=0).run(520)
    assert len(rotated.times(actions.ReadAccount)) == 3
    assert rotated.gaps == []


@pytest.mark.parametrize(("lost_at", "reads"), [(3, 1), (124, 2)], ids=["soon due", "due at its interval"])
def test_nothing_is_audited_while_no_link_lives(lost_at: int, reads: int) -> None:
    """When the link is lost, the planned audit is dropped, and the account is polled until the next link."""
    world = trading().run(lost_at)
    world.drop_all()
    world.exchange.reachable = False
    world.passes(14)
    assert world.times(actions.ReadAccount)[reads:] == [lost_at + 5, lost_at + 10]


def test_an_interval_shorter_than_the_overlap_is_kept() -> None:
    """An audit interval of 1 s is kept, also after an interruption."""
    assert trading(audit_interval=1).run(4).times(actions.ReadAccount) == pytest.approx([0.11, 1.23, 2.35, 3.47])


@pytest.mark.parametrize(
    ("trouble", "reason"), [("hole", "hole"), ("doubt", "hole"), ("position", "balance"), ("forgotten", "hole")]
)
def test_what_a_frame_gives_away_is_read_and_audited(trouble: str, reason: str) -> None:
    """A hole, an unreadable frame, a position without its fill, a forgotten order: a read, and an audit after it."""
    world = ready("z" if trouble == "position" else "l")
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(0.1)
    if trouble == "forgotten":
        world.exchange.delay(0.01, 270)
        world.exchange.fill(order, "9")
        world.passes(260)
    world.exchange.lose()
    if trouble == "hole":
        world.exchange.fill(order, "2")
        world.exchange.fill(order, "2")
    elif trouble == "position":
        world.exchange.pushes_account = True
        world.exchange.fill(order, "2")
    elif trouble == "doubt":
        world.exchange.fill(order, "2")
        world.exchange.say(Unrecognised({"e": "ORDER"}, doubtful=True))
    proven = world.connection.proven_until
    while not world.gaps and world.now < 300:
        world.passes(0.01)
    notice = world.events(GapNotice)[0]
    assert (notice.reason, notice.since == proven) == (reason, trouble == "position")
    world.passes(0.2)
    assert world.gaps == [("GAP_OPENED", reason), ("GAP_CLOSED", reason)]
    read = world.times(actions.ReadAccount)[-1]
    world.passes(7)
    assert world.times(actions.ReadAccount)[-1] == pytest.approx(read + 6.12)


def test_a_repeated_push_bears_no_witness() -> None:
    """A repeat of an old push does not agree with the fills since, but that is no reason for an alarm."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(1)
    world.exchange.fates[world.exchange.pushed + 1] = (0.01, 0.5)
    world.exchange.fill(order, "2")
    world.passes(0.2)
    world.exchange.lose(after=1)
    world.exchange.fill(order, "2")
    world.passes(2)
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "4", "ws")]
    assert world.gaps == []


def test_a_poll_that_passes_when_a_link_is_there_again_asks_for_no_audit_that_is_switched_off() -> None:
    """With `audit_interval=0` no read of any kind is followed by an audit."""
    world = ready(audit_interval=0)
    world.drop_all()
    world.exchange.reachable = False
    world.exchange.plan = Plan(takes=3)
    world.passes(6)
    world.exchange.reachable = True
    world.passes(200)
    assert len(world.times(actions.ReadAccount)) == 4
    assert world.health is Health.LIVE


def test_an_audit_does_not_race_the_socket() -> None:
    """An audit does not judge fills newer than the overlap: their frames are delivered as frames, and no gap opens."""
    world = ready(audit_interval=20, backfill_overlap=5)
    world.exchange.pushes_account = False
    old = world.exchange.place("90")
    world.passes(10)
    while world.now < 26:
        world.passes(0.1)

    def slowly() -> None:
        world.exchange.delay(3.0)
        world.exchange.fill(old, "1")
        world.exchange.delay(3.0)
        world.exchange.place("1")

    for n in range(40):
        world.at(world.now + n / 10, slowly)
    world.passes(40)
    assert len(world.fills(old)) == 40
    assert {fill.source for fill in world.fills(old)} == {"ws"}
    assert world.gaps == []


def test_a_read_that_shows_a_fill_which_was_not_delivered_yet_anchors_nothing() -> None:
    """Its positions contain the fill, whose frame comes later: as a base they would have the fill twice."""
    world = ready(audit_interval=20)
    order = world.exchange.place("9")
    world.run(26.3)
    world.exchange.fates |= {world.exchange.pushed: (3.0,), world.exchange.pushed + 1: (3.0,)}
    world.exchange.fill(order, "2")
    world.run(31)
    assert world.intervals(order) == [("0", "2", "ws")]
    world.exchange.fill(order, "3")
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "5", "ws")]
    assert world.gaps == []


def test_an_audit_judges_an_active_order_by_what_is_old_enough() -> None:
    """An old lost fill is found even if another order has a fill too recent to judge."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    lost, active = world.exchange.place("90"), world.exchange.place("90")
    world.passes(1)
    world.exchange.lose()
    world.exchange.fill(lost, "1")
    world.run(26.3)
    world.exchange.fill(active, "1")
    world.exchange.lose()
    world.exchange.fill(lost, "1")
    world.passes(1)
    assert world.intervals(lost) == [("0", "1", "poll"), ("1", "2", "poll")]
    assert world.intervals(active) == [("0", "1", "ws")]


@WIRES
def test_a_fill_that_the_socket_should_have_brought_is_found_and_the_link_replaced(wire: str) -> None:
    """A gap `hole`, the missed fills, a rotation (once in an audit interval), and the gap's close."""
    world = ready(wire)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(1)
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.passes(125)
    parts = world.summary(20)
    assert parts[:2] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 3 poll"]
    assert "GAP_CLOSED hole 1" in parts
    assert len(world.seen(actions.CreateKey)) == 2
    assert world.health is Health.LIVE


def test_a_link_is_replaced_once_in_an_audit_interval_however_often_it_misses_something() -> None:
    """A venue that loses frames on every link must not cause a storm of keys."""
    world = ready("z")
    world.exchange.pushes_account = False
    for _ in range(2):
        order = world.exchange.place("9")
        world.passes(1)
        world.exchange.lose()
        world.exchange.fill(order, "3")
        world.run(127.5 if order == "1001" else 200)
    assert world.gaps.count(("GAP_OPENED", "hole")) == 2
    assert len(world.seen(actions.CreateKey)) == 2
    assert world.health is Health.LIVE


def test_what_is_found_too_soon_for_another_link_is_read_and_audited_again() -> None:
    """The gap closes by a read of its own, and another audit follows soon."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    for opened in (1, 2):
        order = world.exchange.place("9")
        world.passes(0.1)
        world.exchange.lose()
        world.exchange.fill(order, "3")
        while world.gaps.count(("GAP_OPENED", "hole")) < opened and world.now < 100:
            world.passes(0.01)
        world.passes(1)
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")] * 2
    assert len(world.seen(actions.CreateKey)) == 2
    read = world.times(actions.ReadAccount)[-1]
    world.passes(7)
    assert world.times(actions.ReadAccount)[-1] == pytest.approx(read + 6.12)


def test_what_a_venue_shows_late_reopens_a_gap_and_keeps_the_link() -> None:
    """A fill from before the link that no list had shown opens a gap `late`, and the link is kept."""
    world = ready("z")
    world.exchange.pushes_account = False
    world.drop_all()
    order = world.exchange.place("3", price=None)
    world.exchange.fill(order, "3")
    world.exchange.plan = Plan(lag=4900, order_lag=4900)
    world.passes(4)
    assert world.health is Health.LIVE
    assert world.fills() == []
    world.passes(20)
    assert world.summary(12) == [
        "GAP_OPENED late",
        f"FULL_FILL {order} 3 poll",
        "GAP_CLOSED late 1",
    ]
    assert len(world.seen(actions.CreateKey)) == 2


def test_a_read_that_was_asked_for_and_finds_what_lies_below_opens_a_gap_first() -> None:
    """Any read that delivers a fill below a delivered one opens a gap first, even a `Resync`."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    order = world.exchange.place("10")
    world.run(20)
    world.exchange.reads.append(Plan(lag=3000))
    world.feed(inputs.Start())
    world.run(20.07)
    world.exchange.fill(order, "2", "101")
    world.run(21)
    world.exchange.fill(order, "2", "102")
    world.run(24)
    world.feed(inputs.Resync())
    world.run(25)
    assert world.intervals(order) == [("2", "4", "ws"), ("0", "2", "poll")]
    assert world.summary(22)[0] == "GAP_OPENED late"
    assert world.health is Health.LIVE


def test_an_audit_that_fails_opens_no_gap() -> None:
    """A failed audit shows nothing to be missing: it is repeated, and for two intervals health stays LIVE."""
    world = ready(audit_interval=60)
    world.exchange.plan = REFUSED
    world.passes(118)
    assert world.health is Health.LIVE
    assert world.gaps == []
    assert len(world.times(actions.ReadAccount)) > 4


def test_an_audit_that_cannot_lay_an_order_out_opens_a_gap() -> None:
    """If more was executed than the lists show, a gap is open until a list shows it."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(1)
    world.exchange.lose()
    world.exchange.fill(order, "2")
    world.exchange.plan = Plan(lag=100_000)
    world.passes(30)
    assert world.gaps == [("GAP_OPENED", "read_failed")]
    world.exchange.plan = Plan()
    world.passes(40)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert world.health is Health.LIVE
