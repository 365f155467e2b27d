"""After a failure: attempts neither too soon nor ever later, and never more than the venue bears."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import Health
from listenkey.core.link.lifecycle import State
from listenkey.core.refusal import Refusal

from ..scripted import NEVER, Answer, busy, connected, gaps_between, no, scripted
from ..world import FATAL, GONE, RETRY


def test_a_server_that_accepts_and_closes_at_once() -> None:
    """Closed before the proof or after it: at most 8 openings in 20 s, 0.4 s apart or more, with no more mints."""
    for seed, lives in itertools.product(range(50), (0.0, 0.05, 0.15)):
        world = scripted(seed=seed)
        world.exchange.dials.extend([Answer(after=0.0, lives=lives)] * 100)
        world.run(20)
        openings = world.times(actions.OpenSocket)
        assert 4 <= len(openings) <= 8
        assert min(gaps_between(openings)) >= 0.4
        assert world.count(actions.CreateKey) <= len(openings) + 1
        assert world.count(actions.DeleteKey) == world.count(inputs.SocketClosed)
        assert (State.CONNECTED in world.states) is (lives > 0.1)


def test_delays_double_and_are_capped() -> None:
    """Refused handshakes are repeated after 1, 2, 4, … 30 s, of which one half is fixed and the other random."""
    bounds = (1, 2, 4, 8, 16, 30, 30, 30)
    seen = []
    for seed in range(20):
        world = scripted(seed=seed)
        world.exchange.dials.extend([no(after=0.0)] * len(bounds))
        world.run(300)
        assert world.state == "CONNECTED"
        dialled = world.times(actions.OpenSocket)
        waits = [wait - 0.1 for wait in gaps_between(dialled)]
        assert all(bound / 2 <= wait + 1e-6 and wait <= bound + 1e-6 for wait, bound in zip(waits, bounds, strict=True))
        seen.append(waits[-1])
    assert max(seen) - min(seen) > 10


def waits_after(lived: float, **policy: Any) -> list[list[float]]:
    """The waits of many runs that were refused once, then were live so long, and were then refused three times."""
    waits = []
    for seed in range(40):
        world = scripted(seed=seed, **policy)
        world.exchange.dials.append(no(after=0.0))
        world.run(5)
        proven = next(at for at, thing in world.log if isinstance(thing, inputs.FrameReceived))
        world.run(proven + lived)
        world.exchange.dials.extend([no(after=0.0)] * 3)
        world.drop()
        lost = world.now
        world.run(lost + 60)
        minted = world.times(actions.CreateKey)[2:]
        waits.append([minted[0] - lost, *(wait - 0.1 for wait in gaps_between(minted))])
    return waits


BETWEEN = (0.0, 0.25), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0)


def test_the_first_attempt_after_a_healthy_life_waits_a_moment() -> None:
    """The first wait is random up to `backoff_first`; the others begin with `backoff_initial` and double."""
    for (least, most), waits in zip(BETWEEN, zip(*waits_after(31.0), strict=True), strict=True):
        assert least - 1e-6 <= min(waits) < least + 0.2 * (most - least)
        assert most - 0.2 * (most - least) < max(waits) <= most + 1e-6


def test_a_short_life_does_not_begin_anew() -> None:
    """If a proven link lasted less than `healthy_after`, the delays go on where they were."""
    first = [waits[0] for waits in waits_after(29.0)]
    assert 1.0 <= min(first) < 1.2
    assert 1.8 < max(first) <= 2.0


def test_no_wait_at_first_is_at_once() -> None:
    """With `backoff_first` 0 the first attempt comes at once; no delay is longer than `backoff_max`."""
    assert max(waits[0] for waits in waits_after(31.0, backoff_first=0)) < 1e-6
    assert max(waits[0] for waits in waits_after(31.0, backoff_first=9, backoff_max=1)) <= 1.0


def test_health_of_an_old_link_does_not_excuse_a_new_one() -> None:
    """If the old link is lost before its successor is proven, the old link's time does not count for the new one."""
    waits = []
    for seed in range(20):
        world = scripted(seed=seed, rotate_after=0)
        world.exchange.dials.append(no(after=0.0))
        world.run(28)
        world.feed(inputs.Rotate())
        world.mute.add(world.count(actions.OpenSocket))
        world.run(28.15)
        world.mute.add(world.successor)
        world.drop()
        assert world.state == "KEYED"
        world.run(38.05)  # 30 s after the first proof, and the failure still counts
        assert world.state == "KEYED"
        world.run(38.2)
        waits.append(world.connection.deadline - 38.1)
    assert min(waits) >= 1
    assert max(waits) > 1.5


def test_a_rotation_does_not_interrupt_health() -> None:
    """The time for which the stream was live goes on through a rotation."""
    world = scripted(rotate_after=12, rotate_jitter=0, drain=1)
    world.exchange.dials.append(no(after=0.0))
    world.run(40)
    world.drop()
    lost = world.now
    world.run(80)
    again = next(at for at in world.times(actions.CreateKey) if at > lost)
    assert again - lost <= 1


@pytest.mark.parametrize("refusal", [RETRY, FATAL, None], ids=["busy", "fatal", "cut"])
def test_a_lost_link(refusal: Refusal | None) -> None:
    """A live link that is lost: a gap, its key deleted once, a new one after the delay, a read that closes the gap."""
    world = connected(rotate_after=0)
    done = world.drop(refusal=refusal)
    assert [type(action).__name__ for action in done] == ["DeleteKey", "Deliver", "Deliver"]
    assert (world.state, world.health) == (State.BACKOFF, Health.BLIND)
    world.run(60)
    assert world.states[2:] == [State.CONNECTED, State.BACKOFF, State.IDLE, State.KEYED, State.CONNECTED]
    assert [action.key for action in world.seen(actions.DeleteKey)] == ["K1"]
    assert [action.key for action in world.seen(actions.OpenSocket)] == ["K1", "K2"]
    assert world.gaps == [("GAP_OPENED", "lost_socket"), ("GAP_CLOSED", "lost_socket"), ("RECONNECTED", "lost_socket")]
    assert world.healths == [Health.LIVE, Health.BLIND, Health.SUSPECT, Health.LIVE]


def test_a_lost_link_whose_key_was_gone() -> None:
    """If the end says that the key does not exist there is nothing to delete."""
    world = connected(rotate_after=0)
    world.drop(refusal=GONE)
    world.run(60)
    assert world.seen(actions.DeleteKey) == []
    assert world.state == "CONNECTED"


def test_a_storm_of_failing_openings() -> None:
    """In an hour of refused, hanging or silent handshakes at most 15 fail in any 480 s, with no more mints."""
    for refused in (no(after=0.0), no(GONE), NEVER):
        world = scripted(backoff_max=1, connect_timeout=0.5)
        world.exchange.dials.extend([refused] * 1000)
        world.run(3600)
        dialled = world.times(actions.OpenSocket)
        assert len(dialled) > 90
        for last in dialled:
            assert sum(last - 479 < at <= last for at in dialled) <= 15
        assert world.count(actions.CreateKey) <= len(dialled) + 1


def test_a_fatal_handshake() -> None:
    """If a handshake is refused for good before any link was proven, the stream ends with that refusal."""
    world = scripted()
    world.exchange.dials.append(no(FATAL))
    world.run(100)
    assert world.outline() == ["CreateKey", "OpenSocket", "Begin", "DeleteKey", "Finish"]
    assert world.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert world.connection.finished


def test_fatal_after_a_life() -> None:
    """If credentials are withdrawn during an outage, the stream ends with the gap open, and polls end too."""
    world = connected(rotate_after=0)
    world.exchange.mints.append(no(FATAL))
    world.drop()
    world.run(1000)
    assert world.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert world.gaps == [("GAP_OPENED", "lost_socket")]
    assert world.times(actions.Finish)[0] < 12
    assert max(world.times(actions.ReadAccount)) < 12


def test_unlock_time_and_delay() -> None:
    """The longer of backoff and the venue's own time counts."""
    world = scripted(mints=[busy(0.2), busy(50)])
    world.run(100)
    first, second, third = world.times(actions.CreateKey)
    assert 0.5 <= second - first - 0.1 <= 1
    assert third - second == pytest.approx(50.1)
