"""A day of a stream: all its pings and renewals, one rotation, and three failures."""

from __future__ import annotations

import math

from listenkey.core import actions, inputs
from listenkey.core.events import Health
from listenkey.core.link.lifecycle import State

from ..examples import TIMES
from .scripted import ScriptedWorld, gaps_between, no, scripted
from .world import GONE

HOUR = 3600
END = 25.5 * HOUR


def live(seed: int) -> ScriptedWorld:
    """The socket breaks at 1805 s, the server falls silent at 3620 s, the venue drops the key at 5450 s.

    Nothing else fails. The last socket opens just after that, so that it is replaced by age within the day.
    """
    world = scripted(seed=seed)
    world.at(1805, lambda: world.drop())
    world.at(3620, lambda: world.mute.add(world.leader))
    world.at(5450, lambda: world.exchange.say("expired"))
    return world.run(END)


def test_a_day() -> None:
    """25.5 hours with a ping every 5 s: 50 renewals, one planned rotation, three failures."""
    world = live(seed=0)

    assert world.count(inputs.FrameReceived) > END / 5 - 10
    assert world.count(actions.SendFrame) == world.count(inputs.FrameReceived) - 1  # all but the expiry

    # Keys: one for the start, one for each failure, one for the rotation; those that the venue knows are deleted once.
    assert world.count(actions.CreateKey) == 5
    assert world.count(actions.RenewKey) == world.count(inputs.KeyRenewed) == 50
    assert [action.key for action in world.seen(actions.DeleteKey)] == ["K1", "K2", "K4"]
    assert {action.key for action in world.seen(actions.RenewKey)} == {"K1", "K2", "K3", "K4"}
    assert min(gaps_between(world.times(actions.RenewKey))) > 1799

    # Sockets: the judge has seen at every step that there were never more than two.
    opened, closed = world.times(actions.OpenSocket), world.times(inputs.SocketClosed)
    assert len(opened) == 5
    assert len(closed) == 4
    assert world.count(actions.CloseSocket) == 3  # the broken socket needs none

    # Delays: after so long a proven stretch the first attempt comes soon.
    lost = [closed[0], world.times(actions.CloseSocket)[0]]
    for at, minted in zip(lost, world.times(actions.CreateKey)[1:3], strict=True):
        assert 0 < minted - at <= 0.25

    # Rotations: one because the key was gone, at once; one by age, 85800 s after the opening less the jitter.
    rotated = world.times(actions.CreateKey)[3:]
    assert rotated[0] == 5450
    assert 85500 <= rotated[1] - (opened[3] + 0.1) <= 85800
    assert [state.value for state in world.states] == [
        *("IDLE", "KEYED", "CONNECTED"),
        *("BACKOFF", "IDLE", "KEYED", "CONNECTED"),
        *("BACKOFF", "IDLE", "KEYED", "CONNECTED"),
        *("ROTATING", "CONNECTED"),
        *("ROTATING", "CONNECTED"),
    ]

    # Gaps: one for each failure, each closed; blind twice; none for the planned rotation.
    assert world.gaps == [
        *[(kind, "lost_socket") for kind in ("GAP_OPENED", "GAP_CLOSED", "RECONNECTED")],
        *[(kind, "silent") for kind in ("GAP_OPENED", "GAP_CLOSED", "RECONNECTED")],
        *[(kind, "key_gone") for kind in ("GAP_OPENED", "GAP_CLOSED")],
    ]
    live_, suspect, blind = Health.LIVE, Health.SUSPECT, Health.BLIND
    assert world.healths == [live_, *(blind, suspect, live_), *(suspect, blind, suspect, live_), *(suspect, live_)]
    assert world.anomalies == []

    # Reads: an audit every two minutes, and not much more.
    assert END / 120 - 10 < world.count(actions.ReadAccount) < END / 120 + 40

    world.feed(inputs.Stop())
    world.run(END + 20)
    assert world.connection.finished
    assert world.connection.deadline == math.inf
    assert [action.key for action in world.seen(actions.DeleteKey)] == ["K1", "K2", "K4", "K5"]


def test_another_seed_moves_only_the_jitter() -> None:
    """The same day with another seed has the same actions in the same order, at other times.

    Only pings, audits and deletions of keys may change places.
    """
    one, two = live(seed=1), live(seed=2)
    kinds = (
        *(actions.CreateKey, actions.OpenSocket, actions.CloseSocket),
        *(actions.Finish, actions.Report),
    )
    assert one.outline(*kinds) == two.outline(*kinds)
    assert [each.key for each in one.seen(actions.DeleteKey)] == [each.key for each in two.seen(actions.DeleteKey)]
    assert one.times(actions.CreateKey) != two.times(actions.CreateKey)
    assert one.states == two.states
    assert one.gaps == two.gaps
    assert one.healths == two.healths


def test_a_bad_week() -> None:
    """In a week with a fault every 20 minutes (three days in `make test`) every gap closes, and health ends LIVE."""
    days = 7 if TIMES > 1 else 3
    world = scripted(seed=7)
    for n in range(1, days * 24 * 3):
        when = n * 1200.0 + n % 17
        match n % 5:
            case 0:
                world.at(when, lambda: world.drop(refusal=GONE))
            case 1:
                world.at(when, lambda: world.mute.add(world.leader))
            case 2:
                world.at(when, lambda: world.exchange.mints.extend([no()] * 3))
                world.at(when + 1, lambda: world.drop())
            case 3:
                world.at(when, lambda: world.exchange.renewals.append(no(GONE)))
            case 4:
                world.at(when, inputs.Rotate())
    world.run(days * 24 * HOUR + 600)
    assert (world.state, world.health) == (State.CONNECTED, Health.LIVE)
    opened = [reason for kind, reason in world.gaps if kind == "GAP_OPENED"]
    assert len(opened) == len([reason for kind, reason in world.gaps if kind == "GAP_CLOSED"]) > 50 * days
    assert set(opened) == {"lost_socket", "silent", "key_gone"}
    world.feed(inputs.Stop())
    world.run(world.now + 20)
    assert world.connection.finished
