"""Gate G3: the socket's path and the poll's path end with the same books, and those are the exchange's."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from listenkey.adapters.simulator.wire import WireName
from listenkey.core.sync.revisions import Revisions

from . import outcome
from .history import Deed, History, Mishap, histories, mishaps
from .world import LISTENING_AT, World

HISTORIES = int(os.environ.get("LISTENKEY_PARITY_HISTORIES", "0"))
"""How many of them, each time others; 0 is the short form, always the same."""
ROUTINE = 30
WIRES: tuple[WireName, ...] = get_args(WireName)


def gate(routine: int) -> settings:
    """So many histories as a routine, always the same ones, or as many as are asked for."""
    return settings(
        phases=(Phase.generate, Phase.shrink),
        max_examples=HISTORIES or routine,
        derandomize=not HISTORIES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def compare(pushed: World, polled: World) -> None:
    """Both paths have come to where the exchange is; on the wire that says everything, fill for fill; and on every wire
    both streams add up to what was executed, revisions applied.
    """
    truth = outcome.truth(pushed.exchange)
    assert outcome.truth(polled.exchange) == truth
    assert outcome.of(polled) == truth
    assert outcome.of(pushed) == truth
    made = outcome.made(pushed.exchange)
    assert outcome.delivered(polled.fills) == made
    if pushed.exact:
        assert outcome.delivered(pushed.fills) == made
    added_up = outcome.true_sums(pushed.exchange)
    assert outcome.sums(polled) == added_up
    assert outcome.sums(pushed) == added_up


@gate(ROUTINE)
@given(
    history=histories,
    wire=st.sampled_from(WIRES),
    troubles=mishaps,
)
def test_both_paths_end_with_the_books_of_the_exchange(
    history: History, wire: WireName, troubles: tuple[Mishap, ...]
) -> None:
    """After a settled read capital, fees, PnL, funding, transfers, positions and status are equal, to the last digit,
    on both paths and to the truth; lost frames, kills, rotations and late answers on the socket's side change nothing.
    """
    pushed = World("ws", history, wire=wire)
    for mishap in troubles:
        pushed.suffer(mishap)
    compare(pushed.live(), World("poll", history).live())


BUSY = History(
    hedge=True,
    seed=1,
    before=(Deed(0, "market", 0, 5), Deed(100, "limit", 1, 4)),
    deeds=(
        Deed(100, "market", 0, 6),
        Deed(900, "fill", 0, 3),
        Deed(700, "limit", 2, 8),
        Deed(300, "fill", 1, 2),
        Deed(5, "fill", 1, 3),
        Deed(800, "fund", 0, 9),
        Deed(400, "market", 4, 3),
        Deed(900, "transfer", 12, 5),
        Deed(200, "rest", 0, 1),
    ),
)


def drop_fee_from_frame(frame: dict[str, Any]) -> None:
    """The deliberate fault on the socket's path: a fill that looks as if it had cost nothing."""
    if frame.get("o", {}).get("x") == "TRADE":
        frame["o"]["n"] = "0.00000000"


def drop_fee_from_reads(world: World) -> None:
    """The deliberate fault in a path's reads: one trade's fee is in none of its answers."""

    def spoil(path: str, data: Any) -> None:
        owed = [fill for fill in world.exchange.fills if fill.ts >= World.ms(LISTENING_AT)]
        trade = str(owed[0].trade_id) if owed else None
        if path.endswith("/fillHistory"):
            for row in data["fill_history_orders"]:
                if row["tradeId"] == trade:
                    row["commission"] = "0"
        elif path.endswith("/income"):
            data[:] = [row for row in data if row["incomeType"] != "TRADING_FEE" or row["tradeId"] != trade]

    world.spoil_answer = spoil


@pytest.mark.parametrize("wire", WIRES)
def test_a_history_without_faults_passes(wire: WireName) -> None:
    """The history that the next tests spoil passes when nothing is spoilt."""
    compare(World("ws", BUSY, wire=wire).live(), World("poll", BUSY).live())


@pytest.mark.parametrize("path", ["ws", "poll"])
def test_a_fee_dropped_from_the_reads_is_noticed(path: str) -> None:
    """The gate notices one fee that is missing from one path's reads."""
    pushed, polled = World("ws", BUSY), World("poll", BUSY)
    drop_fee_from_reads(pushed if path == "ws" else polled)
    pushed.suffer(Mishap(at=0, kind="lose", size=1))
    with pytest.raises(AssertionError, match=r"Outcome|Delivered"):
        compare(pushed.live(), polled.live())


def test_a_fee_dropped_from_a_frame_is_noticed() -> None:
    """The gate notices a fee that is missing from the socket's frames, though the ledger has it from the reads."""
    pushed, polled = World("ws", BUSY), World("poll", BUSY)
    pushed.spoil_frame = drop_fee_from_frame
    with pytest.raises(AssertionError, match="Delivered"):
        compare(pushed.live(), polled.live())


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != "modern"])
def test_figures_of_one_part_of_a_fill_are_noticed(wire: WireName, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate notices sums that are not put right: a lost frame merges into the next, with its own figures."""
    monkeypatch.setattr(Revisions, "compare", lambda *_: None)
    history = History(hedge=False, seed=0, before=(), deeds=(Deed(0, "market", 1, 9),))
    pushed = World("ws", history, wire=wire)
    pushed.suffer(Mishap(at=1400, kind="lose", size=3))
    with pytest.raises(AssertionError, match="Sums"):
        compare(pushed.live(), World("poll", history).live())


@pytest.mark.parametrize("wire", WIRES)
def test_an_amendment_right_after_a_lost_fill(wire: WireName) -> None:
    """A frame that says of itself that nothing was executed is no fill, though its cumulative quantity is news: it
    shows a hole, and the fee that it bears is nobody's.
    """
    history = History(
        hedge=False,
        seed=0,
        before=(Deed(0, "limit", 0, 1),),
        deeds=(Deed(0, "fill", 0, 1), Deed(2, "market", 0, 1), Deed(0, "amend", 0, 1)),
    )
    pushed = World("ws", history, wire=wire)
    pushed.suffer(Mishap(at=0, kind="lose", size=3))
    pushed.live()
    compare(pushed, World("poll", history).live())
    assert {fill.fee for fill in outcome.delivered(pushed.fills)} != {Decimal(0)}
    made = {(fill.order_id, fill.end): fill.fee for fill in outcome.made(pushed.exchange)}
    for fill in outcome.delivered(pushed.fills):
        assert fill.fee in (None, made[fill.order_id, fill.end])


def markets(*after: int) -> tuple[Deed, ...]:
    """Market orders, each so many ms after the one before."""
    return tuple(Deed(each, "market", 0, 1) for each in after)


LEARNED: dict[str, tuple[WireName, tuple[Deed, ...], tuple[Mishap, ...]]] = {
    "a row is seen before its fill": ("modern", markets(0), (Mishap(0, "lose", 1), Mishap(0, "hide", 3))),
    "a row is seen before its fill, which no trade names": (
        "captured",
        (Deed(0, "limit", 0, 1), Deed(1, "fill", 0, 1), Deed(7, "market", 0, 1), Deed(306, "amend", 0, 1)),
        (Mishap(0, "lose", 1), Mishap(0, "hide", 3)),
    ),
    "a row is seen after its fill's time was settled": (
        "captured",
        markets(0, 824, 426),
        (Mishap(127, "hide all", 6),),
    ),
    "the first balance has a fill that is not shown": (
        "modern",
        markets(0, 440),
        (Mishap(0, "cut", 8), Mishap(0, "hide", 6)),
    ),
    "funding is pushed after its row was read": (
        "modern",
        (*markets(630, 1350), Deed(1, "fund", 0, 1), *markets(312)),
        (Mishap(0, "lose", 1), Mishap(3488, "swap", 1)),
    ),
}


@pytest.mark.parametrize("name", LEARNED)
def test_learned(name: str) -> None:
    """Histories on which the property once failed pass: lists of fills and of income may lag behind each other."""
    wire, deeds, troubles = LEARNED[name]
    history = History(hedge=False, seed=0, before=(), deeds=deeds)
    pushed = World("ws", history, wire=wire)
    for mishap in troubles:
        pushed.suffer(mishap)
    compare(pushed.live(), World("poll", history).live())
