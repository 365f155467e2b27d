"""Bugs that the simulated world has found, each as its smallest case."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from listenkey.adapters.simulator.binance.errors import Refusal
from listenkey.adapters.simulator.binance.limits import WEIGHT
from listenkey.core.account.order import Order
from listenkey.core.book import Reconciliation
from listenkey.core.books.ledger import Ledger
from listenkey.core.books.projection import Projection
from listenkey.core.events import AccountUpdate, Balance, ExchangeEventKind, Fill
from listenkey.core.execution import execution
from listenkey.core.kinds import IncomeKind
from listenkey.core.reports import Account, FillReport, IncomeReport, OddRow, OrderRef, OrderReport
from listenkey.core.sync.scope import merge

from .faults import Fault
from .life import Life, live
from .setup import EPOCH, FEW_ROWS, setup_of
from .usdmdoor import UsdmDoor
from .venues import USDM, first_seed
from .violation import Violation

D = Decimal
FIRST = first_seed(USDM)
T = 1_760_000_000_000
REF = OrderRef("BTC-USDT", "1")


def account(**changes: Any) -> Account:
    """A settled read that began at `T` and took a second."""
    given = {"as_of": T, "exchange_ms": T + 1000, "since": T - 60_000, "whole": True, "settled": True}
    return Account(**{**given, **changes})


def report(cumulative: str, **changes: Any) -> OrderReport:
    """A report of the order with this executed quantity."""
    return OrderReport(
        symbol=REF.symbol, order_id=REF.order_id, status="PARTIALLY_FILLED", cumulative_qty=D(cumulative), **changes
    )


def fill(cumulative: str, qty: str, ts: int, **changes: Any) -> Fill:
    """A fill as a frame without trade id shows it."""
    given: dict[str, Any] = {
        "kind": ExchangeEventKind.PARTIAL_FILL,
        "event_id": f"fill:BTC-USDT:1:{cumulative}",
        "exchange_ts": ts,
        "source": "ws",
        "symbol": REF.symbol,
        "order_id": REF.order_id,
        "client_order_id": None,
        "side": "BUY",
        "position_side": "LONG",
        "order_type": "LIMIT",
        "status": "PARTIALLY_FILLED",
        "price": None,
        "qty": D(10),
        "cumulative_qty": D(cumulative),
        "fill_qty": D(qty),
        "fill_price": D(100),
        "trade_id": None,
        "fee": D("0.1"),
        "fee_asset": "USDT",
        "realized_pnl": D(0),
        "liquidation": False,
    }
    return Fill(**{**given, **changes})


def test_an_amendment_shows_no_fill_on_a_wire_that_names_the_last_one() -> None:
    """If a fill below the amendment was lost, that is a hole, and no fill with the amendment's fee of 0."""
    order = Order(OrderRef("BTC-USDT", "1"), D(0))
    amended = report("2", last_qty=D(0), fee=D(0))
    claim = order.claim(amended)
    assert claim is None
    assert order.lacks(amended, claim)


def test_a_read_whose_orders_moved_on_while_they_were_read_alone_is_not_settled() -> None:
    """The balances of such a read are older than its fills."""
    whole = account(orders=(report("1"),))
    alone = account(whole=False, orders=(report("2"),))
    assert not merge(whole, alone).settled
    assert merge(whole, account(whole=False, orders=(report("1"),))).settled


def test_an_order_that_was_over_when_it_could_not_be_read_has_not_moved() -> None:
    """Its executed quantity is read alone, and the balances of the read before are as new as that."""
    row = OddRow(kind="order", endpoint="orders", excerpt="", symbol=REF.symbol, order_id=REF.order_id)
    over = msgspec.structs.replace(row, order=report("0"))
    alone = account(whole=False, orders=(report("2"),))
    assert merge(account(odd=(over,)), alone).settled
    assert not merge(account(odd=(row,)), alone).settled


def test_a_fill_during_a_read_that_its_orders_do_not_show_makes_its_balances_unsure() -> None:
    """The balances may contain the fill or not, because lists may lag behind them."""
    projection = Projection()
    projection.apply(execution(fill("2", "1", T + 500)))
    assert projection.is_unsure_of(account(orders=(report("1"),)))
    assert not projection.is_unsure_of(account(orders=(report("2"),)))
    assert not projection.is_unsure_of(account(as_of=T + 600, orders=(report("1"),)))


def test_every_row_of_a_merged_fill_is_booked_though_they_come_in_two_reads() -> None:
    """If one frame showed two trades, the row of the second trade is booked too."""
    ledger = Ledger(1000)
    ledger.begin(T - 10_000)
    balance = (Balance(asset="USDT", wallet_balance=D(100)),)
    ledger.reconcile(account(as_of=T - 5000, exchange_ms=T - 4000, balances=balance), settled=True)
    ledger.estimate(execution(fill("3", "3", T)))

    rows = tuple(
        FillReport(symbol=REF.symbol, order_id=REF.order_id, qty=D(qty), exchange_ts=T, trade_id=name)
        for name, qty in (("7", "1"), ("8", "2"))
    )

    def fee(name: str, amount: str) -> IncomeReport:
        return IncomeReport(
            income_type="TRADING_FEE",
            kind=IncomeKind.FEE,
            amount=D(amount),
            tran_id=name,
            exchange_ts=T,
            asset="USDT",
            symbol=REF.symbol,
            trade_id=name,
        )

    first, both = (fee("7", "-0.2"),), (fee("7", "-0.2"), fee("8", "-0.1"))
    ledger.reconcile(account(as_of=T + 2000, exchange_ms=T + 3000, fills=rows[:1], income=first), settled=False)
    balance = (Balance(asset="USDT", wallet_balance=D("99.7")),)
    later = account(
        as_of=T + 4000, exchange_ms=T + 5000, orders=(report("3"),), fills=rows, income=both, balances=balance
    )
    ledger.reconcile(later, settled=True)
    book = ledger.book("USDT")
    assert (book.fees, book.status) == (D("0.3"), Reconciliation.MATCHED)


def test_a_read_that_lacks_a_position_is_judged_as_a_read(tmp_path: Path) -> None:
    """A push of its own second goes after it, whatever its milliseconds; a push after a push does not."""
    life = Life(setup_of(1, hours=0.1), tmp_path)
    wallet = life.market.exchange.account.book.wallets["USDT"].balance

    def deliver(source: Literal["ws", "poll"], ts: int) -> None:
        balances = (Balance(asset="USDT", wallet_balance=wallet),)
        life.judge.truth.money.account(
            AccountUpdate(
                event_id="", exchange_ts=ts, source=source, reason=None, balances=balances, positions=(), complete=False
            )
        )

    deliver("poll", T + 925)
    deliver("ws", T + 890)
    with pytest.raises(Violation, match="last-word-true"):
        deliver("ws", T + 889)


def test_two_faults_never_give_an_empty_list_twice_in_a_row(tmp_path: Path) -> None:
    """An account that holds nothing looks so; between two empty lists is one that is true."""
    faults = (Fault("hollow", 1.0, 100.0, "once []"), Fault("hollow", 2.0, 100.0, "once []"))
    life = Life(setup_of(1)._replace(faults=faults), tmp_path)
    answers = []
    for at in (1.5, 3.0, 4.0, 5.0):
        life._run_until(at)
        answers.append(life.market.door.spoiling.hollow("/openApi/swap/v2/user/positions"))
    assert [answer is None for answer in answers] == [False, True, False, True]


@pytest.mark.parametrize("profit", ["-0.5", None])
def test_a_first_account_without_positions_is_complete_only_if_its_balances_show_none(
    profit: str | None, tmp_path: Path
) -> None:
    """A process cannot miss what it has never seen; but an open profit is seen, and only a second read outweighs it."""
    setup = setup_of(1)._replace(faults=(Fault("hollow", 0.0, 100.0, "once []"),))
    life = Life(setup, tmp_path)
    life._run_until(1.0)
    money, now = life.judge.truth.money, life.market.ms
    balance = Balance(
        asset="USDT",
        wallet_balance=life.market.exchange.account.book.wallets["USDT"].balance,
        unrealized_pnl=None if profit is None else D(profit),
    )

    def deliver(*, complete: bool) -> None:
        event = AccountUpdate(
            event_id="",
            exchange_ts=now,
            source="poll",
            reason=None,
            balances=(balance,),
            positions=(),
            complete=complete,
        )
        money.account(event)

    if profit is not None:
        with pytest.raises(Violation, match="full-is-full"):
            deliver(complete=True)
        deliver(complete=False)
    deliver(complete=True)


@pytest.mark.parametrize("readings", ["counted", "unknown"])
def test_what_others_have_spent_counts_until_their_minute_ends(readings: str, tmp_path: Path) -> None:
    """The crowd is gone, its weight is not: what the venue then refuses is no fault of ours, unless it is said."""
    minute = 60.0 - EPOCH / 1000 % 60.0
    setup, faults = setup_of(FIRST), (Fault("crowded", minute + 1.0, 5.0, "most"),)
    life = Life(setup._replace(faults=faults, facts={**setup.facts, "used_weight": readings}), tmp_path)
    door = life.market.door
    assert isinstance(door, UsdmDoor)
    life._run_until(minute + 2.0)
    door._spend(1, life.market.ms)
    life._run_until(minute + 10.0)
    with pytest.raises(Violation if readings == "counted" else Refusal):
        door._spend(WEIGHT - 1, life.market.ms)
    life._run_until(minute + 61.0)
    door._spend(WEIGHT, life.market.ms)
    with pytest.raises(Violation):
        door._spend(1, life.market.ms)


def test_what_was_stored_before_the_stream_began_is_delivered_by_the_next_process() -> None:
    """A venue that refuses the first reads leaves a gap in the journal, and no beginning."""
    faults = (Fault("maintenance", 0.0, 60.0), Fault("slow_consumer", 0.01, 40.0), Fault("crash", 10.0, 0.0))
    outcome = live(setup_of(FIRST, mode="poll", hours=0.05)._replace(faults=faults, journal=True))
    assert outcome.violation is None
    assert outcome.restarts


def test_frames_that_wait_for_the_proof_of_their_link_are_held_from_the_first_that_has_news() -> None:
    """The answer to an opening frame, a second or two before that, is none."""
    assert live(setup_of(FIRST + 600_112, kinds=("drop", "renew_busy"), hours=0.06)).violation is None


@pytest.mark.parametrize(("listed", "shown"), [(1, 2), (FEW_ROWS - 2, FEW_ROWS - 1), (FEW_ROWS, FEW_ROWS)])
def test_a_fill_of_nothing_makes_no_list_longer_than_lists_are(listed: int, shown: int, tmp_path: Path) -> None:
    """A list that is full shows by its length that it may leave rows out, whatever is in it."""
    setup = setup_of(1)._replace(faults=(Fault("zero", 1.0, 100.0),), fill_rows=FEW_ROWS)
    life = Life(setup, tmp_path)
    life._run_until(2.0)
    answer = {"fill_history_orders": [{"qty": "1", "tradeId": str(number), "orderId": "5"} for number in range(listed)]}
    life.market.door.spoiling.spoil("/openApi/swap/v2/trade/fillHistory", answer)
    assert len(answer["fill_history_orders"]) == shown
