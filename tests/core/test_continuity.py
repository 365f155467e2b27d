"""Interruptions, reads and gaps, as scripts: what is told in which order, and what a read proves."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from listenkey.core import actions, inputs
from listenkey.core.continuity import Mode
from listenkey.core.events import AccountUpdate, ExchangeEventKind, GapNotice, Health
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import AccountReport, ConfigReport, Heartbeat, Unrecognised

from .exchange import D
from .world import EPOCH, FATAL, NEVER, REFUSED, Plan, World, frame, ready

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


def told(world: World, since: float = 0.0) -> list[str]:
    """What was delivered, without the account."""
    return [part for part in world.outline(since) if not part.startswith(("ACCOUNT", "BALANCE_CHANGE"))]


def marks(world: World) -> list[int]:
    """Every `MarkProven`, in ms since the world began."""
    return [mark.until - EPOCH for mark in world.seen(actions.MarkProven)]


# Where the stream begins


@WIRES
def test_nothing_before_the_first_key_is_owed_and_no_gap_is_opened(wire: str) -> None:
    """An order that was already running gets its base from the read; its earlier fills are none of ours."""
    world = World(wire=wire, start=False)
    world.exchange.pushes_account = False
    running, done = world.exchange.place("10"), world.exchange.place("2")
    world.exchange.fill(running, "3")
    world.exchange.fill(done, "2")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(2)
    world.exchange.fill(running, "4", "101")
    world.passes(10)
    assert told(world) == [f"ORDER_ACK {running} 3 poll", f"PARTIAL_FILL {running} 7 ws"]
    (fill,) = world.fills()
    assert fill.fill_price == (D(101) if wire == "l" else None)
    assert fill.fee == D("0.202")
    assert world.health is Health.LIVE
    assert world.delivered[0].kind is ExchangeEventKind.HEALTH
    assert isinstance(world.delivered[1], AccountUpdate)
    assert world.delivered[1].complete


@WIRES
def test_a_held_frame_is_no_duplicate_because_a_snapshot_shows_as_much(wire: str) -> None:
    """A fill of a running order between the key and the read: executed quantity includes it, and yet it is told."""
    for lag in (0, 4000):
        world = World(wire=wire, start=False)
        world.exchange.pushes_account = False
        running = world.exchange.place("10")
        world.exchange.fill(running, "3")
        world.run(20)
        world.plan = Plan(lag=lag, takes=0.3)
        world.feed(inputs.Start())
        world.run(20.12)
        world.exchange.fill(running, "2", "101")
        world.passes(30)
        assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
        assert world.health is Health.LIVE


def test_a_late_list_at_the_start_reopens_a_gap_when_it_shows_more() -> None:
    """A fill after the key and before the socket, which the list shows only later: `late`, and told below the base."""
    world = World(start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("10")
    world.run(20)
    world.plan = Plan(lag=4000)
    world.feed(inputs.Start())
    world.run(20.07)
    world.exchange.fill(running, "2", "101")
    world.passes(2)
    world.exchange.fill(running, "1", "102")
    world.passes(20)
    assert world.intervals(running) == [("2", "3", "ws"), ("0", "2", "poll")]
    assert world.gaps() == [("GAP_OPENED", "late"), ("GAP_CLOSED", "late")]


def test_an_order_that_the_first_read_did_not_show_is_found_to_have_begun_before() -> None:
    """A frame of an order that was running unseen shows a hole; the read shows that what is below is not owed."""
    world = World(start=False)
    world.exchange.pushes_account = False
    world.run(20)
    running = world.exchange.place("10")
    world.exchange.fill(running, "3")
    world.run(23)
    world.reads.append(Plan(lag=4000, order_lag=4000))
    world.feed(inputs.Start())
    world.passes(1)
    world.exchange.fill(running, "2")
    world.passes(10)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
    assert world.gaps() == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]


@WIRES
def test_before_the_first_read_has_passed_only_orders_of_unknown_base_stay_held(wire: str) -> None:
    """`hold_limit` opens a gap and lets frames flow; what began where nobody knows waits for the read."""
    world = World(wire=wire, start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("10")
    world.exchange.fill(running, "3")
    world.run(20)
    world.plan = REFUSED
    world.feed(inputs.Start())
    world.passes(1)
    new = world.exchange.place("10")
    world.exchange.fill(new, "1")
    world.exchange.fill(running, "2")
    world.passes(4)
    assert world.gaps() == [("GAP_OPENED", "read_failed")]
    assert world.intervals(new) == [("0", "1", "ws")]
    assert world.intervals(running) == ([("3", "5", "ws")] if wire == "l" else [])
    world.plan = Plan()
    world.passes(10)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "5")]
    assert world.gaps() == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]
    assert world.health is Health.LIVE


# Synchronising


@WIRES
def test_the_order_of_synchronising(wire: str) -> None:
    """Account, recovered fills by time, one state per order that differs, GAP_CLOSED, RECONNECTED, held frames."""
    world = ready(wire)
    filled, cancelled, amended, untouched, done = (world.exchange.place("10") for _ in range(5))
    world.exchange.fill(done, "4")
    world.passes(1)
    world.kill()
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
    world.plan = Plan(takes=1)
    while not world.seen(actions.OpenSocket)[1:]:
        world.passes(0.05)
    world.passes(0.3)
    world.exchange.fill(filled, "1", "104")
    world.exchange.fill(untouched, "1", "105")
    world.passes(0.1)
    assert told(world, down) == ["GAP_OPENED lost_socket"]
    world.passes(4)
    assert world.outline(down)[1] == "ACCOUNT_UPDATE poll"
    recovered = told(world, down)[1:]
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
    """What a link brings while the account is read comes after RECONNECTED."""
    world = ready()
    world.kill()
    world.plan = Plan(takes=0.5)
    while world.connection.links == () or not world.connection.links[0].proven:
        world.passes(0.01)
    world.passes(0.4)
    order = world.exchange.place("5")
    assert told(world, 8) == ["GAP_OPENED lost_socket"]
    world.passes(2)
    assert told(world, 8) == [
        "GAP_OPENED lost_socket",
        "GAP_CLOSED lost_socket 0",
        "RECONNECTED lost_socket 0",
        f"ORDER_ACK {order} 0 ws",
    ]


def test_an_order_placed_and_done_while_blind_tells_its_fills_and_no_state() -> None:
    """Intermediate states that REST does not show are not invented."""
    world = ready()
    world.kill()
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    other = world.exchange.place("5")
    world.exchange.cancel(other)
    world.passes(10)
    assert world.states(order) == []
    assert world.intervals(order) == [("0", "2", "poll"), ("2", "5", "poll")]
    assert [event.status for event in world.states(other)] == ["CANCELED"]


def test_frames_flow_with_the_gap_open_when_the_read_takes_too_long() -> None:
    """`hold_limit` after the link is proven the held frames are told; GAP_CLOSED comes when a read passes."""
    world = ready("z")
    order = world.exchange.place("9")
    world.passes(1)
    world.kill()
    world.exchange.fill(order, "2")
    world.plan = Plan(takes=5)
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
    assert world.gaps()[-2:] == [("GAP_CLOSED", "lost_socket"), ("RECONNECTED", "lost_socket")]


def test_a_failed_read_is_tried_again_after_5_to_60_seconds() -> None:
    """The delays double; the gap stays open, frames flow, and no account is told."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(1)
    world.kill()
    world.plan = REFUSED
    world.passes(3)
    world.exchange.fill(order, "2")
    world.passes(190)
    tried = world.times(actions.ReadAccount)[2:]
    assert [round(later - sooner) for sooner, later in pairwise(tried)] == [5, 10, 20, 40, 60]
    assert world.intervals(order) == [("0", "2", "ws")]
    assert world.gap_open
    accounts = [event for event in world.delivered if isinstance(event, AccountUpdate) and event.complete]
    assert len(accounts) == 1
    world.plan = Plan()
    world.passes(70)
    assert world.health is Health.LIVE
    assert told(world)[-2:] == ["GAP_CLOSED lost_socket 0", "RECONNECTED lost_socket 0"]


def test_a_venue_that_names_a_time_is_not_asked_before_it() -> None:
    """`retry_after` is a floor, even for what is urgent."""
    world = ready()
    world.reads.append(Plan(refusal=Refusal(RefusalKind.RETRY, "limit", "", 30)))
    world.feed(inputs.Resync())
    world.passes(1)
    world.feed(inputs.Resync())
    world.passes(40)
    first, second, *_ = world.times(actions.ReadAccount)[2:]
    assert second - first == pytest.approx(30.12, abs=0.01)
    assert world.gaps() == []


def test_a_read_that_is_never_answered_is_given_up() -> None:
    """After six time-outs of one request; its late answer is dropped."""
    world = ready()
    world.reads.append(NEVER)
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
    """15 failing reads in 480 s at most, however often a link comes back."""
    world = ready()
    world.plan = REFUSED
    for _ in range(60):
        world.kill()
        world.passes(6)
    assert len([at for at in world.times(actions.ReadAccount) if at > 8]) <= 15


def test_a_link_that_is_lost_while_its_frames_are_held_tells_them() -> None:
    """Interrupted again before the read: what is held flows with the gap open, and is not told a second time."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(1)
    world.kill()
    world.plan = Plan(takes=2)
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    world.exchange.fill(order, "2")
    world.passes(0.1)
    assert world.intervals(order) == []
    world.kill()
    assert world.intervals(order) == [("0", "2", "ws")]
    world.passes(30)
    assert world.intervals(order) == [("0", "2", "ws")]
    assert world.gaps().count(("GAP_CLOSED", "lost_socket")) == 1


def test_a_poll_while_blind_tells_what_it_finds_and_moves_what_is_proven_but_closes_nothing() -> None:
    """The gap closes only with a proven link and a read after it; one that was under way does not count."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(10)
    world.kill()
    world.reachable = False
    world.exchange.fill(order, "2")
    before = marks(world)[-1]
    world.passes(12)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert marks(world)[-1] > before + 10_000
    assert world.gaps() == [("GAP_OPENED", "lost_socket")]
    assert world.health is Health.BLIND
    world.plan = Plan(takes=3)
    world.passes(5)
    world.reachable = True
    while len(world.connection.links) == 0 or not world.connection.links[0].proven:
        world.passes(0.01)
    proven_at = world.now
    world.passes(20)
    asked = [at for at in world.times(actions.ReadAccount) if at >= proven_at - 0.01]
    closed_at = next(
        at
        for at, action in world.log
        if isinstance(action, actions.Deliver) and action.event.kind is ExchangeEventKind.GAP_CLOSED
    )
    assert closed_at >= asked[0] + 3
    assert told(world, proven_at) == ["GAP_CLOSED lost_socket 1", "RECONNECTED lost_socket 1"]


def test_an_order_that_does_not_add_up_is_read_alone_and_until_it_does_the_gap_stays() -> None:
    """Fills listed late: nothing of the order is told but what fits; the next read brings it."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(3)
    world.kill()
    world.exchange.fill(order, "2")
    world.reads.extend([Plan(lag=4000), Plan(lag=4000)])
    world.passes(4)
    assert [asked.since is None for asked in world.seen(actions.ReadAccount)[-2:]] == [False, True]
    assert world.intervals(order) == []
    assert world.gaps() == [("GAP_OPENED", "lost_socket")]
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert told(world)[-3:] == [f"PARTIAL_FILL {order} 2 poll", "GAP_CLOSED lost_socket 1", "RECONNECTED lost_socket 1"]


def test_a_list_that_lags_behind_the_order_gives_no_fill_another_s_price() -> None:
    """The executed quantity is ahead of the list: a fill that is listed must not be laid where the next one is."""
    world = ready()
    order = world.exchange.place("9")
    world.passes(10)
    world.exchange.fill(order, "2", "101")
    world.passes(0.5)
    world.kill()
    world.exchange.fill(order, "2", "107")
    world.reads.extend([Plan(lag=1500), Plan(lag=1500)])
    world.passes(20)
    assert [(fill.cumulative_qty, fill.fill_price, fill.source) for fill in world.fills(order)] == [
        (D(2), D(101), "ws"),
        (D(4), D(107), "poll"),
    ]


def test_an_order_that_moves_while_it_is_read_is_told_in_its_right_places() -> None:
    """Its executed quantity anchors nothing; all its fills from the beginning do."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(10)
    world.kill()
    world.plan = Plan(takes=2)
    for n in range(40):
        world.at(world.now + n / 10, partial(world.exchange.fill, order, "1", str(100 + n)))
    world.passes(30)
    assert [fill.fill_price for fill in sorted(world.fills(order), key=lambda fill: fill.cumulative_qty)] == [
        D(100 + n) for n in range(40)
    ]
    assert world.health is Health.LIVE


# What proves


def test_only_a_read_moves_what_is_proven_to_its_own_time_less_the_overlap() -> None:
    """Never a frame; never back; and never before the beginning."""
    world = ready()
    world.exchange.place("1")
    world.passes(1)
    assert marks(world) == [50, 6230 - 5000 + 20]
    assert world.connection.proven_until == EPOCH + 1250
    assert world.connection.began == EPOCH + 50
    world.passes(130)
    assert marks(world)[2:] == [126370 - 5000]
    world.plan = Plan(lag=100_000)
    world.feed(inputs.Resync())
    world.passes(1)
    assert marks(world) == sorted(marks(world))


def test_windows_start_a_second_before_what_is_proven() -> None:
    """Lists of fills know only whole seconds."""
    world = ready()
    world.feed(inputs.Resync())
    world.passes(1)
    assert [asked.since - EPOCH for asked in world.seen(actions.ReadAccount)] == [-950, -950, 250]


def test_a_gap_longer_than_the_venue_s_history_closes_unproven() -> None:
    """What nobody can show any more is written off, and both notices say so; what is shown is told."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(10)
    world.kill()
    world.reachable = False
    world.plan = REFUSED
    world.exchange.fill(order, "2")
    world.passes(100)
    world.exchange.fill(order, "3", "101")
    world.plan = Plan(history=50_000)
    world.reachable = True
    world.passes(100)
    world.exchange.fill(order, "4")
    world.passes(1)
    assert world.intervals(order) == [("2", "5", "poll"), ("5", "9", "ws")]
    closed = [event for event in world.delivered if isinstance(event, GapNotice) and event.kind != "GAP_OPENED"]
    assert [(event.kind.value, event.proven) for event in closed] == [("GAP_CLOSED", False), ("RECONNECTED", False)]
    assert world.health is Health.LIVE


def test_an_order_older_than_the_history_is_still_read_right_while_nothing_is_missing() -> None:
    """Read alone it does not reach its creation: what lies at the top of its ground is then laid downward."""
    world = ready(audit_interval=20)
    order = world.exchange.place("90")
    world.exchange.fill(order, "2")
    world.plan = Plan(history=50_000)
    world.passes(100)
    world.kill()
    world.exchange.fill(order, "3", "101")
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "5", "poll")]
    closed = [event for event in world.delivered if isinstance(event, GapNotice) and event.kind != "GAP_OPENED"]
    assert all(event.proven for event in closed)
    assert world.health is Health.LIVE


# Audits


def test_an_audit_follows_each_interruption_and_then_comes_at_its_interval() -> None:
    """Soon after the overlap has passed, because a venue shows things late; then every `audit_interval`."""
    world = World().run(300)
    assert world.times(actions.ReadAccount) == pytest.approx([0.11, 6.23, 126.35, 246.47])
    assert World(audit_interval=0).run(300).times(actions.ReadAccount) == pytest.approx([0.11])
    rotated = World(audit_interval=1000, rotate_after=500, rotate_jitter=0).run(520)
    assert len(rotated.times(actions.ReadAccount)) == 3
    assert rotated.gaps() == []


def test_a_poll_that_passes_when_a_link_is_there_again_asks_for_no_audit_that_is_switched_off() -> None:
    """0 is off, whichever read passes."""
    world = ready(audit_interval=0)
    world.kill()
    world.reachable = False
    world.plan = Plan(takes=3)
    world.passes(6)
    world.reachable = True
    world.passes(200)
    assert len(world.times(actions.ReadAccount)) == 4
    assert world.health is Health.LIVE


def test_an_audit_does_not_race_the_socket() -> None:
    """What is newer than the overlap is not judged: a frame that is on its way is told as a frame, and no gap opens."""
    world = ready(audit_interval=20, backfill_overlap=5)
    world.exchange.pushes_account = False
    old = world.exchange.place("90")
    world.passes(10)
    while world.now < 26:
        world.passes(0.1)

    def slowly() -> None:
        world.delay(3.0)
        world.exchange.fill(old, "1")
        world.delay(3.0)
        world.exchange.place("1")

    for n in range(40):
        world.at(world.now + n / 10, slowly)
    world.passes(40)
    assert len(world.fills(old)) == 40
    assert {fill.source for fill in world.fills(old)} == {"ws"}
    assert world.gaps() == []


def test_an_audit_judges_an_active_order_by_what_is_old_enough() -> None:
    """A fill of long ago that was lost is found though the order has a recent one."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    lost, active = world.exchange.place("90"), world.exchange.place("90")
    world.passes(1)
    world.lose()
    world.exchange.fill(lost, "1")
    world.run(26.3)
    world.exchange.fill(active, "1")
    world.lose()
    world.exchange.fill(lost, "1")
    world.passes(1)
    assert world.intervals(lost) == [("0", "1", "poll"), ("1", "2", "poll")]
    assert world.intervals(active) == [("0", "1", "ws")]


@WIRES
def test_a_fill_that_the_socket_should_have_brought_is_found_and_the_link_replaced(wire: str) -> None:
    """GAP_OPENED `hole`, the fills, a rotation - once per audit interval - and GAP_CLOSED."""
    world = ready(wire)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(1)
    world.lose()
    world.exchange.fill(order, "3")
    world.passes(125)
    parts = told(world, 20)
    assert parts[:2] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 3 poll"]
    assert "GAP_CLOSED hole 1" in parts
    assert len(world.seen(actions.CreateKey)) == 2
    assert world.health is Health.LIVE


def test_a_link_is_replaced_once_in_an_audit_interval_however_often_it_misses_something() -> None:
    """A venue that loses frames on every link is no reason for a storm of keys."""
    world = ready("z")
    world.exchange.pushes_account = False
    for _ in range(2):
        order = world.exchange.place("9")
        world.passes(1)
        world.lose()
        world.exchange.fill(order, "3")
        world.run(127.5 if order == "1001" else 200)
    assert world.gaps().count(("GAP_OPENED", "hole")) == 2
    assert len(world.seen(actions.CreateKey)) == 2
    assert world.health is Health.LIVE


def test_what_a_venue_shows_late_reopens_a_gap_and_keeps_the_link() -> None:
    """A fill from before the link that no list had shown: `late`, which is no fault of the link."""
    world = ready("z")
    world.exchange.pushes_account = False
    world.kill()
    order = world.exchange.place("3", price=None)
    world.exchange.fill(order, "3")
    world.plan = Plan(lag=4900, order_lag=4900)
    world.passes(4)
    assert world.health is Health.LIVE
    assert world.fills() == []
    world.passes(20)
    assert told(world, 12) == [
        "GAP_OPENED late",
        f"FULL_FILL {order} 3 poll",
        "GAP_CLOSED late 1",
    ]
    assert len(world.seen(actions.CreateKey)) == 2


def test_a_read_that_was_asked_for_and_finds_what_lies_below_opens_a_gap_first() -> None:
    """Any read that tells a fill below what was told says so with a gap, whoever wanted it."""
    world = World(start=False)
    world.exchange.pushes_account = False
    order = world.exchange.place("10")
    world.run(20)
    world.reads.append(Plan(lag=3000))
    world.feed(inputs.Start())
    world.run(20.07)
    world.exchange.fill(order, "2", "101")
    world.run(21)
    world.exchange.fill(order, "2", "102")
    world.run(24)
    world.feed(inputs.Resync())
    world.run(25)
    assert world.intervals(order) == [("2", "4", "ws"), ("0", "2", "poll")]
    assert told(world, 22)[0] == "GAP_OPENED late"
    assert world.health is Health.LIVE


def test_an_audit_that_fails_opens_no_gap() -> None:
    """Nothing is known to be missing: it is tried again, and the stream stays LIVE."""
    world = ready(audit_interval=20)
    world.plan = REFUSED
    world.passes(60)
    assert world.health is Health.LIVE
    assert world.gaps() == []
    assert len(world.times(actions.ReadAccount)) > 4


def test_an_audit_that_cannot_lay_an_order_out_opens_a_gap() -> None:
    """Orders say that more was executed than any list shows: that stretch is not proven until one does."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(1)
    world.lose()
    world.exchange.fill(order, "2")
    world.plan = Plan(lag=100_000)
    world.passes(30)
    assert world.gaps() == [("GAP_OPENED", "read_failed")]
    world.plan = Plan()
    world.passes(40)
    assert world.intervals(order) == [("0", "2", "poll")]
    assert world.health is Health.LIVE


# Rotation, sleep, odd frames


@WIRES
def test_two_links_bring_everything_and_it_is_told_once(wire: str) -> None:
    """The old link leads, the copies of the new one wait; a frame that one of them loses is brought by the other."""
    world = ready(wire)
    order = world.exchange.place("90")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    assert len(world.connection.links) == 2
    for n in range(16):
        if n % 4 < 2:
            world.lose_one(n % 4)
        world.exchange.fill(order, "1")
        world.passes(0.5)
    world.passes(20)
    assert [interval[1] for interval in world.intervals(order)] == [str(n) for n in range(1, 17)]
    assert {interval[2] for interval in world.intervals(order)} == {"ws"}
    assert world.gaps() == []
    assert len({fill.frame for fill in world.fills()}) == 16


def test_copies_wait_each_for_its_own_time() -> None:
    """What only the successor brings is told `reorder_window` after it came."""
    world = ready(reorder_window=0.5)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    for _ in range(2):
        world.lose_one(0)
        world.exchange.fill(order, "1")
        world.passes(0.2)
    world.passes(0.2)
    assert world.intervals(order) == [("0", "1", "ws")]
    world.passes(0.2)
    assert world.intervals(order) == [("0", "1", "ws"), ("1", "2", "ws")]


def test_copies_are_told_at_once_when_nobody_leads_any_more() -> None:
    """The link that leads is lost during the drain: what its successor has brought waits for nothing but the read."""
    world = ready(reorder_window=2)
    order = world.exchange.place("9")
    world.feed(inputs.Rotate())
    world.passes(0.5)
    world.lose_one(0)
    world.exchange.fill(order, "1")
    world.passes(0.1)
    assert world.intervals(order) == []
    leader = world.connection.links[0].socket
    world.feed(inputs.SocketClosed(leader, 1006))
    assert world.intervals(order) == [("0", "1", "ws")]
    world.passes(20)
    assert world.gaps() == [("GAP_OPENED", "lost_socket"), ("GAP_CLOSED", "lost_socket")]


def test_a_process_that_slept_reads_what_waited_and_loses_nothing() -> None:
    """What is in the socket is handled before any judgement about silence."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(1)
    world.sleep(60)
    for n in range(20):
        world.at(world.now + n * 3, lambda: world.exchange.fill(order, "1"))
    world.passes(120)
    assert [interval[1] for interval in world.intervals(order)] == [str(n) for n in range(1, 21)]
    assert world.gaps() == []


def test_a_frame_that_nobody_understands_is_told_and_if_doubtful_the_account_is_read() -> None:
    """UNKNOWN with its content; a doubtful one opens a gap until a read says what happened."""
    world = ready()
    world.say(Unrecognised({"e": "NEWS"}, 5, doubtful=False))
    world.passes(1)
    assert told(world) == ["UNKNOWN"]
    order = world.exchange.place("9")
    world.lose()
    world.lose(after=1)
    world.exchange.fill(order, "2")
    world.say(Unrecognised({"e": "ORDER", "q": "NaN"}, doubtful=True))
    world.passes(2)
    assert told(world)[2:] == ["UNKNOWN", "GAP_OPENED hole", f"PARTIAL_FILL {order} 2 poll", "GAP_CLOSED hole 1"]


def test_settings_are_told() -> None:
    """A push of leverage and margin mode goes through unheld."""
    world = ready()
    for _ in range(2):
        world.say(ConfigReport(symbol="BTC-USDT", long_leverage=5, exchange_ts=world.exchange_ms))
        world.passes(1)
    assert told(world) == ["CONFIG_UPDATE"]


def test_garbage_is_counted_and_changes_nothing() -> None:
    """Not a frame of the venue's: a report to the operator."""
    world = ready()
    socket = world.connection.links[0].socket
    (report,) = world.feed(inputs.FrameReceived(socket, "{"))
    assert isinstance(report, actions.Report)
    assert world.gaps() == []


# The end


def test_at_the_end_all_that_waits_is_told_and_a_hole_says_so() -> None:
    """Held frames, copies, and what waits above a hole are told before `Finish`; no read is asked for any more."""
    world = ready(reorder_window=1)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(0.1)
    world.lose()
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "2")
    world.passes(0.1)
    reads = len(world.seen(actions.ReadAccount))
    ordered = world.feed(inputs.Stop())
    assert told(world, 8)[-2:] == ["GAP_OPENED hole", f"PARTIAL_FILL {order} 3 ws"]
    assert isinstance(ordered[-1], actions.Finish)
    world.passes(10)
    assert len(world.seen(actions.ReadAccount)) == reads
    assert world.connection.finished
    assert world.connection.deadline == float("inf")


def test_at_the_end_a_read_under_way_matters_no_more() -> None:
    """Frames held for it are told; its answer is dropped."""
    world = World()
    world.run(0.15)
    order = world.exchange.place("9")
    world.run(0.2)
    world.feed(inputs.Stop())
    assert told(world) == [f"ORDER_ACK {order} 0 ws"]
    world.passes(10)
    assert told(world) == [f"ORDER_ACK {order} 0 ws"]
    assert world.connection.finished


def test_what_nobody_can_place_at_the_end_leaves_a_gap_open() -> None:
    """A frame of an order of unknown base is not told as a fill; that something is missing is."""
    world = World(wire="z", start=False)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.run(5)
    world.feed(inputs.Start())
    world.passes(0.12)
    world.exchange.fill(order, "2")
    world.passes(0.05)
    world.feed(inputs.Stop())
    assert told(world) == ["GAP_OPENED hole"]


# Refusals, and polling


def test_a_fatal_refusal_of_the_first_read_ends_the_stream() -> None:
    """Credentials that may not read the account are found out at once, in either mode."""
    modes: tuple[Mode, Mode] = ("ws", "poll")
    for mode in modes:
        world = World(mode=mode, start=False)
        world.plan = Plan(refusal=FATAL)
        world.feed(inputs.Start())
        world.passes(10)
        (finish,) = world.seen(actions.Finish)
        assert finish.error == FATAL
        assert world.connection.finished
        reads = len(world.times(actions.ReadAccount))
        world.passes(100)
        assert len(world.times(actions.ReadAccount)) == reads


def test_a_fatal_refusal_of_a_later_read_does_not_end_a_live_stream() -> None:
    """Frames still come: the read is tried again. A stream that only polls has nothing else, and ends."""
    world = ready()
    world.plan = Plan(refusal=FATAL)
    world.feed(inputs.Resync())
    world.passes(100)
    assert world.seen(actions.Finish) == []
    polling = World(mode="poll").run(8)
    polling.plan = Plan(refusal=FATAL)
    polling.passes(10)
    assert len(polling.seen(actions.Finish)) == 1


def test_polling_is_a_whole_mode() -> None:
    """No link: fills, states and the account come from reads, every `poll_interval`, without a gap."""
    world = World(mode="poll", start=False)
    before = world.exchange.place("9")
    world.exchange.fill(before, "1")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(8)
    order = world.exchange.place("9")
    world.exchange.fill(order, "2", "101")
    world.exchange.fill(before, "2", "102")
    world.passes(5)
    world.exchange.cancel(order)
    world.exchange.transfer("7")
    world.passes(5)
    assert told(world) == [
        f"ORDER_ACK {before} 1 poll",
        f"PARTIAL_FILL {order} 2 poll",
        f"PARTIAL_FILL {before} 3 poll",
        f"ORDER_ACK {order} 2 poll",
        f"CANCEL_ACK {order} 2 poll",
    ]
    assert world.seen(actions.CreateKey) == []
    assert world.times(actions.ReadAccount)[:3] == [20, 25, 30]
    assert world.connection.state == "IDLE"
    assert world.health is Health.LIVE


def test_polling_is_live_while_its_last_read_is_younger_than_two_intervals() -> None:
    """SUSPECT as soon as one fails, BLIND when none has passed for two intervals, LIVE when one passes again."""
    world = World(mode="poll").run(8)
    healths = []
    world.plan = REFUSED
    for _ in range(12):
        world.passes(1)
        world.feed(inputs.Tick())
        healths.append(world.health)
    assert healths == [Health.LIVE] * 2 + [Health.SUSPECT] * 5 + [Health.BLIND] * 5
    world.plan = Plan()
    world.passes(12)
    assert world.health is Health.LIVE
    assert world.gaps() == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]


# A journal's checkpoint


def test_a_restart_goes_on_where_the_run_before_ended() -> None:
    """A gap `start` until the first read; open orders, holes and finals are remembered; nothing comes twice."""
    world = ready()
    running, holed = world.exchange.place("9"), world.exchange.place("9")
    gone = world.exchange.place("1", price=None)
    world.exchange.fill(running, "2")
    world.exchange.fill(gone, "1")
    world.exchange.transfer("5")
    world.exchange.fund("-1")
    world.passes(130)
    world.plan = NEVER
    world.lose()
    world.exchange.fill(holed, "1")
    world.passes(0.1)
    world.exchange.fill(holed, "2")
    world.passes(5)
    assert world.intervals(holed) == [("1", "3", "ws")]
    world.reachable = False
    world.restart()
    restarted = world.now
    world.exchange.fill(running, "3", "101")
    world.exchange.cancel(running)
    new = world.exchange.place("5", price=None)
    world.exchange.fill(new, "5")
    world.passes(3)
    world.reachable = True
    world.plan = Plan()
    world.passes(40)
    assert told(world, restarted) == [
        "GAP_OPENED start",
        f"PARTIAL_FILL {holed} 1 poll",
        f"PARTIAL_FILL {running} 5 poll",
        f"FULL_FILL {new} 5 poll",
        f"CANCEL_ACK {running} 5 poll",
        "GAP_CLOSED start 3",
    ]
    assert world.health is Health.LIVE
    world.restart()
    world.passes(40)
    assert told(world)[-2:] == ["GAP_OPENED start", "GAP_CLOSED start 0"]


def test_a_restart_before_any_read_had_passed_still_knows_where_the_stream_began() -> None:
    """What happened since the first key of the run before is owed, fills that were told are not told again."""
    world = World(start=False, wire="z")
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.run(20)
    world.plan = REFUSED
    world.feed(inputs.Start())
    world.passes(1)
    new = world.exchange.place("9")
    world.exchange.fill(new, "1")
    world.exchange.fill(running, "1")
    world.passes(5)
    world.restart()
    world.passes(1)
    world.plan = Plan()
    world.passes(40)
    assert [interval[:2] for interval in world.intervals(running)] == [("0", "1")]
    assert [interval[:2] for interval in world.intervals(new)] == [("0", "1")]
    assert world.health is Health.LIVE


def test_an_order_that_began_in_the_middle_goes_on_from_there_after_a_restart() -> None:
    """Orders that were met with a fill, or while they were running, keep their ground across a restart."""
    world = World(start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.exchange.fill(running, "3")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(1)
    met = world.exchange.place("9", price=None)
    for order in (running, met):
        world.exchange.fill(order, "1")
        world.exchange.fill(order, "2")
    world.passes(0.1)
    world.restart()
    for order in (running, met):
        world.exchange.fill(order, "1")
    world.passes(20)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "4"), ("4", "6"), ("6", "7")]
    assert [interval[:2] for interval in world.intervals(met)] == [("0", "1"), ("1", "3"), ("3", "4")]
    assert world.health is Health.LIVE


def test_a_push_before_anything_is_known_needs_no_clock() -> None:
    """Without the exchange's time, notices have none; everything else goes its way."""
    world = World(start=False)
    world.feed(inputs.Start())
    (mint,) = world.seen(actions.CreateKey)
    world.connection.handle(inputs.KeyGranted(mint.request, "k", 3600, None), now=0.01)
    ordered = world.connection.handle(inputs.Tick(), now=0.02)
    assert ordered == []
    opened = next(action for action in world.connection.links)
    world.connection.handle(inputs.SocketOpened(opened.socket), now=0.03)
    world.connection.handle(inputs.FrameReceived(opened.socket, frame(Heartbeat("p"))), now=0.04)
    push = AccountReport(reason="ORDER", balances=(), positions=())
    world.connection.handle(inputs.FrameReceived(opened.socket, frame(push)), now=0.05)
    ordered = world.connection.handle(inputs.SocketClosed(opened.socket, 1006), now=0.06)
    notices = [action.event for action in ordered if isinstance(action, actions.Deliver)]
    assert [(event.kind.value, event.exchange_ts) for event in notices] == [
        ("GAP_OPENED", None),
        ("ACCOUNT_UPDATE", None),
        ("HEALTH", None),
    ]
