"""More rows within one second than a list shows are all found by other requests, or the listing has an odd row.

Lists have a limit of rows, fills have whole seconds, and it is unknown if windows use these or hidden milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listenkey.adapters.venues.bingx import lists
from listenkey.adapters.venues.bingx.listing import Listing
from listenkey.adapters.venues.bingx.lists import Lists
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.core.reports import FillReport

from .venue import NOW, Row, Venue, fill_row, income_row, order_row

FULL = 8
SECOND = NOW // 1000 * 1000 - 60_000
SYMBOLS = ("BTC-USDT", "ETH-USDT", "SOL-USDT")


@pytest.fixture(autouse=True)
def _full_soon() -> Iterator[None]:
    """Limit lists of fills to eight rows and others to nine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lists, "MOST_FILLS", FULL)
        patch.setattr(lists, "PAGE", FULL + 1)
        yield


def crowd(number: int, symbol: str, at: int, *, first: int = 1, apart: int = 0) -> list[Row]:
    """Return so many fills of one order for each symbol, from this time on, `apart` ms from each other."""
    order = 10 + SYMBOLS.index(symbol)
    return [fill_row(first + n, order, at + n * apart, "0.1", symbol=symbol) for n in range(number)]


def fills(venue: Venue) -> Listing[FillReport]:
    return venue.run(Lists(venue.rest()).fills(SECOND - 20_000, NOW, SYMBOLS))


def names(rows: tuple[FillReport, ...]) -> list[int]:
    return sorted(int(row.trade_id or 0) for row in rows)


GROUPS = st.tuples(
    st.integers(0, 2), st.sampled_from(SYMBOLS), st.integers(0, 999), st.integers(1, FULL + 2), st.integers(0, 40)
)


@given(groups=st.lists(GROUPS, max_size=6), exact=st.booleans(), newest_first=st.booleans())
def test_a_fill_is_listed_or_its_moment_is_said_to_be_full(
    groups: list[tuple[int, str, int, int, int]], exact: bool, newest_first: bool
) -> None:
    """Each fill is listed, or its symbol has an odd row because one moment has more fills than the venue lists."""
    venue = Venue()
    venue.most_fills, venue.exact, venue.newest_first = FULL, exact, newest_first
    for second, symbol, ms, number, apart in groups:
        venue.fills += crowd(number, symbol, SECOND + second * 1000 + ms, first=len(venue.fills) + 1, apart=apart)
    found = fills(venue)
    assert len(names(found.rows)) == len(set(names(found.rows)))
    grain = 1 if exact else 1000
    crowds = Counter((row["symbol"], row["at"] // grain) for row in venue.fills)
    full = {moment for moment, number in crowds.items() if number >= FULL}
    assert {row.symbol for row in found.odd} == {symbol for symbol, _ in full}
    missing = [row for row in venue.fills if int(row["tradeId"]) not in names(found.rows)]
    assert {(row["symbol"], row["at"] // grain) for row in missing} <= full


@pytest.mark.parametrize(("exact", "requests"), [(True, 14), (False, 10)])
def test_a_full_second_takes_a_few_questions(exact: bool, requests: int) -> None:
    """A full second is read in few requests: its first millisecond, and then by symbol."""
    venue = Venue()
    venue.most_fills, venue.exact = FULL, exact
    for symbol in SYMBOLS:
        venue.fills += crowd(7, symbol, SECOND + 3, first=len(venue.fills) + 1, apart=100)
    found = fills(venue)
    assert (names(found.rows), found.odd) == (list(range(1, 22)), ())
    assert venue.count("fillHistory") <= requests


def test_a_full_second_of_one_symbol_is_not_said_to_be_whole() -> None:
    """If a symbol's second is full, its odd row has the symbol, the time and the advice to compare."""
    venue = Venue()
    venue.most_fills = FULL
    venue.fills = crowd(9, "ETH-USDT", SECOND + 500)
    (odd,) = fills(venue).odd
    assert (odd.kind, odd.symbol, odd.order_id) == ("fill", "ETH-USDT", None)
    assert str(SECOND) in odd.excerpt
    assert "compare" in odd.excerpt
    assert fills(venue).odd == (odd,)


def test_a_symbol_that_only_income_names_is_asked_for_too() -> None:
    """In a full second symbols that only orders or income name are asked for too."""
    venue = Venue()
    venue.most_fills = FULL
    venue.fills = [*crowd(3, "SOL-USDT", SECOND), *crowd(7, "BTC-USDT", SECOND + 1, first=4)]
    venue.fills += crowd(1, "ETH-USDT", SECOND + 900, first=11)
    venue.orders = [order_row(10, SECOND, executed="0.7"), order_row(11, SECOND, executed="0.1", symbol="ETH-USDT")]
    venue.income = [income_row("TRADING_FEE", "-0.1", SECOND, "t1", symbol="SOL-USDT")]
    account = venue.run(Reader(venue.rest()).read(SECOND - 20_000))
    assert names(account.fills) == list(range(1, 12))
    assert not account.odd


def test_an_account_with_a_full_second_is_read() -> None:
    """An account with a full second is read, with odd rows for fills, orders and income that may be missing."""
    venue = Venue()
    venue.most_fills = FULL
    venue.fills = crowd(9, "BTC-USDT", SECOND + 500)
    venue.orders = [order_row(20 + n, SECOND) for n in range(9)]
    venue.income = [income_row("TRADING_FEE", "-1", SECOND, f"t{n}") for n in range(9)]
    account = venue.run(Reader(venue.rest()).read(SECOND - 20_000))
    assert account.balances
    assert [(row.kind, row.symbol) for row in account.odd] == [("fill", "BTC-USDT"), ("order", None), ("income", None)]
