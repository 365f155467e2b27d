"""The verdict counts fills by order, interval, price and fee."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.cli.verdict import judge
from listenkey.core.book import Book, Reconciliation
from listenkey.core.events import AccountUpdate, Balance, ExchangeEventKind, Fill

SINCE = 1000


def made(end: str, qty: str = "1", *, fee: str = "0.1", ts: int = 5000) -> dict[str, Any]:
    start = str(Decimal(end) - Decimal(qty))
    return {"symbol": "X", "order_id": "7", "start": start, "end": end, "price": "10", "fee": fee, "ts": ts}


def delivery(end: str, qty: str = "1", *, fee: str | None = "0.10", redelivered: bool = False) -> Fill:
    return Fill(
        kind=ExchangeEventKind.PARTIAL_FILL,
        event_id=f"fill:X:7:{end}",
        exchange_ts=5000,
        source="ws",
        redelivered=redelivered,
        symbol="X",
        order_id="7",
        client_order_id=None,
        side="BUY",
        position_side=None,
        order_type=None,
        status="PARTIALLY_FILLED",
        price=None,
        qty=None,
        cumulative_qty=Decimal(end),
        fill_qty=Decimal(qty),
        fill_price=Decimal("10.0"),
        trade_id=None,
        fee=None if fee is None else Decimal(fee),
        fee_asset="USDT",
        realized_pnl=None,
        liquidation=False,
    )


CASES: list[tuple[str, Sequence[dict[str, Any]], Sequence[Fill], tuple[int, int, int, int]]] = [
    ("nothing", [], [], (0, 0, 0, 0)),
    ("all", [made("1"), made("2")], [delivery("1"), delivery("2")], (2, 2, 0, 0)),
    ("one lost", [made("1"), made("2")], [delivery("2")], (2, 1, 1, 0)),
    ("one twice", [made("1")], [delivery("1"), delivery("1")], (1, 2, 0, 1)),
    ("again, and said so", [made("1")], [delivery("1"), delivery("1", redelivered=True)], (1, 1, 0, 0)),
    ("another fee", [made("1")], [delivery("1", fee="0.2")], (1, 1, 1, 1)),
    ("no fee", [made("1")], [delivery("1", fee=None)], (1, 1, 1, 1)),
    ("merged", [made("1"), made("2")], [delivery("2", "2")], (2, 1, 2, 1)),
    ("before the stream, delivered or not", [made("1", ts=1000), made("2", ts=900)], [delivery("1")], (0, 0, 0, 0)),
    ("before the stream, twice", [made("1", ts=900)], [delivery("1"), delivery("1")], (0, 1, 0, 1)),
]


@pytest.mark.parametrize(("rows", "events", "counts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_counts(rows: Sequence[dict[str, Any]], events: Sequence[Fill], counts: tuple[int, int, int, int]) -> None:
    """The verdict counts fills as made, delivered, lost and doubled, and describes each that is lost or doubled."""
    verdict = judge(events, [], {"fills": rows, "wallet": {}}, since=SINCE, proven=False)
    assert verdict[:4] == counts
    assert len(verdict.wrong) == counts[2] + counts[3]
    assert verdict.negative


@pytest.mark.parametrize(
    ("wallet", "status", "capital", "proven", "expected"),
    [
        ("99.5", "MATCHED", "99.5", True, "MATCHED"),
        ("99.4", "MATCHED", "99.5", True, "DRIFTED"),
        ("99.5", "MATCHED", "99.4", True, "DRIFTED"),
        ("99.5", "DRIFTED", "99.5", True, "DRIFTED"),
        ("99.5", "UNPROVEN", "99.5", True, "UNPROVEN"),
        ("99.5", "MATCHED", "99.5", False, "UNPROVEN"),
    ],
)
def test_money(wallet: str, status: str, capital: str, proven: bool, expected: str) -> None:
    """The verdict is MATCHED if ledger and last balance both equal the exchange's wallet and the stream is proven."""
    balance = Balance(asset="USDT", wallet_balance=Decimal("99.50"))
    update = AccountUpdate(
        event_id="a", exchange_ts=1, source="poll", reason=None, balances=(balance,), positions=(), complete=True
    )
    zero = Decimal(0)
    book = Book(
        asset="USDT",
        status=Reconciliation(status),
        drift=None,
        opening=Decimal(capital),
        realized_pnl=zero,
        fees=zero,
        funding=zero,
        transfers=zero,
    )
    truth = {"fills": [], "wallet": {"USDT": wallet}}
    verdict = judge([update], [book], truth, since=SINCE, proven=proven)
    assert verdict.ledger == expected
    assert verdict.negative == (expected != "MATCHED")
