"""A push of no side and no quantity says nothing of the two sides that a symbol has where positions are not netted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import AccountUpdate, Position
from listenkey.core.reports import Account

from ..scripted import ScriptedWorld, connected

QUIET: dict[str, Any] = {"audit_interval": 0, "rotate_after": 0}
LONG, SHORT = (Position(symbol="TOY", side=side, qty=Decimal(qty)) for side, qty in (("LONG", 2), ("SHORT", 3)))


def holding(*positions: Position, one_way: bool) -> ScriptedWorld:
    """An account whose reads show these positions; one of them has passed."""
    world = connected(**QUIET)

    def account(ms: int, since: int | None) -> Account:
        return Account(
            as_of=ms, exchange_ms=ms, since=since, whole=True, settled=True, positions=positions, one_way=one_way
        )

    world.exchange.account = account
    world.feed(inputs.Resync())
    return world.run(world.now + 5)


def updates(world: ScriptedWorld) -> list[tuple[str | None, str]]:
    """Sides and quantities of every position that pushes delivered."""
    said = [event for event in world.events(AccountUpdate) if event.source == "ws"]
    return [(row.side, str(row.qty)) for event in said for row in event.positions]


def test_two_sides_are_not_flat_because_nobody_is() -> None:
    """It makes the account be read, without a gap: what is held stays as it was."""
    world = holding(LONG, SHORT, one_way=False)
    reads = world.count(actions.ReadAccount)
    world.exchange.say("held 0")
    world.run(world.now + 5)
    assert updates(world) == []
    assert world.count(actions.ReadAccount) == reads + 1
    world.exchange.say("held 5 LONG")
    assert updates(world) == [("LONG", "5")]
    assert world.gaps == []
    assert world.anomalies == []


def test_an_account_that_nets_its_positions_is_flat() -> None:
    """There is one position, and this closes it."""
    world = holding(LONG, one_way=True)
    world.exchange.say("held 0")
    assert updates(world) == [(None, "0")]


@pytest.mark.parametrize(("first", "asked"), [("", 1), ("order A NEW 0/3", 0), ("held 2 LONG", 1)])
def test_where_no_read_has_said_it_one_does(first: str, asked: int) -> None:
    """Unless an order without a position side has, which is a word that positions are netted."""
    world = connected(**QUIET)
    reads = world.count(actions.ReadAccount)
    if first:
        world.exchange.say(first)
    before = len(updates(world))
    world.exchange.say("held 0")
    world.run(world.now + 5)
    assert len(updates(world)) == before
    assert world.count(actions.ReadAccount) == reads + asked
    assert world.gaps == []
