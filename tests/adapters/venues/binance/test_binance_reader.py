"""A read is complete and lies between two lists of fills: it finds its symbols, and lists the orders that moved."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from listenkey.adapters.venues.binance.pace import Pace
from listenkey.adapters.venues.binance.reader import MOST_ASKED, Reader
from listenkey.adapters.venues.binance.weights import QUIET, of_read
from listenkey.core.kinds import Purpose
from listenkey.core.refusal import PUT_OFF, RefusalKind
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import RequestRefused

from .venue import (
    DAY,
    NOW,
    Row,
    Venue,
    balance_row,
    fee_row,
    fill_row,
    income_row,
    order_row,
    position_row,
    refused,
    reply,
)

SINCE = NOW - 60_000


def read(venue: Venue, since: int | None = SINCE, *orders: OrderRef) -> Account:
    return venue.run(Reader(venue.rest()).read(since, orders))


def ref(order_id: int, symbol: str = "BTCUSDT") -> OrderRef:
    return OrderRef(symbol, str(order_id))


def trades(account: Account) -> list[tuple[str, str | None, str]]:
    return [(fill.symbol, fill.trade_id, fill.order_id) for fill in account.fills]


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_whole_read(venue: Venue) -> None:
    """A whole read has all lists of the account, and is settled because nothing moved."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 4000, status="NEW", executed="0")]
    venue.income = [fee_row(7, NOW - 5000), income_row("FUNDING_FEE", "-0.0292", NOW - 3000, 5)]
    venue.positions = [position_row("BTCUSDT", "-0.5")]
    account = read(venue)
    assert (account.whole, account.settled, account.since, account.moving) == (True, True, SINCE, frozenset())
    assert NOW <= account.as_of < account.exchange_ms <= venue.ms()
    (fill,) = account.fills
    assert (fill.trade_id, fill.qty, fill.fee, fill.fee_asset, fill.side) == (
        "7",
        Decimal("0.5"),
        Decimal("0.25"),
        "USDT",
        "SELL",
    )
    assert {order.order_id for order in account.orders} == {"11", "12"}
    assert account.open_orders == {"12"}
    assert [row.amount for row in account.income] == [Decimal("-0.25"), Decimal("-0.0292")]
    (usdt,) = account.balances
    assert (usdt.wallet_balance, usdt.available) == (Decimal("1000.5"), Decimal("900.25"))
    (held,) = account.positions
    assert (held.side, held.qty, held.mark_price, held.liquidation_price) == (
        "SHORT",
        Decimal("0.5"),
        Decimal("60100.5"),
        None,
    )
    assert (account.one_way, account.positions_listed, account.account_id) == (True, "rows", "SgsR")


def test_a_quiet_account_costs_little(venue: Venue) -> None:
    """If nothing was executed, a read asks for no fills, and costs only the weight of a quiet account."""
    venue.orders = [order_row(12, SINCE - DAY, status="PARTIALLY_FILLED", executed="0.1")]
    venue.positions = [position_row("BTCUSDT", "0.1")]
    reader = Reader(venue.rest())
    venue.run(reader.read(SINCE, [ref(12)]))
    before = venue.weight
    account = venue.run(reader.read(SINCE, [ref(12)], purpose=Purpose.AUDIT))
    assert account.settled
    assert venue.weight - before == QUIET
    assert venue.count("userTrades") == 1  # for the position, which the first read does not know


def test_order_of_requests(venue: Venue) -> None:
    """Income is read before fills, whose symbols it names; orders, positions, balances between two lists of fills."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000)]
    venue.income = [fee_row(7, NOW - 5000)]
    read(venue)
    names = [call.name for call in venue.calls]
    first, second = [place for place, name in enumerate(names) if name == "userTrades"]
    assert names.index("income") < first
    for name in ("openOrders", "positionRisk", "balance"):
        assert first < names.index(name) < second
    assert names.index("openOrders") < len(names) - 1 - names[::-1].index("allOrders")


NAMED: dict[str, Callable[[Venue], None]] = {
    "income": lambda venue: venue.income.append(fee_row(7, NOW - 5000)),
    "profit": lambda venue: venue.income.append(income_row("REALIZED_PNL", "1", NOW - 5000, 7, tradeId="7")),
    "an order": lambda venue: venue.orders.append(order_row(11, NOW - 6000)),
    "an open order": lambda venue: venue.orders.append(
        order_row(11, SINCE - DAY, status="PARTIALLY_FILLED", origQty="9", updateTime=NOW - 5000)
    ),
    "a position": lambda venue: venue.positions.append(position_row("BTCUSDT", "0.5")),
}


@pytest.mark.parametrize("sign", NAMED)
def test_what_names_a_symbol(venue: Venue, sign: str) -> None:
    """Income, an order, an open order or a position alone names a symbol whose fills are read, even without a cost."""
    venue.fills = [fill_row(7, 11, NOW - 5000, commission="0")]
    NAMED[sign](venue)
    assert trades(read(venue)) == [("BTCUSDT", "7", "11")]


def test_an_order_that_was_open_names_its_symbol(venue: Venue) -> None:
    """An order that was open names its symbol, because no list of orders by creation time has it."""
    venue.fills = [fill_row(7, 11, NOW - 5000, commission="0")]
    venue.orders = [order_row(11, NOW - 30 * DAY, updateTime=NOW - 5000)]
    account = read(venue, SINCE, ref(11))
    assert trades(account) == [("BTCUSDT", "7", "11")]
    assert [order.status for order in account.orders] == ["FILLED"]


def test_a_position_that_is_gone_names_its_symbol(venue: Venue) -> None:
    """A position that is gone or on the other side names its symbol, and an unchanged one does not."""
    venue.positions = [position_row("BTCUSDT", "0.5"), position_row("ETHUSDT", "1"), position_row("XRPUSDT", "2")]
    reader = Reader(venue.rest())
    venue.run(reader.read(SINCE))
    venue.calls.clear()
    venue.positions = [position_row("ETHUSDT", "-1"), position_row("XRPUSDT", "2")]
    venue.run(reader.read(SINCE))
    assert {params["symbol"] for params in venue.asked("userTrades")} == {"BTCUSDT", "ETHUSDT"}


def test_several_symbols_and_equal_ids(venue: Venue) -> None:
    """Equal trade and order ids of two symbols are different fills and orders."""
    rows = [("BTCUSDT", NOW - 5000), ("ETHUSDT", NOW - 4000)]
    venue.fills = [fill_row(7, 11, at, symbol=symbol) for symbol, at in rows]
    venue.orders = [order_row(11, at - 1000, symbol=symbol) for symbol, at in rows]
    account = read(venue)
    assert trades(account) == [("BTCUSDT", "7", "11"), ("ETHUSDT", "7", "11")]
    assert {(order.symbol, order.order_id) for order in account.orders} == {("BTCUSDT", "11"), ("ETHUSDT", "11")}


def test_a_trade_between_two_own_orders(venue: Venue) -> None:
    """A trade between two own orders is two fills with one id."""
    venue.fills = [fill_row(5, 11, NOW - 5000), fill_row(5, 12, NOW - 5000, side="BUY")]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 6000)]
    assert trades(read(venue)) == [("BTCUSDT", "5", "11"), ("BTCUSDT", "5", "12")]


def test_where_orders_need_a_symbol(venue: Venue) -> None:
    """If orders need a symbol, those of all known symbols are listed, and this is found out only once."""
    venue.symbol_required = True
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000), order_row(12, NOW - 4000, status="NEW", executed="0", symbol="ETHUSDT")]
    venue.income = [fee_row(7, NOW - 5000)]
    reader = Reader(venue.rest())
    assert {order.order_id for order in venue.run(reader.read(SINCE)).orders} == {"11", "12"}
    assert trades(venue.run(reader.read(SINCE))) == [("BTCUSDT", "7", "11")]
    assert sum("symbol" not in params for params in venue.asked("allOrders")) == 1


def test_where_orders_need_a_symbol_that_is_no_more(venue: Venue) -> None:
    """A delisted symbol has no orders, and the orders of other symbols are listed."""
    venue.symbol_required = True
    venue.gone = {"OLDUSDT"}
    venue.orders = [order_row(11, NOW - 6000)]
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    account = read(venue, SINCE, ref(11), OrderRef("OLDUSDT", "5"))
    assert trades(account) == [("BTCUSDT", "7", "11")]
    assert account.denied == {OrderRef("OLDUSDT", "5")}


def test_a_fill_meanwhile(venue: Venue) -> None:
    """A fill during the read marks its order as moving, and the read is not settled."""
    venue.fills = [fill_row(7, 11, NOW - 5000, "0.1")]
    venue.orders = [order_row(11, NOW - 6000, status="PARTIALLY_FILLED", executed="0.1")]
    venue.before["balance", 1] = lambda: venue.fills.append(fill_row(8, 11, venue.ms(), "0.1"))
    account = read(venue)
    assert [fill.trade_id for fill in account.fills] == ["7", "8"]
    assert (account.settled, account.moving) == (False, frozenset({"11"}))


def test_a_fill_meanwhile_in_a_symbol_that_nothing_named(venue: Venue) -> None:
    """A fill of a new symbol during the read is found by its order, which is marked as moving."""

    def happen() -> None:
        venue.orders.append(order_row(21, venue.ms(), symbol="ETHUSDT"))
        venue.fills.append(fill_row(9, 21, venue.ms(), symbol="ETHUSDT"))

    venue.before["openOrders", 1] = happen
    account = read(venue)
    assert trades(account) == [("ETHUSDT", "9", "21")]
    assert account.moving == {"21"}


def test_a_fill_of_an_order_that_began_meanwhile_is_left_to_the_next_read(venue: Venue) -> None:
    """A fill of an order that began during the read is left out, and the read is not settled."""
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000)]
    venue.before["userTrades", 2] = lambda: venue.fills.append(fill_row(9, 33, venue.ms()))
    account = read(venue)
    assert [fill.trade_id for fill in account.fills] == ["7"]
    assert not account.settled


def test_income_meanwhile_names_a_symbol(venue: Venue) -> None:
    """A symbol that only the second list of income names is asked for its fills."""

    def happen() -> None:
        venue.fills.append(fill_row(9, 21, venue.ms(), symbol="ETHUSDT"))
        venue.income.append(fee_row(9, venue.ms(), symbol="ETHUSDT"))

    venue.before["allOrders", 2] = happen
    account = read(venue)
    assert venue.asked("userTrades")[-1]["symbol"] == "ETHUSDT"
    assert account.fills == ()  # because its order is in no list
    assert not account.settled


@pytest.mark.parametrize(("kind", "settled"), [("FUNDING_FEE", False), ("COMMISSION", True)])
def test_funding_meanwhile_is_dated_to_the_whole_second(venue: Venue, kind: str, settled: bool) -> None:
    """Funding that comes during a read leaves it unsettled, even if its second began before the window; other rows so
    old are late, and begin another round.
    """
    row = income_row(kind, "-0.25", (NOW - 300) // 1000 * 1000, 77)
    venue.before["income", 2] = lambda: venue.income.append(row)
    assert read(venue, NOW - 300).settled is settled


def test_what_appears_late_begins_another_round(venue: Venue) -> None:
    """A fill older than the read that appears late begins another round, because other rows may be late too."""
    venue.fills = [fill_row(7, 11, NOW - 5000, "0.1"), fill_row(8, 11, NOW - 500, "0.4")]
    venue.orders = [order_row(11, NOW - 6000)]
    venue.hidden_after = NOW - 1000

    def show() -> None:
        venue.hidden_after = None

    venue.before["balance", 1] = show
    account = read(venue)
    assert venue.count("balance") == 2
    assert [fill.trade_id for fill in account.fills] == ["7", "8"]
    assert (account.settled, account.moving) == (True, frozenset())


def test_what_never_stands_still(venue: Venue) -> None:
    """After three rounds an account that keeps moving is returned as not settled."""
    venue.orders = [order_row(11, NOW - 6000)]
    number = iter(range(1, 100))
    for round_ in range(1, 9):
        venue.before["balance", round_] = lambda: venue.fills.append(fill_row(next(number), 11, NOW - 5000, "0.01"))
    account = read(venue)
    assert venue.count("balance") == 3
    assert (account.settled, account.moving) == (False, frozenset({"11"}))


def test_orders_that_no_list_shows(venue: Venue) -> None:
    """Orders that are in no list are asked for by id, once each, and those the venue does not know are denied."""
    venue.orders = [order_row(11, NOW - 30 * DAY, status="CANCELED", executed="0")]
    account = read(venue, SINCE, ref(11), ref(12), ref(12))
    assert [order.order_id for order in account.orders] == ["11"]
    assert account.denied == {ref(12)}
    assert venue.count("order") == 2


def test_not_all_orders_are_asked_for_at_once(venue: Venue) -> None:
    """Orders beyond the most that one read asks for are not asked for, so they are not denied either."""
    account = read(venue, SINCE, *(ref(n) for n in range(1, MOST_ASKED + 20)))
    assert len(account.denied) == venue.count("order") == MOST_ASKED


def test_an_old_fill_of_an_open_order_is_no_news(venue: Venue) -> None:
    """A partly executed order without a change since then causes no request for fills."""
    venue.orders = [order_row(11, SINCE - 90_000, status="PARTIALLY_FILLED", executed="0.1")]
    account = read(venue, SINCE, ref(11))
    assert account.open_orders == {"11"}
    assert venue.count("userTrades") == 0


def test_history_is_three_months(venue: Venue) -> None:
    """A read further back than three months has the time from which it is complete."""
    account = read(venue, NOW - 200 * DAY)
    assert account.since is not None
    assert NOW - 90 * DAY < account.since < NOW - 88 * DAY


def test_a_read_of_what_is_from_now_on(venue: Venue) -> None:
    """A read without a time and orders is the whole account as it is now."""
    account = read(venue, None)
    assert (account.whole, account.fills) == (True, ())
    assert account.balances


def test_many_assets(venue: Venue) -> None:
    """An asset of 0 is left out, unless it was held before."""
    venue.balances = [balance_row("USDT", "5"), balance_row("BNB", "0.001"), balance_row("USDC", "0.00000000")]
    reader = Reader(venue.rest())
    assert [row.asset for row in venue.run(reader.read(SINCE)).balances] == ["USDT", "BNB"]
    venue.balances[1] = balance_row("BNB", "0")
    assert [(row.asset, row.wallet_balance) for row in venue.run(reader.read(SINCE)).balances] == [
        ("USDT", Decimal(5)),
        ("BNB", Decimal(0)),
    ]


@pytest.mark.parametrize("aliases", [["a", "b"], ["", None]])
def test_an_account_that_is_not_named(venue: Venue, aliases: list[str]) -> None:
    """An account with several aliases or none has no id."""
    venue.balances = [balance_row(f"A{n}", "1", alias) for n, alias in enumerate(aliases)]
    assert read(venue).account_id is None


HEDGE = [
    position_row("BTCUSDT", "0", "BOTH"),
    position_row("BTCUSDT", "0.2", "LONG", isolatedWallet="7"),
    position_row("BTCUSDT", "-0.1", "SHORT", marginType="cross"),
    position_row("ETHUSDT", "0.0", "BOTH"),
]


def test_positions_in_hedge_mode(venue: Venue) -> None:
    """In hedge mode shorts are negative rows, and rows with the side BOTH or of 0 are no positions."""
    venue.positions = HEDGE
    account = read(venue)
    assert not account.one_way
    assert [(row.side, row.qty, row.margin_mode) for row in account.positions] == [
        ("LONG", Decimal("0.2"), "isolated"),
        ("SHORT", Decimal("0.1"), "cross"),
    ]


def test_rows_that_cannot_be_read(venue: Venue) -> None:
    """Rows that cannot be read are returned as odd rows; a finished order's has all but the executed quantity."""
    venue.orders = [
        order_row(11, NOW - 6000, executed="?"),
        order_row(12, NOW - 6000, status="NEW", executed="?"),
        {**order_row(13, NOW - 6000), "symbol": ""},
    ]
    venue.positions = [position_row("BTCUSDT", "many")]
    venue.income = [income_row("FUNDING_FEE", "?", NOW - 3000, 5)]
    account = read(venue)
    found = {(row.kind, row.order_id, row.order is not None) for row in account.odd}
    assert found == {
        ("order", "11", True),
        ("order", "12", False),
        ("order", "13", False),
        ("position", None, False),
        ("income", None, False),
    }


@pytest.mark.parametrize(("side", "said"), [("LONG", "LONG"), ("SHORT", "SHORT"), ("BOTH", None), ("UP", None)])
def test_a_position_without_an_amount_is_of_the_side_that_its_row_says(
    venue: Venue, side: str, said: str | None
) -> None:
    """An odd row of a position has its side in hedge mode, and None in one-way mode or for an unknown side."""
    venue.positions = [position_row("BTCUSDT", "many", side)]
    assert [(row.symbol, row.side) for row in read(venue).odd] == [("BTCUSDT", said)]


@pytest.mark.parametrize("side", ["LONG", "BOTH"])
def test_a_position_whose_symbol_is_none(venue: Venue, side: str) -> None:
    """A position whose symbol cannot be read is returned as an odd row, on any side."""
    venue.positions = [{**position_row("BTCUSDT", "1", side), "symbol": []}]
    assert [(row.kind, row.symbol) for row in read(venue).odd] == [("position", None)]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("balance", [{"asset": "USDT", "balance": ""}]),
        ("balance", {}),
        ("balance", []),
        ("positionRisk", {}),
        ("openOrders", [1]),
    ],
)
def test_an_answer_that_is_none(venue: Venue, name: str, body: Any) -> None:
    """An answer of another shape refuses the whole read."""
    venue.scripted[name] = [reply(body)]
    with pytest.raises(RequestRefused, match="unexpected answer"):
        read(venue)


def test_income_that_is_refused_for_good(venue: Venue) -> None:
    """If income is refused for good, the rest is read, and orders and positions name the symbols."""
    venue.scripted["income"] = [refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)] * 2
    venue.fills = [fill_row(7, 11, NOW - 5000)]
    venue.orders = [order_row(11, NOW - 6000)]
    account = read(venue)
    assert account.income_refused is not None
    assert account.income_refused.kind is RefusalKind.FATAL
    assert trades(account) == [("BTCUSDT", "7", "11")]


@pytest.mark.parametrize("own_list_is_short", [False, True])
@pytest.mark.parametrize("age", [1, 40])
def test_single_orders(venue: Venue, own_list_is_short: bool, age: int) -> None:
    """A single order is read with all its fills, even if its own list has only a week."""
    venue.own_list_is_short = own_list_is_short
    made = NOW - age * DAY
    venue.fills = [
        *(fill_row(n, 11, made + n, "0.1") for n in range(1, 5)),
        fill_row(5, 11, NOW - 50, "0.1"),
        fill_row(6, 12, NOW - 40, "0.1"),
    ]
    venue.orders = [order_row(11, made, updateTime=NOW - 50)]
    account = read(venue, None, ref(11))
    assert [fill.trade_id for fill in account.fills] == ["1", "2", "3", "4", "5"]
    assert (account.whole, account.settled, account.since) == (False, True, None)
    account = read(venue, None, ref(11), ref(13))
    assert [fill.trade_id for fill in account.fills] == ["1", "2", "3", "4", "5"]
    assert account.denied == {ref(13)}
    assert account.since is not None  # the beginning of order 13 is unknown
    assert account.since < made


def test_a_single_order_that_moves(venue: Venue) -> None:
    """A single order that moves is read again; one that keeps moving is not settled."""
    row: Row = order_row(11, NOW - 6000, status="PARTIALLY_FILLED", executed="0.1")
    venue.orders = [row]
    venue.fills = [fill_row(1, 11, NOW - 5000, "0.1")]

    def happen() -> None:
        row.update(executedQty=str(Decimal(row["executedQty"]) + Decimal("0.01")))

    venue.before["userTrades", 1] = happen
    assert read(venue, None, ref(11)).settled
    for number in range(1, 20):
        venue.before["userTrades", number] = happen
    account = read(venue, None, ref(11))
    assert (account.settled, account.moving) == (False, frozenset({"11"}))


def test_a_single_order_from_before_what_is_listed(venue: Venue) -> None:
    """A single order older than the listed fills is read with the time from which they are complete."""
    venue.orders = [order_row(11, NOW - 200 * DAY, executed="0.5", updateTime=NOW - 50)]
    venue.fills = [fill_row(5, 11, NOW - 50, "0.1")]
    account = read(venue, None, ref(11))
    assert account.since is not None
    assert [fill.trade_id for fill in account.fills] == ["5"]


@pytest.mark.parametrize("status", ["PARTIALLY_FILLED", "CANCELED"])
def test_a_single_order_that_is_older_than_the_venue_keeps(venue: Venue, status: str) -> None:
    """A single order older than the venue keeps is found among the open orders, or denied if it is not open."""
    venue.orders = [order_row(11, NOW - 100 * DAY, status=status, executed="0.4", updateTime=NOW - 50)]
    venue.fills = [fill_row(5, 11, NOW - 50, "0.1")]
    venue.cleaned = {"11"}
    account = read(venue, None, ref(11))
    assert account.denied == (frozenset() if status != "CANCELED" else {ref(11)})
    assert [row.cumulative_qty for row in account.orders] == [Decimal("0.4")] * (status != "CANCELED")
    assert [fill.trade_id for fill in account.fills] == ["5"]
    assert read(venue, SINCE, ref(11)).denied == account.denied


def test_a_single_order_that_cannot_be_read(venue: Venue) -> None:
    """An unreadable row of a single order is odd and has the asked order; another order's row refuses the read."""
    venue.scripted["order"] = [reply({"status": "FILLED"})]
    account = read(venue, None, ref(11))
    (odd,) = account.odd
    assert (odd.symbol, odd.order_id) == ref(11)
    venue.scripted["order"] = [reply(order_row(12, NOW))]
    with pytest.raises(RequestRefused, match="another order"):
        read(venue, None, ref(11))
    venue.scripted["order"] = [reply([])]
    with pytest.raises(RequestRefused, match="no order"):
        read(venue, None, ref(11))


def test_an_order_that_goes_while_it_is_read(venue: Venue) -> None:
    """An order that vanishes while it is read is denied, and its fills are kept."""
    venue.orders = [order_row(11, NOW - 6000)]
    venue.fills = [fill_row(5, 11, NOW - 50)]
    venue.before["order", 2] = venue.orders.clear
    account = read(venue, None, ref(11))
    assert account.denied == {ref(11)}
    assert [fill.trade_id for fill in account.fills] == ["5"]


def test_an_audit_leaves_weight_for_what_is_urgent(venue: Venue) -> None:
    """With half of the minute's weight spent polls and audits are put off, but a read for recovery is not."""
    pace = Pace()
    reader = Reader(venue.rest(pace=pace))
    venue.others = 2400 * 55 // 100
    venue.run(reader.read(SINCE))
    wait = 0.0
    for purpose in (Purpose.POLL, Purpose.AUDIT):
        venue.calls.clear()
        with pytest.raises(RequestRefused) as caught:
            venue.run(reader.read(SINCE, purpose=purpose))
        refusal = caught.value.refusal
        assert (refusal.kind, refusal.code, venue.calls) == (RefusalKind.RETRY, PUT_OFF, [])
        wait = refusal.retry_after or 0.0
        assert 0 < wait <= 64
    venue.run(reader.read(SINCE))
    venue.others = 0
    venue.seconds += wait
    venue.run(reader.read(SINCE, purpose=Purpose.AUDIT))


def test_how_much_a_read_weighs() -> None:
    """A read's weight is the documented one: two lists of fills for each symbol, and the rest."""
    assert (QUIET, of_read(8)) == (122, 202)
