"""A key is renewed for as long as it is valid; when it is gone, and only then, another is minted at once."""

from __future__ import annotations

import itertools

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import Health
from listenkey.core.link.lifecycle import State
from listenkey.core.refusal import Refusal, RefusalKind

from ..scripted import NEVER, YES, Answer, ScriptedWorld, busy, connected, no, scripted
from ..world import FATAL, GONE, RETRY

ASKED, GRANTED = 0.0, 0.1


def renewals(world: ScriptedWorld) -> list[float]:
    return [round(at, 3) for at in world.times(actions.RenewKey)]


@pytest.mark.parametrize(
    ("renew_interval", "valid_for", "times"),
    [
        (1800, 3600, [1800, 3600, 5400]),
        (1800, 7200, [1800, 3600, 5400]),
        (1800, 600, [300, 600, 900]),
        (100, 3600, [100, 200, 300]),
        (1800, float("inf"), [1800, 3600, 5400]),
    ],
)
def test_renewed_in_time(renew_interval: float, valid_for: float, times: list[float]) -> None:
    """A renewal is asked for `renew_interval` after the last one was, at the latest at half of the validity."""
    grant = Answer(valid_for=valid_for)
    world = scripted(mints=[grant], renew_interval=renew_interval, rotate_after=0, audit_interval=0)
    world.run(times[-1] + 1)
    assert renewals(world) == times
    assert {renewed.key for renewed in world.seen(actions.RenewKey)} == {"K1"}
    assert world.count(actions.CreateKey) == 1


def test_validity_counts_from_the_question() -> None:
    """The validity counts from the moment of the request, so a slow answer does not make the key live longer."""
    world = scripted(mints=[Answer(after=9, valid_for=600)], rotate_after=0, audit_interval=0)
    world.exchange.renewals.extend([Answer(after=8), NEVER])
    world.run(700)
    assert renewals(world)[:2] == [300, 600]


def test_retry_doubles() -> None:
    """A refused renewal is repeated after 5 s, then after twice as long, up to 60 s; one that passes restores LIVE."""
    world = connected(rotate_after=0, audit_interval=0)
    world.exchange.renewals.extend([no(after=0.0)] * 7)
    world.run(1799)
    assert world.health == "LIVE"
    world.run(1801)
    assert world.health == "SUSPECT"
    world.run(2060)
    assert renewals(world) == [1800, 1805, 1815, 1835, 1875, 1935, 1995, 2055]
    assert world.health == "LIVE"
    world.exchange.renewals.extend([no(after=0.0)])
    world.run(3870)
    assert renewals(world)[-2:] == [3855, 3860]
    assert world.states == [State.IDLE, State.KEYED, State.CONNECTED]
    assert world.gaps == []


@pytest.mark.parametrize("refusal", [RETRY, FATAL, None], ids=["busy", "fatal", "no answer"])
def test_only_the_venue_or_time_ends_a_key(refusal: Refusal | None) -> None:
    """Any refusal but `gone`, or no answer, changes nothing until the validity ends; then the key is gone."""
    world = connected(rotate_after=0, audit_interval=0)
    world.exchange.renewals.extend([no(refusal) if refusal else NEVER] * 100)
    world.run(3599.9)
    assert world.state == "CONNECTED"
    assert world.gaps == []
    assert world.count(actions.CreateKey) == 1
    world.run(3600)
    assert world.state == "ROTATING"
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    assert world.times(actions.CreateKey)[1:] == [3600]
    world.run(3700)
    assert world.health == "LIVE"
    assert world.seen(actions.DeleteKey) == []


def test_failing_renewals_are_bounded() -> None:
    """At most 15 renewals fail in any 480 s, however long that lasts, and no key is deleted for it."""
    world = connected(rotate_after=0, audit_interval=0, renew_interval=100, renew_retry=0.1)
    world.exchange.renewals.extend([no()] * 1000)
    world.run(3 * 3600)
    assert world.count(actions.RenewKey) > 50
    for last in renewals(world):
        assert sum(last - 479.8 < at <= last for at in renewals(world)) <= 15


def test_unlock_time_is_a_floor() -> None:
    """A refusal that names a time is not repeated before it; the longer of backoff and that time counts."""
    world = connected(rotate_after=0, audit_interval=0)
    world.exchange.renewals.extend([busy(200), busy(1)])
    world.run(2100)
    assert renewals(world) == [1800, 2000.1, 2010.2]


def test_late_answers_change_nothing() -> None:
    """An answer after the time-out, a second answer, and an answer to an unknown request are dropped."""
    world = connected(rotate_after=0, audit_interval=0)
    world.exchange.renewals.extend([NEVER, YES])
    world.run(1816)
    assert renewals(world) == [1800, 1815]
    first, second = (renewed.request for renewed in world.seen(actions.RenewKey))
    for request in (first, second, 0, 999):
        for refusal in (None, RETRY, GONE, FATAL):
            late = inputs.KeyRenewed(request) if refusal is None else inputs.Refused(request, refusal)
            assert world.feed(late) == []
    assert world.health == "LIVE"
    world.run(3620)
    assert renewals(world) == [1800, 1815, 3615]


def test_gone_is_not_a_retry() -> None:
    """`gone` on a renewal: a successor is minted in the same turn, a gap opens, the old socket is read until then."""
    world = connected(rotate_after=0)
    world.exchange.renewals.append(no(GONE))
    world.run(1800.05)
    old = world.leader
    world.run(1800.15)
    assert world.state == "ROTATING"
    assert world.times(actions.CreateKey)[1:] == [1800.1]
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    assert world.leader == old
    world.run(1900)
    assert world.state == "CONNECTED"
    assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
    assert world.healths[-2:] == [Health.SUSPECT, Health.LIVE]
    assert world.seen(actions.DeleteKey) == []
    assert renewals(world) == [1800]
    assert [closed.socket for closed in world.seen(actions.CloseSocket)] == [old]


@pytest.mark.parametrize("valid_for", [0.0, -5.0, float("nan"), float("-inf")])
def test_a_key_without_validity(valid_for: float) -> None:
    """A key with no validity is gone at once, and the next mint keeps its distance."""
    world = scripted(mints=[Answer(valid_for=valid_for)] * 3)
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.count(actions.CreateKey) == 4
    assert min(after - before for before, after in itertools.pairwise(world.times(actions.CreateKey))) >= 0.5


# The venue says that a key has expired


@pytest.mark.parametrize("notice", ["expired K1", "expired"])
def test_expiry_notice(notice: str) -> None:
    """A notice about the key in use, or about none by name, starts a rotation with one gap; repeats change nothing."""
    world = connected(rotate_after=0)
    for _ in range(3):
        world.exchange.say(notice)
    assert world.state == "ROTATING"
    assert world.count(actions.CreateKey) == 2
    world.run(60)
    assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
    assert world.seen(actions.DeleteKey) == []
    assert world.health == "LIVE"


def test_foreign_expiry() -> None:
    """A notice about a key that is not in use changes nothing and is reported."""
    world = connected(rotate_after=0)
    world.run(20)
    world.exchange.say("expired K0")
    world.exchange.say("expired K2")
    assert world.anomalies == ["expiry of a foreign key"] * 2
    assert world.state == "CONNECTED"
    assert world.count(actions.CreateKey) == 1


def test_expiry_of_the_key_before() -> None:
    """The old key's expiry may be pushed on the new socket: by then that key is not in use."""
    world = connected(rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(60)
    assert [deleted.key for deleted in world.seen(actions.DeleteKey)] == ["K1"]
    world.exchange.say("expired K1")
    assert world.state == "CONNECTED"
    assert world.anomalies == ["expiry of a foreign key"]


def test_expiry_while_keyed() -> None:
    """Before the first proof no gap opens: the link is dropped, and the next mint keeps its distance."""
    world = scripted(openings=1)
    world.exchange.acks.append(NEVER)
    world.run(0.5)
    world.exchange.say("expired K1")
    assert world.state == "BACKOFF"
    assert world.gaps == []
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.seen(actions.DeleteKey) == []


def test_expiry_of_the_leader_while_rotating() -> None:
    """The old key goes before the successor is proven: a gap opens, and a read after the proof closes it."""
    world = connected(rotate_after=0)
    world.exchange.dials.append(Answer(after=2))
    world.feed(inputs.Rotate())
    world.run(11)
    world.exchange.say("expired K1")
    assert world.state == "ROTATING"
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    world.run(12.5)
    assert world.gaps[-1] == ("GAP_CLOSED", "key_gone")
    world.run(60)
    assert world.count(actions.CreateKey) == 2
    assert world.health == "LIVE"


def test_expiry_of_the_leader_while_draining() -> None:
    """The old key goes when the successor is proven: a read closes the gap, and the drain goes on."""
    world = connected(rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(12)
    assert [link.proven for link in world.connection.links] == [True, True]
    world.exchange.say("expired K1")
    assert world.gaps == [("GAP_OPENED", "key_gone")]
    world.run(13)
    assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
    assert world.health == "LIVE"
    world.run(60)
    assert world.state == "CONNECTED"
    assert world.seen(actions.DeleteKey) == []


def test_expiry_of_the_successor() -> None:
    """The new key goes before the hand-over: the old link stays, no gap opens, and another rotation follows."""
    world = connected(rotate_after=0)
    world.feed(inputs.Rotate())
    world.run(12)
    world.exchange.say("expired K2")
    assert world.state == "CONNECTED"
    assert world.gaps == []
    assert world.health == "LIVE"
    world.run(60)
    assert world.count(actions.CreateKey) == 3
    assert [deleted.key for deleted in world.seen(actions.DeleteKey)] == ["K1"]


def test_expiry_while_waiting() -> None:
    """Without a link no key is in use, whatever a closed socket brings."""
    world = connected(rotate_after=0)
    old = world.leader
    world.drop()
    assert world.feed(inputs.FrameReceived(old, "expired")) == []
    assert world.state == "BACKOFF"


def test_expired_key_whose_successor_fails() -> None:
    """The link is kept as SUSPECT while no successor can be had, and mints are repeated by backoff."""
    world = connected(rotate_after=0)
    world.exchange.mints.extend([no()] * 3)
    world.exchange.say("expired")
    for at in range(11, 14):
        world.run(at)
        assert world.health == "SUSPECT"
        assert world.connection.links
    world.run(60)
    assert world.health == "LIVE"
    assert world.gaps == [("GAP_OPENED", "key_gone"), ("GAP_CLOSED", "key_gone")]
    waits = [after - before for before, after in itertools.pairwise(world.times(actions.CreateKey)[1:])]
    assert all(bound / 2 <= wait - 0.1 <= bound for wait, bound in zip(waits, (1, 2, 4), strict=True))


def test_a_distrusted_leader_without_a_successor() -> None:
    """Without a successor, the frames of a distrusted leader are delivered at once: no other link can bring them."""
    world = connected(rotate_after=0)
    world.exchange.mints.append(NEVER)
    world.exchange.say("expired")
    for text in ("order A NEW 0/3", "fill A 1/3 +1"):
        (delivered,) = world.exchange.say(text)
        assert isinstance(delivered, actions.Deliver)


def test_a_key_that_is_gone_is_not_renewed() -> None:
    """A key that is gone is never renewed, however long its link is still read."""
    for world, end in ((connected(rotate_after=0, renew_interval=15), "expired"), (scripted(renew_interval=15), "")):
        world.exchange.mints.extend([no()] * 8)
        if end:
            world.exchange.say(end)
        else:
            world.exchange.dials.append(no(GONE))
            world.exchange.closings.append(NEVER)
        world.run(world.now + 60)
        assert world.count(actions.CreateKey) > 5
        assert renewals(world) == []


def test_a_distrusted_leader_gives_way() -> None:
    """Once the old key is gone, a proven successor leads, and the old link's frames wait as copies."""
    world = connected(rotate_after=0)
    world.exchange.say("order A NEW 0/3")
    world.exchange.say("expired")
    world.run(11)
    assert [link.proven for link in world.connection.links] == [True, True]
    done = world.feed(inputs.FrameReceived(world.successor, "fill A 1/3 +1"))
    assert [type(action) for action in done] == [actions.Deliver]
    assert world.feed(inputs.FrameReceived(world.leader, "fill A 2/3 +1")) == []
    world.run(11.3)
    assert [event.event_id for event in world.delivered if event.event_id.startswith("fill")] == [
        "fill:TOY:A:1",
        "fill:TOY:A:2",
    ]


def test_gone_by_the_sockets_own_word() -> None:
    """If a handshake or subscription is refused because the key does not exist, it is neither deleted nor renewed."""
    for world, refused in ((scripted(), "dials"), (scripted(openings=1), "acks")):
        getattr(world.exchange, refused).append(no(Refusal(RefusalKind.GONE)))
        world.run(0.6)
        assert world.state == "BACKOFF"
        world.run(60)
        assert world.state == "CONNECTED"
        assert world.seen(actions.DeleteKey) == []
