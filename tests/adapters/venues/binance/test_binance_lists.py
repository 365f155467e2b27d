"""Long lists are complete for any window, whichever rows a full page keeps, with window ends included or not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from listenkey.adapters.venues.binance.lists import Lists
from listenkey.core.kinds import IncomeKind
from listenkey.core.refusal import RefusalKind
from listenkey.core.reports import OrderRef
from listenkey.ports.errors import RequestRefused

from .venue import DAY, NOW, Row, Venue, fee_row, fill_row, income_row, order_row, refused

PAGE = 10
READINGS = list(itertools.product([False, True], repeat=2))


@pytest.fixture(params=READINGS, ids=lambda reading: f"newest={reading[0]},included={reading[1]}")
def venue(request: Any) -> Venue:
    venue = Venue()
    venue.keeps_newest, venue.ends_included = request.param
    return venue


def trades(venue: Venue, since: int = NOW - DAY, until: int = NOW) -> list[tuple[str, str]]:
    listing = venue.run(Lists(venue.rest(), page=PAGE).fills("BTCUSDT", since, until))
    return [(row.trade_id or "", row.order_id) for row in listing.rows]


def spread(number: int, span: int = DAY - 10) -> list[Row]:
    return [fill_row(n + 1, 11, NOW - DAY + 5 + n * span // number) for n in range(number)]


@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 20, 35])
def test_every_fill_once_in_order(venue: Venue, number: int) -> None:
    """All fills are listed once and in order over many pages; after a full page the next begins at a trade id."""
    venue.fills = spread(number)[::-1]
    assert trades(venue) == [(str(n + 1), "11") for n in range(number)]
    assert bool([params for params in venue.asked("userTrades") if "fromId" in params]) is (number >= PAGE)


def test_many_fills_of_one_moment(venue: Venue) -> None:
    """More fills than a page within some milliseconds are found by their trade ids."""
    venue.fills = [*spread(10), *(fill_row(100 + n, 12, NOW - 500 + n // 3) for n in range(25))]
    assert len(trades(venue)) == 35


def test_a_trade_between_two_own_orders_at_the_seam_of_a_page(venue: Venue) -> None:
    """A trade of two own orders at the end of a page is listed with both rows, because the next page repeats its id."""
    rows = spread(30)
    for seam in (25, 19, 18, 15, 10, 9, 8):
        rows[seam : seam + 1] = [rows[seam], {**rows[seam], "orderId": 12}]
    venue.fills = rows
    found = trades(venue)
    assert len(found) == len(set(found)) == len(rows)


def test_equal_trade_ids_on_two_symbols(venue: Venue) -> None:
    """A symbol's fills are only its own, even if another symbol has the same trade ids."""
    venue.fills = [fill_row(1, 11, NOW - 50), fill_row(1, 11, NOW - 50, symbol="ETHUSDT")]
    assert trades(venue) == [("1", "11")]


def test_months_are_asked_for_in_weeks(venue: Venue) -> None:
    """Long windows are asked for in parts of at most seven days, each with an end, and no fill between them is lost."""
    venue.fills = [fill_row(n + 1, 11, NOW - 80 * DAY + n * DAY) for n in range(80)]
    assert len(trades(venue, NOW - 80 * DAY - 1)) == 80
    for params in venue.asked("userTrades"):
        assert int(params["endTime"]) - int(params["startTime"]) <= 7 * DAY


def test_what_is_outside_of_the_window_is_left_out(venue: Venue) -> None:
    """Fills outside the window are left out, although pages by trade id go on beyond it."""
    venue.fills = [*spread(15), *(fill_row(5000 + n, 13, NOW + 10 + n) for n in range(5))]
    assert len(trades(venue)) == 15


def test_a_row_that_cannot_be_read(venue: Venue) -> None:
    """A row that cannot be read is returned as an odd row, and the others are read."""
    venue.fills = [fill_row(1, 11, NOW - 50), fill_row(2, 11, NOW - 40, quantity="many")]
    listing = venue.run(Lists(venue.rest(), page=PAGE).fills("BTCUSDT", NOW - DAY, NOW))
    assert [row.trade_id for row in listing.rows] == ["1"]
    (odd,) = listing.odd
    assert (odd.kind, odd.symbol, odd.order_id, odd.qty) == ("fill", "BTCUSDT", "11", None)


def test_a_page_of_nothing_that_can_be_read() -> None:
    """If a page has no readable trade id to go on from, the read is refused, so that no row is left out."""
    venue = Venue()
    venue.fills = [*spread(3), *(fill_row(n + 20, 11, NOW - 400 + n, quantity="x") for n in range(25))]
    with pytest.raises(RequestRefused, match="leads no further"):
        trades(venue)


def test_more_in_a_moment_than_can_be_listed() -> None:
    """A page that is full within one millisecond refuses the read, because more rows may exist."""
    venue = Venue()
    venue.income = [income_row("TRANSFER", "1", NOW - 50, n) for n in range(PAGE)]
    with pytest.raises(RequestRefused, match="millisecond"):
        venue.run(Lists(venue.rest(), page=PAGE).income(NOW - DAY, NOW))


def test_a_symbol_that_is_no_more(venue: Venue) -> None:
    """A symbol that was delisted has no fills and no orders, and does not refuse the list."""
    venue.gone = {"BTCUSDT"}
    assert trades(venue) == []
    assert venue.run(Lists(venue.rest(), page=PAGE).of_order(OrderRef("BTCUSDT", "11"), 0, NOW)).rows == ()


@pytest.mark.parametrize("number", [3, 10, 23])
def test_the_fills_of_an_order(venue: Venue, number: int) -> None:
    """An order's fills are asked for by its id, or after a full page by time, without those of other orders."""
    venue.fills = [*spread(number), fill_row(9000, 12, NOW - 50), fill_row(9001, 12, NOW - 40, quantity="x")]
    found = venue.run(Lists(venue.rest(), page=PAGE).of_order(OrderRef("BTCUSDT", "11"), NOW - DAY, NOW))
    assert len(found.rows) == number
    assert {row.order_id for row in found.rows} == {"11"}
    assert found.odd == ()


@pytest.mark.parametrize("number", [0, 9, 10, 40])
def test_income(venue: Venue, number: int) -> None:
    """Income rows are listed once and in order; rows of two types with one id are two, and large ids are exact."""
    venue.income = [fee_row(n, NOW - DAY + 5 + n * 2000) for n in range(number)]
    venue.income += [
        income_row("SPECIAL_FUNDING_FEE", "-1", NOW - 7, 10**18),
        income_row("SOMETHING_NEW", "2", NOW - 6, str(10**18)),
        income_row("TRANSFER", "3", NOW - 5, ""),
        income_row("TRANSFER", "3", NOW - 4, ""),
    ]
    listing = venue.run(Lists(venue.rest(), page=PAGE).income(NOW - DAY, NOW))
    assert [row.exchange_ts for row in listing.rows] == sorted(row["time"] for row in venue.income)
    assert len({(row.tran_id, row.income_type) for row in listing.rows}) == number + 4
    special, other, *_ = listing.rows[-4:]
    assert (special.kind, special.tran_id) == (IncomeKind.FUNDING, str(10**18))
    assert other.kind is IncomeKind.OTHER


def test_income_that_is_refused_for_good(venue: Venue) -> None:
    """Income that is refused for good is marked in the listing; a refusal that passes is raised."""
    lists = Lists(venue.rest(), page=PAGE)
    venue.scripted["income"] = [refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)]
    refusal = venue.run(lists.income(NOW - DAY, NOW)).refusal
    assert refusal is not None
    assert refusal.kind is RefusalKind.FATAL
    venue.scripted["income"] = [refused(-1000, "unknown", 400)] * 2
    with pytest.raises(RequestRefused):
        venue.run(lists.income(NOW - DAY, NOW))


@pytest.mark.parametrize("by_update", [False, True])
def test_orders(venue: Venue, by_update: bool) -> None:
    """Orders of all symbols or one are listed once each, whichever of their times the venue's list goes by."""
    venue.by_update = by_update
    venue.orders = [order_row(n + 1, NOW - DAY + 5 + n * 3000) for n in range(22)]
    venue.orders += [order_row(1, NOW - 80, symbol="ETHUSDT"), order_row(9999, NOW - 70, executed="?")]
    lists = Lists(venue.rest(), page=PAGE)
    listing = venue.run(lists.orders(NOW - DAY, NOW))
    assert len(listing.rows) == 23
    assert [row.order_id for row in listing.odd] == ["9999"]
    assert len(venue.run(lists.orders(NOW - DAY, NOW, "ETHUSDT")).rows) == 1


def test_a_window_of_no_length(venue: Venue) -> None:
    """A window that begins now or a little later is valid and empty."""
    for since in (NOW, NOW + 3):
        assert trades(venue, since, NOW) == []
