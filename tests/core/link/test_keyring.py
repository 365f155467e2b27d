"""One mint at a time, within the venue's limits; each key deleted once, when the last socket that used it is closed."""

from __future__ import annotations

import itertools

import pytest

from listenkey.core import actions, inputs
from listenkey.core.link.lifecycle import State
from listenkey.core.refusal import Refusal

from ..script import EPOCH, FATAL, GONE, NEVER, RETRY, Answer, Life, busy, connected, no


def deleted(life: Life) -> list[str]:
    return [action.key for action in life.seen(actions.DeleteKey)]


# Minting


@pytest.mark.parametrize("refusal", [RETRY, GONE, None], ids=["busy", "gone", "no answer"])
def test_a_mint_that_fails(refusal: Refusal | None) -> None:
    """A mint that is refused, or not answered in 10 s, is tried again by backoff, one at a time."""
    answer = no(refusal) if refusal else NEVER
    life = Life(mints=[answer] * 4)
    life.run(120)
    assert life.state == "CONNECTED"
    assert [state.value for state in life.states[:5]] == ["IDLE", "BACKOFF", "IDLE", "BACKOFF", "IDLE"]
    spent = 0.1 if refusal else 10
    waits = [after - before - spent for before, after in itertools.pairwise(life.times(actions.CreateKey))]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, (1, 2, 4, 8), strict=True))


def test_a_fatal_mint() -> None:
    """A mint that is refused for good ends the stream with the refusal, after one attempt."""
    life = Life(mints=[no(FATAL)])
    life.run(100)
    assert life.outline() == ["CreateKey", "Finish"]
    assert life.seen(actions.Finish) == [actions.Finish(FATAL)]
    assert (life.state, life.connection.finished) == (State.IDLE, True)


def test_a_storm_of_failing_mints() -> None:
    """In an hour in which every mint fails no 480 s see more than 15 of them."""
    for seed, answer in itertools.product(range(4), (no(), no(after=0.0), NEVER)):
        life = Life(mints=[answer] * 1000, seed=seed, backoff_max=1, request_timeout=0.5)
        life.run(3600)
        asked = life.times(actions.CreateKey)
        assert 7 * 15 < len(asked) <= 8 * 15
        for last in asked:
            assert sum(last - 479 < at <= last for at in asked) <= 15


@pytest.mark.parametrize("failing", ["mints", "dials"])
@pytest.mark.parametrize("outage", [120, 240, 1800])
def test_the_next_attempt_after_an_outage(failing: str, outage: int) -> None:
    """However many mints or handshakes an outage has used up, the next one comes within 80 s of its end."""
    for seed in range(4):
        life = Life(seed=seed, request_timeout=0.5, connect_timeout=0.5)
        answers = life.mints if failing == "mints" else life.dials
        answers.extend([no(after=0.2)] * 1000)
        life.run(outage)
        answers.clear()
        life.run(outage + 81)
        assert life.state == "CONNECTED"


def test_no_attempt_before_the_unlock_time() -> None:
    """A mint that is refused until some time is not tried before it, and soon after; a shorter one changes nothing."""
    life = Life(mints=[busy(300), busy(2)])
    life.run(299)
    assert life.count(actions.CreateKey) == 1
    life.run(302.3)
    assert life.times(actions.CreateKey)[1] == 300.1
    assert life.times(actions.CreateKey)[2] >= 302.2


@pytest.mark.parametrize("busy_for", [300, 0.45])
def test_unlock_time_holds_for_a_successor(busy_for: float) -> None:
    """A busy venue is left alone by rotations too, even by one that is asked for; the live stream goes on."""
    life = connected(rotate_after=0)
    life.mints.append(busy(busy_for))
    life.play(inputs.Rotate())
    life.run(10.15)
    assert life.state == "CONNECTED"
    life.play(inputs.Rotate())
    assert life.state == "ROTATING"
    life.run(10 + busy_for)
    assert life.count(actions.CreateKey) == 2
    life.run(30 + busy_for)
    assert life.times(actions.CreateKey)[2] == pytest.approx(10.1 + busy_for)
    assert life.state == "CONNECTED"
    assert life.gaps == []


@pytest.mark.parametrize("who", ["first link", "successor", "live link"])
def test_unlock_time_of_a_socket(who: str) -> None:
    """A socket that is refused until some time: no mint before it, whoever's it was."""
    life = Life() if who == "first link" else connected(rotate_after=0)
    if who == "live link":
        life.drop(refusal=busy(100).refusal)
    else:
        life.dials.append(busy(100))
    if who == "successor":
        life.play(inputs.Rotate())
    refused = life.run(life.now + 1).times(inputs.SocketClosed)[0]
    before = life.count(actions.CreateKey)
    life.run(refused + 99.9)
    assert life.count(actions.CreateKey) == before
    life.run(refused + 130)
    assert life.count(actions.CreateKey) == before + 1
    assert life.state == "CONNECTED"


def test_a_mint_that_waits_is_given_up_on_stop() -> None:
    """A mint that waits for its time is not made after the end."""
    life = connected(rotate_after=0)
    life.mints.append(busy(300))
    life.play(inputs.Rotate())
    life.run(12)
    life.play(inputs.Rotate())
    life.play(inputs.Stop())
    life.run(1000)
    assert life.count(actions.CreateKey) == 2
    assert life.connection.finished


# Answers that come late


def test_a_key_that_comes_late() -> None:
    """A key for a mint that was given up is deleted, exactly once, and its clock does not begin the stream."""
    life = Life(mints=[Answer(after=25, key="LATE"), NEVER])
    life.run(26)
    assert life.count(actions.CreateKey) == 3
    assert deleted(life) == ["LATE"]
    assert life.connection.began == EPOCH + round(life.times(inputs.KeyGranted)[0] * 1000)
    life.run(100)
    assert deleted(life) == ["LATE"]
    assert life.health == "LIVE"


def test_a_late_key_that_is_in_use() -> None:
    """A late answer that names the key in use, as a venue with one key per account gives it, deletes nothing."""
    life = connected(rotate_after=0)
    for request in (1, 999):
        assert life.play(inputs.KeyGranted(request, "K1", 3600)) == []
    life.play(inputs.Rotate())
    life.run(15)
    assert len(life.connection.links) == 2
    for key in ("K1", "K2"):
        assert life.play(inputs.KeyGranted(1, key, 3600)) == []


def test_a_late_key_while_its_socket_closes() -> None:
    """Nor is the key of a socket that is not closed yet deleted by a late answer; it goes when the socket is closed."""
    life = connected(rotate_after=0)
    life.closings.append(Answer(after=4))
    life.play(inputs.Stop())
    assert life.play(inputs.KeyGranted(1, "K1", 3600)) == []
    life.run(20)
    assert deleted(life) == ["K1"]


def test_a_late_refusal() -> None:
    """A refusal of a mint that was given up, or of a strange one, changes nothing, not even a fatal one."""
    life = Life(mints=[Answer(25, FATAL), Answer(3)])
    life.run(60)
    assert life.state == "CONNECTED"
    for request in (1, 2, 999, 0, -1):
        assert life.play(inputs.Refused(request, FATAL)) == []


def test_a_late_key_after_the_end() -> None:
    """`Stop` during a mint waits for its answer, deletes the key, and asks for nothing more."""
    life = Life(mints=[Answer(after=3)])
    life.run(1)
    life.play(inputs.Stop())
    assert not life.connection.finished
    life.run(100)
    assert life.outline() == ["CreateKey", "Finish", "DeleteKey"]
    assert life.times(actions.DeleteKey) == [3]
    assert life.connection.finished


@pytest.mark.parametrize("answer", [no(), no(FATAL), no(GONE), NEVER])
def test_a_late_failure_after_the_end(answer: Answer) -> None:
    """`Stop` during a mint that fails afterwards, or is never answered, ends once and without an error."""
    life = Life(mints=[answer._replace(after=answer.after * 20)])
    life.run(1)
    life.play(inputs.Stop())
    life.run(100)
    assert life.outline() == ["CreateKey", "Finish"]
    assert life.seen(actions.Finish) == [actions.Finish(None)]
    assert life.connection.finished


# One key, several sockets


def test_a_key_goes_with_its_last_socket() -> None:
    """A planned rotation deletes the old key once, after its socket is known to be closed, and never the new one."""
    life = connected(rotate_after=0)
    life.closings.append(Answer(after=2))
    life.play(inputs.Rotate())
    life.run(60)
    kinds = (actions.CreateKey, actions.OpenSocket, actions.CloseSocket, inputs.SocketClosed, actions.DeleteKey)
    assert life.outline(*kinds)[2:] == ["CreateKey", "OpenSocket", "CloseSocket", "SocketClosed", "DeleteKey"]
    assert deleted(life) == ["K1"]
    assert life.times(actions.DeleteKey) == life.times(inputs.SocketClosed) == [21.3]


def test_a_key_on_its_way_out_is_not_renewed() -> None:
    """Once no link uses a key it is left alone, though its socket is not closed yet."""
    life = connected(rotate_after=0, renew_interval=12)
    life.closings.append(NEVER)
    life.play(inputs.Stop())
    life.run(100)
    assert life.count(actions.RenewKey) == 0


def test_a_socket_whose_end_nobody_tells() -> None:
    """A socket that we closed counts as closed after 10 s; what is told of it later is nothing."""
    life = connected(rotate_after=0)
    life.closings.append(NEVER)
    socket = life.leader
    life.play(inputs.Stop())
    life.run(19.9)
    assert deleted(life) == []
    assert not life.connection.finished
    life.run(20.1)
    assert deleted(life) == ["K1"]
    assert life.connection.finished
    assert life.play(inputs.SocketClosed(socket, 1000)) == []


def same_key(**options: object) -> Life:
    """A venue that answers every mint with the one key of the account."""
    life = Life(mints=[Answer(key="ONE")] * 100, **options)  # type: ignore[arg-type]
    return life.run(10)


def test_rotation_with_the_same_key() -> None:
    """If a mint returns the key in use both links share it; it outlives the old link and is deleted at the end."""
    life = same_key(rotate_after=0)
    life.play(inputs.Rotate())
    life.run(15)
    assert len({link.key.number for link in life.connection.links}) == 1
    assert len(life.connection.links) == 2
    life.run(60)
    assert life.state == "CONNECTED"
    assert deleted(life) == []
    life.play(inputs.Stop())
    life.run(70)
    assert deleted(life) == ["ONE"]


def test_the_same_key_is_renewed_once() -> None:
    """A key that was granted again is valid from then on, and one renewal serves both links."""
    life = same_key(rotate_after=0)
    life.run(1000)
    life.play(inputs.Rotate())
    life.run(4000)
    assert [round(at) for at in life.times(actions.RenewKey)] == [2800]


def test_a_successor_with_the_same_key_fails() -> None:
    """The successor's end leaves the shared key to the old link."""
    life = same_key(rotate_after=0)
    life.dials.append(no())
    life.play(inputs.Rotate())
    life.run(11)
    assert life.state == "CONNECTED"
    life.run(60)
    assert deleted(life) == []
    assert life.health == "LIVE"


def test_the_old_socket_closes_while_the_same_key_is_in_use() -> None:
    """After a break the venue returns the key whose old socket is still closing: it is not deleted with that."""
    life = same_key(rotate_after=0, max_frame_bytes=100)
    life.closings.append(Answer(after=12))
    life.frame("x" * 101)
    life.run(60)
    assert life.state == "CONNECTED"
    assert deleted(life) == []


def test_the_shared_key_goes() -> None:
    """When the key that both links share is gone, the successor is given up, a gap opens, and another is minted."""
    life = same_key(rotate_after=0)
    life.play(inputs.Rotate())
    life.run(12)
    life.frame("expired ONE")
    assert life.state == "ROTATING"
    assert len(life.connection.links) == 1
    assert life.gaps == [("GAP_OPENED", "key_gone")]
    life.run(60)
    assert life.state == "CONNECTED"
    assert life.gaps[-1] == ("GAP_CLOSED", "key_gone")
    life.run(2000)
    assert life.count(inputs.KeyRenewed) == 1
    assert deleted(life) == []


def test_the_shared_key_is_refused_to_the_successor() -> None:
    """The successor's handshake says that the shared key does not exist: the old link is deaf, and a gap says so."""
    life = same_key(rotate_after=0)
    life.dials.append(no(GONE))
    life.play(inputs.Rotate())
    life.run(10.25)
    assert life.state == "CONNECTED"
    assert life.gaps == [("GAP_OPENED", "key_gone")]
    life.run(60)
    assert life.state == "CONNECTED"
    assert life.gaps[-1] == ("GAP_CLOSED", "key_gone")
    assert life.health == "LIVE"
    life.run(2000)
    assert life.count(inputs.KeyRenewed) == 1
