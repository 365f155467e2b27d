"""The stretch that a read proves: windows, histories that are too short, and `proven_until`, which never moves back."""

from __future__ import annotations

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import GapNotice, Health
from listenkey.core.reports import Unrecognised

from ..scripted import empty_account
from ..toy import Toy
from ..trading import REFUSED, Plan, ready
from ..world import EPOCH


def test_only_a_read_moves_what_is_proven_to_its_own_time_less_the_overlap() -> None:
    """No frame moves it, and no read moves it back or before the beginning."""
    world = ready()
    world.exchange.place("1")
    world.passes(1)
    assert world.marks == [50, 6230 - 5000 + 20]
    assert world.connection.proven_until == EPOCH + 1250
    assert world.connection.began == EPOCH + 50
    world.passes(130)
    assert world.marks[2:] == [126370 - 5000]
    world.exchange.plan = Plan(lag=100_000)
    world.feed(inputs.Resync())
    world.passes(1)
    assert world.marks == sorted(world.marks)


def test_a_read_that_looks_from_further_back_moves_nothing_back() -> None:
    """If the venue's clock is set back, `proven_until` stays."""
    connection = Connection(Toy(), mode="poll")
    ordered, proven = connection.handle(inputs.Start(), now=0.0), []
    for now, as_of in ((1.0, 20_000), (6.0, 40_000), (11.0, 30_000), (16.0, 46_000)):
        (asked,) = (action for action in ordered if isinstance(action, actions.ReadAccount))
        done = connection.handle(inputs.AccountRead(asked.request, empty_account(EPOCH + as_of, None)), now=now)
        proven += [action.until - EPOCH for action in done if isinstance(action, actions.MarkProven)]
        ordered = connection.handle(inputs.Tick(), now=connection.deadline)
    assert proven == [20_000, 35_000, 35_000, 41_000]


@pytest.mark.parametrize("pause", [0.25, 3.0])
def test_a_gap_reaches_back_to_the_last_frame(pause: float) -> None:
    """Nothing has come since the last frame, and something may be missing since then."""
    world = ready()
    world.run(11)
    world.exchange.say(Unrecognised({"e": "NEWS"}, doubtful=False), after=0)
    world.run(11)
    heard = world.exchange_ms
    world.passes(pause)
    world.drop_all()
    (opened,) = world.events(GapNotice)
    assert opened.since == pytest.approx(heard, abs=1)


def test_windows_start_a_second_before_what_is_proven() -> None:
    """The window begins a second earlier, because lists of fills have whole seconds."""
    world = ready()
    world.feed(inputs.Resync())
    world.passes(1)
    assert [asked.since for asked in world.seen(actions.ReadAccount)] == [EPOCH - 950, EPOCH - 950, EPOCH + 250]


def test_a_gap_longer_than_the_venue_s_history_closes_unproven() -> None:
    """Fills that the history no longer shows are written off, and both notices say so; those it shows are delivered."""
    world = ready()
    order = world.exchange.place("90")
    world.passes(10)
    world.drop_all()
    world.exchange.reachable = False
    world.exchange.plan = REFUSED
    world.exchange.fill(order, "2")
    world.passes(100)
    world.exchange.fill(order, "3", "101")
    world.exchange.plan = Plan(history=50_000)
    world.exchange.reachable = True
    world.passes(100)
    world.exchange.fill(order, "4")
    world.passes(1)
    assert world.intervals(order) == [("2", "5", "poll"), ("5", "9", "ws")]
    closed = [event for event in world.events(GapNotice) if event.kind != "GAP_OPENED"]
    assert [(event.kind.value, event.proven) for event in closed] == [("GAP_CLOSED", False), ("RECONNECTED", False)]
    assert world.health is Health.LIVE


def test_an_order_older_than_the_history_is_still_read_right_while_nothing_is_missing() -> None:
    """Read alone, the list does not reach its creation: rows at the top of its coverage are then placed downward."""
    world = ready(audit_interval=20)
    order = world.exchange.place("90")
    world.exchange.fill(order, "2")
    world.exchange.plan = Plan(history=50_000)
    world.passes(100)
    world.drop_all()
    world.exchange.fill(order, "3", "101")
    world.passes(10)
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "5", "poll")]
    closed = [event for event in world.events(GapNotice) if event.kind != "GAP_OPENED"]
    assert all(event.proven for event in closed)
    assert world.health is Health.LIVE
