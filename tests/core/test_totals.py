"""`totals`: the sums that a consumer needs, in a few lines."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec

import listenkey
from listenkey.core.events import Fill, FillRevised

from .books.test_ledger import fill


def revised(original: Fill, **changes: Any) -> FillRevised:
    same = {name: getattr(original, name) for name in Fill.__struct_fields__ if name not in ("kind", "event_id")}
    return FillRevised(**{**same, **changes}, event_id="revised", replaces=original.event_id)


def test_each_fill_counts_once_and_as_its_last_revision_has_it() -> None:
    """Fills repeated after a restart add nothing, and a revision adds no quantity."""
    bought = fill("1", "0", "2", fee=None, realized_pnl=None)
    sold = fill("2", "0", "3", side="SELL", fee=D("0.5"), realized_pnl=D(4), fee_asset="BNB")
    events = [
        bought,
        sold,
        revised(bought, fee=D(1)),
        revised(bought, fee=D(2), realized_pnl=D("-1")),
        msgspec.structs.replace(bought, redelivered=True),
        revised(fill("9", "0", "1"), fee=D(100)),
    ]
    assert listenkey.totals(events) == listenkey.Totals(
        bought={"X": D(2)},
        sold={"X": D(3)},
        fees={"USDT": D(2), "BNB": D("0.5")},
        realized_pnl={"X": D(3)},
        unknown_fees=0,
        unknown_pnl=0,
    )


def test_what_is_not_known_is_counted_and_not_added() -> None:
    """Unknown figures are counted, also those that a revision made unknown."""
    one, other = fill("1", "0", "2", fee=None), fill("1", "2", "3", realized_pnl=None)
    found = listenkey.totals(iter([one, other, revised(other, fee=None, fee_asset=None)]))
    assert found == listenkey.Totals(
        bought={"X": D(3)}, sold={}, fees={}, realized_pnl={"X": D(0)}, unknown_fees=2, unknown_pnl=1
    )


def test_of_nothing_the_sums_are_empty() -> None:
    """Without events there is no sum of any symbol or asset."""
    assert listenkey.totals([]) == listenkey.Totals({}, {}, {}, {}, 0, 0)
