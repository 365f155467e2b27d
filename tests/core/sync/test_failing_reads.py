"""Reads that fail: the time between attempts, and when a gap opens."""

from __future__ import annotations

import re
from itertools import pairwise

from listenkey.core import actions, inputs
from listenkey.core.events import GapNotice, Health
from listenkey.core.refusal import Refusal, RefusalKind

from ..scripted import no, scripted
from ..trading import REFUSED, UNANSWERED, Plan, TradingWorld, ready, trading
from ..world import EPOCH

MINUTES_LATER = Plan(refusal=Refusal(RefusalKind.RETRY, "429", "", 500.0))


def reads(world: TradingWorld) -> list[float]:
    return world.times(actions.ReadAccount)


def held(world: TradingWorld) -> list[str]:
    found = world.seen(actions.Report)
    return [report.anomaly.detail for report in found if report.anomaly.name == "reads held back"]


def test_a_flapping_link_whose_reads_fail_spaces_them_and_is_never_silent_for_minutes() -> None:
    """Each proven link asks for a read at once: after five failures in a row they are 32 to 44 s apart."""
    world = ready(backoff_initial=0.001, backoff_max=0.001)
    world.exchange.plan = REFUSED
    began = world.now
    while world.now < began + 1500:
        world.drop_all()
        world.passes(3)
    tried = [at for at in reads(world) if at > began]
    assert tried[4] < began + 60
    pauses = [after - before for before, after in pairwise(tried[4:])]
    assert min(pauses) > 31.8
    assert max(pauses) < 48
    for last in tried:
        assert sum(last - 480 < at <= last for at in tried) <= 15
    world.exchange.plan = Plan()
    world.passes(50)
    assert world.health is Health.LIVE
    assert world.gaps[-2] == ("GAP_CLOSED", "lost_socket")


def test_the_log_says_until_when_reads_are_held_back() -> None:
    """It is reported once for each time, in exchange time."""
    world = scripted()
    world.run(10)
    world.exchange.reads.extend([no()] * 6)
    for _ in range(6):
        world.feed(inputs.Resync())
        world.run(world.now + 1)
    found = [report.anomaly for report in world.seen(actions.Report)]
    assert [anomaly.name for anomaly in found] == ["reads held back"]
    (until,) = re.findall(r"until (\d+) ms of exchange time", found[0].detail)
    assert EPOCH + 40_000 <= int(until) < EPOCH + 100_000
    assert found[0].detail.startswith("for 4")


def test_audits_that_fail_for_two_intervals_are_news_once() -> None:
    """Until then nothing is known to be missing and the stream stays LIVE; the next read that passes closes the gap."""
    world = ready(audit_interval=20)
    passed = world.now - 1.7
    world.exchange.plan = REFUSED
    world.run(passed + 39)
    assert (world.health, world.gaps) == (Health.LIVE, [])
    world.passes(2)
    assert world.gaps == [("GAP_OPENED", "read_failed")]
    world.passes(100)
    assert len(world.gaps) == 1
    world.exchange.plan = Plan()
    world.passes(70)
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]
    opened = world.events(GapNotice)[0]
    assert opened.since is not None
    assert world.health is Health.LIVE


def test_one_audit_that_fails_is_no_news() -> None:
    """The next audit passes in time, so no gap opens."""
    world = ready(audit_interval=20)
    world.exchange.reads.extend([REFUSED, REFUSED])
    world.passes(200)
    assert (world.health, world.gaps) == (Health.LIVE, [])


def test_the_read_that_closes_the_gap_may_be_under_way_when_it_opens() -> None:
    """That read was asked for before the gap opened, and shows everything that is due."""
    world = ready(audit_interval=20)
    world.exchange.reads.append(REFUSED)
    world.exchange.reads.append(Plan(takes=40))
    world.passes(120)
    assert world.gaps == [("GAP_OPENED", "read_failed"), ("GAP_CLOSED", "read_failed")]
    assert world.health is Health.LIVE


def test_a_read_that_is_never_answered_counts_once_it_is_given_up() -> None:
    """It is given up after a minute, which here is more than two intervals."""
    world = ready(audit_interval=25)
    world.exchange.plan = UNANSWERED
    world.passes(80)
    assert world.gaps == []
    world.passes(15)
    assert world.gaps == [("GAP_OPENED", "read_failed")]


def test_reads_that_are_held_back_are_news_too() -> None:
    """If the venue names a time, no read is made before it, and a gap opens after two intervals."""
    world = ready(audit_interval=100)
    world.exchange.reads.append(MINUTES_LATER)
    world.passes(210)
    assert world.gaps == [("GAP_OPENED", "read_failed")]
    assert held(world)[0].startswith("for 500 s, until 17000006")
    assert len(held(world)) == 1
    world.passes(500)
    assert world.health is Health.LIVE


def test_without_audits_it_counts_from_a_read_that_was_asked_for() -> None:
    """Without audits, 120 s take the place of the interval."""
    world = ready(audit_interval=0)
    world.exchange.plan = REFUSED
    world.passes(500)
    assert world.gaps == []
    asked = world.now
    world.feed(inputs.Resync())
    world.run(asked + 239)
    assert world.gaps == []
    world.run(asked + 242)
    assert world.gaps == [("GAP_OPENED", "read_failed")]


def test_polls_keep_their_own_rule() -> None:
    """A poll that fails opens a gap at once."""
    world = trading(mode="poll", poll_interval=5).run(20)
    world.exchange.plan = REFUSED
    world.passes(6)
    assert world.gaps[-1] == ("GAP_OPENED", "read_failed")
