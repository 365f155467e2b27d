"""Estimates: the costs that fills are thought to have, by trade or without trade ids, until their rows pay them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal as D
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.core.books.estimates import Estimates
from listenkey.core.events import Fill, FillRevised
from listenkey.core.execution import Execution, execution
from listenkey.core.reports import FillReport

from . import test_ledger
from .naive import Naive
from .test_ledger import T0, row


def fill(order: str, start: str, end: str, **changes: Any) -> Execution:
    return execution(test_ledger.fill(order, start, end, **changes))


def listed(trade: str, qty: str, order: str = "1", **changes: Any) -> FillReport:
    return FillReport(
        **{"symbol": "X", "order_id": order, "qty": D(qty), "exchange_ts": T0 + 1000, "trade_id": trade, **changes}
    )


def add(estimates: Estimates, delivered: Execution) -> None:
    """Add a fill; return the number of fills that are still estimates."""
    assert estimates.add(delivered) == len(list(estimates))


def left(estimates: Estimates) -> list[tuple[D | None, D | None]]:
    return [(estimate.fee, estimate.realized_pnl) for estimate in estimates]


def pay_all(estimates: Estimates) -> None:
    for each in (row("TRADING_FEE", "-1", "a"), row("TRADING_FEE", "-1", "b")):
        if not estimates.pay(each):
            estimates.match_ahead(each)


STEPS: dict[str, Callable[[Estimates], None]] = {
    "delivered": lambda estimates: add(estimates, fill("1", "0", "3", trade_id=None)),
    "listed a": lambda estimates: estimates.list([listed("a", "1")]),
    "listed b": lambda estimates: estimates.list([listed("b", "2")]),
    "paid": pay_all,
}


@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_a_merged_fill_is_given_up_once_all_its_trades_are_paid(order: tuple[str, ...]) -> None:
    """This holds for any order of the delivery, of the listed trades and of their rows."""
    estimates = Estimates()
    for step in order:
        STEPS[step](estimates)
    assert left(estimates) == []
    add(estimates, fill("1", "3", "4", trade_id=None))
    assert left(estimates) == [(D("0.1"), D(0))]


def revised(order: str, start: str, end: str, fee: str | None, pnl: str | None, **changes: Any) -> FillRevised:
    original = test_ledger.fill(order, start, end, **changes)
    return revision(original, fee=None if fee is None else D(fee), realized_pnl=None if pnl is None else D(pnl))


@pytest.mark.parametrize("trade", ["t", None])
def test_a_revised_fill_is_thought_to_cost_what_the_revision_says(trade: str | None) -> None:
    """A revision changes the estimate of its own fill only, neither others of its order nor those of other orders."""
    estimates = Estimates()
    for start, end, name in (("0", "1", "other"), ("1", "3", "t")):
        add(estimates, fill("1", start, end, trade_id=trade and name, fee=None, realized_pnl=None))
    estimates.revise(revised("1", "1", "3", "0.5", "7", trade_id=trade))
    estimates.revise(revised("1", "3", "4", "9", "9", trade_id=trade))
    estimates.revise(revised("2", "1", "3", "9", "9", trade_id=trade))
    assert sorted(left(estimates), key=str) == [(D("0.5"), D(7)), (None, None)]


def test_what_is_booked_of_a_revised_fill_stays_booked() -> None:
    """Figures that an income row has booked are not changed by a later revision."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "1", trade_id="t", realized_pnl=D(3)))
    estimates.pay(row("TRADING_FEE", "-1", "t"))
    estimates.revise(revised("1", "0", "1", "0.5", "7", trade_id="t"))
    assert left(estimates) == [(D(0), D(7))]
    estimates.pay(row("REALIZED_PNL", "7", "t"))
    assert left(estimates) == []
    merged = Estimates()
    add(merged, fill("1", "0", "3", trade_id=None, fee=None))
    merged.list([listed("a", "1")])
    merged.pay(row("TRADING_FEE", "-1", "a"))
    merged.revise(revised("1", "0", "3", "0.5", "7", trade_id=None))
    assert left(merged) == [(None, D(0))]


def test_a_merged_fill_stands_until_all_of_it_is_paid() -> None:
    """Its fee is that of its last trade only, so it stays an estimate until every trade's row has come."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "3", trade_id=None))
    estimates.list([listed("a", "1"), listed("b", "2"), listed("", "2", trade_id=None)])
    assert estimates.pay(row("TRADING_FEE", "-1", "a"))
    assert left(estimates) == [(D("0.1"), D(0))]
    assert estimates.pay(row("TRADING_FEE", "-1", "b"))
    assert left(estimates) == []


def test_a_trade_without_a_fee_needs_no_row() -> None:
    """If the list of fills shows a fee of 0, no income row is waited for."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "3", trade_id=None, fee=D(0)))
    estimates.list([listed("a", "3", fee=D(0))])
    assert left(estimates) == []


def test_a_trade_with_ourselves_has_two_sides() -> None:
    """Two orders of ours with one trade id have two rows of each kind, and each row pays one order."""
    estimates = Estimates()
    for order in "12":
        add(estimates, fill(order, "0", "1", trade_id="t", realized_pnl=D(5)))
    for kind, both in (
        ("REALIZED_PNL", [(D("0.1"), D(0)), (D("0.1"), D(5))]),
        ("REALIZED_PNL", [(D("0.1"), D(0))] * 2),
    ):
        assert estimates.pay(row(kind, "5", "t"))
        assert left(estimates) == both
    assert estimates.pay(row("REALIZED_PNL", "5", "t"))  # a third row pays nothing, but its trade is known
    assert estimates.pay(row("TRADING_FEE", "-1", "t"))
    assert left(estimates) == [(D("0.1"), D(0))]
    assert estimates.pay(row("TRADING_FEE", "-1", "t"))
    assert left(estimates) == []
    assert estimates.pay(row("TRADING_FEE", "-1", "t"))


@pytest.mark.parametrize("shown", ["", "before", "after"])
@pytest.mark.parametrize(
    ("fee", "pnl", "kinds", "expected"),
    [
        pytest.param("0.1", "0", "F", [], id="opens"),
        pytest.param("0.1", "0", "PF", [], id="a row of no PnL"),
        pytest.param("0.1", "0", "P", [("0.1", "0")], id="a row of no PnL, and its fee to come"),
        pytest.param("0.1", "5", "P", [("0.1", "0")], id="closes, PnL first"),
        pytest.param("0.1", "5", "F", [("0", "5")], id="closes, fee first"),
        pytest.param("0.1", "5", "PF", [], id="closes, both"),
        pytest.param("0.1", "5", "FP", [], id="closes, both the other way round"),
        pytest.param("0", "5", "P", [], id="costs nothing"),
        pytest.param(None, None, "P", [(None, "0")], id="unknown, PnL"),
        pytest.param(None, None, "F", [], id="unknown, fee"),
    ],
)
def test_a_lone_trade_is_paid_by_its_rows(
    fee: str | None, pnl: str | None, kinds: str, expected: list[tuple[str | None, str | None]], shown: str
) -> None:
    """So it is if the list of fills shows the trade before its rows, after them or never; the trade stays known."""
    estimates, costs = Estimates(), {"fee": fee and D(fee), "realized_pnl": pnl and D(pnl)}
    add(estimates, fill("1", "0", "1", trade_id="t", **costs))
    if shown == "before":
        estimates.list([listed("t", "1")])
    for kind in kinds:
        assert estimates.pay(row({"F": "TRADING_FEE", "P": "REALIZED_PNL"}[kind], "1", "t"))
    if shown == "after":
        estimates.list([listed("t", "1")])
    assert left(estimates) == [(fee and D(fee), pnl and D(pnl)) for fee, pnl in expected]
    assert estimates.pay(row("REALIZED_PNL", "0", "t"))


@pytest.mark.parametrize("shown", [True, False])
def test_a_trade_that_is_delivered_with_its_name_pays_for_no_other(shown: bool) -> None:
    """A trade named by a read pays its own fill, not one that frames delivered for the same order without a name."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "1", trade_id=None))
    if shown:
        estimates.list([listed("b", "1")])
        estimates.pay(row("TRADING_FEE", "-1", "b"))
        assert left(estimates) == []  # b may be what was delivered: nothing says otherwise
    add(estimates, fill("1", "1", "2", trade_id="b"))
    estimates.list([listed("b", "1"), listed("a", "1")])
    assert estimates.pay(row("TRADING_FEE", "-1", "b"))
    assert estimates.pay(row("TRADING_FEE", "-1", "a"))
    add(estimates, fill("1", "2", "3", trade_id=None))
    assert len(left(estimates)) == 1


def test_a_trade_that_was_delivered_in_part_pays_for_the_rest() -> None:
    """If a fill was cut, one part has the trade's id and the rest was delivered before without: the trade pays both."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "1", trade_id=None))
    add(estimates, fill("1", "1", "2", trade_id="a", fee=None, realized_pnl=None))
    estimates.list([listed("a", "2")])
    estimates.pay(row("TRADING_FEE", "-1", "a"))
    assert left(estimates) == []


def test_what_is_paid_by_time_is_not_paid_again_by_name() -> None:
    """After all fills before a time were paid together, a row that names one of them pays nothing more."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "1", trade_id=None))
    add(estimates, fill("1", "1", "2", trade_id=None, exchange_ts=T0 + 3000))
    add(estimates, fill("2", "0", "1", trade_id="b"))
    add(estimates, fill("2", "1", "2", trade_id="c", exchange_ts=None))
    estimates.match_ahead(row("TRADING_FEE", "-1", "a"))
    estimates.match_ahead(row("REALIZED_PNL", "-1", "a"))
    estimates.match_ahead(row("TRADING_FEE", "-1", None))
    add(estimates, fill("3", "0", "1", trade_id="d", exchange_ts=T0 + 3000))
    estimates.list([listed("d", "2", "3")])
    estimates.pay_until(T0 + 2000)
    assert len(left(estimates)) == 3
    estimates.list([listed("a", "1")])
    assert len(left(estimates)) == 3
    assert not estimates.pay(row("TRADING_FEE", "-1", "?"))
    assert estimates.pay(row("TRADING_FEE", "-1", "b"))


def test_old_trades_are_forgotten_unless_they_are_unpaid() -> None:
    """Paid trades are forgotten once reads cannot show them again."""
    estimates = Estimates()
    add(estimates, fill("1", "0", "1", trade_id="a"))
    add(estimates, fill("1", "1", "2", trade_id=None))
    estimates.list([listed("b", "5", "2"), listed("c", "5", "3")])
    estimates.pay(row("TRADING_FEE", "-1", "c"))
    estimates.match_ahead(row("TRADING_FEE", "-1", "d"))
    estimates.forget(T0 + 2000)
    assert not estimates.pay(row("TRADING_FEE", "-1", "b"))
    assert estimates.pay(row("TRADING_FEE", "-1", "a"))
    assert left(estimates) == [(D("0.1"), D(0))]
    add(estimates, fill("3", "0", "5", trade_id=None))
    add(estimates, fill("4", "0", "1", trade_id="d"))
    assert len(left(estimates)) == 3


def test_what_has_waited_longest_is_given_up_first() -> None:
    """Named trades go before others; of a trade between two of our orders, only one part goes."""
    estimates = Estimates()
    add(estimates, fill("3", "0", "1", trade_id=None, fee=D(3)))
    for order in "12":
        add(estimates, fill(order, "0", "1", trade_id="t", fee=D(order)))
    assert [estimates.evict_oldest().fee for _ in range(3)] == [1, 2, 3]
    assert left(estimates) == []


def test_what_a_row_has_named_is_given_up_in_its_turn() -> None:
    """A fill whose trade was listed for another order is dropped in the order of age too."""
    estimates = Estimates()
    for order, after in (("1", 2), ("2", 1), ("3", 3)):
        add(estimates, fill(order, "0", "1", trade_id=order, fee=D(order), exchange_ts=T0 + after))
    estimates.list([listed("1", "2", "1")])
    assert [estimates.evict_oldest().fee for _ in range(3)] == [2, 1, 3]
    assert left(estimates) == []


def steps() -> st.SearchStrategy[tuple[str, Any]]:
    """Random steps with few names, so that they meet: two symbols, two orders, two trades."""
    amount = st.sampled_from([None, D(0), D("0.1"), D(5)])
    symbol, order, trade = st.sampled_from("XY"), st.sampled_from("12"), st.sampled_from("ab")
    qty, when = st.integers(1, 2).map(D), st.sampled_from([T0, T0 + 1000, T0 + 2000])
    costs = {"fee": amount, "realized_pnl": amount}
    common = {"symbol": symbol, "trade_id": st.none() | trade, "exchange_ts": when}
    delivered = st.builds(
        lambda order, start, qty, **rest: test_ledger.fill(order, str(start), str(start + qty), **rest),
        order,
        st.integers(0, 2),
        qty,
        **{**common, **costs, "exchange_ts": st.none() | when},
    )
    income = st.builds(
        lambda kind, trade_id, **rest: row(kind, "-1", trade_id, **rest),
        st.sampled_from(["TRADING_FEE", "REALIZED_PNL"]),
        trade_id=st.none() | trade,
        symbol=symbol,
        exchange_ts=when,
    )
    return st.one_of(
        st.tuples(st.just("add"), delivered.map(execution)),
        st.tuples(st.just("add"), delivered.map(execution)),
        st.tuples(st.just("revise"), st.builds(revision, delivered, **costs)),
        st.tuples(st.just("list"), st.builds(FillReport, order_id=order, qty=qty, fee=amount, **common)),
        st.tuples(st.just("pay"), income),
        st.tuples(st.just("pay"), income),
        st.tuples(st.just("match_ahead"), income),
        st.tuples(st.sampled_from(["pay_until", "forget"]), when),
        st.tuples(st.just("evict_oldest"), st.none()),
    )


def revision(original: Fill, **costs: D | None) -> FillRevised:
    same = {name: getattr(original, name) for name in Fill.__struct_fields__ if name not in ("kind", "event_id")}
    return FillRevised(**{**same, **costs}, event_id="revised", replaces=original.event_id)


def known(fills: Iterable[Execution]) -> list[str]:
    return sorted(map(repr, fills))


@given(st.lists(steps(), max_size=14))
def test_quick_or_not_estimates_are_as_they_are_defined(history: list[tuple[str, Any]]) -> None:
    """After any history of steps the estimates are those of the naive implementation."""
    estimates, naive = Estimates(), Naive()
    for name, given_to in history:
        if name == "evict_oldest":
            if known(estimates):
                naive.given_up(estimates.evict_oldest())
        elif name == "list":
            estimates.list([given_to])
            naive.list(given_to)
        else:
            assert getattr(estimates, name)(given_to) == getattr(naive, name)(given_to)
        assert known(estimates) == known(naive)
