"""Positions that a read leaves out: explained by fills, believed at the second read, or taken for no answer at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.book import Reconciliation
from listenkey.core.events import AccountUpdate, Health
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account, OddRow

from ..exchange import D
from ..trading import Plan, TradingWorld, ready, trading

Listed = Literal["rows", "none", "hollow"]


def holding() -> TradingWorld:
    """A LIVE stream with a position of 5, delivered by a settled read."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5", price=None)
    world.exchange.fill(order, "5")
    world.passes(40)
    return world


def none(listed: Listed) -> Callable[[Account], Account]:
    return lambda account: msgspec.structs.replace(account, positions=(), positions_listed=listed)


def holdings(world: TradingWorld, since: int = 0) -> list[list[str]]:
    """The positions that a consumer has after each account update."""
    held: dict[tuple[str, str | None], str] = {}
    history = []
    for event in world.delivered:
        if isinstance(event, AccountUpdate):
            held = {} if event.complete else held
            for each in event.positions:
                held[each.symbol, each.side] = f"{each.symbol} {each.qty}" if each.qty else ""
            history.append([position for position in held.values() if position])
    return history[since:]


def test_no_list_at_all_is_no_answer_while_a_position_is_held() -> None:
    """Each such read fails; a gap opens after two intervals and closes with the first list."""
    world = holding()
    proven = world.marks[-1]
    world.exchange.altered = none("hollow")
    world.passes(30)
    assert holdings(world)[-1] == ["BTC-USDT 5"]
    assert world.marks[-1] == proven
    assert world.health is Health.LIVE
    world.passes(30)
    assert world.gaps[-1] == ("GAP_OPENED", "read_failed")
    world.exchange.altered = lambda account: account
    world.passes(60)
    assert world.gaps[-1] == ("GAP_CLOSED", "read_failed")
    said = {report.anomaly.name: report.anomaly.detail for report in world.seen(actions.Report)}
    assert said["hollow answer"] == "no list of positions, where some are held"


@pytest.mark.parametrize("listed", ["none", "hollow"])
@pytest.mark.parametrize("how", ["fills", "push", "recovered", "part recovered"])
def test_what_closes_a_position_explains_that_it_is_not_listed(listed: Listed, how: str) -> None:
    """Delivered fills, a push, or fills in the same read explain it."""
    world = holding()
    world.exchange.pushes_account = how == "push"
    closing = world.exchange.place("5", side="SELL", price=None)
    if how == "part recovered":
        world.exchange.fill(closing, "2")
    if "recovered" in how:
        world.exchange.lose()
    if how == "push":
        world.exchange.lose()
    world.exchange.fill(closing, "3" if how == "part recovered" else "5")
    world.exchange.altered = none(listed)
    world.passes(1)
    world.feed(inputs.Resync())
    world.passes(30)
    assert holdings(world)[-1] == []
    assert world.health is Health.LIVE


def test_an_empty_list_that_nothing_explains_is_believed_at_the_second_read() -> None:
    """After the first read the position is delivered as it was, and the second read comes soon."""
    world = holding()
    reads = len(world.times(actions.ReadAccount))
    world.exchange.altered = none("none")
    world.feed(inputs.Resync())
    world.passes(1)
    assert holdings(world)[-1] == ["BTC-USDT 5"]
    world.passes(7)
    assert len(world.times(actions.ReadAccount)) == reads + 2
    assert holdings(world)[-1] == []
    assert world.gaps == []


def test_an_empty_list_that_was_a_mistake_leaves_no_trace() -> None:
    """If the next read has rows, an empty list later is again the first."""
    world = holding()
    seen = len(holdings(world))
    world.exchange.altered = none("none")
    world.feed(inputs.Resync())
    world.passes(1)
    world.exchange.altered = lambda account: account
    world.passes(7)
    world.exchange.altered = none("none")
    world.feed(inputs.Resync())
    world.passes(1)
    assert all(positions == ["BTC-USDT 5"] for positions in holdings(world, seen))


def test_fills_of_a_read_that_was_not_settled_explain_nothing() -> None:
    """The position may have been read with the fills or without: they give its change, not its size."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    world.exchange.positions.append((0, {"BTC-USDT": D(10)}))
    closing = world.exchange.place("10", side="SELL")
    world.exchange.altered = lambda account: msgspec.structs.replace(account, settled=False)
    world.exchange.reads.append(Plan(takes=1))
    world.feed(inputs.Start())
    world.at(0.3, lambda: world.exchange.fill(closing, "5"))
    world.run(3)
    assert holdings(world)[-1] == ["BTC-USDT 5"]
    world.exchange.altered = none("hollow")
    world.passes(20)
    assert [interval[:2] for interval in world.intervals(closing)] == [("0", "5")]
    assert holdings(world)[-1] == ["BTC-USDT 5"]


def beginning(listed: Listed, **amounts: str) -> TradingWorld:
    """A stream whose first read has such a list of positions, and balances with these amounts."""
    world = trading(start=False, audit_interval=20)
    world.exchange.pushes_account = False

    def alter(account: Account) -> Account:
        balances = tuple(
            msgspec.structs.replace(balance, **{name: D(amount) for name, amount in amounts.items()})
            for balance in account.balances
        )
        return msgspec.structs.replace(none(listed)(account), balances=balances)

    world.exchange.altered = alter
    world.feed(inputs.Start())
    return world


@pytest.mark.parametrize(
    ("listed", "amounts", "fails"),
    [
        pytest.param("hollow", {"unrealized_pnl": "-0.5"}, True, id="no list, though a profit is open"),
        pytest.param("none", {"unrealized_pnl": "-0.5"}, False, id="an empty one, though a profit is open"),
        pytest.param("hollow", {"used_margin": "20"}, False, id="no list, though margin is bound"),
        pytest.param("none", {"used_margin": "20"}, False, id="an empty one, though margin is bound"),
    ],
)
def test_balances_belie_a_first_list_without_positions(listed: Listed, amounts: dict[str, str], fails: bool) -> None:
    """If balances show a position, no complete account is delivered before a list comes or a second read agrees."""
    world = beginning(listed, **amounts)
    world.run(6)
    assert not [event for event in world.events(AccountUpdate) if event.complete]
    assert bool(world.marks) is not fails
    world.passes(60)
    assert holdings(world)[-1:] == ([] if fails else [[]])
    world.exchange.altered = lambda account: account
    world.passes(60)
    assert holdings(world)[-1] == []
    assert world.health is Health.LIVE


@pytest.mark.parametrize("listed", ["none", "hollow"])
@pytest.mark.parametrize("amounts", [{}, {"unrealized_pnl": "0", "used_margin": "0"}], ids=["unknown", "zero"])
def test_an_account_that_holds_nothing_is_believed_at_once(listed: Listed, amounts: dict[str, str]) -> None:
    """With balances that show no position an empty list is believed; margin may be that of open orders."""
    world = beginning(listed, **amounts)
    world.run(6)
    assert [event.complete for event in world.events(AccountUpdate)] == [True]
    ordered = beginning(listed, used_margin="20")
    ordered.exchange.place("5")
    ordered.run(6)
    assert [event.complete for event in ordered.events(AccountUpdate)] == [True]


def test_an_order_whose_row_cannot_be_read_may_bind_the_margin() -> None:
    """An order whose row cannot be read may be open, and its margin explains the balances."""
    world = beginning("none", used_margin="20")
    row, alter = (
        OddRow(kind="order", endpoint="openOrders", excerpt="{}", symbol="BTC-USDT", order_id="7"),
        world.exchange.altered,
    )
    world.exchange.altered = lambda account: msgspec.structs.replace(alter(account), odd=(row,))
    world.run(6)
    assert [event.complete for event in world.events(AccountUpdate)][:1] == [True]


def test_a_hollow_answer_right_after_an_interruption_leaves_the_gap_open() -> None:
    """The held frames are delivered as after any read that fails."""
    world = holding()
    world.exchange.altered = none("hollow")
    world.drop_all()
    world.passes(3)
    assert world.gap_open
    order = world.exchange.place("2", price=None)
    world.exchange.fill(order, "2")
    world.passes(1)
    assert world.intervals(order) == [("0", "2", "ws")]


def test_without_income_a_read_passes_and_no_book_is_proven() -> None:
    """It is reported once; when income comes again, the books are compared again."""
    refusal = Refusal(RefusalKind.FATAL, "100004", "Permission denied")
    world = holding()

    def status() -> Reconciliation:
        (book,) = world.connection.books
        return book.status

    assert status() is Reconciliation.MATCHED
    world.exchange.altered = lambda account: msgspec.structs.replace(account, income=(), income_refused=refusal)
    proven = world.marks[-1]
    world.passes(50)
    assert world.marks[-1] > proven
    assert status() is Reconciliation.UNPROVEN
    names = [report.anomaly for report in world.seen(actions.Report)]
    assert [(anomaly.name, anomaly.detail) for anomaly in names] == [("income refused", "100004: Permission denied")]
    assert world.gaps == []
    world.exchange.altered = lambda account: account
    world.passes(30)
    assert status() is Reconciliation.MATCHED


def test_fills_that_were_delivered_explain_it_before_any_read_was_settled() -> None:
    """The last fills close it; earlier ones may be in the delivered position or not."""
    world = trading(start=False, audit_interval=20)
    world.exchange.pushes_account = False
    opening = world.exchange.place("9")
    world.exchange.fill(opening, "5")
    world.exchange.altered = lambda account: msgspec.structs.replace(account, settled=False)
    world.feed(inputs.Start())
    world.run(10)
    world.exchange.fill(opening, "1")
    world.passes(30)
    assert holdings(world)[-1] == ["BTC-USDT 6"]
    closing = world.exchange.place("6", side="SELL", price=None)
    world.exchange.altered = none("hollow")
    world.passes(30)
    assert holdings(world)[-1] == ["BTC-USDT 6"]
    world.exchange.fill(closing, "4")
    world.passes(1)
    world.exchange.lose()
    world.exchange.fill(closing, "2")
    world.passes(60)
    assert holdings(world)[-1] == []
    assert world.health is Health.LIVE


def test_fills_explain_it_whatever_side_their_rows_name_where_the_account_nets() -> None:
    """In one-way mode the venue may write LONG in every row of a fill; the order's row has no side."""
    world = holding()
    world.exchange.pushes_account = False
    closing = world.exchange.place("5", side="SELL", price=None)
    world.exchange.lose()
    world.exchange.fill(closing, "5")

    def alter(account: Account) -> Account:
        fills = tuple(msgspec.structs.replace(row, position_side="LONG") for row in account.fills)
        return msgspec.structs.replace(none("hollow")(account), fills=fills)

    world.exchange.altered = alter
    world.passes(40)
    assert world.intervals(closing) == [("0", "5", "poll")]
    assert holdings(world)[-1] == []
