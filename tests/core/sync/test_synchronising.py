"""Synchronising after an interruption: the order of events, and when the gap closes."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import AccountUpdate, ExchangeEventKind, Health
from listenkey.core.link.link import Phase
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Heartbeat, Unrecognised

from ..exchange import D
from ..trading import REFUSED, UNANSWERED, Plan, TradingWorld, ready, trading
from ..world import EPOCH, FATAL, RETRY

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


@WIRES
def test_the_order_of_synchronising(wire: str) -> None:
    """Account, recovered fills by time, one state for each changed order, GAP_CLOSED, RECONNECTED, held frames."""
    world = ready(wire)
    filled, cancelled, amended, untouched, done = (world.exchange.place("10") for _ in range(5))
    world.exchange.fill(done, "4")
    world.passes(1)
    world.drop_all()
    down = world.now
    world.exchange.fill(filled, "2", "101")
    world.passes(0.2)
    world.exchange.fill(cancelled, "1", "102")
    world.exchange.cancel(cancelled)
    world.exchange.amend(amended, qty="12")
    world.passes(0.2)
    world.exchange.fill(filled, "3", "103")
    world.exchange.fill(done, "6")
    placed = world.exchange.place("2")
    world.exchange.fill(placed, "1")
    world.exchange.fill(placed, "1")
    world.exchange.plan = Plan(takes=1)
    while not world.seen(actions.OpenSocket)[1:]:
        world.passes(0.05)
    world.passes(0.3)
    world.exchange.fill(filled, "1", "104")
    world.exchange.fill(untouched, "1", "105")
    world.passes(0.1)
    assert world.summary(down) == ["GAP_OPENED lost_socket"]
    world.passes(4)
    assert world.summary(down, account=True)[1] == "ACCOUNT_UPDATE poll"
    recovered = world.summary(down)[1:]
    position = {part: place for place, part in enumerate(recovered)}
    late = [f"PARTIAL_FILL {filled} 6 ws", f"PARTIAL_FILL {untouched} 1 ws"]
    by_read = [f"PARTIAL_FILL {filled} 6 poll", f"PARTIAL_FILL {untouched} 1 poll"]
    assert recovered[:7] == [
        f"PARTIAL_FILL {filled} 2 poll",
        f"PARTIAL_FILL {cancelled} 1 poll",
        f"PARTIAL_FILL {filled} 5 poll",
        f"FULL_FILL {done} 10 poll",
        f"PARTIAL_FILL {placed} 1 poll",
        f"FULL_FILL {placed} 2 poll",
        *by_read[:1],
    ]
    assert not set(late) & set(recovered)
    states = [f"CANCEL_ACK {cancelled} 1 poll", f"ORDER_ACK {amended} 0 poll"]
    closing = ["GAP_CLOSED lost_socket 8", "RECONNECTED lost_socket 8"]
    assert [part for part in recovered if part in (*states, *closing)] == [*states, *closing]
    assert all(position[part] < position[states[0]] for part in by_read)
    assert len(recovered) == len(set(recovered)) == 12
    assert world.health is Health.LIVE


def test_frames_are_held_until_the_read_and_flow_afterwards() -> None:
    """Frames of a link that come while the account is read are delivered after RECONNECTED."""
    world = ready()
    world.drop_all()
    world.exchange.plan = Plan(takes=0.5)
    while world.connection.links == () or not world.connection.links[0].proven:
        world.passes(0.01)
    world.passes(0.4)
    order = world.exchange.place("5")
    assert world.summary(8) == ["GAP_OPENED lost_socket"]
    world.passes(2)
    assert world.summary(8) == [
        "GAP_OPENED lost_socket",
        "GAP_CLOSED lost_socket 0",
        "RECONNECTED lost_socket 0",
        f"ORDER_ACK {order} 0 ws",
    ]


def test_an_order_placed_and_done_while_blind_delivers_its_fills_and_no_state() -> None:
    """The order's intermediate states, which REST does not show, are not made up."""
    world = ready()
    world.drop_all()
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    other = world.exchange.place("5")
    world.exchange.cancel(other)
    world.passes(10)
    assert world.order_states(order) == []
    assert world.intervals(order) == [("0", "2", "poll"), ("2", "5", "poll")]
    assert [event.status for event in world.order_states(other)] == ["CANCELED"]


def test_an_order_of_unknown_beginning_waits_for_the_first_read_however_long_that_takes() -> None:
    """The read under way shows its base: once it has passed the gap closes, and no other read follows."""
    world = trading(wire="z", start=False)
    order = world.exchange.place("9")
    world.exchange.fill(order, "1")
    world.run(20)
    world.exchange.reads.append(Plan(takes=5))
    world.feed(inputs.Start())
    world.run(21)
    world.exchange.fill(order, "2")
    world.run(28)
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]
    assert world.intervals(order) == [("1", "3", "poll")]
    assert [asked.since is None for asked in world.seen(actions.ReadAccount)] == [False, True]
    assert world.health is Health.LIVE


def test_frames_flow_with_the_gap_open_when_the_read_takes_too_long() -> None:
    """`hold_limit` after the proof the held frames are delivered; the gap closes when a read passes."""
    world = ready("z")
    order = world.exchange.place("9")
    world.passes(1)
    world.drop_all()
    world.exchange.fill(order, "2")
    world.exchange.plan = Plan(takes=5)
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    proven_at = world.now
    world.exchange.fill(order, "1")
    world.run(proven_at + 2.9)
    assert world.intervals(order) == []
    world.run(proven_at + 3.5)
    assert world.intervals(order) == [("0", "3", "ws")]
    assert world.gap_open
    world.run(proven_at + 15)
    assert world.intervals(order) == [("0", "3", "ws")]
    assert world.gaps[-2:] == [("GAP_CLOSED", "lost_socket"), ("RECONNECTED", "lost_socket")]


def test_a_failed_read_is_tried_again_after_5_to_60_seconds() -> None:
    """The delays double; meanwhile the gap stays open, frames are delivered, and the account is not."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(1)
    world.drop_all()
    world.exchange.plan = REFUSED
    world.passes(3)
    world.exchange.fill(order, "2")
    world.passes(190)
    tried = world.times(actions.ReadAccount)[2:]
    assert [round(later - sooner) for sooner, later in pairwise(tried)] == [5, 10, 20, 40, 60]
    assert world.intervals(order) == [("0", "2", "ws")]
    assert world.gap_open
    accounts = [event for event in world.events(AccountUpdate) if event.complete]
    assert len(accounts) == 1
    world.exchange.plan = Plan()
    world.passes(70)
    assert world.health is Health.LIVE
    assert world.summary()[-2:] == ["GAP_CLOSED lost_socket 0", "RECONNECTED lost_socket 0"]


def test_a_link_that_comes_back_waits_for_no_delay() -> None:
    """A proven link is read for at once, even if a read failed just before."""
    world = ready()
    world.exchange.reads.append(REFUSED)
    for _ in range(2):
        world.drop_all()
        while len(world.connection.links) == 0 or not world.connection.links[0].proven:
            world.passes(0.01)
        assert world.times(actions.ReadAccount)[-1] == pytest.approx(world.now, abs=0.011)
        world.passes(0.5)
    assert world.health is Health.LIVE


def test_what_is_asked_for_waits_for_no_delay_and_is_audited() -> None:
    """`Resync` reads at once, even if a read failed just before, and an audit follows."""
    world = ready()
    world.exchange.reads.append(REFUSED)
    world.feed(inputs.Resync())
    world.passes(1)
    world.feed(inputs.Resync())
    world.passes(10)
    assert world.times(actions.ReadAccount)[2:] == pytest.approx([8, 9, 15.12])


def test_after_a_read_that_passed_the_delays_begin_anew() -> None:
    """A read that passed resets the delays of later failures."""
    world = ready()
    for _ in range(2):
        world.exchange.reads.append(REFUSED)
        world.feed(inputs.Resync())
        world.passes(20)
    first, again, audited, second, once_more, *_ = world.times(actions.ReadAccount)[2:]
    assert again - first == pytest.approx(5.12)
    assert audited - again == pytest.approx(6.12)
    assert once_more - second == pytest.approx(5.12)


def test_a_venue_that_names_a_time_is_not_asked_before_it() -> None:
    """The time in `retry_after` holds for urgent reads too."""
    world = ready()
    world.exchange.reads.append(Plan(refusal=Refusal(RefusalKind.RETRY, "limit", "", 30)))
    world.feed(inputs.Resync())
    world.passes(1)
    world.feed(inputs.Resync())
    world.passes(40)
    first, second, *_ = world.times(actions.ReadAccount)[2:]
    assert second - first == pytest.approx(30.12, abs=0.01)
    assert world.gaps == []


def test_a_read_that_is_never_answered_is_given_up() -> None:
    """It is given up after six request time-outs, and its late answer is dropped."""
    world = ready()
    world.exchange.reads.append(UNANSWERED)
    world.feed(inputs.Resync())
    world.passes(100)
    asked = world.times(actions.ReadAccount)[2:]
    assert asked[1] - asked[0] == pytest.approx(65)
    request = world.seen(actions.ReadAccount)[2].request
    account = world.exchange.whole((EPOCH, EPOCH, EPOCH), 0, ())
    assert world.feed(inputs.AccountRead(request, account)) == []
    assert world.feed(inputs.Refused(request, FATAL)) == []
    assert world.health is Health.LIVE


def test_no_more_reads_fail_than_a_venue_bears() -> None:
    """At most 15 reads fail in 480 s, however often a link comes back."""
    world = ready()
    world.exchange.plan = REFUSED
    for _ in range(60):
        world.drop_all()
        world.passes(6)
    assert len([at for at in world.times(actions.ReadAccount) if at > 8]) <= 15


def test_a_link_that_is_lost_while_its_frames_are_held_delivers_them() -> None:
    """If the link is lost before the read, the held frames are delivered with the gap open, and only once."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(1)
    world.drop_all()
    world.exchange.plan = Plan(takes=2)
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    world.exchange.fill(order, "2")
    world.passes(0.1)
    assert world.intervals(order) == []
    world.drop_all()
    assert world.intervals(order) == [("0", "2", "ws")]
    world.passes(30)
    assert world.intervals(order) == [("0", "2", "ws")]
    assert world.gaps.count(("GAP_CLOSED", "lost_socket")) == 1


def test_a_poll_while_blind_delivers_what_it_finds_and_moves_what_is_proven_but_closes_nothing() -> None:
    """The gap needs a proven link and a read that was asked for after the proof; a poll under way does not count."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(10)
    world.drop_all()
    world.exchange.reachable = False
    world.exchange.fill(order, "2")
    before = world.marks[-1]
    world.passes(12)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert world.marks[-1] > before + 10_000
    assert world.gaps == [("GAP_OPENED", "lost_socket")]
    assert world.health is Health.BLIND
    world.exchange.plan = Plan(takes=4.5)
    world.passes(10)
    world.exchange.reachable = True
    polls = proven(world)
    linked_at = world.now
    assert linked_at - 4.5 < polls[-1] < linked_at - 0.02
    world.passes(20)
    (asked, *_) = [at for at in world.times(actions.ReadAccount) if at > polls[-1]]
    (closed_at,) = closings(world)
    assert asked == pytest.approx(linked_at, abs=0.01)
    assert closed_at == pytest.approx(asked + 4.52, abs=0.001)
    assert world.summary(linked_at - 1) == ["GAP_CLOSED lost_socket 1", "RECONNECTED lost_socket 1"]


def proven(world: TradingWorld) -> list[float]:
    """Wait until a link is proven; return the times of the reads asked for before."""
    while True:
        before = world.times(actions.ReadAccount)
        world.passes(0.01)
        if world.connection.links and world.connection.links[0].proven:
            return before


@pytest.mark.parametrize("passes", [True, False])
def test_a_read_that_was_given_up_lets_no_frame_go(passes: bool) -> None:
    """Held frames wait for the read that began when the link was proven, whatever becomes of an earlier read."""
    world = ready(hold_limit=30)
    world.drop_all()
    world.exchange.reachable = False
    world.exchange.plan = Plan(takes=50)
    world.run(14)
    world.exchange.reachable = True
    poll = world.seen(actions.ReadAccount)[-1]
    world.exchange.plan = Plan(takes=1)
    proven(world)
    linked = world.now
    assert world.times(actions.ReadAccount)[-1] == pytest.approx(linked, abs=0.01)
    world.exchange.say(Unrecognised({"e": "NEWS"}, doubtful=False))
    world.passes(0.1)
    now = world.exchange_ms
    account = world.exchange.whole((now, now, now), poll.since or 0, poll.orders)
    answer = inputs.AccountRead(poll.request, account) if passes else inputs.Refused(poll.request, RETRY)
    world.feed(answer)
    world.passes(0.8)
    assert world.summary(14) == []
    world.passes(0.6)
    assert world.summary(14)[-1] == "UNKNOWN"


def flapping() -> TradingWorld:
    """A world in which as many reads were given up as the venue bears; each read takes four seconds."""
    world = ready(backoff_initial=0.001, backoff_max=0.001)
    world.exchange.plan = Plan(takes=4)
    began = world.now
    for _ in range(8):
        world.drop_all()
        proven(world)
        world.passes(0.5)
    assert len([at for at in world.times(actions.ReadAccount) if at > began]) == 5
    return world


def closings(world: TradingWorld) -> list[float]:
    return [
        at
        for at, action in world.log
        if isinstance(action, actions.Deliver) and action.event.kind is ExchangeEventKind.GAP_CLOSED
    ]


def test_a_link_that_flaps_does_not_give_up_one_read_after_another() -> None:
    """The venue may count a read given up as failed: after four in 480 s, the read under way is waited for.

    The gap stays open until a read has passed that was asked for after the proof.
    """
    world = flapping()
    asked = world.times(actions.ReadAccount)
    world.drop_all()
    proven(world)
    world.passes(20)
    (later, *_) = [at for at in world.times(actions.ReadAccount) if at > asked[-1]]
    assert later == pytest.approx(asked[-1] + 4.02, abs=0.01)
    assert closings(world) == [pytest.approx(later + 4.02, abs=0.01)]


def test_what_came_first_decides_which_read_closes_a_gap() -> None:
    """A read asked for at the time of the proof, but before it, closes no gap."""
    world = flapping()
    world.passes(30)
    world.drop_all()
    while not (world.connection.links and world.connection.links[0].phase is Phase.PROVING):
        world.passes(0.001)
    closed = len(closings(world))
    world.feed(inputs.Resync())
    world.exchange.say(Heartbeat("pong"), after=0.0)
    world.passes(0.0)
    linked = world.now
    assert world.connection.links[0].proven
    world.passes(20)
    assert next(at for at in world.times(actions.ReadAccount) if at >= linked - 0.001) == pytest.approx(
        linked, abs=0.001
    )
    assert closings(world)[closed:] == [pytest.approx(linked + 2 * 4.02, abs=0.01)]


def test_a_read_that_fails_lets_the_held_frames_go() -> None:
    """The held frames are delivered at once, and wait for no second read."""
    world = ready(hold_limit=30)
    world.drop_all()
    world.exchange.plan = REFUSED
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    world.exchange.say(Unrecognised({"e": "NEWS"}, doubtful=False))
    world.passes(0.05)
    assert world.summary() == ["GAP_OPENED lost_socket"]
    world.passes(0.2)
    assert world.summary() == ["GAP_OPENED lost_socket", "UNKNOWN"]


def test_a_read_that_was_under_way_when_something_was_missed_does_not_close_the_gap() -> None:
    """The read may have missed it, so another read is asked for, and closes the gap."""
    world = ready()
    world.exchange.reads.append(Plan(takes=2))
    world.feed(inputs.Resync())
    world.passes(1)
    world.exchange.say(Unrecognised({"e": "ORDER"}, doubtful=True))
    world.passes(1.1)
    assert world.gaps == [("GAP_OPENED", "hole")]
    world.passes(1)
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]
    assert len(world.times(actions.ReadAccount)) == 4


def test_an_order_that_does_not_add_up_is_read_alone_and_until_it_does_the_gap_stays() -> None:
    """Its fills are listed late: nothing is delivered that has no sure place, and the next read delivers all."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(3)
    world.drop_all()
    world.exchange.fill(order, "2")
    world.exchange.reads.extend([Plan(lag=4000), Plan(lag=4000)])
    world.passes(4)
    assert [asked.since is None for asked in world.seen(actions.ReadAccount)[-2:]] == [False, True]
    assert world.intervals(order) == []
    assert world.gaps == [("GAP_OPENED", "lost_socket")]
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert world.summary()[-3:] == [
        f"PARTIAL_FILL {order} 2 poll",
        "GAP_CLOSED lost_socket 1",
        "RECONNECTED lost_socket 1",
    ]


def test_a_list_that_lags_behind_the_order_gives_no_fill_another_s_price() -> None:
    """More was executed than is listed: the listed fill keeps its place, and is not taken for the missing one."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(10)
    world.exchange.fill(order, "2", "101")
    world.passes(0.5)
    world.drop_all()
    world.exchange.fill(order, "2", "107")
    world.exchange.reads.extend([Plan(lag=1500), Plan(lag=1500)])
    world.passes(20)
    assert [(fill.cumulative_qty, fill.fill_price, fill.source) for fill in world.fills(order)] == [
        (D(2), D(101), "ws"),
        (D(4), D(107), "poll"),
    ]


def test_an_order_that_moves_while_it_is_read_is_delivered_in_its_right_places() -> None:
    """It is not placed by its executed quantity, which moves, but by all its fills from the beginning."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(10)
    world.drop_all()
    world.exchange.plan = Plan(takes=2)
    for n in range(40):
        world.at(world.now + n / 10, partial(world.exchange.fill, order, "1", str(100 + n)))
    world.passes(30)
    assert [fill.fill_price for fill in sorted(world.fills(order), key=lambda fill: fill.cumulative_qty)] == [
        D(100 + n) for n in range(40)
    ]
    assert world.health is Health.LIVE


def test_a_read_that_takes_too_long_is_given_twice_the_time_the_next_time() -> None:
    """A read that needs longer would never pass with a fixed time-out, and the gap would never close."""
    world = ready(audit_interval=0, request_timeout=5)
    world.exchange.plan = Plan(takes=100)
    for _ in range(2):  # both times alike: a read that passes resets the time-out
        asked = world.now
        world.feed(inputs.Resync())
        world.passes(300)
        assert world.times(actions.ReadAccount)[-3:] == pytest.approx([asked, asked + 30 + 5, asked + 30 + 5 + 60 + 10])
    assert (world.health, world.gaps) == (Health.LIVE, [])
