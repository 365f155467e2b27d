"""Make before break: the old link is closed only after its successor is proven and drained, and nothing is missed."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import GapNotice, Health
from listenkey.core.link.lifecycle import State
from listenkey.core.link.link import Phase
from listenkey.core.refusal import Refusal
from listenkey.core.reports import Account, FillReport, OrderReport

from ..script import EPOCH, FATAL, GONE, NEVER, RETRY, Answer, Life, connected, empty_account, no

PATH = (actions.CreateKey, actions.OpenSocket, actions.CloseSocket, actions.DeleteKey)


def rotations(life: Life) -> int:
    return list(itertools.pairwise(life.states)).count((State.CONNECTED, State.ROTATING))


def rotating(step: str, **options: float) -> Life:
    """A life in ROTATING, its successor at this step and going no further by itself."""
    life = connected(rotate_after=0, drain=1000, **options)
    match step:
        case "without key":
            life.mints.append(NEVER)
        case "opening":
            life.dials.append(NEVER)
    life.play(inputs.Rotate())
    life.run(10.15)
    if step == "unproven":
        life.mute.add(life.successor)
    life.run(14)
    assert life.state == "ROTATING"
    return life


STEPS = {"without key": None, "opening": Phase.OPENING, "unproven": Phase.PROVING, "draining": Phase.LIVE}


@pytest.mark.parametrize(("step", "phase"), STEPS.items())
def test_steps(step: str, phase: Phase | None) -> None:
    """The four steps of a successor are what they are called here."""
    phases = [link.phase for link in rotating(step).connection.links]
    assert phases[1:] == ([] if phase is None else [phase])
    assert phases[0] is (Phase.DRAINING if step == "draining" else Phase.LIVE)


# When


def test_age_counts_from_the_sockets_opening() -> None:
    """A link is replaced `rotate_after` after its socket opened, less a seeded share of `rotate_jitter`."""
    ages = []
    for seed in range(60):
        life = Life(seed=seed, pings=1000, silence_timeout=2500, audit_interval=0)
        life.dials.append(Answer(after=7))
        life.run(86000)
        opened = life.times(inputs.SocketOpened)
        ages.append(life.times(actions.CreateKey)[1] - opened[0])
    assert min(ages) >= 85500
    assert max(ages) <= 85800
    assert max(ages) - min(ages) > 200


def test_jitter_is_a_tenth_at_most() -> None:
    """The share is never more than a tenth of `rotate_after`, so that a short age stays nearly what was asked for."""
    ages = {Life(seed=seed, rotate_after=100).run(101).times(actions.CreateKey)[1] - 0.2 for seed in range(60)}
    assert 90 <= min(ages) < 90.8
    assert 99.2 < max(ages) <= 100


def test_without_jitter() -> None:
    """With `rotate_jitter=0` each link is replaced at its very age, again and again."""
    life = Life(rotate_after=30, rotate_jitter=0, drain=5)
    life.run(100)
    opened = life.times(inputs.SocketOpened)
    assert life.times(actions.CreateKey)[1:] == pytest.approx([at + 30 for at in opened[:-1]])
    assert rotations(life) == 3
    assert life.gaps == []
    assert life.healths == [Health.LIVE]


def test_off() -> None:
    """`rotate_after=0` never rotates by age; asked to, it does."""
    life = Life(rotate_after=0, pings=1000, silence_timeout=2500, audit_interval=0)
    life.run(200_000)
    assert rotations(life) == 0
    life.play(inputs.Rotate())
    assert life.state == "ROTATING"


def test_asked_in_every_state() -> None:
    """`Rotate` moves a proven link over to a successor; in any other state there is nothing to move from."""
    idle = Life(mints=[NEVER])
    keyed = Life(openings=1)
    keyed.acks.append(NEVER)
    waiting = connected()
    waiting.drop()
    stopped = connected()
    stopped.play(inputs.Stop())
    for life, state in (
        (idle.run(5), State.IDLE),
        (keyed.run(5), State.KEYED),
        (waiting, State.BACKOFF),
        (stopped, State.IDLE),
        *((rotating(step), State.ROTATING) for step in STEPS),
    ):
        assert life.play(inputs.Rotate()) == []
        assert life.state is state
    life = connected()
    assert [type(action) for action in life.play(inputs.Rotate())] == [actions.CreateKey]
    assert life.state == "ROTATING"


# How


def test_make_before_break() -> None:
    """Key, socket, proof, drain, and only then the old socket and its key; health stays LIVE and no gap opens."""
    life = connected(rotate_after=0)
    life.play(inputs.Rotate())
    old = life.leader
    life.run(60)
    assert life.outline(*PATH)[2:] == ["CreateKey", "OpenSocket", "CloseSocket", "DeleteKey"]
    assert life.times(actions.CloseSocket) == [20.3]  # minted 10.0, granted 10.1, opened 10.2, proven 10.3
    assert [closed.socket for closed in life.seen(actions.CloseSocket)] == [old]
    assert life.states[-3:] == [State.CONNECTED, State.ROTATING, State.CONNECTED]
    assert life.gaps == []
    assert life.healths == [Health.LIVE]


def test_nothing_is_closed_without_proof() -> None:
    """However long the successor takes to prove itself, the old link is read on."""
    life = rotating("unproven")
    life.run(20)
    assert life.count(actions.CloseSocket) == 0
    assert life.frame("ping") == [actions.SendFrame(life.leader, "pong")]


def test_both_are_answered() -> None:
    """While both are open each heartbeat is answered on its own socket."""
    life = rotating("draining")
    for link in life.connection.links:
        assert life.frame("ping", link.socket) == [actions.SendFrame(link.socket, "pong")]


@pytest.mark.parametrize("drain", [0, 0.5])
def test_drain(drain: float) -> None:
    """The old socket is closed `drain` after the proof; with 0, in the same turn."""
    life = connected(rotate_after=0, drain=drain)
    life.play(inputs.Rotate())
    life.run(20)
    assert life.times(actions.CloseSocket) == [pytest.approx(10.3 + drain)]
    assert life.gaps == []


@pytest.mark.parametrize("first", ["old", "new"])
def test_copies_are_told_once(first: str) -> None:
    """What both links bring is delivered once; the old link leads, and the new one's copy waits `reorder_window`."""
    life = rotating("draining")
    life.frame("order A NEW 0/3")
    old, new = life.leader, life.successor
    for socket in (old, new) if first == "old" else (new, old):
        life.frame("fill A 1/3 +1", socket)
        life.run(life.now + 0.1)
    life.run(15)
    told = [(at, action.event.event_id) for at, action in life.log if isinstance(action, actions.Deliver)]
    fills = [(round(at, 3), name) for at, name in told if name.startswith("fill")]
    assert fills == [(14 if first == "old" else 14.1, "fill:TOY:A:1")]


def test_the_successors_word_alone() -> None:
    """What only the new link brings is told after `reorder_window`, or at the hand-over if that is sooner."""
    life = rotating("draining")
    life.frame("order A NEW 0/3", life.successor)
    life.run(14.2)
    assert not any(event.event_id.startswith("order") for event in life.events)
    life.run(14.25)
    assert any(event.event_id.startswith("order") for event in life.events)

    life = connected(rotate_after=0, drain=1)
    life.play(inputs.Rotate())
    life.run(11.2)
    life.frame("order B NEW 0/3", life.successor)
    life.run(11.35)
    assert life.state == "CONNECTED"
    assert any(event.event_id.startswith("order:TOY:B") for event in life.events)


# The successor fails


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("mint refused", ("mints", no())),
        ("mint refused, gone", ("mints", no(GONE))),
        ("mint not answered", ("mints", NEVER)),
        ("handshake refused", ("dials", no())),
        ("handshake refused, gone", ("dials", no(GONE))),
        ("handshake hangs", ("dials", NEVER)),
        ("opening refused", ("acks", no())),
        ("opening not acknowledged", ("acks", NEVER)),
    ],
)
def test_a_successor_that_fails(name: str, rule: tuple[str, Answer]) -> None:
    """At whatever step it fails, the old link stays, live and without a gap, and another is tried by backoff."""
    life = connected(openings=1, rotate_after=0)
    getattr(life, rule[0]).extend([rule[1]] * 4)
    life.play(inputs.Rotate())
    life.run(120)
    asked = life.times(actions.CreateKey)[1:]
    failed = [at for at, thing in life.log if isinstance(thing, (inputs.Refused, actions.CloseSocket))]
    assert len(asked) == 5
    assert life.state == "CONNECTED"
    assert rotations(life) == 5
    assert (life.gaps, life.healths) == ([], [Health.LIVE])
    spent = {"mint not answered": 10, "handshake hangs": 10.1, "opening not acknowledged": 10.1}.get(name)
    for (before, after), bound in zip(itertools.pairwise(asked), (1, 2, 4, 8), strict=True):
        took = spent if spent is not None else 0.1 if name.startswith("mint") else 0.3 if "opening" in name else 0.2
        assert bound / 2 <= after - before - took + 1e-6
        assert after - before - took <= bound + 1e-6
    assert failed or "handshake" in name or "not answered" in name


@pytest.mark.parametrize("step", ["opening", "unproven", "draining"])
@pytest.mark.parametrize("how", ["closed", "oversized", "gone", "error gone"])
def test_a_successor_that_is_lost(step: str, how: str) -> None:
    """A successor lost while it opens, proves itself or drains costs nothing: no gap, and the old link leads."""
    life = rotating(step, max_frame_bytes=100)
    old, new = (link.socket for link in life.connection.links)
    match how:
        case "closed":
            life.drop(new)
        case "gone":
            life.drop(new, GONE)
        case "oversized":
            life.frame("x" * 101, new)
        case "error gone":
            life.frame("error fatal", new)
    if step == "opening" and how in ("oversized", "error gone"):
        assert life.state == "ROTATING"  # it has not opened: it cannot have said that
        return
    assert life.state == "CONNECTED"
    assert [link.socket for link in life.connection.links] == [old]
    assert life.gaps == []
    life.run(120)
    assert life.state == "ROTATING"  # another one drains
    assert life.leader == old
    assert life.gaps == []
    assert [action.key for action in life.seen(actions.DeleteKey)] == ([] if how == "gone" else ["K2"])


@pytest.mark.parametrize("where", ["mints", "dials", "acks"])
def test_a_fatal_refusal_of_a_successor(where: str) -> None:
    """A successor refused for good never stops a live stream: it shows as SUSPECT until another one works."""
    life = connected(openings=1, rotate_after=0)
    getattr(life, where).extend([no(FATAL)] * 2)
    life.play(inputs.Rotate())
    life.run(10.9)
    assert (life.state, life.health) == (State.CONNECTED, Health.SUSPECT)
    assert life.seen(actions.Finish) == []
    assert life.frame("ping") == [actions.SendFrame(life.leader, "pong")]
    life.run(60)
    assert life.health == "LIVE"
    assert life.gaps == []
    assert rotations(life) == 3
    assert life.healths == [Health.LIVE, Health.SUSPECT, Health.LIVE]


def test_asked_too_often() -> None:
    """Asking again and again for a successor that cannot be had makes no storm: 15 failing openings in 480 s."""
    life = connected(rotate_after=0)
    life.dials.extend([no(after=0.01)] * 1000)
    for second in range(11, 1450):
        life.at(second, inputs.Rotate())
    life.run(1450)
    dialled = life.times(actions.OpenSocket)[1:]
    assert 30 <= len(dialled) <= 50
    for last in dialled:
        assert sum(last - 479 < at <= last for at in dialled) <= 15
    assert life.gaps == []


# The old link is lost


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("without key", State.IDLE),
        ("opening", State.KEYED),
        ("unproven", State.KEYED),
        ("draining", State.CONNECTED),
    ],
)
@pytest.mark.parametrize("refusal", [None, RETRY, GONE, FATAL])
def test_the_old_link_is_lost(step: str, state: State, refusal: Refusal | None) -> None:
    """The stream goes on from where the successor is, with a gap; only a proven successor spares the blindness."""
    life = rotating(step)
    mints = life.count(actions.CreateKey)
    life.drop(refusal=refusal)
    assert life.state is state
    assert life.health is (Health.SUSPECT if state is State.CONNECTED else Health.BLIND)
    assert life.gaps[0] == ("GAP_OPENED", "lost_socket")
    for link in life.connection.links:
        life.mute.discard(link.socket)
    life.run(120)
    assert (life.state, life.health) == (State.CONNECTED, Health.LIVE)
    assert life.gaps[1] == ("GAP_CLOSED", "lost_socket")
    assert (("RECONNECTED", "lost_socket") in life.gaps) == (state is not State.CONNECTED)
    assert life.count(actions.CreateKey) == (mints if step in ("unproven", "draining") else mints + 1)
    assert [action.key for action in life.seen(actions.DeleteKey)][:1] != ["K2"] or step == "opening"


def test_the_new_leader_ages_too() -> None:
    """A successor that took the place of a lost link is itself replaced at its age, counted from its own opening."""
    life = Life(rotate_after=100, rotate_jitter=0, drain=50)
    life.run(110)
    assert life.state == "ROTATING"
    life.drop()
    life.run(210)
    opened = life.times(inputs.SocketOpened)
    assert life.times(actions.CreateKey)[2] == pytest.approx(opened[1] + 100)


def test_the_leader_is_lost_and_so_is_its_successor() -> None:
    """One after the other: one gap, one blind stretch, both keys deleted."""
    life = rotating("draining")
    life.drop()
    life.drop()
    assert life.state == "BACKOFF"
    life.run(60)
    assert life.gaps == [
        ("GAP_OPENED", "lost_socket"),
        ("GAP_CLOSED", "lost_socket"),
        ("RECONNECTED", "lost_socket"),
    ]
    assert [action.key for action in life.seen(actions.DeleteKey)] == ["K1", "K2"]


def test_since_is_when_the_lost_link_was_heard() -> None:
    """The gap begins with the last frame of the link that is lost, whatever its successor has said since."""
    life = connected(rotate_after=0, drain=100)
    heard = life.times(inputs.FrameReceived)[-1]
    life.mute.add(life.leader)
    life.play(inputs.Rotate())
    life.run(30)
    gap = next(event for event in life.events if isinstance(event, GapNotice))
    assert gap.reason == "silent"
    assert gap.exchange_ts is not None
    assert gap.since is not None
    assert abs(gap.exchange_ts - gap.since - 15_000) < 2
    assert heard < 10


# Stop


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("closing", [0.1, 5, float("inf")])
def test_stop_while_rotating(step: str, closing: float) -> None:
    """At every step: both sockets closed, both keys deleted once and after them, then finished."""
    life = rotating(step)
    links = len(life.connection.links)
    life.closings.extend([Answer(after=closing)] * 2)
    life.play(inputs.Stop())
    assert life.state == "IDLE"
    assert life.count(actions.CloseSocket) == links
    life.run(60)
    assert life.connection.finished
    assert sorted(action.key for action in life.seen(actions.DeleteKey)) == ["K1", "K2"][:links]


# A link that is distrusted


def missed(exchange_ms: int, since: int | None) -> Account:
    """At 20 s an order was filled of which the socket said nothing."""
    at = EPOCH + 20_000
    order: dict[str, Any] = {"symbol": "TOY", "order_id": "Z"}
    report = OrderReport(
        **order, status="FILLED", cumulative_qty=Decimal(1), qty=Decimal(1), exchange_ts=at, created_ts=at
    )
    row = FillReport(**order, qty=Decimal(1), price=Decimal(100), exchange_ts=at, trade_id="1")
    return msgspec.structs.replace(empty_account(exchange_ms, since), orders=(report,), fills=(row,))


def test_a_link_that_missed_something() -> None:
    """An audit recovers what the live socket should have brought: a gap, until a successor is proven and read."""
    life = connected(25, rotate_after=0)
    old = life.leader
    life.account = missed
    life.run(127)
    assert life.gaps[0] == ("GAP_OPENED", "hole")
    assert [event.event_id for event in life.events if event.event_id.startswith("fill")] == ["fill:TOY:Z:1"]
    life.run(160)
    assert (life.state, life.health) == ("CONNECTED", "LIVE")
    assert life.leader != old
    assert rotations(life) == 1
    assert set(life.gaps[1:]) == {("GAP_CLOSED", "hole")}
    assert not any(kind == "RECONNECTED" for kind, _ in life.gaps)


def test_a_distrusted_link_whose_successor_fails() -> None:
    """It is read on, the gap stays open, and another successor is tried."""
    life = connected(25, rotate_after=0)
    life.account = missed
    life.dials.extend([no()] * 2)
    life.run(127)
    assert life.health == "SUSPECT"
    life.run(160)
    assert rotations(life) == 3
    assert (life.state, life.health) == ("CONNECTED", "LIVE")


def test_distrust_while_rotating() -> None:
    """If a successor is on its way already there is no other to be had."""
    life = connected(25, rotate_after=0)
    life.account = missed
    life.reads.append(Answer(after=3))
    life.run(126.6)
    life.play(inputs.Rotate())
    life.run(129)
    assert life.state == "ROTATING"
    life.run(180)
    assert rotations(life) == 1
    assert [event.event_id for event in life.events if event.event_id.startswith("fill")] == ["fill:TOY:Z:1"]
    assert (life.state, life.health) == ("CONNECTED", "LIVE")


def test_an_acknowledgement_that_comes_again_prolongs_no_drain() -> None:
    """A link is proven once: the old one is closed `drain` seconds after that, whatever its successor repeats."""
    life = connected(openings=1, rotate_after=0)
    life.play(inputs.Rotate())
    life.run(11)
    socket = life.successor
    assert life.connection.links[1].proven
    proven = next(at for at, thing in life.log if thing == inputs.FrameReceived(socket, f"ack {socket}.0"))
    life.run(proven + 5)
    life.frame(f"ack {socket}.0", socket)
    life.run(proven + 9.9)
    assert len(life.connection.links) == 2
    life.run(proven + 10.1)
    assert [link.socket for link in life.connection.links] == [socket]
