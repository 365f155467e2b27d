"""A read is complete and lies between two lists of fills, and lists the orders that moved meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.core.refusal import RefusalKind
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import RequestRefused, TransportFailed
from listenkey.ports.service import Request, Step

from .venue import NOW, Row, Venue, balance_row, blank_row, fill_row, income_row, order_row, reply

DAY = 86_400_000
SINCE = NOW - 60_000


def read(
    venue: Venue,
    since: int | None = SINCE,
    orders: tuple[OrderRef, ...] = (),
    *,
    by_symbol: bool = False,
) -> Account:
    return venue.run(Reader(venue.rest(), by_symbol=by_symbol).read(since, orders))


def refused(venue: Venue, since: int | None = SINCE, orders: tuple[OrderRef, ...] = ()) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        read(venue, since, orders)
    return caught.value


def ref(order_id: int) -> OrderRef:
    return OrderRef("BTC-USDT", str(order_id))


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_whole_read(venue: Venue) -> None:
    """A whole read has all lists of the account, and is settled because nothing moved."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 4000, status="PENDING", executed="0.0")]
    venue.income = [income_row("FUNDING_FEE", "-0.0292", NOW - 3000, "t1")]
    account = read(venue)
    assert (account.whole, account.settled, account.since) == (True, True, SINCE)
    assert NOW <= account.as_of < account.exchange_ms <= venue.ms()
    assert [(fill.trade_id, fill.qty, fill.fee, fill.side) for fill in account.fills] == [
        ("7", Decimal("0.5"), Decimal("0.25"), "SELL")
    ]
    assert {order.order_id for order in account.orders} == {"11", "12"}
    assert account.open_orders == {"12"}
    assert [row.amount for row in account.income] == [Decimal("-0.0292")]
    (usdt,) = account.balances
    assert (usdt.wallet_balance, usdt.available) == (Decimal("1000.5"), Decimal("900.25"))


def test_order_of_requests(venue: Venue) -> None:
    """Orders, positions and balances are read between two lists of fills, after the time."""
    read(venue)
    names = [call.name for call in venue.calls]
    first, second = [place for place, name in enumerate(names) if name == "fillHistory"]
    assert names[0] == "time"
    for name in ("openOrders", "allOrders", "positions", "balance"):
        assert first < names.index(name) < second
    assert names.index("openOrders") < names.index("allOrders")


def test_window_is_left_open_and_in_seconds(venue: Venue) -> None:
    """A fill 200 ms after `since` is shown at a time before it; both ends of the window are always given."""
    venue.fills = [fill_row(1, 11, SINCE + 200)]
    venue.orders = [order_row(11, SINCE - 5000)]
    assert [fill.trade_id for fill in read(venue).fills] == ["1"]
    asked = [call.params for call in venue.calls if call.name == "fillHistory"]
    assert all(int(params["startTs"]) == SINCE // 1000 * 1000 - 1000 for params in asked)
    assert all(int(params["endTs"]) >= NOW for params in asked)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("pages", [0, 1, 999, 1000, 1001, 2500])
def test_pages(venue: Venue, pages: int, newest_first: bool) -> None:
    """All pages are read, with rows in either order, and the result is oldest first."""
    venue.newest_first = newest_first
    venue.fills = [fill_row(number + 1, 11, NOW - 30_000 + number * 10) for number in range(pages)]
    venue.orders = [order_row(11, NOW - 30_000)]
    found = [int(fill.trade_id or 0) for fill in read(venue).fills]
    assert found == list(range(1, pages + 1))


def test_a_list_that_may_have_come_to_its_end_is_asked_for_in_parts(venue: Venue) -> None:
    """A list of as many fills as the venue shows at most is asked for in parts, because more may exist."""
    venue.fills = [fill_row(number + 1, 11, NOW - 30_000 + number * 10) for number in range(2500)]
    venue.orders = [order_row(11, NOW - 40_000, executed="1250")]
    venue.most_fills = 1000
    account = read(venue)
    assert sorted(int(fill.trade_id or 0) for fill in account.fills) == list(range(1, 2501))


def test_pages_that_are_not_turned(venue: Venue) -> None:
    """If the venue ignores the page number, shorter windows are asked for, and all fills are found."""
    venue.turns_pages = False
    venue.fills = [fill_row(number, 11, NOW - 50_000 + number * 20) for number in range(1, 2201)]
    venue.orders = [order_row(11, NOW - 50_000)]
    assert len(read(venue).fills) == 2200


def test_rows_without_trade_id_count_each(venue: Venue) -> None:
    """Two equal rows without a trade id are two fills; two with the same one are one."""
    venue.fills = [fill_row(None, 11, NOW - 5000), fill_row(None, 11, NOW - 5000), *[fill_row(9, 11, NOW - 4000)] * 2]
    venue.orders = [order_row(11, NOW - 6000)]
    account = read(venue)
    assert [fill.trade_id for fill in account.fills] == [None, None, "9"]
    assert account.settled


def test_one_trade_between_two_own_orders(venue: Venue) -> None:
    """A trade between two own orders is two fills with one id."""
    venue.fills = [fill_row(5, 11, NOW - 5000), fill_row(5, 12, NOW - 5000, side="buy")]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 6000)]
    assert len(read(venue).fills) == 2


def test_history_ends(venue: Venue) -> None:
    """Fills go back 7 days, and an older `since` is moved up; income is read further back, in short windows."""
    since = NOW - 30 * DAY
    venue.income = [income_row("TRANSFER", "5", NOW - 20 * DAY, "t1")]
    account = read(venue, since)
    assert account.since is not None
    assert NOW - 7 * DAY < account.since < NOW - 7 * DAY + 120_000
    assert [row.tran_id for row in account.income] == ["t1"]


def test_income_beyond_the_limit(venue: Venue) -> None:
    """A list of income that is full is asked for in halves until no row is missing, with each row once."""
    venue.income = [income_row("TRADING_FEE", "-1", NOW - 59_000 + number * 17, f"t{number}") for number in range(3000)]
    assert len(read(venue).income) == 3000


def test_more_in_a_moment_than_is_shown(venue: Venue) -> None:
    """If rows of one moment may be missing in a list, the read has an odd row for them, and the rest is read."""
    venue.income = [income_row("TRADING_FEE", "-1", NOW - 20_000, f"t{number}") for number in range(1000)]
    account = read(venue)
    assert len(account.income) == 1000
    ((kind, endpoint),) = ((row.kind, row.endpoint) for row in account.odd)
    assert (kind, endpoint) == ("income", "income")


def test_fill_during_the_read(venue: Venue) -> None:
    """A fill between the lists leaves the read unsettled and names its order; it takes no second round."""

    def happen() -> None:
        venue.fills.append(fill_row(8, 11, venue.ms()))

    venue.orders = [order_row(11, NOW - 6000, executed="0.1", status="PARTIALLY_FILLED")]
    venue.before["positions", 1] = happen
    account = read(venue)
    assert (account.settled, account.moving) == (False, frozenset({"11"}))
    assert [fill.trade_id for fill in account.fills] == ["8"]
    assert venue.count("fillHistory") == 2


def test_income_during_the_read(venue: Venue) -> None:
    """Income that comes meanwhile leaves the read unsettled: the balance may or may not hold it."""
    venue.before["balance", 1] = lambda: venue.income.append(income_row("FUNDING_FEE", "1", venue.ms(), "t1"))
    account = read(venue)
    assert (account.settled, account.moving) == (False, frozenset())


def test_income_just_before_the_window(venue: Venue) -> None:
    """Income from just before the window, which a list shows, does not make the read unsettled."""
    venue.income = [income_row("FUNDING_FEE", "1", SINCE - 500, "t1"), income_row("FUNDING_FEE", "1", SINCE, "t2")]
    assert read(venue).settled


def test_late_row_starts_another_round(venue: Venue) -> None:
    """A fill older than the read that appears during it shows a late list, and begins another round."""
    venue.fills = [fill_row(8, 11, NOW - 10_000)]
    venue.orders = [order_row(11, NOW - 20_000)]
    venue.hidden_after = NOW - 15_000

    def appear() -> None:
        venue.hidden_after = None

    venue.before["positions", 1] = appear
    account = read(venue)
    assert account.settled
    assert venue.count("fillHistory") == 4


def test_vanishing_rows_give_three_rounds(venue: Venue) -> None:
    """If rows of the first list are missing in the second, the read takes three rounds, and is then not settled."""
    venue.fills = [fill_row(8, 11, NOW - 10_000)]
    venue.orders = [order_row(11, NOW - 20_000)]

    def flicker(hide: bool) -> Callable[[], None]:
        def turn() -> None:
            venue.hidden_after = NOW - 20_000 if hide else None

        return turn

    for number in range(1, 7):
        venue.before["fillHistory", number] = flicker(hide=number % 2 == 0)
    account = read(venue)
    assert (account.settled, account.moving) == (False, frozenset({"11"}))
    assert venue.count("fillHistory") == 6


def test_order_that_finishes_between_the_lists(venue: Venue) -> None:
    """An order that finishes between the two lists of orders is listed once, as finished."""
    venue.orders = [order_row(11, NOW - 6000, status="PENDING", executed="0.0")]
    venue.before["allOrders", 1] = lambda: venue.orders[0].update(status="CANCELLED")
    account = read(venue)
    assert [(order.order_id, order.status) for order in account.orders] == [("11", "CANCELED")]
    assert account.open_orders == frozenset()


def test_orders_outside_the_lists_are_read_alone(venue: Venue) -> None:
    """An order in no list is read by its id, or denied; one that has a fill in the lists is not read."""
    venue.orders = [order_row(11, NOW - 3 * DAY), order_row(12, NOW - 3 * DAY)]
    venue.fills = [fill_row(3, 12, NOW - 5000)]
    account = read(venue, orders=(ref(11), ref(12), ref(99)))
    assert {order.order_id for order in account.orders} == {"11"}
    assert account.denied == {ref(99)}


def test_no_such_order_fails_no_read_and_few_are_asked_for(venue: Venue) -> None:
    """Ten unknown orders are asked for in 480 s, because the venue counts them as failing calls.

    An order that was not asked for is not denied, and is asked for later. A known order is no failing call.
    """
    venue.orders = [order_row(50, NOW - 3 * DAY)]
    vanished = tuple(ref(number) for number in range(100, 120))

    reader = Reader(venue.rest())
    first = venue.run(reader.read(SINCE, (vanished[0], ref(50), *vanished[1:])))
    second = venue.run(reader.read(SINCE, vanished[10:]))
    asked = venue.count("order")
    venue.clock.now += 480
    third = venue.run(reader.read(venue.ms() - 5000, vanished[10:]))
    assert first.denied == {*vanished[:10]}
    assert [order.order_id for order in first.orders] == ["50"]
    assert second.denied == frozenset()
    assert asked == 11
    assert third.denied == {*vanished[10:]}


def test_what_was_denied_is_not_asked_for_again_in_one_read(venue: Venue) -> None:
    """A further round of a read does not ask again for orders that were denied."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000)]

    def vanish() -> None:
        venue.fills.clear()

    venue.before["fillHistory", 2] = vanish
    account = read(venue, orders=(ref(98), ref(99)))
    assert venue.count("fillHistory") == 4
    assert account.denied == {ref(98), ref(99)}
    assert venue.count("order") == 2


def test_symbol_by_symbol(venue: Venue) -> None:
    """If the venue needs a symbol, each symbol of orders, positions, income and fills is asked for."""
    venue.symbol_required = True
    venue.fills = [fill_row(1, 11, NOW - 5000), fill_row(2, 12, NOW - 5000, symbol="ETH-USDT")]
    venue.orders = [order_row(11, NOW - 6000)]
    venue.income = [income_row("TRADING_FEE", "-0.25", NOW - 5000, "t1", symbol="ETH-USDT", tradeId="2")]
    venue.orders.append(order_row(12, NOW - 6000, symbol="ETH-USDT"))
    for by_symbol in (False, True):
        account = read(venue, by_symbol=by_symbol)
        assert {fill.symbol for fill in account.fills} == {"BTC-USDT", "ETH-USDT"}
        assert account.settled


def test_costs_from_income(venue: Venue) -> None:
    """Fee and PnL come from the row, else from the trade's income row, unless two fills share the trade."""
    bare = {"commission": ""}
    venue.fills = [
        fill_row(1, 11, NOW - 5000, realisedPNL="-0.5"),
        fill_row(2, 11, NOW - 5000, **bare),
        fill_row(3, 11, NOW - 5000, **bare),
        fill_row(3, 12, NOW - 5000, **bare),
        fill_row(4, 11, NOW - 5000, **bare),
    ]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 6000)]
    venue.income = [
        income_row("REALIZED_PNL", "9", NOW - 5000, "t1", tradeId="1"),
        income_row("REALIZED_PNL", "1.5", NOW - 5000, "t2", tradeId="2"),
        income_row("TRADING_FEE", "-0.125", NOW - 5000, "t2", tradeId="2"),
        income_row("TRADING_FEE", "-0.125", NOW - 5000, "t3", tradeId="3"),
    ]
    facts = {(fill.trade_id, fill.order_id): (fill.fee, fill.realized_pnl) for fill in read(venue).fills}
    assert facts == {
        ("1", "11"): (Decimal("0.25"), Decimal("-0.5")),
        ("2", "11"): (Decimal("0.125"), Decimal("1.5")),
        ("3", "11"): (None, None),
        ("3", "12"): (None, None),
        ("4", "11"): (None, None),
    }


NEWER: Row = {
    "symbol": "BTC-USDT",
    "orderId": "11",
    "tradeId": "77",
    "side": "SELL",
    "positionSide": "SHORT",
    "price": "60000.1",
    "qty": "0.5",
    "commission": "-0.25",
    "realisedPNL": "1.25",
}


def test_the_newer_row(venue: Venue) -> None:
    """Fills of the newer shape are read: upper case, `qty` in coin, an offset with a colon, PnL in the row."""
    venue.fills = [{"at": NOW - 500, **NEWER, "filledTime": "2025-10-09T16:53:20+08:00"}]
    venue.orders = [order_row(11, NOW - 6000)]
    (fill,) = read(venue).fills
    assert (fill.qty, fill.fee, fill.realized_pnl, fill.side) == (
        Decimal("0.5"),
        Decimal("0.25"),
        Decimal("1.25"),
        "SELL",
    )
    assert fill.exchange_ts == 1_760_000_000_000


def test_single_orders(venue: Venue) -> None:
    """Without `since` only the orders asked for are read, each with all its fills; an unknown one is denied."""
    venue.orders = [order_row(11, NOW - 2 * DAY), order_row(12, NOW - 20 * DAY)]
    venue.fills = [
        fill_row(1, 11, NOW - 2 * DAY + 1000, "0.2"),
        fill_row(2, 11, NOW - DAY, "0.3", commission=""),
        fill_row(3, 44, NOW - DAY),
    ]
    venue.income = [income_row("TRADING_FEE", "-0.5", NOW - DAY, "t1", tradeId="2")]
    account = read(venue, None, (ref(11), ref(99)))
    assert (account.whole, account.settled, account.since, account.income) == (False, True, None, ())
    assert [(fill.trade_id, fill.fee) for fill in account.fills] == [("1", Decimal("0.25")), ("2", Decimal("0.5"))]
    assert [order.order_id for order in account.orders] == ["11"]
    assert account.denied == {ref(99)}
    older = read(venue, None, (ref(12),)).since
    assert older is not None
    assert older > NOW - 7 * DAY


def test_the_fills_of_a_denied_order_are_read_all_the_same(venue: Venue) -> None:
    """The fills of a denied order are read, since a closed stop that has executed is known only by them."""
    venue.fills = [fill_row(1, 99, NOW - 2 * DAY, "0.2"), fill_row(2, 99, NOW - DAY, "0.3")]
    account = read(venue, None, (ref(99),))
    assert (account.denied, account.orders, account.settled) == (frozenset({ref(99)}), (), True)
    assert [fill.trade_id for fill in account.fills] == ["1", "2"]


def test_an_order_that_vanishes_while_it_is_read_is_denied(venue: Venue) -> None:
    """An order that vanishes during its read is denied, and its fills are kept."""
    venue.orders = [order_row(11, NOW - 6000)]
    venue.fills = [fill_row(1, 11, NOW - 5000)]
    venue.before["order", 2] = venue.orders.clear
    account = read(venue, None, (ref(11),))
    assert (account.denied, account.orders) == (frozenset({ref(11)}), ())
    assert [fill.trade_id for fill in account.fills] == ["1"]


def test_single_order_that_keeps_moving(venue: Venue) -> None:
    """A single order is settled if its rows before and after its fills agree within three tries."""
    venue.orders = [order_row(11, NOW - 6000, executed="0.1", status="PARTIALLY_FILLED")]

    def grow(executed: str) -> Callable[[], None]:
        return lambda: venue.orders[0].update(executedQty=executed)

    venue.before["order", 2] = grow("0.2")
    account = read(venue, None, (ref(11),))
    assert (account.settled, account.moving, account.open_orders) == (True, frozenset(), frozenset({"11"}))
    for number in range(venue.count("order") + 2, venue.count("order") + 5):
        venue.before["order", number] = grow(f"0.{number}")
    account = read(venue, None, (ref(11),))
    assert (account.settled, account.moving) == (False, frozenset({"11"}))


def test_no_orders(venue: Venue) -> None:
    """A read without a time and orders is the whole account as it is now."""
    account = read(venue, None, ())
    assert (account.whole, account.settled) == (True, True)
    assert [balance.asset for balance in account.balances] == ["USDT"]


STRANGE_ORDERS = [reply({"code": 0, "data": None}), reply({"code": 0, "data": {"order": order_row(12, NOW)}})]


@pytest.mark.parametrize("answer", STRANGE_ORDERS)
def test_strange_single_order(venue: Venue, answer: Any) -> None:
    """A missing row or another order's refuses the read, and so does a refusal other than an unknown order."""
    venue.scripted["order"] = [answer]
    assert refused(venue, None, (ref(11),)).refusal.kind is RefusalKind.RETRY
    venue.scripted["order"] = [reply({"code": 100500, "msg": "busy"})] * 2
    assert refused(venue, None, (ref(11),)).refusal.code == "100500"


def test_single_order_that_vanishes(venue: Venue) -> None:
    """An order that vanishes between its two reads is left out."""
    venue.orders = [order_row(11, NOW - 6000)]
    venue.before["order", 2] = venue.orders.clear
    assert read(venue, None, (ref(11),)).orders == ()


def test_a_new_symbol_is_asked_for_alone(venue: Venue) -> None:
    """In a read by symbols a newly named symbol is asked for in the same read, without reading others again."""
    venue.symbol_required = True
    reader = Reader(venue.rest(), by_symbol=True)
    venue.run(reader.read(SINCE))
    venue.calls.clear()
    venue.orders = [order_row(11, NOW - 6000, symbol="S1-USDT")]
    venue.fills = [fill_row(7, 11, NOW - 5000, symbol="S1-USDT"), fill_row(8, 12, NOW - 4000, symbol="S2-USDT")]
    venue.income = [income_row("FUNDING_FEE", "-1", NOW - 3000, "t1", symbol="S2-USDT")]
    account = venue.run(reader.read(SINCE))
    assert [(fill.symbol, fill.trade_id) for fill in account.fills] == [("S1-USDT", "7"), ("S2-USDT", "8")]
    assert account.settled
    assert [call.params["symbol"] for call in venue.calls if call.name == "fillHistory"] == ["S1-USDT", "S2-USDT"]
    for name in ("openOrders", "allOrders", "positions", "balance"):
        assert venue.count(name) == 1


def test_fills_of_a_new_symbol_that_may_have_come_meanwhile(venue: Venue) -> None:
    """A new symbol's fill that may have come during the read marks its order as moving."""
    venue.orders = [order_row(11, NOW - 6000, status="PARTIALLY_FILLED", executed="0.1", symbol="S1-USDT")]
    venue.before["positions", 1] = lambda: venue.fills.append(fill_row(9, 11, venue.ms(), symbol="S1-USDT"))
    account = read(venue, by_symbol=True)
    assert (account.settled, account.moving) == (False, frozenset({"11"}))
    assert [fill.trade_id for fill in account.fills] == ["9"]
    assert venue.count("openOrders") == 1


POSITIONS = [
    ({"positionAmt": "0.20", "positionSide": "SHORT"}, "SHORT"),
    ({"positionAmt": "0.20", "positionSide": "LONG"}, "LONG"),
    ({"positionAmt": "0.20", "positionSide": "LONG", "onlyOnePosition": True}, "LONG"),
    ({"positionAmt": "-0.20", "positionSide": "LONG", "onlyOnePosition": True}, "SHORT"),
    ({"positionAmt": "-0.20", "positionSide": "BOTH", "onlyOnePosition": True}, "SHORT"),
    ({"positionAmt": "0.20", "positionSide": "BOTH"}, "LONG"),
    ({"positionAmt": "-0.20"}, "SHORT"),
]


@pytest.mark.parametrize(("row", "side"), POSITIONS)
def test_position_sides(venue: Venue, row: Row, side: str) -> None:
    """A position's side is its word in hedge mode, where shorts are positive, and its sign in one-way mode."""
    venue.positions = [{"symbol": "BNB-USDT", "isolated": True, "avgPrice": "246.43", "leverage": "5X", **row}]
    (position,) = read(venue).positions
    assert (position.side, position.qty, position.leverage) == (side, Decimal("0.20"), 5)
    assert position.margin_mode == "isolated"


def test_flat_position_is_none(venue: Venue) -> None:
    """A position row of zero is left out, and unknown figures are None, not zero."""
    row = {"symbol": "BNB-USDT", "positionAmt": "0", "positionSide": "LONG"}
    venue.positions = [row, {**row, "symbol": "X", "positionAmt": 1, "leverage": "", "unrealizedProfit": ""}]
    (position,) = read(venue).positions
    assert (position.leverage, position.margin_mode, position.unrealized_pnl) == (None, None, None)


def test_blank_asset_is_skipped(venue: Venue) -> None:
    """An asset that was never held comes as empty texts, and is left out."""
    venue.balances = [balance_row("USDT", "5", ""), blank_row("USDC")]
    (usdt,) = read(venue).balances
    assert (usdt.asset, usdt.wallet_balance, usdt.available) == ("USDT", Decimal(5), None)


UNBELIEVABLE: list[tuple[str, dict[str, Any]]] = [
    ("half-empty balance", {"balances": [{**balance_row("USDT", "5"), "balance": ""}]}),
    ("balance NaN", {"balances": [balance_row("USDT", "NaN")]}),
    ("balance absurd", {"balances": [balance_row("USDT", "1e400")]}),
    ("all assets blank", {"balances": [blank_row("USDT"), blank_row("USDC")]}),
    ("no assets", {"balances": []}),
    ("balance null", {"balances": None}),
    ("flat balance", {"balances": {"wallet": "5"}}),
    ("positions of another shape", {"positions": {"rows": []}}),
    ("position is a text", {"positions": ["X"]}),
]


@pytest.mark.parametrize(("what", "shown"), UNBELIEVABLE, ids=[name for name, _ in UNBELIEVABLE])
def test_what_is_not_understood_refuses_the_read(venue: Venue, what: str, shown: dict[str, Any]) -> None:
    """An answer without readable rows or balances refuses the whole read with `RETRY`."""
    venue.orders = [order_row(1, NOW - 9000)]
    for name, rows in shown.items():
        setattr(venue, name, rows)
    assert refused(venue).refusal.kind is RefusalKind.RETRY


ODD: list[tuple[str, dict[str, Any], tuple[str, str, str | None, str]]] = [
    (
        "position without amount",
        {"positions": [{"symbol": "X", "positionAmt": ""}]},
        ("position", "X", None, "symbol='X' positionAmt=''"),
    ),
    (
        "order without status",
        {"orders": [order_row(1, NOW - 9000, status="")]},
        ("order", "BTC-USDT", "1", "status=''"),
    ),
    (
        "order without executed",
        {"orders": [order_row(1, NOW - 9000, executed="")]},
        ("order", "BTC-USDT", "1", "executedQty=''"),
    ),
    (
        "open order without executed",
        {"orders": [order_row(1, NOW - 9000, status="PENDING", executed="")]},
        ("order", "BTC-USDT", "1", "executedQty=''"),
    ),
    ("fill without quantity", {"fills": [fill_row(1, 1, NOW - 9000, "")]}, ("fill", "BTC-USDT", "1", "volume=''")),
    ("fill of zero", {"fills": [fill_row(1, 1, NOW - 9000, "0")]}, ("fill", "BTC-USDT", "1", "volume='0'")),
    ("fill of no order", {"fills": [fill_row(1, 0, NOW - 9000)]}, ("fill", "BTC-USDT", None, "orderId='0'")),
    (
        "fill time naive",
        {"fills": [fill_row(1, 1, NOW - 9000, filledTime="2025-10-09T16:53:20")]},
        ("fill", "BTC-USDT", "1", "filledTime='2025-10-09T16:53:20'"),
    ),
    (
        "fill time absent",
        {"fills": [fill_row(1, 1, NOW - 9000, filledTime=None)]},
        ("fill", "BTC-USDT", "1", "filledTime='None'"),
    ),
    (
        "fill time garbage",
        {"fills": [fill_row(1, 1, NOW - 9000, filledTime="soon")]},
        ("fill", "BTC-USDT", "1", "filledTime='soon'"),
    ),
    (
        "income without amount",
        {"income": [income_row("TRANSFER", "", NOW - 9000, "t")]},
        ("income", "BTC-USDT", None, "income=''"),
    ),
]


@pytest.mark.parametrize(("what", "shown", "expected"), ODD, ids=[name for name, _, _ in ODD])
def test_a_row_that_is_not_understood_is_handed_on_beside_the_rest(
    venue: Venue, what: str, shown: dict[str, Any], expected: tuple[str, str, str | None, str]
) -> None:
    """A row that cannot be read is returned as odd, with its subject and excerpt, and the rest is read."""
    venue.orders = [order_row(1, NOW - 9000), order_row(2, NOW - 8000)]
    for name, rows in shown.items():
        setattr(venue, name, [*rows, order_row(2, NOW - 8000)] if name == "orders" else rows)
    account = read(venue)
    (row,) = account.odd
    assert (row.kind, row.symbol, row.order_id) == expected[:3]
    assert expected[3] in row.excerpt
    assert "2" in {order.order_id for order in account.orders}
    assert row.qty == (Decimal(0) if what == "fill of zero" else row.qty)
    over = row.order is not None and row.order.status == "FILLED" and row.order.cumulative_qty == Decimal(0)
    assert over is (what == "order without executed")


@pytest.mark.parametrize(
    ("side", "only", "said"),
    [
        ("SHORT", False, "SHORT"),
        ("LONG", False, "LONG"),
        ("LONG", True, None),
        ("LONG", None, None),
        ("UP", False, None),
    ],
)
def test_a_position_without_an_amount_is_of_the_side_that_its_row_says(
    venue: Venue, side: str, only: bool | None, said: str | None
) -> None:
    """An odd row of a position has its side only if the row says that the account is in hedge mode."""
    venue.positions = [{"symbol": "X", "positionAmt": "", "positionSide": side, "onlyOnePosition": only}]
    assert [(row.symbol, row.side) for row in read(venue).odd] == [("X", said)]


def test_an_order_that_is_odd_when_it_is_asked_for_is_not_denied(venue: Venue) -> None:
    """An order whose row is odd is not denied, and its fills are read, in a whole read and alone."""
    venue.orders = [order_row(11, NOW - 5_000_000, status="PENDING", executed="")]
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    account = read(venue, orders=(OrderRef("BTC-USDT", "11"),))
    assert [(row.kind, row.order_id) for row in account.odd] == [("order", "11")]
    alone = read(venue, None, (ref(11), ref(12)))
    assert [(row.kind, row.order_id) for row in alone.odd] == [("order", "11")]
    assert alone.orders == ()
    assert alone.denied == {ref(12)}
    assert [fill.trade_id for fill in alone.fills] == ["7"]
    venue.scripted["order"] = [reply({"code": 0, "data": {"order": {"status": ""}}})]
    (nameless,) = read(venue, None, (ref(11),)).odd
    assert (nameless.symbol, nameless.order_id) == ("BTC-USDT", "11")
    venue.orders = [order_row(11, NOW - 300_000, executed="")]
    venue.fills = []
    assert read(venue).odd == ()


@pytest.mark.parametrize("answer", [{"code": 0, "msg": ""}, {"code": 0, "data": {}}, {"code": 0, "data": None}, {}])
def test_an_answer_without_any_list_of_positions_is_marked(venue: Venue, answer: Any) -> None:
    """`positions_listed` distinguishes an answer without a list, an empty list, and rows."""
    venue.scripted["positions"] = [reply(answer)]
    assert read(venue).positions_listed == "hollow"
    assert read(venue).positions_listed == "none"
    venue.positions = [{"symbol": "X", "positionAmt": "0"}]
    assert (read(venue).positions_listed, read(venue).positions) == ("rows", ())
    venue.positions = {"positions": None}
    assert read(venue).positions_listed == "hollow"


def test_income_that_is_refused_for_good_is_left_out(venue: Venue) -> None:
    """Income that is refused for good is left out with the refusal, and read in full when it is listed again."""
    denied = reply({"code": 100004, "msg": "Permission denied"})
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000)]

    reader = Reader(venue.rest())
    venue.scripted["income"] = [denied] * 6
    for calls in range(1, 6):
        account = venue.run(reader.read(SINCE))
        assert (account.income, account.income_refused and account.income_refused.code) == ((), "100004")
        assert not account.settled or account.fills
        assert venue.count("income") == calls
    held_back = venue.run(reader.read(SINCE))
    assert held_back.income_refused == account.income_refused
    assert venue.run(reader.read(None, (ref(11),))).fills[0].trade_id == "7"
    assert venue.count("income") == 5
    venue.scripted["income"] = []
    venue.clock.now += 2000
    venue.income = [income_row("TRANSFER", "5", SINCE - 100_000, "t1")]
    healed = venue.run(reader.read(venue.ms() - 1000))
    assert [row.tran_id for row in healed.income] == ["t1"]
    assert healed.income_refused is None
    assert venue.run(reader.read(venue.ms() - 1000)).income == ()


def test_an_asset_that_goes_blank(venue: Venue) -> None:
    """An asset that was held and is suddenly blank refuses the read."""
    venue.balances = [balance_row("USDT", "5"), balance_row("USDC", "6")]

    reader = Reader(venue.rest())
    venue.run(reader.read(SINCE))
    venue.balances = [balance_row("USDT", "5"), blank_row("USDC")]
    with pytest.raises(RequestRefused):
        venue.run(reader.read(SINCE))


FAILURES = [
    ("openOrders", reply({"code": 100410, "msg": f"unblocked after {NOW + 60_000}"}), RefusalKind.RETRY),
    ("allOrders", TransportFailed("no answer in time"), RefusalKind.RETRY),
    ("fillHistory", reply(b"<html>", 502), RefusalKind.RETRY),
    ("income", reply(b""), RefusalKind.RETRY),
    ("positions", reply({"code": "100413", "msg": "Incorrect apiKey"}), RefusalKind.FATAL),
    ("time", reply({"code": 0, "msg": "", "data": {}}), RefusalKind.RETRY),
]


@pytest.mark.parametrize(("name", "answer", "kind"), FAILURES, ids=[name for name, _, _ in FAILURES])
def test_one_failure_fails_the_read(venue: Venue, name: str, answer: Any, kind: RefusalKind) -> None:
    """One request that fails twice refuses the read with a single error, not an exception group."""
    venue.scripted[name] = [answer, answer]
    error = refused(venue)
    assert error.refusal.kind is kind
    if name == "openOrders":
        assert error.refusal.retry_after == pytest.approx(60, abs=1)


@pytest.mark.parametrize(("name", "answer", "kind"), FAILURES, ids=[name for name, _, _ in FAILURES])
def test_a_request_that_failed_in_a_way_that_passes_is_repeated_once(
    venue: Venue, name: str, answer: Any, kind: RefusalKind
) -> None:
    """A request is repeated once, unless its refusal is fatal or has a time to wait."""
    venue.scripted[name] = [answer]
    if name in ("openOrders", "positions"):
        assert refused(venue).refusal.kind is kind
        assert venue.count(name) == 1
    else:
        assert read(venue).settled
        assert venue.scripted[name] == []


def test_repeats_are_within_the_allowance(venue: Venue) -> None:
    """After five failing calls of an endpoint its calls are spaced, and not repeated at once."""
    venue.scripted["positions"] = [reply(b"<html>", 502) for _ in range(20)]

    reader, counts = Reader(venue.rest()), list[int]()
    for _ in range(4):
        with pytest.raises(RequestRefused):
            venue.run(reader.read(SINCE))
        counts.append(venue.count("positions"))
    with pytest.raises(RequestRefused) as caught:
        venue.run(reader.read(SINCE))
    assert "held back" in caught.value.refusal.message
    assert 31 < (caught.value.refusal.retry_after or 0) < 48
    venue.clock.now += 48
    with pytest.raises(RequestRefused):
        venue.run(reader.read(SINCE))
    assert [*counts, venue.count("positions")] == [2, 4, 5, 5, 6]


def test_a_call_that_was_given_up_may_count_at_the_venue(venue: Venue) -> None:
    """A read that is cancelled while under way counts as one failing call, and a POST does not."""

    rest, path = venue.rest(), "/openApi/swap/v2/user/positions"
    for method in ("GET", "POST"):
        venue.run(rest.now())
        service = rest.call(method, path, {})
        step: Step = next(service)
        while not isinstance(step, Request):
            step = service.send((venue.clock.now, None))
        service.close()
    assert [rest.endpoint(method, path).failures(venue.clock.now) for method in ("GET", "POST")] == [1, 0]
    assert not rest.endpoint("GET", path).is_closed(venue.clock.now)


def test_null_lists_are_empty(venue: Venue) -> None:
    """`{}` and null are read as lists without rows."""
    for name, data in [("openOrders", {"orders": None}), ("allOrders", {}), ("positions", None), ("income", None)]:
        venue.scripted[name] = [reply({"code": "0", "msg": "", "data": data})]
    account = read(venue)
    assert (account.orders, account.positions) == ((), ())


def test_what_an_account_is_worth_as_captured(venue: Venue) -> None:
    """Equity, unrealised PnL, margin, mark and liquidation price are read; an absent figure is None."""
    captured = {
        "asset": "USDT",
        "balance": "194.8212",
        "equity": "196.7431",
        "unrealizedProfit": "1.9219",
        "availableMargin": "193.7609",
        "usedMargin": "1.0602",
        "freezedMargin": "0.0000",
    }
    bare = {"asset": "USDC", "balance": "0.0000", "equity": "", "usedMargin": "0.0000"}
    venue.balances = [captured, bare]
    isolated = {"symbol": "BNB-USDT", "positionAmt": "0.20", "positionSide": "SHORT"}
    venue.positions = [
        {**isolated, "liquidationPrice": 294.16914617776246},
        {**isolated, "symbol": "LTC-USDT", "liquidationPrice": 0, "markPrice": "73.14"},
    ]
    account = read(venue)
    usdt, usdc = account.balances
    assert (usdt.equity, usdt.unrealized_pnl) == (Decimal("196.7431"), Decimal("1.9219"))
    assert (usdt.used_margin, usdt.maintenance_margin) == (Decimal("1.0602"), None)
    assert (usdc.equity, usdc.unrealized_pnl) == (None, None)
    assert usdc.used_margin == 0
    short, cross = account.positions
    assert (short.mark_price, short.liquidation_price) == (None, Decimal("294.16914617776246"))
    assert (cross.mark_price, cross.liquidation_price) == (Decimal("73.14"), None)


def test_old_balance_shape(venue: Venue) -> None:
    """A balance in the shape of the second version, an object, is read too."""
    venue.balances = {"balance": balance_row("USDT", "5")}
    assert [balance.asset for balance in read(venue).balances] == ["USDT"]


def test_order_words(venue: Venue) -> None:
    """REST's spellings of statuses, client ids and protective prices are read.

    A FILLED order with 0 executed is executed in full if it has an average price; otherwise, as captured of a triggered
    order, nothing of it was executed.
    """
    venue.orders = [
        order_row(1, NOW - 9000, status="CANCELLED", executed="0", clientOrderId=None, clientOrderID="mine"),
        order_row(2, NOW - 9000, status="FAILED", executed="0", type="MARKET", positionSide="BOTH"),
        order_row(3, NOW - 9000, status="FILLED", executed="0", avgPrice="0.0000"),
        order_row(4, NOW - 9000, status="RUNNING", executed="0"),
        order_row(5, NOW - 9000, status="FILLED", executed="0", avgPrice="7.8"),
        order_row(6, NOW - 9000, status="FILLED", executed="0.0000", avgPrice="0.0", type="TAKE_PROFIT_MARKET"),
    ]
    found = {order.order_id: order for order in read(venue).orders}
    words = ["CANCELED", "REJECTED", "FILLED", "RUNNING", "FILLED", "FILLED"]
    assert [found[name].status for name in "123456"] == words
    assert (found["1"].client_order_id, found["1"].price) == ("mine", Decimal("60000.1"))
    assert (found["2"].price, found["2"].position_side) == (None, None)
    assert (found["3"].cumulative_qty, found["3"].average_price) == (Decimal(0), None)
    assert (found["5"].cumulative_qty, found["5"].average_price) == (Decimal("0.5"), Decimal("7.8"))
    assert (found["6"].cumulative_qty, found["6"].qty) == (Decimal(0), Decimal("0.5"))
    assert found["1"].created_ts == NOW - 9000
