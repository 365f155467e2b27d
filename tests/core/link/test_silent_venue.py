"""A venue that opens sockets for dead keys and says nothing unasked: how a link is proven, kept alive and given up."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import Fill, FundingFee, GapNotice, Unknown
from listenkey.core.reports import Account, FillReport, OrderReport

from ..script import EPOCH, GONE, NEVER, YES, Answer, Life, connected, empty_account, no

RENEWED = Answer(0.1)
FOREIGN = Answer(0.1, key="F1")
NAMELESS = Answer(0.1, key="")


def silent(until: float = 0.25, *, renewals: tuple[Answer, ...] = (), mute: bool = False, **options: object) -> Life:
    """A life at a silent venue; its first socket has the number 3 and opens after 0.2 s."""
    life = Life(silent=True, **options)  # type: ignore[arg-type]
    life.renewals.extend(renewals)
    if mute:
        life.mute.add(3)
        life.acks.append(NEVER)
    return life.run(until)


def renewals(life: Life) -> list[str]:
    return [renewal.key for renewal in life.seen(actions.RenewKey)]


# Proof

SIGNS: dict[str, Callable[[Life], object]] = {
    "a pong": lambda life: life.play(inputs.Heard(3)),
    "an answer": lambda life: life.frame("ack 3.0"),
    "an order": lambda life: life.frame("order A NEW 0/3"),
    "what is not understood": lambda life: life.frame("note x"),
}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("first", ["sign", "renewal"])
def test_two_things_prove_a_link(sign: str, first: str) -> None:
    """A sign of life on the socket, and a renewal that names its key; neither is enough alone, in either order."""
    life = silent(openings=1, mute=True, renewals=(Answer(1.0 if first == "sign" else 0.01),))
    assert life.count(actions.SendPing) == 1
    assert renewals(life) == ["K1"]
    if first == "renewal":
        life.run(0.5)
    assert life.state == "KEYED"
    SIGNS[sign](life)
    if first == "sign":
        assert life.state == "KEYED"
        life.run(1.5)
    assert (life.state, life.health) == ("CONNECTED", "LIVE")


@pytest.mark.parametrize("frame", ["what?", b"what?", "error retry"])
def test_garbage_proves_nothing(frame: str | bytes) -> None:
    """Nor does an error frame."""
    life = silent(0.5, mute=True)
    life.frame(frame)
    assert life.state == "KEYED"


def test_what_the_socket_asks_first() -> None:
    """Its opening frames and a ping, and for its key; a handshake that is reported again asks nothing more."""
    life = silent(openings=1)
    asked = [type(thing) for _, thing in life.log if isinstance(thing, actions.Action)][-3:]
    assert asked == [actions.SendFrame, actions.SendPing, actions.RenewKey]
    assert life.play(inputs.SocketOpened(3)) == []


def test_a_renewal_that_names_no_key_proves_nothing() -> None:
    """The link is given up when its time is over."""
    life = silent(9.0, renewals=(NAMELESS,))
    assert life.state == "KEYED"
    life.run(10.5)
    assert life.state == "BACKOFF"


def test_a_renewal_that_was_under_way_is_enough() -> None:
    """It is answered after the handshake, and no other is asked for: here that of a leader with the same key."""
    life = silent(10, mints=(YES, Answer(key="K1")))
    life.renewals.append(Answer(1.0))
    life.run(300.3)
    assert renewals(life) == ["K1"] * 2
    life.play(inputs.Rotate())
    life.run(300.9)
    assert life.state == "ROTATING"
    assert len(life.connection.links) == 2
    assert not life.connection.links[1].proven
    life.run(301.3)
    assert life.connection.links[1].proven
    assert renewals(life) == ["K1"] * 2


def test_a_sign_of_life_from_nowhere() -> None:
    """A ping on a socket that is not open, or not ours, says nothing."""
    life = Life(silent=True)
    life.run(0.15)
    assert life.play(inputs.Heard(3)) == []
    assert life.play(inputs.Heard(99)) == []
    assert life.state == "KEYED"


def test_elsewhere_a_ping_proves_nothing() -> None:
    """Where a frame proves a link, pings do not; they do keep it alive."""
    life = Life()
    life.mute.add(3)
    life.run(0.5)
    life.play(inputs.Heard(3))
    assert life.state == "KEYED"
    life.frame("ping")
    for second in range(1, 60):
        life.run(second)
        life.play(inputs.Heard(3))
    assert life.health == "LIVE"
    assert life.count(actions.SendPing) == 0
    life.run(90)
    assert ("GAP_OPENED", "silent") in life.gaps


# Liveness


def test_an_idle_stream_stays_live_for_a_day() -> None:
    """With nothing but answers to questions, and one rotation before the venue would cut."""
    life = silent(86_400, audit_interval=0, mints=(YES, Answer(key="K1")))
    assert life.healths == ["LIVE"]
    assert life.gaps == []
    assert life.count(actions.OpenSocket) == 2


def test_a_half_open_socket_is_found() -> None:
    """Within `probe_after` and `silence_timeout`; half of the latter makes it suspect."""
    life = silent(10, audit_interval=0)
    life.mute.add(3)
    life.run(100)
    pings = life.times(actions.SendPing)
    asked = pings[1] if pings[1] > 10 else pings[2]
    (lost,) = [now for now, thing in life.log if isinstance(thing, actions.CloseSocket)][:1]
    assert lost == pytest.approx(asked + 15)
    assert asked <= 10 + 30
    assert life.gaps[0] == ("GAP_OPENED", "silent")
    questions = [sent.data for sent in life.seen(actions.SendFrame)]
    assert questions[: questions.index("question 3") + 1][-1] == "question 3"


@pytest.mark.parametrize("after", [3.0, 9.0])
def test_an_answer_in_time(after: float) -> None:
    """Late or very late, it clears all suspicion, and the next question comes `probe_after` later."""
    life = silent(10, audit_interval=0, mute=True)
    assert life.state == "KEYED"
    life.play(inputs.Heard(3))
    life.run(40 + after)
    assert life.health == ("LIVE" if after < 7.5 else "SUSPECT")
    life.play(inputs.Heard(3))
    assert life.health == "LIVE"
    life.run(40 + after + 29.9)
    assert life.count(actions.SendPing) == 2
    life.run(40 + after + 30.1)
    assert life.count(actions.SendPing) == 3


def test_a_frame_puts_the_question_off() -> None:
    """Whoever pushes is not asked."""
    life = silent(10, audit_interval=0)
    for second in range(11, 200, 7):
        life.run(second)
        life.frame("note x")
    assert life.count(actions.SendPing) == 1


def test_our_own_sleep() -> None:
    """Whoever was stopped itself asks first, and gives the answer its time."""
    life = silent(10, audit_interval=0, renew_interval=3000)
    life.sleep_until(2000)
    assert life.state == "CONNECTED"
    life.run(2001)
    assert life.health == "LIVE"
    life.mute.add(3)
    life.run(2032)
    life.sleep_until(2100)
    life.run(2100.5)
    assert life.state == "CONNECTED"
    life.run(2102)
    assert life.gaps[0] == ("GAP_OPENED", "silent")


def test_probing_where_the_venue_pings_by_itself() -> None:
    """A user may ask for it anywhere: then a plain ping is sent."""
    life = connected(probe_after=2, pings=math.inf, audit_interval=0)
    life.run(13)
    assert life.count(actions.SendPing) >= 5
    assert [sent.data for sent in life.seen(actions.SendFrame)] == ["pong"]
    assert life.health == "LIVE"


# Keys


def test_nothing_is_deleted() -> None:
    """Not at the end, not in a rotation, not a key that comes too late: others may use it."""
    life = silent(10, mints=(YES, Answer(key="K2"), Answer(key="K3", after=5)))
    life.play(inputs.Rotate())
    life.run(40)
    life.play(inputs.Rotate())
    life.run(41)
    life.play(inputs.Stop())
    life.run(60)
    assert life.connection.finished
    assert life.count(actions.DeleteKey) == 0


def test_what_the_user_asks_for_is_deleted() -> None:
    """Once, when the last of our sockets that used it is closed."""
    life = silent(10, delete_keys=1)
    life.play(inputs.Stop())
    life.run(20)
    assert [deletion.key for deletion in life.seen(actions.DeleteKey)] == ["K1"]


def test_a_rotation_shares_the_key() -> None:
    """Both sockets use it, the successor's renewal vouches for it, and it lives on when the old one is closed."""
    life = silent(10, mints=(YES, Answer(key="K1")))
    life.play(inputs.Rotate())
    life.run(30)
    assert life.state == "CONNECTED"
    assert life.gaps == []
    assert renewals(life) == ["K1"] * 2
    life.run(400)
    assert renewals(life) == ["K1"] * 3


@pytest.mark.parametrize("notice", ["expired K1", "expired"])
def test_an_expiry_of_a_shared_key_ends_both_links(notice: str) -> None:
    """Neither hears anything any more: a gap opens, and a third socket with another key closes it."""
    life = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    life.play(inputs.Rotate())
    life.run(12)
    leader, successor = life.connection.links
    assert leader.key.number == successor.key.number
    life.frame(notice)
    assert life.gaps == [("GAP_OPENED", "key_gone")]
    life.run(30)
    assert life.gaps[-1] == ("GAP_CLOSED", "key_gone")
    assert life.state == "CONNECTED"
    assert [opened.key for opened in life.seen(actions.OpenSocket)][-1] == "K2"


def test_a_gap_begins_where_the_key_was_known_to_live() -> None:
    """Pongs prove nothing of it: since the last renewal that named it something may be missing."""
    life = silent(10, audit_interval=0, renewals=(YES, no(GONE)))
    life.run(310)
    (opened, *_) = [event for event in life.events if isinstance(event, GapNotice)]
    assert opened.reason == "key_gone"
    assert opened.since is not None
    assert EPOCH < opened.since <= EPOCH + 200


def test_another_key_is_the_successors() -> None:
    """What the renewal extended is not asked for again."""
    life = silent(10, audit_interval=0, renewals=(YES, FOREIGN))
    life.run(330)
    assert life.state == "CONNECTED"
    assert life.count(actions.CreateKey) == 1
    assert [opened.key for opened in life.seen(actions.OpenSocket)] == ["K1", "F1"]
    assert renewals(life) == ["K1", "K1", "F1"]
    assert life.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]


def test_another_key_goes_before_what_the_venue_wants_of_mints() -> None:
    """A floor under mints does not hold it back: nothing is asked for."""
    busy = inputs.Refusal(inputs.RefusalKind.RETRY, "busy", "", 3000.0)
    life = silent(10, audit_interval=0, mints=(YES, no(busy)), renewals=(YES, FOREIGN))
    life.play(inputs.Rotate())
    life.run(320)
    assert [opened.key for opened in life.seen(actions.OpenSocket)] == ["K1", "F1"]


def test_another_key_that_is_in_use() -> None:
    """The renewal of an old leader's key names that of its successor: it is extended, and needs no third link."""
    life = silent(295, audit_interval=0, mints=(YES, Answer(key="K2")))
    life.renewals.extend((YES, Answer(0.1, key="K2")))
    life.play(inputs.Rotate())
    life.run(330)
    assert life.state == "CONNECTED"
    assert [opened.key for opened in life.seen(actions.OpenSocket)] == ["K1", "K2"]
    assert life.gaps[0] == ("GAP_OPENED", "key_gone")
    assert life.gaps[-1][0] == "GAP_CLOSED"


def test_another_key_while_the_first_link_is_not_proven() -> None:
    """Somebody was quicker than our handshake: after a wait the link is opened with what was found."""
    life = silent(0.5, renewals=(FOREIGN,))
    assert life.state == "BACKOFF"
    life.run(5)
    assert life.state == "CONNECTED"
    assert life.count(actions.CreateKey) == 1
    assert [opened.key for opened in life.seen(actions.OpenSocket)] == ["K1", "F1"]


def test_another_key_that_a_mint_overtakes() -> None:
    """A mint that was under way brings the venue's last word: what a renewal named before is not kept for later."""
    life = silent(299, audit_interval=0, mints=(YES, Answer(3.0, key="K2")), renewals=(YES, FOREIGN))
    life.play(inputs.Rotate())
    life.run(320)
    life.play(inputs.Rotate())
    life.run(340)
    assert [opened.key for opened in life.seen(actions.OpenSocket)][:2] == ["K1", "K2"]
    assert life.count(actions.CreateKey) == 3


def test_another_key_of_a_socket_that_is_being_closed() -> None:
    """It is found all the same, and opened again; at the end each key is deleted once."""
    life = silent(10, audit_interval=0, delete_keys=1, mints=(YES, Answer(key="K2")), drain=0)
    life.closings.append(Answer(20.0))
    life.play(inputs.Rotate())
    life.run(11)
    assert len(life.connection.links) == 1
    life.renewals.append(Answer(0.1, key="K1"))
    life.frame("dubious")
    life.run(12)
    assert [opened.key for opened in life.seen(actions.OpenSocket)] == ["K1", "K2", "K1"]
    life.run(40)
    life.play(inputs.Stop())
    life.run(60)
    assert sorted(deletion.key for deletion in life.seen(actions.DeleteKey)) == ["K1"]


def test_another_key_when_the_end_comes_first() -> None:
    """Found, not used, and still that of a socket that is being closed: it is deleted when that is."""
    life = silent(10, audit_interval=0, delete_keys=1, mints=(YES, Answer(key="K2")), drain=0)
    life.closings.append(Answer(20.0))
    life.play(inputs.Rotate())
    life.run(11)
    life.mints.append(NEVER)
    life.play(inputs.Rotate())
    life.renewals.append(Answer(0.1, key="K1"))
    life.frame("dubious")
    life.run(11.5)
    life.play(inputs.Stop())
    life.run(60)
    assert [deletion.key for deletion in life.seen(actions.DeleteKey)].count("K1") == 1
    assert life.connection.finished


@pytest.mark.parametrize(("delete_keys", "deleted"), [(0, []), (1, ["F1"])])
def test_another_key_that_is_not_needed_any_more(delete_keys: int, deleted: list[str]) -> None:
    """Stopped before it was used: it is another's, and deleted only where the user wants that."""
    life = silent(0.5, renewals=(FOREIGN,), delete_keys=delete_keys)
    life.play(inputs.Stop())
    life.run(20)
    assert [deletion.key for deletion in life.seen(actions.DeleteKey)] == deleted
    assert life.connection.finished


def test_another_key_that_is_too_old() -> None:
    """It is not used: a key is minted."""
    life = silent(0.5, renewals=(FOREIGN,), backoff_initial=5000, backoff_max=9000, mints=(YES,))
    life.run(9000)
    assert [opened.key for opened in life.seen(actions.OpenSocket)][:2] == ["K1", "K2"]


def test_an_answer_that_puts_the_key_in_doubt() -> None:
    """It is renewed at once, and once: a renewal under way will tell."""
    life = silent(10, audit_interval=0)
    life.renewals.append(Answer(2.0))
    life.frame("dubious")
    life.frame("dubious")
    assert renewals(life) == ["K1"] * 2
    life.run(13)
    life.frame("dubious")
    assert renewals(life) == ["K1"] * 3
    life.run(14)
    life.frame("expired K1; dubious")
    assert renewals(life) == ["K1"] * 3


def test_a_socket_that_will_be_closed() -> None:
    """The stream moves over before it is; what a successor says of itself changes nothing."""
    life = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    life.frame("closing")
    life.run(10.5)
    life.frame("closing", life.successor)
    life.run(30)
    assert life.gaps == []
    assert life.count(actions.OpenSocket) == 2


# What is told


def order_of(life: Life) -> list[str]:
    """Reads, and fills by how much had been executed, in their order."""
    found = []
    for _, thing in life.log:
        if isinstance(thing, actions.Deliver) and isinstance(thing.event, Fill):
            found.append(str(thing.event.cumulative_qty))
        elif isinstance(thing, inputs.AccountRead | actions.ReadAccount):
            found.append(type(thing).__name__)
    return found


def test_word_of_a_link_that_is_not_proven_waits_for_the_read() -> None:
    """Its renewal is under way, and what came before its socket was open may have been missed: no gap would say so."""
    life = silent(openings=1, renewals=(Answer(1.0),))
    life.frame("order A NEW 0/3")
    life.frame("fill A 1/3 +1")
    life.run(5)
    assert order_of(life) == ["ReadAccount", "AccountRead", "1"]
    assert not life.gaps


def test_word_of_a_successor_waits_while_no_link_is_trusted() -> None:
    """The key is gone: what the socket of the next one brings waits for its proof and for the read, as ever."""
    life = silent(10, openings=1)
    life.renewals.append(Answer(1.0))
    life.frame("expired K1")
    life.run(10.5)
    before = len(order_of(life))
    life.frame("order A NEW 0/3", life.successor)
    life.frame("fill A 1/3 +1", life.successor)
    life.run(15)
    assert order_of(life)[before:] == ["ReadAccount", "AccountRead", "1"]
    assert ("GAP_CLOSED", "key_gone") in life.gaps


def test_word_of_a_successor_does_not_wait_where_the_leader_is_trusted() -> None:
    """Both bring the same, so nothing can have been missed, however long its renewal takes."""
    life = silent(10, openings=1, mints=(YES, Answer(key="K1")))
    life.renewals.append(Answer(5.0))
    life.play(inputs.Rotate())
    life.run(10.5)
    life.frame("order A NEW 0/3", life.successor)
    life.frame("fill A 1/3 +1", life.successor)
    life.run(11)
    assert order_of(life)[-1] == "1"


def executed(exchange_ms: int, since: int | None) -> Account:
    """One of three was executed when the first frames came."""
    at = EPOCH + 250
    order = OrderReport(
        symbol="TOY", order_id="A", status="PARTIALLY_FILLED", cumulative_qty=Decimal(1), qty=Decimal(3)
    )
    row = FillReport(symbol="TOY", order_id="A", qty=Decimal(1), exchange_ts=at, side="BUY", price=Decimal(1))
    return msgspec.structs.replace(
        empty_account(exchange_ms, since),
        orders=(msgspec.structs.replace(order, exchange_ts=at, created_ts=at - 10),),
        open_orders=frozenset({"A"}),
        fills=(row,) if since is None or since < at else (),
    )


@pytest.mark.parametrize("hold_limit", [3.0, 8.0])
def test_what_waits_for_a_proof_that_does_not_come_is_told_in_time(hold_limit: float) -> None:
    """After `hold_limit`, with a gap open; or a poll has shown it before. Then the frame says nothing new."""
    life = silent(openings=1, renewals=(NAMELESS, NAMELESS), mute=True, hold_limit=hold_limit)
    life.account = executed
    life.frame("order A NEW 0/3")
    life.frame("fill A 1/3 +1")
    life.run(0.25 + hold_limit)
    assert ("GAP_OPENED", "read_failed") in life.gaps
    assert order_of(life)[-1] == "1"
    assert ("AccountRead" in order_of(life)) is (hold_limit > 5)
    life.run(60)
    assert order_of(life).count("1") == 1
    assert life.health == "LIVE"
    assert life.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]


def test_what_waited_for_a_proof_waits_no_longer_than_any() -> None:
    """The time for which frames are held began before the proof."""
    life = silent(openings=1, renewals=(Answer(2.0),))
    life.reads.append(NEVER)
    life.account = executed
    life.frame("order A NEW 0/3")
    life.frame("fill A 1/3 +1")
    life.run(3.2)
    assert order_of(life) == ["ReadAccount"]
    life.run(3.3)
    assert order_of(life) == ["ReadAccount", "1"]
    assert life.gaps == [("GAP_OPENED", "read_failed")]


def test_documented_kinds_are_told_each() -> None:
    """A burst of one shape is not cut down to one in a second, and what both links bring is told once."""
    life = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    for word in ("one", "two", "three"):
        life.frame(f"data {word}")
    life.play(inputs.Rotate())
    life.run(12)
    for socket in (life.leader, life.successor):
        life.frame("data four", socket)
    life.run(13)
    told = [event.raw["words"] for event in life.events if isinstance(event, Unknown)]
    assert told == [["one"], ["two"], ["three"], ["four"]]
    assert life.count(actions.ReadAccount) == 1
    assert not [event for event in life.events if isinstance(event, FundingFee)]
