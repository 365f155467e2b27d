"""A venue that opens sockets for dead keys and pushes nothing unasked: how links are proven, kept alive and closed."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import Fill, FundingFee, GapNotice, Unknown
from listenkey.core.reports import Account, FillReport, OrderReport

from ..scripted import NEVER, YES, Answer, ScriptedWorld, connected, empty_account, no, scripted
from ..world import EPOCH, GONE

RENEWED = Answer(0.1)
FOREIGN = Answer(0.1, key="F1")
NAMELESS = Answer(0.1, key="")


def silent(
    until: float = 0.25, *, renewals: tuple[Answer, ...] = (), mute: bool = False, **options: object
) -> ScriptedWorld:
    """A stream at a silent venue; its first socket has the number 3 and opens after 0.2 s."""
    world = scripted(silent=True, **options)  # type: ignore[arg-type]
    world.exchange.renewals.extend(renewals)
    if mute:
        world.mute.add(3)
        world.exchange.acks.append(NEVER)
    return world.run(until)


def renewals(world: ScriptedWorld) -> list[str]:
    return [renewal.key for renewal in world.seen(actions.RenewKey)]


# Proof

SIGNS: dict[str, Callable[[ScriptedWorld], object]] = {
    "a pong": lambda world: world.feed(inputs.Heard(3)),
    "an answer": lambda world: world.exchange.say("ack 3.0"),
    "an order": lambda world: world.exchange.say("order A NEW 0/3"),
    "what is not understood": lambda world: world.exchange.say("note x"),
}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("first", ["sign", "renewal"])
def test_two_things_prove_a_link(sign: str, first: str) -> None:
    """A link is proven by a sign of life on its socket and a renewal that names its key, in either order."""
    world = silent(openings=1, mute=True, renewals=(Answer(1.0 if first == "sign" else 0.01),))
    assert world.count(actions.SendPing) == 1
    assert renewals(world) == ["K1"]
    if first == "renewal":
        world.run(0.5)
    assert world.state == "KEYED"
    SIGNS[sign](world)
    if first == "sign":
        assert world.state == "KEYED"
        world.run(1.5)
    assert (world.state, world.health) == ("CONNECTED", "LIVE")


@pytest.mark.parametrize("frame", ["what?", b"what?", "error retry"])
def test_garbage_proves_nothing(frame: str | bytes) -> None:
    """Neither an unreadable frame nor an error frame is a proof."""
    world = silent(0.5, mute=True)
    world.exchange.say(frame)
    assert world.state == "KEYED"


def test_what_the_socket_asks_first() -> None:
    """An opened socket causes its opening frames, a ping and a renewal; a second report of it causes nothing."""
    world = silent(openings=1)
    asked = [type(thing) for _, thing in world.log if isinstance(thing, actions.Action)][-3:]
    assert asked == [actions.SendFrame, actions.SendPing, actions.RenewKey]
    assert world.feed(inputs.SocketOpened(3)) == []


def test_a_renewal_that_names_no_key_proves_nothing() -> None:
    """The link is closed when `connect_timeout` is over."""
    world = silent(9.0, renewals=(NAMELESS,))
    assert world.state == "KEYED"
    world.run(10.5)
    assert world.state == "BACKOFF"


def test_a_renewal_that_was_under_way_is_enough() -> None:
    """A renewal asked for earlier and answered after the handshake counts: here that of a leader with the same key."""
    world = silent(10, mints=(YES, Answer(key="K1")))
    world.exchange.renewals.append(Answer(1.0))
    world.run(300.3)
    assert renewals(world) == ["K1"] * 2
    world.feed(inputs.Rotate())
    world.run(300.9)
    assert world.state == "ROTATING"
    assert len(world.connection.links) == 2
    assert not world.connection.links[1].proven
    world.run(301.3)
    assert world.connection.links[1].proven
    assert renewals(world) == ["K1"] * 2


def test_a_sign_of_life_from_nowhere() -> None:
    """A ping on a socket that is not open, or unknown, is ignored."""
    world = scripted(silent=True)
    world.run(0.15)
    assert world.feed(inputs.Heard(3)) == []
    assert world.feed(inputs.Heard(99)) == []
    assert world.state == "KEYED"


def test_elsewhere_a_ping_proves_nothing() -> None:
    """Where frames prove a link, pings do not; they only keep it alive."""
    world = scripted()
    world.mute.add(3)
    world.run(0.5)
    world.feed(inputs.Heard(3))
    assert world.state == "KEYED"
    world.exchange.say("ping")
    for second in range(1, 60):
        world.run(second)
        world.feed(inputs.Heard(3))
    assert world.health == "LIVE"
    assert world.count(actions.SendPing) == 0
    world.run(90)
    assert ("GAP_OPENED", "silent") in world.gaps


# Liveness


def test_an_idle_stream_stays_live_for_a_day() -> None:
    """Pings and renewals are answered, and one rotation comes before the venue would cut the socket."""
    world = silent(86_400, audit_interval=0, mints=(YES, Answer(key="K1")))
    assert world.healths == ["LIVE"]
    assert world.gaps == []
    assert world.count(actions.OpenSocket) == 2


def test_a_half_open_socket_is_found() -> None:
    """It is closed within `probe_after` and `silence_timeout`, and suspect after half of the latter."""
    world = silent(10, audit_interval=0)
    world.mute.add(3)
    world.run(100)
    pings = world.times(actions.SendPing)
    asked = pings[1] if pings[1] > 10 else pings[2]
    (lost,) = [now for now, thing in world.log if isinstance(thing, actions.CloseSocket)][:1]
    assert lost == pytest.approx(asked + 15)
    assert asked <= 10 + 30
    assert world.gaps[0] == ("GAP_OPENED", "silent")
    questions = [sent.data for sent in world.seen(actions.SendFrame)]
    assert questions[: questions.index("question 3") + 1][-1] == "question 3"


@pytest.mark.parametrize("after", [3.0, 9.0])
def test_an_answer_in_time(after: float) -> None:
    """An answer, however late, makes the link LIVE, and the next ping is sent `probe_after` later."""
    world = silent(10, audit_interval=0, mute=True)
    assert world.state == "KEYED"
    world.feed(inputs.Heard(3))
    world.run(40 + after)
    assert world.health == ("LIVE" if after < 7.5 else "SUSPECT")
    world.feed(inputs.Heard(3))
    assert world.health == "LIVE"
    world.run(40 + after + 29.9)
    assert world.count(actions.SendPing) == 2
    world.run(40 + after + 30.1)
    assert world.count(actions.SendPing) == 3


def test_a_frame_puts_the_question_off() -> None:
    """As long as frames come, no ping is sent."""
    world = silent(10, audit_interval=0)
    for second in range(11, 200, 7):
        world.run(second)
        world.exchange.say("note x")
    assert world.count(actions.SendPing) == 1


def test_our_own_sleep() -> None:
    """If the process itself was stopped, it first sends a ping and waits for the answer."""
    world = silent(10, audit_interval=0, renew_interval=3000)
    world.sleep_until(2000).run(2000)
    assert world.state == "CONNECTED"
    world.run(2001)
    assert world.health == "LIVE"
    world.mute.add(3)
    world.run(2032)
    world.sleep_until(2100).run(2100)
    world.run(2100.5)
    assert world.state == "CONNECTED"
    world.run(2102)
    assert world.gaps[0] == ("GAP_OPENED", "silent")


def test_probing_where_the_venue_pings_by_itself() -> None:
    """With `probe_after` set, any venue is probed, here by plain pings."""
    world = connected(probe_after=2, pings=math.inf, audit_interval=0)
    world.run(13)
    assert world.count(actions.SendPing) >= 5
    assert [sent.data for sent in world.seen(actions.SendFrame)] == ["pong"]
    assert world.health == "LIVE"


# Keys


def test_nothing_is_deleted() -> None:
    """Without `delete_keys` no key is deleted, at the end, in a rotation or when it comes late: others may use it."""
    world = silent(10, mints=(YES, Answer(key="K2"), Answer(key="K3", after=5)))
    world.feed(inputs.Rotate())
    world.run(40)
    world.feed(inputs.Rotate())
    world.run(41)
    world.feed(inputs.Stop())
    world.run(60)
    assert world.connection.finished
    assert world.count(actions.DeleteKey) == 0


def test_what_the_user_asks_for_is_deleted() -> None:
    """With `delete_keys` a key is deleted once, when the last of our sockets on it is closed."""
    world = silent(10, delete_keys=1)
    world.feed(inputs.Stop())
    world.run(20)
    assert [deletion.key for deletion in world.seen(actions.DeleteKey)] == ["K1"]


def test_a_rotation_shares_the_key() -> None:
    """Both sockets use the key, the successor's renewal proves it, and the old socket's close does not delete it."""
    world = silent(10, mints=(YES, Answer(key="K1")))
    world.feed(inputs.Rotate())
    world.run(30)
    assert world.state == "CONNECTED"
    assert world.gaps == []
    assert renewals(world) == ["K1"] * 2
    world.run(400)
    assert renewals(world) == ["K1"] * 3


@pytest.mark.parametrize("notice", ["expired K1", "expired"])
def test_an_expiry_of_a_shared_key_ends_both_links(notice: str) -> None:
    """Neither link gets frames any more: a gap opens, and a third socket with another key closes it."""
    world = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    world.feed(inputs.Rotate())
    world.run(12)
    leader, successor = world.connection.links
    assert leader.key.number == successor.key.number
    world.exchange.say(notice)
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    world.run(30)
    assert world.gaps[-1] == ("GAP_CLOSED", "key_gone")
    assert world.state == "CONNECTED"
    assert [opened.key for opened in world.seen(actions.OpenSocket)][-1] == "K2"


def test_a_gap_begins_where_the_key_was_known_to_live() -> None:
    """It begins with the last renewal that named the key, because pongs prove nothing of a key."""
    world = silent(10, audit_interval=0, renewals=(YES, no(GONE)))
    world.run(310)
    (opened, *_) = world.events(GapNotice)
    assert opened.reason == "key_gone"
    assert opened.since is not None
    assert EPOCH < opened.since <= EPOCH + 200


def test_the_gap_of_a_shared_key_begins_where_it_was_known_to_live() -> None:
    """Both links are of no use any more, and it begins with the last renewal of either, not with a pong."""
    world = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    world.feed(inputs.Rotate())
    world.run(18)
    world.feed(inputs.Heard(3))
    world.exchange.renewals.append(no(GONE))
    world.exchange.say("dubious")
    world.run(19)
    (opened, *_) = world.events(GapNotice)
    assert opened.reason == "key_gone"
    assert opened.since is not None
    assert EPOCH + 10_000 < opened.since <= EPOCH + 10_500


def test_the_gap_of_a_lost_successor_begins_where_it_was_heard_last() -> None:
    """The successor was proven, and a link with a dead key proves nothing by the pongs that it still brings."""
    world = silent(10, mints=(YES, Answer(key="K2")), audit_interval=0)
    world.exchange.say("expired K1")
    world.run(12)
    world.feed(inputs.Heard(world.successor))
    world.run(15)
    world.feed(inputs.Heard(world.leader))
    world.drop(world.successor)
    opened = [event for event in world.events(GapNotice) if event.kind == "GAP_OPENED"]
    assert [event.reason for event in opened] == ["key_gone", "key_gone"]
    assert opened[-1].since is not None
    assert EPOCH + 11_500 < opened[-1].since <= EPOCH + 12_000


def test_another_key_is_the_successors() -> None:
    """The successor uses the key that the renewal named; no other key is created."""
    world = silent(10, audit_interval=0, renewals=(YES, FOREIGN))
    world.run(330)
    assert world.state == "CONNECTED"
    assert world.count(actions.CreateKey) == 1
    assert [opened.key for opened in world.seen(actions.OpenSocket)] == ["K1", "F1"]
    assert renewals(world) == ["K1", "K1", "F1"]
    assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]


def test_another_key_goes_before_what_the_venue_wants_of_mints() -> None:
    """A time before which the venue allows no mint does not delay this successor, because it needs no mint."""
    busy = inputs.Refusal(inputs.RefusalKind.RETRY, "busy", "", 3000.0)
    world = silent(10, audit_interval=0, mints=(YES, no(busy)), renewals=(YES, FOREIGN))
    world.feed(inputs.Rotate())
    world.run(320)
    assert [opened.key for opened in world.seen(actions.OpenSocket)] == ["K1", "F1"]


def test_another_key_that_is_in_use() -> None:
    """If the renewal of the leader's key names the successor's key, that one is extended, and no third link opens."""
    world = silent(295, audit_interval=0, mints=(YES, Answer(key="K2")))
    world.exchange.renewals.extend((YES, Answer(0.1, key="K2")))
    world.feed(inputs.Rotate())
    world.run(330)
    assert world.state == "CONNECTED"
    assert [opened.key for opened in world.seen(actions.OpenSocket)] == ["K1", "K2"]
    assert world.gaps[0] == ("GAP_OPENED", "key_gone")
    assert world.gaps[-1][0] == "GAP_CLOSED"


def test_another_key_while_the_first_link_is_not_proven() -> None:
    """The key was replaced before our handshake: after a backoff the link is opened with the key that was named."""
    world = silent(0.5, renewals=(FOREIGN,))
    assert world.state == "BACKOFF"
    world.run(5)
    assert world.state == "CONNECTED"
    assert world.count(actions.CreateKey) == 1
    assert [opened.key for opened in world.seen(actions.OpenSocket)] == ["K1", "F1"]


def test_another_key_that_a_mint_overtakes() -> None:
    """If a mint is answered after the renewal, its key is the newer one, and the named key is not kept."""
    world = silent(299, audit_interval=0, mints=(YES, Answer(3.0, key="K2")), renewals=(YES, FOREIGN))
    world.feed(inputs.Rotate())
    world.run(320)
    world.feed(inputs.Rotate())
    world.run(340)
    assert [opened.key for opened in world.seen(actions.OpenSocket)][:2] == ["K1", "K2"]
    assert world.count(actions.CreateKey) == 3


def test_another_key_of_a_socket_that_is_being_closed() -> None:
    """The named key is that of a socket being closed: it is used again, and at the end deleted once."""
    world = silent(10, audit_interval=0, delete_keys=1, mints=(YES, Answer(key="K2")), drain=0)
    world.exchange.closings.append(Answer(20.0))
    world.feed(inputs.Rotate())
    world.run(11)
    assert len(world.connection.links) == 1
    world.exchange.renewals.append(Answer(0.1, key="K1"))
    world.exchange.say("dubious")
    world.run(12)
    assert [opened.key for opened in world.seen(actions.OpenSocket)] == ["K1", "K2", "K1"]
    world.run(40)
    world.feed(inputs.Stop())
    world.run(60)
    assert sorted(deletion.key for deletion in world.seen(actions.DeleteKey)) == ["K1"]


def test_another_key_when_the_end_comes_first() -> None:
    """The named key was not used, and its old socket is still being closed: it is deleted once, after that."""
    world = silent(10, audit_interval=0, delete_keys=1, mints=(YES, Answer(key="K2")), drain=0)
    world.exchange.closings.append(Answer(20.0))
    world.feed(inputs.Rotate())
    world.run(11)
    world.exchange.mints.append(NEVER)
    world.feed(inputs.Rotate())
    world.exchange.renewals.append(Answer(0.1, key="K1"))
    world.exchange.say("dubious")
    world.run(11.5)
    world.feed(inputs.Stop())
    world.run(60)
    assert [deletion.key for deletion in world.seen(actions.DeleteKey)].count("K1") == 1
    assert world.connection.finished


@pytest.mark.parametrize(("delete_keys", "deleted"), [(0, []), (1, ["F1"])])
def test_another_key_that_is_not_needed_any_more(delete_keys: int, deleted: list[str]) -> None:
    """If the stream stops first, the named key belongs to others, and is deleted only with `delete_keys`."""
    world = silent(0.5, renewals=(FOREIGN,), delete_keys=delete_keys)
    world.feed(inputs.Stop())
    world.run(20)
    assert [deletion.key for deletion in world.seen(actions.DeleteKey)] == deleted
    assert world.connection.finished


def test_another_key_that_is_too_old() -> None:
    """A named key is not used after its validity: a key is minted."""
    world = silent(0.5, renewals=(FOREIGN,), backoff_initial=5000, backoff_max=9000, mints=(YES,))
    world.run(9000)
    assert [opened.key for opened in world.seen(actions.OpenSocket)][:2] == ["K1", "K2"]


def test_an_answer_that_puts_the_key_in_doubt() -> None:
    """The key is renewed at once, but only once: a renewal under way is enough."""
    world = silent(10, audit_interval=0)
    world.exchange.renewals.append(Answer(2.0))
    world.exchange.say("dubious")
    world.exchange.say("dubious")
    assert renewals(world) == ["K1"] * 2
    world.run(13)
    world.exchange.say("dubious")
    assert renewals(world) == ["K1"] * 3
    world.run(14)
    world.exchange.say("expired K1; dubious")
    assert renewals(world) == ["K1"] * 3


def test_a_socket_that_will_be_closed() -> None:
    """The stream rotates before the socket is closed; such a notice on the successor changes nothing."""
    world = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    world.exchange.say("closing")
    world.run(10.5)
    world.exchange.say("closing", world.successor)
    world.run(30)
    assert world.gaps == []
    assert world.count(actions.OpenSocket) == 2


# What is delivered


def order_of(world: ScriptedWorld) -> list[str]:
    """The reads, and the cumulative quantities of the fills, in the order of the log."""
    found = []
    for _, thing in world.log:
        if isinstance(thing, actions.Deliver) and isinstance(thing.event, Fill):
            found.append(str(thing.event.cumulative_qty))
        elif isinstance(thing, inputs.AccountRead | actions.ReadAccount):
            found.append(type(thing).__name__)
    return found


def test_word_of_a_link_that_is_not_proven_waits_for_the_read() -> None:
    """Until then its key may have been dead, and frames missed without a gap: its frames wait for proof and read."""
    world = silent(openings=1, renewals=(Answer(1.0),))
    world.exchange.say("order A NEW 0/3")
    world.exchange.say("fill A 1/3 +1")
    world.run(5)
    assert order_of(world) == ["ReadAccount", "AccountRead", "1"]
    assert not world.gaps


def test_word_of_a_successor_waits_while_no_link_is_trusted() -> None:
    """The leader's key is gone, so the frames of the next link wait for its proof and for the read, as always."""
    world = silent(10, openings=1)
    world.exchange.renewals.append(Answer(1.0))
    world.exchange.say("expired K1")
    world.run(10.5)
    before = len(order_of(world))
    world.exchange.say("order A NEW 0/3", world.successor)
    world.exchange.say("fill A 1/3 +1", world.successor)
    world.run(15)
    assert order_of(world)[before:] == ["ReadAccount", "AccountRead", "1"]
    assert ("GAP_CLOSED", "key_gone") in world.gaps


def test_word_of_a_successor_does_not_wait_where_the_leader_is_trusted() -> None:
    """The trusted leader brings the same frames, so none can be missed, however long the proof takes."""
    world = silent(10, openings=1, mints=(YES, Answer(key="K1")))
    world.exchange.renewals.append(Answer(5.0))
    world.feed(inputs.Rotate())
    world.run(10.5)
    world.exchange.say("order A NEW 0/3", world.successor)
    world.exchange.say("fill A 1/3 +1", world.successor)
    world.run(11)
    assert order_of(world)[-1] == "1"


def executed(exchange_ms: int, since: int | None) -> Account:
    """An account in which 1 of 3 was executed before the first frames came."""
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
def test_what_waits_for_a_proof_that_does_not_come_is_delivered_in_time(hold_limit: float) -> None:
    """They are delivered after `hold_limit` with a gap open, unless a poll has shown the same before."""
    world = silent(openings=1, renewals=(NAMELESS, NAMELESS), mute=True, hold_limit=hold_limit)
    world.exchange.account = executed
    world.exchange.say("order A NEW 0/3")
    world.exchange.say("fill A 1/3 +1")
    world.run(0.25 + hold_limit)
    assert ("GAP_OPENED", "read_failed") in world.gaps
    assert order_of(world)[-1] == "1"
    assert ("AccountRead" in order_of(world)) is (hold_limit > 5)
    world.run(60)
    assert order_of(world).count("1") == 1
    assert world.health == "LIVE"
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]


def test_what_waited_for_a_proof_waits_no_longer_than_any() -> None:
    """The hold limit counts from the first held frame, not from the proof."""
    world = silent(openings=1, renewals=(Answer(2.0),))
    world.exchange.reads.append(NEVER)
    world.exchange.account = executed
    world.exchange.say("order A NEW 0/3")
    world.exchange.say("fill A 1/3 +1")
    world.run(3.2)
    assert order_of(world) == ["ReadAccount"]
    world.run(3.3)
    assert order_of(world) == ["ReadAccount", "1"]
    assert world.gaps == [("GAP_OPENED", "read_failed")]


def test_documented_kinds_are_delivered_each() -> None:
    """Frames of documented kinds are not limited to one in a second; what both links bring is delivered once."""
    world = silent(10, mints=(YES, Answer(key="K1")), audit_interval=0)
    for word in ("one", "two", "three"):
        world.exchange.say(f"data {word}")
    world.feed(inputs.Rotate())
    world.run(12)
    for socket in (world.leader, world.successor):
        world.exchange.say("data four", socket)
    world.run(13)
    delivered = [event.raw["words"] for event in world.events(Unknown)]
    assert delivered == [["one"], ["two"], ["three"], ["four"]]
    assert world.count(actions.ReadAccount) == 1
    assert not world.events(FundingFee)
