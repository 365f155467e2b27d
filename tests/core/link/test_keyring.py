"""One mint at a time, within the venue's limits; each key deleted once, when the last socket that used it is closed."""

from __future__ import annotations

import itertools

import pytest

from listenkey.core import actions, inputs
from listenkey.core.link.lifecycle import State
from listenkey.core.refusal import Refusal

from ..scripted import NEVER, Answer, ScriptedWorld, busy, connected, no, scripted
from ..world import EPOCH, FATAL, GONE, RETRY


def deleted(world: ScriptedWorld) -> list[str]:
    return [action.key for action in world.seen(actions.DeleteKey)]


# Minting


@pytest.mark.parametrize("refusal", [RETRY, GONE, None], ids=["busy", "gone", "no answer"])
def test_a_mint_that_fails(refusal: Refusal | None) -> None:
    """A mint that is refused, or not answered in 10 s, is repeated by backoff, one at a time."""
    answer = no(refusal) if refusal else NEVER
    world = scripted(mints=[answer] * 4)
    world.run(120)
    assert world.state == "CONNECTED"
    assert [state.value for state in world.states[:5]] == ["IDLE", "BACKOFF", "IDLE", "BACKOFF", "IDLE"]
    spent = 0.1 if refusal else 10
    waits = [after - before - spent for before, after in itertools.pairwise(world.times(actions.CreateKey))]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 8), strict=True))


def test_a_fatal_mint() -> None:
    """A mint that is refused for good ends the stream with the refusal, after one attempt."""
    world = scripted(mints=[no(FATAL)])
    world.run(100)
    assert world.outline() == ["CreateKey", "Finish"]
    assert world.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert (world.state, world.connection.finished) == (State.IDLE, True)


def test_a_storm_of_failing_mints() -> None:
    """In an hour of failing mints, at most 15 are asked for in any 480 s."""
    for seed, answer in itertools.product(range(4), (no(), no(after=0.0), NEVER)):
        world = scripted(mints=[answer] * 1000, seed=seed, backoff_max=1, request_timeout=0.5)
        world.run(3600)
        asked = world.times(actions.CreateKey)
        assert 7 * 15 < len(asked) <= 8 * 15
        for last in asked:
            assert sum(last - 479 < at <= last for at in asked) <= 15


@pytest.mark.parametrize("failing", ["mints", "dials"])
@pytest.mark.parametrize("outage", [120, 240, 1800])
def test_the_next_attempt_after_an_outage(failing: str, outage: int) -> None:
    """However many mints or handshakes an outage has used up, the next one comes within 80 s of its end."""
    for seed in range(4):
        world = scripted(seed=seed, request_timeout=0.5, connect_timeout=0.5)
        answers = world.exchange.mints if failing == "mints" else world.exchange.dials
        answers.extend([no(after=0.2)] * 1000)
        world.run(outage)
        answers.clear()
        world.run(outage + 81)
        assert world.state == "CONNECTED"


def test_no_attempt_before_the_unlock_time() -> None:
    """A mint refused until some time is repeated soon after it, not before; a shorter time changes nothing."""
    world = scripted(mints=[busy(300), busy(2)])
    world.run(299)
    assert world.count(actions.CreateKey) == 1
    world.run(302.3)
    assert world.times(actions.CreateKey)[1] == 300.1
    assert world.times(actions.CreateKey)[2] >= 302.2


@pytest.mark.parametrize("busy_for", [300, 0.45])
def test_unlock_time_holds_for_a_successor(busy_for: float) -> None:
    """A time named by the venue holds for rotations too, even for one that was asked for; the stream stays LIVE."""
    world = connected(rotate_after=0)
    world.exchange.mints.append(busy(busy_for))
    world.feed(inputs.Rotate())
    world.run(10.15)
    assert world.state == "CONNECTED"
    world.feed(inputs.Rotate())
    assert world.state == "ROTATING"
    world.run(10 + busy_for)
    assert world.count(actions.CreateKey) == 2
    world.run(30 + busy_for)
    assert world.times(actions.CreateKey)[2] == pytest.approx(10.1 + busy_for)
    assert world.state == "CONNECTED"
    assert world.gaps == []


@pytest.mark.parametrize("who", ["first link", "successor", "live link"])
def test_unlock_time_of_a_socket(who: str) -> None:
    """A time named in the refusal of any socket holds for the next mint."""
    world = scripted() if who == "first link" else connected(rotate_after=0)
    if who == "live link":
        world.drop(refusal=busy(100).refusal)
    else:
        world.exchange.dials.append(busy(100))
    if who == "successor":
        world.feed(inputs.Rotate())
    refused = world.run(world.now + 1).times(inputs.SocketClosed)[0]
    before = world.count(actions.CreateKey)
    world.run(refused + 99.9)
    assert world.count(actions.CreateKey) == before
    world.run(refused + 130)
    assert world.count(actions.CreateKey) == before + 1
    assert world.state == "CONNECTED"


def test_a_mint_that_waits_is_given_up_on_stop() -> None:
    """A mint that waits for its time is not made after `Stop`."""
    world = connected(rotate_after=0)
    world.exchange.mints.append(busy(300))
    world.feed(inputs.Rotate())
    world.run(12)
    world.feed(inputs.Rotate())
    world.feed(inputs.Stop())
    world.run(1000)
    assert world.count(actions.CreateKey) == 2
    assert world.connection.finished


# Answers that come late


def test_a_key_that_comes_late() -> None:
    """The key of a mint that was given up is deleted once, and its time does not begin the stream."""
    world = scripted(mints=[Answer(after=25, key="LATE"), NEVER])
    world.run(26)
    assert world.count(actions.CreateKey) == 3
    assert deleted(world) == ["LATE"]
    assert world.connection.began == EPOCH + round(world.times(inputs.KeyGranted)[0] * 1000)
    world.run(100)
    assert deleted(world) == ["LATE"]
    assert world.health == "LIVE"


def test_a_late_key_that_is_in_use() -> None:
    """A late answer with the key in use, as from a venue with one key per account, deletes nothing."""
    world = connected(rotate_after=0)
    for request in (1, 999):
        assert world.feed(inputs.KeyGranted(request, "K1", 3600)) == []
    world.feed(inputs.Rotate())
    world.run(15)
    assert len(world.connection.links) == 2
    for key in ("K1", "K2"):
        assert world.feed(inputs.KeyGranted(1, key, 3600)) == []


def test_a_late_key_while_its_socket_closes() -> None:
    """A late answer does not delete the key of a socket that is being closed; it is deleted after that."""
    world = connected(rotate_after=0)
    world.exchange.closings.append(Answer(after=4))
    world.feed(inputs.Stop())
    assert world.feed(inputs.KeyGranted(1, "K1", 3600)) == []
    world.run(20)
    assert deleted(world) == ["K1"]


def test_a_late_refusal() -> None:
    """A refusal of a mint that was given up, or of an unknown one, changes nothing, even a fatal one."""
    world = scripted(mints=[Answer(25, FATAL), Answer(3)])
    world.run(60)
    assert world.state == "CONNECTED"
    for request in (1, 2, 999, 0, -1):
        assert world.feed(inputs.Refused(request, FATAL)) == []


def test_a_late_key_after_the_end() -> None:
    """`Stop` during a mint: its answer is waited for and its key deleted, and nothing else is asked for."""
    world = scripted(mints=[Answer(after=3)])
    world.run(1)
    world.feed(inputs.Stop())
    assert not world.connection.finished
    world.run(100)
    assert world.outline() == ["CreateKey", "Finish", "DeleteKey"]
    assert world.times(actions.DeleteKey) == [3]
    assert world.connection.finished


@pytest.mark.parametrize("answer", [no(), no(FATAL), no(GONE), NEVER])
def test_a_late_failure_after_the_end(answer: Answer) -> None:
    """`Stop` during a mint that fails or is never answered: the stream ends once, and without an error."""
    world = scripted(mints=[answer._replace(after=answer.after * 20)])
    world.run(1)
    world.feed(inputs.Stop())
    world.run(100)
    assert world.outline() == ["CreateKey", "Finish"]
    assert world.seen(actions.Finish) == [actions.Finish(None)]
    assert world.connection.finished


# One key, several sockets


def test_a_key_goes_with_its_last_socket() -> None:
    """A rotation deletes the old key once, after its socket is closed, and never the new key."""
    world = connected(rotate_after=0)
    world.exchange.closings.append(Answer(after=2))
    world.feed(inputs.Rotate())
    world.run(60)
    kinds = (actions.CreateKey, actions.OpenSocket, actions.CloseSocket, inputs.SocketClosed, actions.DeleteKey)
    assert world.outline(*kinds)[2:] == ["CreateKey", "OpenSocket", "CloseSocket", "SocketClosed", "DeleteKey"]
    assert deleted(world) == ["K1"]
    assert world.times(actions.DeleteKey) == world.times(inputs.SocketClosed) == [21.3]


def test_a_key_on_its_way_out_is_not_renewed() -> None:
    """A key that no link uses is not renewed, even if its socket is not closed yet."""
    world = connected(rotate_after=0, renew_interval=12)
    world.exchange.closings.append(NEVER)
    world.feed(inputs.Stop())
    world.run(100)
    assert world.count(actions.RenewKey) == 0


def test_a_socket_whose_end_is_never_heard_of() -> None:
    """A socket that we closed counts as closed after 10 s; a later report of its end is dropped."""
    world = connected(rotate_after=0)
    world.exchange.closings.append(NEVER)
    socket = world.leader
    world.feed(inputs.Stop())
    world.run(19.9)
    assert deleted(world) == []
    assert not world.connection.finished
    world.run(20.1)
    assert deleted(world) == ["K1"]
    assert world.connection.finished
    assert world.feed(inputs.SocketClosed(socket, 1000)) == []


def same_key(**options: object) -> ScriptedWorld:
    """A venue that answers every mint with the one key of the account."""
    world = scripted(mints=[Answer(key="ONE")] * 100, **options)  # type: ignore[arg-type]
    return world.run(10)


def test_rotation_with_the_same_key() -> None:
    """If a mint returns the key in use, both links share it; it is deleted only at the end."""
    world = same_key(rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(15)
    assert len({link.key.number for link in world.connection.links}) == 1
    assert len(world.connection.links) == 2
    world.run(60)
    assert world.state == "CONNECTED"
    assert deleted(world) == []
    world.feed(inputs.Stop())
    world.run(70)
    assert deleted(world) == ["ONE"]


def test_the_same_key_is_renewed_once() -> None:
    """A key granted again is valid from that moment, and one renewal serves both links."""
    world = same_key(rotate_after=0)
    world.run(1000)
    world.feed(inputs.Rotate())
    world.run(4000)
    assert [round(at) for at in world.times(actions.RenewKey)] == [2800]


def test_a_successor_with_the_same_key_fails() -> None:
    """If the successor fails, the shared key stays with the old link."""
    world = same_key(rotate_after=0)
    world.exchange.dials.append(no())
    world.feed(inputs.Rotate())
    world.run(11)
    assert world.state == "CONNECTED"
    world.run(60)
    assert deleted(world) == []
    assert world.health == "LIVE"


def test_the_old_socket_closes_while_the_same_key_is_in_use() -> None:
    """After a break the venue grants the key whose socket is still closing: that close does not delete it."""
    world = same_key(rotate_after=0, max_frame_bytes=100)
    world.exchange.closings.append(Answer(after=12))
    world.exchange.say("x" * 101)
    world.run(60)
    assert world.state == "CONNECTED"
    assert deleted(world) == []


def test_the_shared_key_goes() -> None:
    """If the shared key goes, the successor is given up, a gap opens, and another key is minted."""
    world = same_key(rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(12)
    world.exchange.say("expired ONE")
    assert world.state == "ROTATING"
    assert len(world.connection.links) == 1
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.gaps[-1] == ("GAP_CLOSED", "key_gone")
    world.run(2000)
    assert world.count(inputs.KeyRenewed) == 1
    assert deleted(world) == []


def test_the_shared_key_is_refused_to_the_successor() -> None:
    """If the successor's handshake is refused because the key is gone, the old link is distrusted and a gap opens."""
    world = same_key(rotate_after=0)
    world.exchange.dials.append(no(GONE))
    world.feed(inputs.Rotate())
    world.run(10.25)
    assert world.state == "CONNECTED"
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.gaps[-1] == ("GAP_CLOSED", "key_gone")
    assert world.health == "LIVE"
    world.run(2000)
    assert world.count(inputs.KeyRenewed) == 1
