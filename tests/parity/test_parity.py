"""Gate G3: the socket's path and the poll's path end with the same books, which are the exchange's."""

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
"""The number of random histories; 0 is the short form, with the same ones each time."""
ROUTINE = 30
WIRES: tuple[WireName, ...] = get_args(WireName)


def gate(routine: int) -> settings:
    """Return settings for `routine` histories, always the same ones, or for as many random ones as are asked for."""
    return settings(
        phases=(Phase.generate, Phase.shrink),
        max_examples=HISTORIES or routine,
        derandomize=not HISTORIES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def compare(pushed: World, polled: World) -> None:
    """Check that both paths have the exchange's outcome, on the exact wire fill for fill, and that on every wire both
    streams, with revisions, have the sums of the exchange.
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
    """After a settled read capital, fees, PnL, funding, transfers, positions and status are equal to the last digit on
    both paths and the exchange; lost frames, kills, rotations and late answers on the socket's side change nothing.
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
    """Remove the fee from a frame, as a deliberate fault on the socket's path."""
    if frame.get("o", {}).get("x") == "TRADE":
        frame["o"]["n"] = "0.00000000"


def drop_fee_from_reads(world: World) -> None:
    """Remove one trade's fee from all answers, as a deliberate fault in a path's reads."""

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
    """The history of the next tests passes without their faults."""
    compare(World("ws", BUSY, wire=wire).live(), World("poll", BUSY).live())


@pytest.mark.parametrize("path", ["ws", "poll"])
def test_a_fee_dropped_from_the_reads_is_noticed(path: str) -> None:
    """The gate notices a single fee that is missing in one path's reads."""
    pushed, polled = World("ws", BUSY), World("poll", BUSY)
    drop_fee_from_reads(pushed if path == "ws" else polled)
    pushed.suffer(Mishap(at=0, kind="lose", size=1))
    with pytest.raises(AssertionError, match=r"Outcome|Delivered"):
        compare(pushed.live(), polled.live())


def test_a_fee_dropped_from_a_frame_is_noticed() -> None:
    """The gate notices a fee that is missing in the socket's frames, although the ledger has it from reads."""
    pushed, polled = World("ws", BUSY), World("poll", BUSY)
    pushed.spoil_frame = drop_fee_from_frame
    with pytest.raises(AssertionError, match="Delivered"):
        compare(pushed.live(), polled.live())


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != "modern"])
def test_figures_of_one_part_of_a_fill_are_noticed(wire: WireName, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate notices uncorrected sums, where a lost frame merges into the next one, which has its own figures."""
    monkeypatch.setattr(Revisions, "compare", lambda *_: None)
    history = History(hedge=False, seed=0, before=(), deeds=(Deed(0, "market", 1, 9),))
    pushed = World("ws", history, wire=wire)
    pushed.suffer(Mishap(at=1400, kind="lose", size=3))
    with pytest.raises(AssertionError, match="Sums"):
        compare(pushed.live(), World("poll", history).live())


@pytest.mark.parametrize("wire", WIRES)
def test_an_amendment_right_after_a_lost_fill(wire: WireName) -> None:
    """A frame without an executed quantity of its own is no fill, although its cumulative quantity is new: it shows a
    hole, and its fee is not counted.
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
    """Return market orders, each `after` ms after the one before."""
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
    """Histories with which the property once failed pass; lists of fills and of income may lag behind each other."""
    wire, deeds, troubles = LEARNED[name]
    history = History(hedge=False, seed=0, before=(), deeds=deeds)
    pushed = World("ws", history, wire=wire)
    for mishap in troubles:
        pushed.suffer(mishap)
    compare(pushed.live(), World("poll", history).live())
