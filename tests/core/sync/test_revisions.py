"""Fills revised by the rows of a read: tables over `Revisions`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from listenkey.core import actions
from listenkey.core.account.orders import Orders
from listenkey.core.account.unknowns import Unknowns
from listenkey.core.context import Context
from listenkey.core.events import Fill, FillRevised
from listenkey.core.execution import Execution, execution
from listenkey.core.policy import Policy
from listenkey.core.reports import Account, FillReport, IncomeReport, OrderRef, OrderReport
from listenkey.core.sync import revisions as module
from listenkey.core.sync.revisions import INCOME_MS, Revisions
from listenkey.core.sync.scope import Scope

from ..books import test_ledger
from ..exchange import D

T0 = 1_700_000_000_000
MINUTE = 60_000
REF = OrderRef("X", "1")


def fill(start: str, end: str, **changes: Any) -> Execution:
    """A fill as a frame without figures delivers it; `changes` may give some."""
    bare = {"fee": None, "realized_pnl": None, "trade_id": None, "exchange_ts": T0, **changes}
    return execution(test_ledger.fill("1", start, end, **bare))


def row(qty: str, trade: str | None, fee: str | None, pnl: str | None = "0", **changes: Any) -> FillReport:
    return FillReport(
        **{
            "symbol": "X",
            "order_id": "1",
            "qty": D(qty),
            "exchange_ts": T0 - 1000,
            "price": D(10),
            "trade_id": trade,
            "fee": None if fee is None else D(fee),
            "fee_asset": "USDT",
            "realized_pnl": None if pnl is None else D(pnl),
            **changes,
        }
    )


def income(kind: str, amount: str, trade: str | None, **changes: Any) -> IncomeReport:
    return test_ledger.row(kind, amount, trade, **changes)


def read(*rows: FillReport, executed: str, paid: tuple[IncomeReport, ...] = (), **changes: Any) -> Scope:
    """A read of one order, which by default was created within the window, with these rows."""
    order = OrderReport(
        symbol="X",
        order_id="1",
        status="PARTIALLY_FILLED",
        cumulative_qty=D(executed),
        average_price=D("10.00000000"),
        exchange_ts=T0,
        created_ts=changes.pop("created", T0 - MINUTE),
    )
    as_of = changes.pop("as_of", T0 + MINUTE)
    account = Account(
        as_of=as_of,
        exchange_ms=as_of,
        since=T0 - 2 * MINUTE,
        whole=True,
        settled=True,
        orders=changes.pop("orders", (order,)),
        fills=rows,
        income=paid,
    )
    return Scope(account, None, changes.pop("shown_until", as_of - 5000), grain=1000)


class Desk:
    """`Revisions`, and the revisions that they deliver."""

    def __init__(self, *fills: Execution, merges: bool = True, cumulative: bool = False) -> None:
        context = Context(Policy(), 0, grain=1000)
        context.now = 0.0
        self.context = context
        orders = Orders(context, cumulative, Unknowns(context))
        orders.merges = merges
        self.revisions = Revisions(context, orders, cumulative)
        for each in fills:
            self.revisions.add(each)

    def compare(self, scope: Scope, until: int = T0 + MINUTE) -> list[tuple[str | None, ...]]:
        """Price, fee, asset and PnL of each revision that this read delivers."""
        self.context.actions = []
        self.revisions.compare(scope, until)
        events = [action.event for action in self.context.actions if isinstance(action, actions.Deliver)]
        return [
            tuple(None if each is None else str(each) for each in (e.fill_price, e.fee, e.fee_asset, e.realized_pnl))
            for e in events
            if isinstance(e, FillRevised)
        ]


PARTS = (row("1", "a", "0.1", "1"), row("2", "b", "0.2", "2"))


@pytest.mark.parametrize(
    ("delivered", "rows", "expected"),
    [
        pytest.param({}, PARTS, [("10", "0.3", "USDT", "3")], id="all of it"),
        pytest.param({"fee": D("0.2"), "realized_pnl": D(2)}, PARTS, [("10", "0.3", "USDT", "3")], id="another's"),
        pytest.param({"fee": D("0.3"), "realized_pnl": D(3)}, PARTS, [], id="as it was delivered"),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(2)}, PARTS, [("10", "0.3", "USDT", "3")], id="one of the figures"
        ),
        pytest.param(
            {"fee_asset": None},
            (row("1", "a", "0.1", fee_asset=None), row("2", "b", "0.2", fee_asset=None)),
            [("10", "0.3", None, "0")],
            id="no asset anywhere",
        ),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(0), "fee_asset": "BNB"},
            (row("1", "a", "0.1"), row("2", "b", "0.2")),
            [("10", "0.3", "USDT", "0")],
            id="another asset",
        ),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(0)},
            (row("1", "a", "0.1"), row("2", "b", "0.2", fee_asset="BNB")),
            [("10", None, None, "0")],
            id="two assets",
        ),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(2)},
            (row("1", "a", "0.1", None), row("2", "b", "0.2", "2")),
            [("10", "0.3", "USDT", None)],
            id="one part's PnL is not known, and the frame spoke of one",
        ),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(2)},
            (row("1", "a", None, "1"), row("2", "b", "0.2", "2")),
            [("10", None, "USDT", "3")],
            id="one part's fee is not known",
        ),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(2)},
            (row("3", "a", None, None),),
            [],
            id="what the row does not say",
        ),
        pytest.param(
            {"fee": D("0.12345678"), "realized_pnl": D("-1.005")},
            (row("3", "a", "0.1235", "-1.00"),),
            [],
            id="rounded to the row's decimals",
        ),
        pytest.param(
            {"fee": D("0.12345678"), "realized_pnl": D(0)},
            (row("3", "a", "0.1234"),),
            [("10", "0.1234", "USDT", "0")],
            id="not to those",
        ),
        pytest.param(
            {"fee": D("0.1"), "realized_pnl": D("0.3")},
            (row("1", "a", "0", "0.1"), row("2", "b", "0.1", "0.3")),
            [("10", "0.1", "USDT", "0.4")],
            id="one unit more is more",
        ),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(3), "fill_price": None}, PARTS, [("10", "0.3", "USDT", "3")], id="price"
        ),
        pytest.param(
            {"fee": D(0), "realized_pnl": D(0), "fill_price": None},
            (row("1", "a", "0", price=D(10)), row("2", "b", "0", price=D(11))),
            [("10.666666666666666667", "0", "USDT", "0")],
            id="two prices",
        ),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(3), "fill_price": D("10.00000001")}, PARTS, [], id="a rounded average"
        ),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(3), "fill_price": D("10.01")},
            PARTS,
            [("10", "0.3", "USDT", "3")],
            id="beyond rounding",
        ),
        pytest.param(
            {"fee": D(0), "realized_pnl": D(0)}, (row("3", "a", "0", price=None),), [], id="no price in a row"
        ),
    ],
)
def test_what_rows_say(delivered: dict[str, Any], rows: tuple[FillReport, ...], expected: list[Any]) -> None:
    """A fill gets the figures of exactly the rows that it consists of; None if these have none."""
    desk = Desk(fill("0", "3", **delivered))
    scope = read(*rows, executed="3")
    assert desk.compare(scope) == expected
    assert desk.compare(scope) == []


def test_a_frame_that_says_its_quantity_speaks_for_all_of_it() -> None:
    """If frames have their own quantity or totals, several rows of a fill change none of its figures."""
    delivered = fill("0", "3", fee=D("0.3"), realized_pnl=D(3), trade_id="b")
    rows = (row("1", "a", "0.1", None), row("2", "b", None, "2"))
    assert Desk(delivered, merges=False).compare(read(*rows, executed="3")) == []
    assert Desk(delivered, cumulative=True).compare(read(*rows, executed="3")) == []


@pytest.mark.parametrize("merges", [True, False])
@pytest.mark.parametrize(
    ("delivered", "rows", "expected"),
    [
        pytest.param({"fee": D("0.3"), "realized_pnl": D(9)}, ("0.1", None, "0.2", None), [], id="the fee is of both"),
        pytest.param({"fee": D("0.5"), "realized_pnl": D(3)}, (None, "1", None, "2"), [], id="the PnL is of both"),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(2)},
            ("0.1", None, "0.2", "2"),
            [("10", "0.3", "USDT", None)],
            id="the fee is of one",
        ),
        pytest.param(
            {"fee": D("0.2"), "realized_pnl": D(2)},
            (None, "1", "0.2", "2"),
            [("10", None, "USDT", "3")],
            id="the PnL is of one",
        ),
        pytest.param(
            {"fee": D("0.3"), "realized_pnl": D(9)}, ("0.1", "8", "0.2", None), [], id="of both, and one row says PnL"
        ),
    ],
)
def test_what_was_delivered_is_taken_back_only_where_a_figure_shows_that_it_was_of_one_part(
    delivered: dict[str, Any], rows: tuple[str | None, ...], expected: list[Any], merges: bool
) -> None:
    """If the other figure is the sum of all rows, the frame's figures are of all of them, and those not in rows stay.

    If it is that of one row, the frame's figures are of that fill alone. The kind of wire does not matter then.
    """
    parts = (row("1", "a", *rows[:2]), row("2", "b", *rows[2:]))
    assert Desk(fill("0", "3", **delivered), merges=merges).compare(read(*parts, executed="3")) == expected


@pytest.mark.parametrize(
    ("delivered", "rows"),
    [
        pytest.param({"fee": D("0.2"), "realized_pnl": D(2)}, (None, None, None, None), id="rows say nothing"),
        pytest.param({"fee": D(0), "realized_pnl": D(2)}, ("0", None, "0", None), id="a sum that is one's as well"),
        pytest.param({"fee": None, "realized_pnl": D(2)}, ("0.1", None, "0.2", None), id="no fee was delivered"),
    ],
)
def test_without_such_a_figure_the_wire_says_of_how_much_a_frame_spoke(
    delivered: dict[str, Any], rows: tuple[str | None, ...]
) -> None:
    """If the wire leaves out last quantities the figures are of one fill, else of all of the frame's quantity."""
    parts = (row("1", "a", *rows[:2]), row("2", "b", *rows[2:]))
    (revised,) = Desk(fill("0", "3", **delivered)).compare(read(*parts, executed="3"))
    assert revised[3] is None
    kept = Desk(fill("0", "3", **delivered), merges=False).compare(read(*parts, executed="3"))
    assert [figures[3] for figures in kept] in ([], ["2"])


def test_an_income_row_that_names_the_trade_goes_before_a_fill_row() -> None:
    """Income gives its amount and asset; figures without an income row come from the fill's row."""
    paid = (income("TRADING_FEE", "-0.15", "a", asset="BNB"), income("REALIZED_PNL", "5", "a"))
    desk = Desk(fill("0", "1"))
    assert desk.compare(read(row("1", "a", "0.1", "1"), executed="1", paid=paid)) == [("10", "0.15", "BNB", "5")]
    paid = (income("TRADING_FEE", "-0.15", "a", asset=None), income("TRADING_FEE", "-9", None))
    desk = Desk(fill("0", "1"))
    assert desk.compare(read(row("1", "a", "0.1", "1"), executed="1", paid=paid)) == [("10", "0.15", "USDT", "1")]


def test_income_that_names_two_fills_says_nothing_of_either() -> None:
    """If two income rows name one trade, or two of our fills have it, only the fills' own rows count."""
    twice = (income("TRADING_FEE", "-0.15", "a"), income("TRADING_FEE", "-0.25", "a", tran_id="other"))
    desk = Desk(fill("0", "1"))
    assert desk.compare(read(row("1", "a", "0.1"), executed="1", paid=twice)) == [("10", "0.1", "USDT", "0")]
    desk = Desk(fill("0", "1"))
    rows = (row("1", "a", "0.1"), row("1", "a", "0.1", order_id="2"))
    assert desk.compare(read(*rows, executed="1", paid=twice[:1])) == [("10", "0.1", "USDT", "0")]


def test_what_is_not_known_is_revised_by_income_for_ten_minutes() -> None:
    """Income rows of all its trades give a missing figure, each figure once."""
    rows = (row("1", "a", None, None), row("2", "b", "0.2", None))
    desk = Desk(fill("0", "3"))
    assert desk.compare(read(*rows, executed="3")) == []
    fee = income("TRADING_FEE", "-0.1", "a")
    assert desk.compare(read(executed="3", paid=(fee,))) == [("10", "0.3", "USDT", None)]
    pnl: tuple[IncomeReport, ...] = (income("REALIZED_PNL", "1", "a"), fee)
    assert desk.compare(read(executed="3", paid=pnl)) == []
    pnl = (*pnl, income("REALIZED_PNL", "2", "b"))
    late = T0 + MINUTE + INCOME_MS
    assert Desk().compare(read(executed="3", paid=pnl)) == []
    assert desk.compare(read(executed="3", paid=pnl, as_of=late)) == [("10", "0.3", "USDT", "3")]
    assert desk.compare(read(executed="3", paid=pnl, as_of=late)) == []


def test_later_income_says_nothing_after_ten_minutes_or_in_two_assets() -> None:
    """Then the figure stays unknown."""
    rows = (row("1", "a", None), row("2", "b", "0.2"))
    desk = Desk(fill("0", "3"))
    desk.compare(read(*rows, executed="3"))
    assert desk.compare(read(executed="3", paid=(income("TRADING_FEE", "-1", "a", asset="BNB"),))) == []
    paid = (income("TRADING_FEE", "-1", "a"),)
    assert desk.compare(read(executed="3", paid=paid, as_of=T0 + 2 * MINUTE + INCOME_MS)) == []
    assert desk.compare(read(executed="3", paid=paid)) == []


def test_a_figure_that_was_taken_back_stays_so() -> None:
    """A figure that was revised to unknown is not revised again."""
    rows = (row("1", "a", None), row("2", "b", "0.2"))
    desk = Desk(fill("0", "3", fee=D("0.2"), realized_pnl=D(0)))
    assert desk.compare(read(*rows, executed="3")) == [("10", None, "USDT", "0")]
    assert desk.compare(read(executed="3", paid=(income("TRADING_FEE", "-1", "a"),))) == []


def test_only_what_the_read_proves_is_compared() -> None:
    """Later fills wait for the read that proves them; a fill without a time counts as old."""
    desk = Desk(fill("0", "1", exchange_ts=T0), fill("1", "2", exchange_ts=None))
    rows = (row("1", "a", "0.1"), row("1", "b", "0.2"))
    assert desk.compare(read(*rows, executed="2"), until=T0 - 1) == [("10", "0.2", "USDT", "0")]
    assert desk.compare(read(*rows, executed="2"), until=T0) == [("10", "0.1", "USDT", "0")]


OLD: dict[str, Any] = {"created": T0 - 60 * MINUTE}


@pytest.mark.parametrize(
    ("delivered", "scope", "expected"),
    [
        pytest.param(fill("1", "3"), read(*PARTS, executed="3"), ["0.2"], id="its end is a row's, and its beginning"),
        pytest.param(fill("0", "2"), read(*PARTS, executed="3"), [], id="its end is no row's"),
        pytest.param(fill("2", "3"), read(*PARTS, executed="3"), [], id="its beginning is no row's"),
        pytest.param(fill("5", "8"), read(*PARTS, executed="8", **OLD), ["0.3"], id="quiet: from the top downward"),
        pytest.param(fill("0", "3"), read(*PARTS, executed="4"), ["0.3"], id="young: what is missing lies above"),
        pytest.param(
            fill("5", "8"), read(*PARTS, executed="8", shown_until=T0, **OLD), [], id="active: a row may be missing"
        ),
        pytest.param(fill("5", "8"), read(*PARTS, executed="2", **OLD), [], id="more rows than were executed"),
        pytest.param(
            fill("6", "8", trade_id="b"),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            ["0.2"],
            id="active, and the row with its trade and quantity",
        ),
        pytest.param(
            fill("5", "8", trade_id="b"),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            [],
            id="active, and its trade is a part of it",
        ),
        pytest.param(fill("0", "3"), read(*PARTS, executed="3", orders=()), [], id="an order that is not shown"),
        pytest.param(fill("0", "3"), read(executed="3"), [], id="no rows"),
    ],
)
def test_rows_of_a_sure_place(delivered: Execution, scope: Scope, expected: list[str]) -> None:
    """Both ends of the fill must be ends of rows of an order that adds up, or a row must be known to be the fill."""
    assert [revised[1] for revised in Desk(delivered).compare(scope)] == expected


@pytest.mark.parametrize(
    ("delivered", "scope", "unclear"),
    [
        pytest.param(fill("5", "8"), read(*PARTS, executed="8", **OLD), False, id="a sure place"),
        pytest.param(fill("5", "8"), read(*PARTS, executed="8", shown_until=T0, **OLD), True, id="none"),
        pytest.param(fill("4", "8"), read(*PARTS, executed="8", **OLD), True, id="its first rows are not listed"),
        pytest.param(fill("6", "8"), read(*PARTS, executed="8", shown_until=T0, **OLD), True, id="figures are missing"),
        pytest.param(
            fill("6", "8", fee=D("0.2"), realized_pnl=D(2)),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            False,
            id="a row agrees",
        ),
        pytest.param(
            fill("6", "8", fee=D("0.2"), realized_pnl=D(2), fill_price=None),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            True,
            id="the price is missing",
        ),
        pytest.param(
            fill("6", "8", trade_id="b"),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            False,
            id="its own row is known",
        ),
        pytest.param(
            fill("5", "8", exchange_ts=T0 + 1),
            read(*PARTS, executed="8", shown_until=T0, **OLD),
            False,
            id="too young to be proven",
        ),
    ],
)
def test_what_must_be_read_alone(delivered: Execution, scope: Scope, unclear: bool) -> None:
    """An order is read alone if its rows may revise a fill but have no sure place."""
    assert Desk(delivered, delivered).revisions.unclear(scope) == ({REF} if unclear else set())


def test_what_is_kept_is_bounded() -> None:
    """At most 100,000 fills are kept for comparison; the oldest are dropped."""
    assert module.LIMIT == 100_000
    desk = Desk(*(fill("0", "1", exchange_ts=T0) for _ in range(module.LIMIT)), fill("1", "2"))
    assert len(desk.revisions._kept) == module.LIMIT
    assert desk.revisions._kept[-1].cumulative_qty == 2


def test_a_run_goes_on_where_the_one_before_ended() -> None:
    """A revision of the run before stays valid and is not repeated."""
    rows = (row("1", "a", "0.1"), row("2", "b", "0.2"))
    desk = Desk(fill("0", "1", fill_price=None), fill("1", "3"))
    scope = read(*rows, executed="3")
    desk.compare(scope)
    revised = [action.event for action in desk.context.actions if isinstance(action, actions.Deliver)]
    assert len(revised) == 2
    again = Desk(fill("0", "1", fill_price=None), fill("1", "3"))
    first = revised[0]
    assert isinstance(first, FillRevised)
    again.revisions.recall(msgspec.structs.replace(first, fee=D(7)))
    assert again.compare(scope) == [("10", "0.2", "USDT", "0")]
    assert set(Fill.__struct_fields__) < set(FillRevised.__struct_fields__)
