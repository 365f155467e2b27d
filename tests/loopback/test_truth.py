"""The judge of scenarios finds wrong sums."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from listenkey.core.events import Fill

from ..core.books.test_ledger import fill
from .truth import judge

BOUGHT = fill("1", "0", "2", fee=D("0.5"), realized_pnl=D(3))
ROW = {"symbol": "X", "order_id": "1", "start": "0", "end": "2", "qty": "2", "price": "10", "fee": "0.5", "ts": 5}
TRUTH: dict[str, Any] = {
    "fills": [{**ROW, "fee_asset": "USDT", "realized_pnl": "3", "side": "BUY", "position_side": None}],
    "opening": {},
    "income": [],
}


def test_nothing_is_wrong() -> None:
    """True events pass, also with unknown figures."""
    row = {**TRUTH["fills"][0], "price": str(BOUGHT.fill_price)}
    for delivered in (BOUGHT, msgspec.structs.replace(BOUGHT, realized_pnl=None)):
        assert judge([delivered], {**TRUTH, "fills": [row]}, since=1).wrong == ()


@pytest.mark.parametrize(
    ("delivered", "sum_of"),
    [
        (msgspec.structs.replace(BOUGHT, realized_pnl=D(4)), "realized_pnl"),
        (msgspec.structs.replace(BOUGHT, fee_asset="BNB"), "fees"),
        (msgspec.structs.replace(BOUGHT, side="SELL"), "bought"),
    ],
)
def test_sums_that_differ_are_found(delivered: Fill, sum_of: str) -> None:
    """A wrong PnL, asset or side is found, although all intervals are right."""
    row = {**TRUTH["fills"][0], "price": str(BOUGHT.fill_price)}
    (first, *_) = judge([delivered], {**TRUTH, "fills": [row]}, since=1).wrong
    assert first.startswith(f"{sum_of} add up to")
