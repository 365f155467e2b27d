"""Gate G3 at Binance: under every reading of its wire both paths end with the books of the exchange."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.adapters.simulator.binance.readings import Readings

from .history import Deed, History, Mishap, histories, mishaps
from .test_parity import BUSY, compare, gate
from .usdm import UsdmWorld

ROUTINE = 8
PAGE, FEW = 1000, 20
facts = st.fixed_dictionaries(
    {name: st.sampled_from(get_args(hint)) for name, hint in get_type_hints(Readings).items()}
).filter(lambda chosen: (chosen["subscriptions"], chosen["client_pings"]) != ("none", "ignored"))
"""All readings of the facts, except those with which no request is answered and no link proven: `docs/venues.md`."""


@gate(ROUTINE)
@given(history=histories, chosen=facts, page=st.sampled_from((FEW, PAGE)), troubles=mishaps)
def test_both_paths_end_with_the_books_of_the_exchange(
    history: History, chosen: dict[str, str], page: int, troubles: tuple[Mishap, ...]
) -> None:
    """After a settled read capital, fees, PnL, funding, transfers, positions and status are equal to the last digit, in
    both assets, on both paths and the exchange; faults on the socket's side change nothing.
    """
    pushed = UsdmWorld("ws", history, facts=chosen, page=page)
    for mishap in troubles:
        pushed.suffer(mishap)
    compare(pushed.live(), UsdmWorld("poll", history, facts=chosen, page=page).live())


@pytest.mark.parametrize("fees", ["USDT", "BNB"])
def test_a_history_without_faults_passes(fees: str) -> None:
    """The history of the next test passes without its fault."""
    chosen = {"fees": fees}
    worlds = (UsdmWorld(mode, BUSY, facts=chosen, page=PAGE).live() for mode in ("ws", "poll"))
    compare(*worlds)


def test_a_fee_dropped_from_a_frame_is_noticed() -> None:
    """The gate notices a fee that is missing in the socket's frames, although the ledger has it from reads."""
    pushed, polled = (UsdmWorld(mode, BUSY, facts={}, page=PAGE) for mode in ("ws", "poll"))

    def spoil(frame: dict[str, dict[str, str]]) -> None:
        if frame.get("o", {}).get("x") == "TRADE":
            frame["o"]["n"] = "0"

    pushed.spoil_frame = spoil
    with pytest.raises(AssertionError, match="Delivered"):
        compare(pushed.live(), polled.live())


def test_gains_are_not_booked_in_the_asset_of_the_fee() -> None:
    """A position that is closed while fees are paid in BNB opens no gap, and its PnL is booked in USDT."""
    history = History(
        hedge=False,
        seed=0,
        before=(Deed(0, "market", 0, 4),),
        deeds=(Deed(0, "market", 4, 4), Deed(900, "market", 4, 2)),
    )
    pushed = UsdmWorld("ws", history, facts={"fees": "BNB"}, page=PAGE).live()
    compare(pushed, UsdmWorld("poll", history, facts={"fees": "BNB"}, page=PAGE).live())
    assert [gap for gap in pushed.gaps() if "balance" in gap] == []
