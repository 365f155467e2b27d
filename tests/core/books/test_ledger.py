"""The ledger: estimates from delivered events, replaced by income rows, compared with balances after settled reads."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from listenkey.core.book import Reconciliation
from listenkey.core.books import ledger as ledger_module
from listenkey.core.books.by_time import FILLS_BEHIND_MS
from listenkey.core.books.ledger import Ledger
from listenkey.core.books.projection import Projection
from listenkey.core.events import Balance, BalanceChange, ExchangeEventKind, Fill, FundingFee, OrderState, Position
from listenkey.core.execution import execution
from listenkey.core.kinds import IncomeKind
from listenkey.core.reports import Account, FillReport, IncomeReport

from ..exchange import INCOME

T0 = 1_700_000_000_000


def fill(order: str, start: str, end: str, **changes: Any) -> Fill:
    return Fill(
        **{
            "kind": ExchangeEventKind.PARTIAL_FILL,
            "event_id": f"fill:X:{order}:{end}",
            "exchange_ts": T0 + 1000,
            "source": "ws",
            "symbol": "X",
            "order_id": order,
            "client_order_id": None,
            "side": "BUY",
            "position_side": "LONG",
            "order_type": "LIMIT",
            "status": "PARTIALLY_FILLED",
            "price": D(10),
            "qty": D(9),
            "cumulative_qty": D(end),
            "fill_qty": D(end) - D(start),
            "fill_price": D(10),
            "trade_id": f"t{order}{end}",
            "fee": D("0.1"),
            "fee_asset": "USDT",
            "realized_pnl": D(0),
            "liquidation": False,
            **changes,
        }
    )


def row(kind: str, amount: str, trade: str | None, **changes: Any) -> IncomeReport:
    return IncomeReport(
        **{
            "income_type": kind,
            "kind": INCOME.get(kind, IncomeKind.OTHER),
            "amount": D(amount),
            "tran_id": f"{kind}{trade}",
            "exchange_ts": T0 + 1000,
            "asset": "USDT",
            "symbol": "X",
            "trade_id": trade,
            **changes,
        }
    )


def account(wallet: str | None, *income: IncomeReport, at: int = T0 + 5000, **changes: Any) -> Account:
    balances = (Balance(asset="USDT", wallet_balance=None if wallet is None else D(wallet)),)
    return Account(
        **{
            "as_of": at,
            "exchange_ms": at,
            "since": T0,
            "whole": True,
            "settled": True,
            "balances": balances,
            "income": income,
            **changes,
        }
    )


def begun(wallet: str = "100") -> Ledger:
    ledger = Ledger(1000)
    ledger.begin(T0)
    ledger.reconcile(account(wallet, at=T0 + 10), True)
    return ledger


def test_the_first_settled_read_gives_the_opening_balance() -> None:
    """Before it no book is proven and there is no capital; after it the books explain the balance exactly."""
    ledger = Ledger(1000)
    ledger.begin(T0)
    ledger.begin(T0 + 99_000)  # only the first counts
    ledger.estimate(execution(fill("1", "0", "1")))
    before = ledger.book("USDT")
    assert (before.status, before.k_capital, before.fees) == (Reconciliation.UNPROVEN, None, D("0.1"))
    ledger.reconcile(account("99.9", row("TRADING_FEE", "-0.1", "t11")), True)
    book = ledger.book("USDT")
    assert (book.status, book.opening, book.k_capital) == (Reconciliation.MATCHED, D(100), D("99.9"))
    assert ledger.assets == ("USDT",)


@pytest.mark.parametrize(
    ("trade", "later_ms", "status"),
    [
        pytest.param("t9", 0, Reconciliation.UNPROVEN, id="a trade that may be listed yet"),
        pytest.param("t9", FILLS_BEHIND_MS, Reconciliation.DRIFTED, id="a trade that never is listed"),
        pytest.param("t11", 0, Reconciliation.DRIFTED, id="a trade that is known"),
    ],
)
def test_what_a_row_has_moved_is_no_drift_while_its_fill_may_be_listed_yet(
    trade: str, later_ms: int, status: Reconciliation
) -> None:
    """The balance has moved, and the list of fills may be behind that of income: the books are unproven meanwhile."""
    ledger = begun("100")
    ledger.estimate(execution(fill("1", "0", "1")))
    ledger.reconcile(account("99.9", row("TRADING_FEE", "-0.1", "t11")), True)
    assert ledger.book("USDT").status is Reconciliation.MATCHED
    other = row("TRADING_FEE", "-0.2", trade, exchange_ts=T0 + 1500, tran_id="other")
    ledger.reconcile(account("99.6", other, at=T0 + 5500 + later_ms), True)
    assert ledger.book("USDT").status is status
    ledger.estimate(execution(fill("1", "1", "2", trade_id="t9", fee=D("0.2"))))
    ledger.reconcile(account("99.7", other, at=T0 + 6500 + later_ms), True)
    assert (ledger.book("USDT").status is Reconciliation.MATCHED) == (trade == "t9")


@pytest.mark.parametrize("made_at", [T0 + 1400, T0 + 2500])
def test_a_fee_that_was_booked_by_time_is_not_booked_again_with_its_fill(made_at: int) -> None:
    """Rows may name none of our trades. A fill listed or dated after its row was booked costs nothing more, once the
    wallet shows that.
    """
    ledger = begun("100")
    first = row("TRADING_FEE", "-0.1", "foreign")
    ledger.reconcile(account("99.9", first), True)
    assert ledger.book("USDT").status is Reconciliation.MATCHED
    ledger.estimate(execution(fill("1", "0", "1", exchange_ts=made_at)))
    ledger.reconcile(account("99.9", first, at=T0 + 6000), True)
    assert (ledger.book("USDT").status, ledger.book("USDT").fees) == (Reconciliation.MATCHED, D("0.1"))


@pytest.mark.parametrize("fee", ["0.2", None])
def test_books_are_unproven_while_a_fill_waits_for_a_row_by_time(fee: str | None) -> None:
    """Which of two fills is booked already, the wallet does not say; the row of the other one does."""
    ledger = begun("100")
    first = row("TRADING_FEE", "-0.1", "foreign")
    ledger.reconcile(account("99.9", first), True)
    ledger.estimate(execution(fill("1", "0", "1", exchange_ts=T0 + 1400)))
    ledger.estimate(execution(fill("1", "1", "2", exchange_ts=T0 + 1500, fee=None if fee is None else D(fee))))
    ledger.reconcile(account("99.7", first, at=T0 + 6000), True)
    assert ledger.book("USDT").status is Reconciliation.UNPROVEN
    second = row("TRADING_FEE", "-0.2", "foreign too", exchange_ts=T0 + 1000)
    ledger.reconcile(account("99.7", first, second, at=T0 + 7000), True)
    assert (ledger.book("USDT").status, ledger.book("USDT").fees) == (Reconciliation.MATCHED, D("0.3"))


def test_the_books_open_only_when_the_cost_of_every_fill_is_known() -> None:
    """An unknown cost would be counted into the opening balance, and would be drift as soon as it is known."""
    ledger = Ledger(1000)
    ledger.begin(T0)
    ledger.estimate(execution(fill("1", "0", "1", trade_id=None, realized_pnl=None)))
    rows = (row("TRADING_FEE", "-0.1", None), row("REALIZED_PNL", "3", None))
    ledger.reconcile(account("102.9", *rows, at=T0 + 1900), True)
    book = ledger.book("USDT")
    assert (book.status, book.opening) == (Reconciliation.UNPROVEN, None)
    ledger.reconcile(account("102.9", *rows), True)
    book = ledger.book("USDT")
    assert (book.status, book.opening, book.realized_pnl) == (Reconciliation.MATCHED, D(100), D(3))


def test_a_row_replaces_the_estimate_of_its_trade() -> None:
    """The figures of the venue's rows replace those of the frame; each row is booked once."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "1", fee=D("0.5"), realized_pnl=D(7))))
    rows = (row("TRADING_FEE", "-0.1", "t11"), row("REALIZED_PNL", "3", "t11"))
    for _ in range(2):
        ledger.reconcile(account("102.9", *rows), True)
    book = ledger.book("USDT")
    assert (book.fees, book.realized_pnl, book.status) == (D("0.1"), D(3), Reconciliation.MATCHED)
    ledger.estimate(execution(fill("1", "0", "1")))  # delivered only after its row was read
    assert ledger.book("USDT").fees == D("0.1")


def test_the_pnl_stays_an_estimate_until_its_own_row_comes() -> None:
    """A fee row pays the fee only; the PnL stays an estimate until its own row."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "1", realized_pnl=D(7))))
    ledger.reconcile(account("106.9", row("TRADING_FEE", "-0.1", "t11")), True)
    assert ledger.book("USDT").realized_pnl == D(7)
    ledger.reconcile(account("106.9", row("REALIZED_PNL", "7", "t11")), True)
    assert (ledger.book("USDT").realized_pnl, ledger.book("USDT").status) == (D(7), Reconciliation.MATCHED)


def test_a_fee_or_pnl_that_nobody_gave_leaves_the_books_unproven() -> None:
    """An unknown fee is not zero: the book is unproven until its row comes. So it is while a gap is open."""
    ledger = begun()
    assert ledger.book("USDT", gap_open=True).status is Reconciliation.UNPROVEN
    ledger.estimate(execution(fill("1", "0", "1", fee=None)))
    assert ledger.book("USDT").drift is None
    ledger.reconcile(account("99.9", row("TRADING_FEE", "-0.1", "t11")), True)
    assert ledger.book("USDT").status is Reconciliation.MATCHED


def test_what_the_rows_do_not_explain_is_drift() -> None:
    """The difference is reported as drift, and the sums are not adjusted to the balance."""
    ledger = begun()
    ledger.reconcile(account("101.5", settled=False), False)
    assert ledger.book("USDT").status is Reconciliation.MATCHED
    ledger.reconcile(account("101.5"), True)
    assert (ledger.book("USDT").status, ledger.book("USDT").drift) == (Reconciliation.DRIFTED, D("1.5"))
    ledger.reconcile(account(None), True)
    assert ledger.book("USDT").drift == D("1.5")


def test_transfers_and_funding() -> None:
    """Provisional funding counts until its row replaces it, or until it is too old for a row to come."""
    ledger = begun()
    common: dict[str, Any] = {"exchange_ts": T0 + 1000, "asset": "USDT", "symbol": None}
    ledger.apply(BalanceChange(event_id="b", source="poll", amount=D(5), reason="TRANSFER", **common))
    ledger.apply(FundingFee(event_id="p", source="ws", amount=D(-2), provisional=True, **common))
    ledger.apply(FundingFee(event_id="q", source="ws", amount=D(-9), provisional=True, **common))
    ledger.reconcile(account("94"), True)
    assert (ledger.book("USDT").transfers, ledger.book("USDT").funding) == (D(5), D(-11))
    ledger.apply(FundingFee(event_id="f", source="poll", amount=D(-2), provisional=False, replaces="p", **common))
    ledger.apply(FundingFee(event_id="g", source="poll", amount=None, provisional=False, **common))
    assert ledger.book("USDT").funding == D(-11)
    ledger.reconcile(account("103", at=T0 + 700_000), True)
    assert (ledger.book("USDT").funding, ledger.book("USDT").status) == (D(-2), Reconciliation.MATCHED)


def test_a_fee_in_another_asset_than_the_gain() -> None:
    """The fee is booked in its own asset, the PnL in the other.

    This holds before their rows are read, when estimates are booked for good, and for a fill newer than the balances.
    """
    balances = (Balance(asset="USDT", wallet_balance=D(100)), Balance(asset="BNB", wallet_balance=D(10)))
    for at in (T0 + 1000, T0 + 9000):
        ledger = Ledger(1)
        ledger.begin(T0 - 10_000)
        ledger.reconcile(account("100", at=T0 + 10, balances=balances), True)
        changes = {"fee": D(2), "fee_asset": "BNB", "realized_pnl": D(7), "exchange_ts": at}
        ledger.estimate(execution(fill("1", "0", "1", **changes), "USDT"))
        gained = (D(107), D(8)) if at < T0 + 2000 else (D(100), D(10))
        moved = tuple(
            Balance(asset=asset, wallet_balance=wallet) for asset, wallet in zip(("USDT", "BNB"), gained, strict=True)
        )
        ledger.reconcile(account("107", at=T0 + 5000, balances=moved), True)
        books = [ledger.book(asset) for asset in ("USDT", "BNB")]
        assert [(book.realized_pnl, book.fees) for book in books] == [(D(7), D(0)), (D(0), D(2))]
        assert {book.status for book in books} == {Reconciliation.MATCHED}


def test_funding_that_replaces_what_a_run_before_had_delivered() -> None:
    """The opening balance contained that funding, so the books are opened anew."""
    ledger = Ledger(1000)
    ledger.begin(T0 + 2000)
    ledger.reconcile(account("98", at=T0 + 5000), True)
    late: dict[str, Any] = {"event_id": "f", "source": "poll", "asset": "USDT", "symbol": None, "provisional": False}
    ledger.apply(FundingFee(exchange_ts=T0 + 1000, amount=D(-2), replaces="p", **late))
    assert ledger.book("USDT").status is Reconciliation.UNPROVEN
    ledger.reconcile(account("98", at=T0 + 9000), True)
    book = ledger.book("USDT")
    assert (book.status, book.opening, book.funding) == (Reconciliation.MATCHED, D(100), D(-2))


def test_each_asset_has_its_own_books() -> None:
    """Fees, PnL and funding in one asset appear in the books of no other asset."""
    ledger = begun()
    for order, asset, fee in (("1", "USDT", "0.1"), ("2", "BTC", "0.2")):
        ledger.estimate(execution(fill(order, "0", "1", fee_asset=asset, fee=D(fee), realized_pnl=D(order))))
        ledger.apply(
            FundingFee(
                event_id=order,
                exchange_ts=T0 + 1000,
                source="ws",
                amount=D(order),
                asset=asset,
                symbol=None,
                provisional=True,
            )
        )
    books = [ledger.book(asset) for asset in ("USDT", "BTC")]
    assert [(book.fees, book.realized_pnl, book.funding) for book in books] == [
        (D("0.1"), D(1), D(1)),
        (D("0.2"), D(2), D(2)),
    ]


def test_a_fill_without_trade_id_gets_it_from_its_interval() -> None:
    """If frames merge fills and name no trade, the rows of all trades in the interval replace the one estimate."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "3", trade_id=None, fee=D("0.2"))))
    rows = tuple(
        FillReport(symbol="X", order_id="1", qty=D(qty), exchange_ts=T0 + 1000, trade_id=trade)
        for qty, trade in ((1, "a"), (2, "b"), (2, None))
    )
    fees = (row("TRADING_FEE", "-0.1", "a"), row("TRADING_FEE", "-0.2", "b"))
    ledger.reconcile(account("99.7", *fees, fills=rows), True)
    assert (ledger.book("USDT").fees, ledger.book("USDT").status) == (D("0.3"), Reconciliation.MATCHED)


def test_rows_that_name_no_trade_stand_for_all_fills_up_to_a_second() -> None:
    """Rows that name no trade pay all fills before the read's second; later fills wait."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "1", fee=D("0.5"))))
    ledger.estimate(execution(fill("2", "0", "1", exchange_ts=T0 + 5500, fee=D("0.5"))))
    early = row("TRADING_FEE", "-0.1", None)
    late = row("TRADING_FEE", "-0.3", "?", exchange_ts=T0 + 5500)
    ledger.reconcile(account("99.9", early, late, at=T0 + 5200), True)
    assert ledger.book("USDT").fees == D("0.1") + D("0.5")


def test_rows_of_no_known_trade_wait_for_a_settled_read() -> None:
    """Once read, such rows wait in the ledger; the settled read need not list them again."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "1", fee=D("0.5"))))
    ledger.reconcile(account("99.9", row("TRADING_FEE", "-0.1", None)), False)
    assert ledger.book("USDT").fees == D("0.5")
    ledger.reconcile(account("99.9", at=T0 + 700_000), True)
    assert (ledger.book("USDT").fees, ledger.book("USDT").status) == (D("0.1"), Reconciliation.MATCHED)


def test_rows_from_before_the_beginning_are_part_of_the_opening() -> None:
    """Rows from before the beginning, and rows without an asset, are not booked."""
    ledger = begun()
    old = row("TRADING_FEE", "-5", "x", exchange_ts=T0 - 1)
    ledger.reconcile(account("100", old, row("TRADING_FEE", "-5", "y", asset=None)), True)
    assert (ledger.book("USDT").fees, ledger.book("USDT").status) == (D(0), Reconciliation.MATCHED)


def test_a_fill_that_is_newer_than_the_read_does_not_count_against_it() -> None:
    """A read is compared without the fills that are newer than it."""
    ledger = begun()
    ledger.estimate(execution(fill("1", "0", "1", exchange_ts=T0 + 6000)))
    ledger.reconcile(account("100"), True)
    book = ledger.book("USDT")
    assert (book.status, book.fees) == (Reconciliation.MATCHED, D("0.1"))


def test_estimates_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without reads, the oldest estimates are booked for good, and a row that comes later is not booked again."""
    monkeypatch.setattr(ledger_module, "ESTIMATES", 2)
    ledger = begun()
    for order in "1234":
        ledger.estimate(execution(fill(order, "0", "1", fee_asset="USDT" if order != "2" else None)))
    assert ledger.book("USDT").fees == D("0.3")
    ledger.reconcile(account("99.7", row("TRADING_FEE", "-0.1", "t11")), False)
    assert ledger.book("USDT").fees == D("0.3")


LATE: dict[str, Any] = {"exchange_ts": T0 + 5, "source": "poll", "asset": "USDT", "symbol": None}


@pytest.mark.parametrize(
    ("event", "wallet"),
    [
        (fill("1", "0", "1", exchange_ts=T0 + 5), "99.9"),
        (BalanceChange(event_id="b", amount=D(5), reason="TRANSFER", **LATE), "105"),
        (FundingFee(event_id="f", amount=D(-2), provisional=False, **LATE), "98"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_what_is_shown_late_was_not_part_of_the_opening(event: Any, wallet: str, known: bool) -> None:
    """The opening may contain a late event or not: the book is unproven until the next settled read opens it anew."""
    ledger = begun(wallet if known else "100")
    if isinstance(event, Fill):
        ledger.estimate(execution(event))
    else:
        ledger.apply(event)
    assert ledger.book("USDT").status is Reconciliation.UNPROVEN
    ledger.reconcile(account(wallet), True)
    book = ledger.book("USDT")
    assert (book.opening, book.status) == (D(100), Reconciliation.MATCHED)
    ledger.reconcile(account("1"), True)
    assert ledger.book("USDT").status is Reconciliation.DRIFTED


def test_rows_are_known_for_an_hour_after_they_were_read() -> None:
    """A row from before that hour is never new again; after hours without a read, rows of all these hours are new."""
    ledger = begun()
    hours = 3 * ledger_module.REMEMBER_MS
    ledger.estimate(execution(fill("1", "0", "1")))
    fee = row("TRADING_FEE", "-0.3", "t11")
    ledger.reconcile(account("99.7", fee, at=T0 + hours), True)
    assert (ledger.book("USDT").fees, ledger.book("USDT").status) == (D("0.3"), Reconciliation.MATCHED)
    for _ in range(2):
        ledger.reconcile(account("99.7", fee, at=T0 + 2 * hours), True)
    assert (ledger.book("USDT").fees, ledger.book("USDT").status) == (D("0.3"), Reconciliation.MATCHED)


def test_other_events_move_nothing() -> None:
    """Only fills, funding and balance changes move the books."""
    ledger = begun()
    shown = {name: getattr(fill("1", "0", "1"), name) for name in OrderState.__struct_fields__}
    ledger.apply(OrderState(**shown))
    common: dict[str, Any] = {"event_id": "b", "exchange_ts": T0, "source": "poll", "symbol": None}
    ledger.apply(BalanceChange(amount=D(5), asset=None, reason="TRANSFER", **common))
    assert ledger.book("USDT").k_capital == D(100)


@pytest.mark.parametrize(
    ("side", "position_side", "held"),
    [
        ("BUY", "LONG", D(1)),
        ("SELL", "LONG", D(-1)),
        ("SELL", "SHORT", D(1)),
        ("BUY", None, D(1)),
        ("SELL", None, D(-1)),
    ],
)
def test_projected_positions(side: str, position_side: str | None, held: D) -> None:
    """A short grows by selling; in one-way mode a position has a sign."""
    projection = Projection()
    projection.anchor(account("100"))
    projection.apply(execution(fill("1", "0", "1", side=side, position_side=position_side, exchange_ts=T0 + 9000)))
    assert projection.positions == {("X", position_side): held}
    assert projection.wallets == {"USDT": D("99.9")}


def test_projection_without_side_or_fee_asset() -> None:
    """A fill without a side moves no position; a fee without an asset may be of any wallet, so none is known.

    The next read makes the wallets known again.
    """
    projection = Projection()
    projection.apply(execution(fill("0", "0", "1")))  # before the first read there is no balance to change
    projection.anchor(account("100"))
    projection.apply(execution(fill("1", "0", "1", side=None, fee_asset=None, exchange_ts=T0 + 9000)))
    assert (projection.positions, projection.wallets) == ({}, {"USDT": None})
    projection.anchor(account("100"))
    projection.apply(execution(fill("2", "0", "1", realized_pnl=None, exchange_ts=T0 + 9000)))
    assert projection.wallets == {"USDT": None}


def test_projection_with_a_fee_in_another_asset() -> None:
    """The PnL of a fill is booked in its margin asset, whatever asset its fee was paid in."""
    projection = Projection()
    balances = (Balance(asset="USDT", wallet_balance=D(100)), Balance(asset="BNB", wallet_balance=D(10)))
    projection.anchor(account("100", balances=balances))
    paid = fill("1", "0", "1", fee=D(2), fee_asset="BNB", realized_pnl=D(7), exchange_ts=T0 + 9000)
    projection.apply(execution(paid, "USDT"))
    assert projection.wallets == {"USDT": D(107), "BNB": D(8)}
    projection.apply(execution(fill("2", "0", "1", fee=D(1), realized_pnl=D(3), exchange_ts=T0 + 9000), "USDT"))
    assert projection.wallets == {"USDT": D(109), "BNB": D(8)}
    projection.apply(execution(fill("3", "0", "1", fee_asset="BNB", realized_pnl=None, exchange_ts=T0 + 9000), "USDT"))
    assert projection.wallets == {"USDT": None, "BNB": D("7.9")}


def test_projection_reads_positions_of_both_modes() -> None:
    """A read in one-way mode gives signed quantities; flat positions are left out."""
    held = (
        Position(symbol="X", side="SHORT", qty=D(2)),
        Position(symbol="Y", side="LONG", qty=D(3)),
        Position(symbol="Z", side=None, qty=D(0)),
    )
    projection = Projection()
    projection.anchor(account("100", positions=held))
    assert projection.positions == {("X", "SHORT"): D(2), ("Y", "LONG"): D(3)}
    projection.apply(execution(fill("1", "0", "1", exchange_ts=T0 + 9000, trade_id="n")))
    projection.anchor(account("100", positions=held, one_way=True))
    assert projection.positions == {("X", None): D(-2), ("Y", None): D(3), ("X", "LONG"): D(1)}
