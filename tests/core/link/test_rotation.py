"""Make before break: the old link is closed only after its successor is proven and drained, and no event is missed."""

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

from ..scripted import NEVER, Answer, ScriptedWorld, connected, empty_account, no, scripted
from ..world import EPOCH, FATAL, GONE, RETRY

PATH = (actions.CreateKey, actions.OpenSocket, actions.CloseSocket, actions.DeleteKey)


def rotations(world: ScriptedWorld) -> int:
    return list(itertools.pairwise(world.states)).count((State.CONNECTED, State.ROTATING))


def rotating(step: str, **options: float) -> ScriptedWorld:
    """A world in ROTATING whose successor has reached this step and stays there."""
    world = connected(rotate_after=0, drain=1000, **options)
    match step:
        case "without key":
            world.exchange.mints.append(NEVER)
        case "opening":
            world.exchange.dials.append(NEVER)
    world.feed(inputs.Rotate())
    world.run(10.15)
    if step == "unproven":
        world.mute.add(world.successor)
    world.run(14)
    assert world.state == "ROTATING"
    return world


STEPS = {"without key": None, "opening": Phase.OPENING, "unproven": Phase.PROVING, "draining": Phase.LIVE}


@pytest.mark.parametrize(("step", "phase"), STEPS.items())
def test_steps(step: str, phase: Phase | None) -> None:
    """The names of the successor's steps in these tests are those of its progress."""
    phases = [link.phase for link in rotating(step).connection.links]
    assert phases[1:] == ([] if phase is None else [phase])
    assert phases[0] is (Phase.DRAINING if step == "draining" else Phase.LIVE)


# When


def test_age_counts_from_the_sockets_opening() -> None:
    """A link is replaced `rotate_after` after its socket opened, less a random share of `rotate_jitter`."""
    ages = []
    for seed in range(60):
        world = scripted(seed=seed, pings=1000, silence_timeout=2500, audit_interval=0)
        world.exchange.dials.append(Answer(after=7))
        world.run(86000)
        opened = world.times(inputs.SocketOpened)
        ages.append(world.times(actions.CreateKey)[1] - opened[0])
    assert min(ages) >= 85500
    assert max(ages) <= 85800
    assert max(ages) - min(ages) > 200


def test_jitter_is_a_tenth_at_most() -> None:
    """The share is at most a tenth of `rotate_after`, so that a short age stays about what was asked for."""
    ages = {scripted(seed=seed, rotate_after=100).run(101).times(actions.CreateKey)[1] - 0.2 for seed in range(60)}
    assert 90 <= min(ages) < 90.8
    assert 99.2 < max(ages) <= 100


def test_without_jitter() -> None:
    """With `rotate_jitter=0` every link is replaced at exactly `rotate_after`."""
    world = scripted(rotate_after=30, rotate_jitter=0, drain=5)
    world.run(100)
    opened = world.times(inputs.SocketOpened)
    assert world.times(actions.CreateKey)[1:] == pytest.approx([at + 30 for at in opened[:-1]])
    assert rotations(world) == 3
    assert world.gaps == []
    assert world.healths == [Health.LIVE]


def test_off() -> None:
    """With `rotate_after=0` no link is replaced by age, only by `Rotate`."""
    world = scripted(rotate_after=0, pings=1000, silence_timeout=2500, audit_interval=0)
    world.run(200_000)
    assert rotations(world) == 0
    world.feed(inputs.Rotate())
    assert world.state == "ROTATING"


def test_asked_in_every_state() -> None:
    """`Rotate` replaces a proven link; in any other state there is none to replace."""
    idle = scripted(mints=[NEVER])
    keyed = scripted(openings=1)
    keyed.exchange.acks.append(NEVER)
    waiting = connected()
    waiting.drop()
    stopped = connected()
    stopped.feed(inputs.Stop())
    for world, state in (
        (idle.run(5), State.IDLE),
        (keyed.run(5), State.KEYED),
        (waiting, State.BACKOFF),
        (stopped, State.IDLE),
        *((rotating(step), State.ROTATING) for step in STEPS),
    ):
        assert world.feed(inputs.Rotate()) == []
        assert world.state is state
    world = connected()
    assert [type(action) for action in world.feed(inputs.Rotate())] == [actions.CreateKey]
    assert world.state == "ROTATING"


# How


def test_make_before_break() -> None:
    """Key, socket, proof, drain, and only then the old socket and its key; health stays LIVE and no gap opens."""
    world = connected(rotate_after=0)
    world.feed(inputs.Rotate())
    old = world.leader
    world.run(60)
    assert world.outline(*PATH)[2:] == ["CreateKey", "OpenSocket", "CloseSocket", "DeleteKey"]
    assert world.times(actions.CloseSocket) == [20.3]  # minted 10.0, granted 10.1, opened 10.2, proven 10.3
    assert [closed.socket for closed in world.seen(actions.CloseSocket)] == [old]
    assert world.states[-3:] == [State.CONNECTED, State.ROTATING, State.CONNECTED]
    assert world.gaps == []
    assert world.healths == [Health.LIVE]


def test_nothing_is_closed_without_proof() -> None:
    """The old link is read on, however long the successor takes to be proven."""
    world = rotating("unproven")
    world.run(20)
    assert world.count(actions.CloseSocket) == 0
    assert world.exchange.say("ping") == [actions.SendFrame(world.leader, "pong")]


def test_both_are_answered() -> None:
    """While both sockets are open, each heartbeat is answered on its own socket."""
    world = rotating("draining")
    for link in world.connection.links:
        assert world.exchange.say("ping", link.socket) == [actions.SendFrame(link.socket, "pong")]


@pytest.mark.parametrize("drain", [0, 0.5])
def test_drain(drain: float) -> None:
    """The old socket is closed `drain` after the proof, at once if it is 0."""
    world = connected(rotate_after=0, drain=drain)
    world.feed(inputs.Rotate())
    world.run(20)
    assert world.times(actions.CloseSocket) == [pytest.approx(10.3 + drain)]
    assert world.gaps == []


@pytest.mark.parametrize("first", ["old", "new"])
def test_copies_are_delivered_once(first: str) -> None:
    """A fill that both links bring is delivered once; the old link leads, and a copy waits `reorder_window`."""
    world = rotating("draining")
    world.exchange.say("order A NEW 0/3")
    old, new = world.leader, world.successor
    for socket in (old, new) if first == "old" else (new, old):
        world.exchange.say("fill A 1/3 +1", socket)
        world.run(world.now + 0.1)
    world.run(15)
    delivered = [(at, action.event.event_id) for at, action in world.log if isinstance(action, actions.Deliver)]
    fills = [(round(at, 3), name) for at, name in delivered if name.startswith("fill")]
    assert fills == [(14 if first == "old" else 14.1, "fill:TOY:A:1")]


def test_the_successors_word_alone() -> None:
    """An event that only the new link brings is delivered after `reorder_window`, or at an earlier hand-over."""
    world = rotating("draining")
    world.exchange.say("order A NEW 0/3", world.successor)
    world.run(14.2)
    assert not any(event.event_id.startswith("order") for event in world.delivered)
    world.run(14.25)
    assert any(event.event_id.startswith("order") for event in world.delivered)

    world = connected(rotate_after=0, drain=1)
    world.feed(inputs.Rotate())
    world.run(11.2)
    world.exchange.say("order B NEW 0/3", world.successor)
    world.run(11.35)
    assert world.state == "CONNECTED"
    assert any(event.event_id.startswith("order:TOY:B") for event in world.delivered)


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
    """If the successor fails at any step, the old link stays LIVE without a gap, and another follows by backoff."""
    world = connected(openings=1, rotate_after=0)
    getattr(world.exchange, rule[0]).extend([rule[1]] * 4)
    world.feed(inputs.Rotate())
    world.run(120)
    asked = world.times(actions.CreateKey)[1:]
    failed = [at for at, thing in world.log if isinstance(thing, (inputs.Refused, actions.CloseSocket))]
    assert len(asked) == 5
    assert world.state == "CONNECTED"
    assert rotations(world) == 5
    assert (world.gaps, world.healths) == ([], [Health.LIVE])
    spent = {"mint not answered": 10, "handshake hangs": 10.1, "opening not acknowledged": 10.1}.get(name)
    for (before, after), bound in zip(itertools.pairwise(asked), (1, 2, 4, 8), strict=True):
        took = spent if spent is not None else 0.1 if name.startswith("mint") else 0.3 if "opening" in name else 0.2
        assert bound / 2 <= after - before - took + 1e-6
        assert after - before - took <= bound + 1e-6
    assert failed or "handshake" in name or "not answered" in name


@pytest.mark.parametrize("step", ["opening", "unproven", "draining"])
@pytest.mark.parametrize("how", ["closed", "oversized", "gone", "error gone"])
def test_a_successor_that_is_lost(step: str, how: str) -> None:
    """If the successor is lost at any step, no gap opens, and the old link leads."""
    world = rotating(step, max_frame_bytes=100)
    old, new = (link.socket for link in world.connection.links)
    match how:
        case "closed":
            world.drop(new)
        case "gone":
            world.drop(new, GONE)
        case "oversized":
            world.exchange.say("x" * 101, new)
        case "error gone":
            world.exchange.say("error fatal", new)
    if step == "opening" and how in ("oversized", "error gone"):
        assert world.state == "ROTATING"  # it has not opened, so it cannot have been refused so
        return
    assert world.state == "CONNECTED"
    assert [link.socket for link in world.connection.links] == [old]
    assert world.gaps == []
    world.run(120)
    assert world.state == "ROTATING"  # another one drains
    assert world.leader == old
    assert world.gaps == []
    assert [action.key for action in world.seen(actions.DeleteKey)] == ([] if how == "gone" else ["K2"])


@pytest.mark.parametrize("where", ["mints", "dials", "acks"])
def test_a_fatal_refusal_of_a_successor(where: str) -> None:
    """If the successor is refused for good, the stream goes on as SUSPECT until another one works."""
    world = connected(openings=1, rotate_after=0)
    getattr(world.exchange, where).extend([no(FATAL)] * 2)
    world.feed(inputs.Rotate())
    world.run(10.9)
    assert (world.state, world.health) == (State.CONNECTED, Health.SUSPECT)
    assert world.seen(actions.Finish) == []
    assert world.exchange.say("ping") == [actions.SendFrame(world.leader, "pong")]
    world.run(60)
    assert world.health == "LIVE"
    assert world.gaps == []
    assert rotations(world) == 3
    assert world.healths == [Health.LIVE, Health.SUSPECT, Health.LIVE]


def test_asked_too_often() -> None:
    """However often `Rotate` is asked for, at most 15 openings fail in 480 s."""
    world = connected(rotate_after=0)
    world.exchange.dials.extend([no(after=0.01)] * 1000)
    for second in range(11, 1450):
        world.at(second, inputs.Rotate())
    world.run(1450)
    dialled = world.times(actions.OpenSocket)[1:]
    assert 30 <= len(dialled) <= 50
    for last in dialled:
        assert sum(last - 479 < at <= last for at in dialled) <= 15
    assert world.gaps == []


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
    """The stream goes on with the successor, after a gap; it is blind unless the successor is proven."""
    world = rotating(step)
    mints = world.count(actions.CreateKey)
    world.drop(refusal=refusal)
    assert world.state is state
    assert world.health is (Health.SUSPECT if state is State.CONNECTED else Health.BLIND)
    assert world.gaps[0] == ("GAP_OPENED", "lost_socket")
    for link in world.connection.links:
        world.mute.discard(link.socket)
    world.run(120)
    assert (world.state, world.health) == (State.CONNECTED, Health.LIVE)
    assert world.gaps[1] == ("GAP_CLOSED", "lost_socket")
    assert (("RECONNECTED", "lost_socket") in world.gaps) == (state is not State.CONNECTED)
    assert world.count(actions.CreateKey) == (mints if step in ("unproven", "draining") else mints + 1)
    assert [action.key for action in world.seen(actions.DeleteKey)][:1] != ["K2"] or step == "opening"


def test_the_new_leader_ages_too() -> None:
    """The successor of a lost link is itself replaced by age, counted from its own opening."""
    world = scripted(rotate_after=100, rotate_jitter=0, drain=50)
    world.run(110)
    assert world.state == "ROTATING"
    world.drop()
    world.run(210)
    opened = world.times(inputs.SocketOpened)
    assert world.times(actions.CreateKey)[2] == pytest.approx(opened[1] + 100)


def test_the_leader_is_lost_and_so_is_its_successor() -> None:
    """If the leader and then its successor are lost: one gap, one blind stretch, both keys deleted."""
    world = rotating("draining")
    world.drop()
    world.drop()
    assert world.state == "BACKOFF"
    world.run(60)
    assert world.gaps == [
        ("GAP_OPENED", "lost_socket"),
        ("GAP_CLOSED", "lost_socket"),
        ("RECONNECTED", "lost_socket"),
    ]
    assert [action.key for action in world.seen(actions.DeleteKey)] == ["K1", "K2"]


def test_since_is_when_the_lost_link_was_heard() -> None:
    """The gap begins with the last frame of the lost link, even if its successor has brought later ones."""
    world = connected(rotate_after=0, drain=100)
    heard = world.times(inputs.FrameReceived)[-1]
    world.mute.add(world.leader)
    world.feed(inputs.Rotate())
    world.run(30)
    gap = world.events(GapNotice)[0]
    assert gap.reason == "silent"
    assert gap.exchange_ts is not None
    assert gap.since is not None
    assert abs(gap.exchange_ts - gap.since - 15_000) < 2
    assert heard < 10


# Stop


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("closing", [0.1, 5, float("inf")])
def test_stop_while_rotating(step: str, closing: float) -> None:
    """At any step both sockets are closed, then both keys deleted once, and then the stream is finished."""
    world = rotating(step)
    links = len(world.connection.links)
    world.exchange.closings.extend([Answer(after=closing)] * 2)
    world.feed(inputs.Stop())
    assert world.state == "IDLE"
    assert world.count(actions.CloseSocket) == links
    world.run(60)
    assert world.connection.finished
    assert sorted(action.key for action in world.seen(actions.DeleteKey)) == ["K1", "K2"][:links]


# A link that is distrusted


def missed(exchange_ms: int, since: int | None) -> Account:
    """A stream for which an order was filled at 20 s without a frame."""
    at = EPOCH + 20_000
    order: dict[str, Any] = {"symbol": "TOY", "order_id": "Z"}
    report = OrderReport(
        **order, status="FILLED", cumulative_qty=Decimal(1), qty=Decimal(1), exchange_ts=at, created_ts=at
    )
    row = FillReport(**order, qty=Decimal(1), price=Decimal(100), exchange_ts=at, trade_id="1")
    return msgspec.structs.replace(empty_account(exchange_ms, since), orders=(report,), fills=(row,))


def test_a_link_that_missed_something() -> None:
    """An audit finds a fill that the link should have brought: a gap, until a successor is proven and a read passes."""
    world = connected(25, rotate_after=0)
    old = world.leader
    world.exchange.account = missed
    world.run(127)
    assert world.gaps[0] == ("GAP_OPENED", "hole")
    assert [event.event_id for event in world.delivered if event.event_id.startswith("fill")] == ["fill:TOY:Z:1"]
    world.run(160)
    assert (world.state, world.health) == ("CONNECTED", "LIVE")
    assert world.leader != old
    assert rotations(world) == 1
    assert set(world.gaps[1:]) == {("GAP_CLOSED", "hole")}
    assert not any(kind == "RECONNECTED" for kind, _ in world.gaps)


def test_a_distrusted_link_whose_successor_fails() -> None:
    """If the successor fails, the distrusted link is read on, the gap stays open, and another one follows."""
    world = connected(25, rotate_after=0)
    world.exchange.account = missed
    world.exchange.dials.extend([no()] * 2)
    world.run(127)
    assert world.health == "SUSPECT"
    world.run(160)
    assert rotations(world) == 3
    assert (world.state, world.health) == ("CONNECTED", "LIVE")


def test_distrust_while_rotating() -> None:
    """If a successor is on its way already, no other is opened."""
    world = connected(25, rotate_after=0)
    world.exchange.account = missed
    world.exchange.reads.append(Answer(after=3))
    world.run(126.6)
    world.feed(inputs.Rotate())
    world.run(129)
    assert world.state == "ROTATING"
    world.run(180)
    assert rotations(world) == 1
    assert [event.event_id for event in world.delivered if event.event_id.startswith("fill")] == ["fill:TOY:Z:1"]
    assert (world.state, world.health) == ("CONNECTED", "LIVE")


def test_an_acknowledgement_that_comes_again_prolongs_no_drain() -> None:
    """A repeated acknowledgement of the successor does not prolong the drain."""
    world = connected(openings=1, rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(11)
    socket = world.successor
    assert world.connection.links[1].proven
    proven = next(at for at, thing in world.log if thing == inputs.FrameReceived(socket, f"ack {socket}.0"))
    world.run(proven + 5)
    world.exchange.say(f"ack {socket}.0", socket)
    world.run(proven + 9.9)
    assert len(world.connection.links) == 2
    world.run(proven + 10.1)
    assert [link.socket for link in world.connection.links] == [socket]
