"""Market data depends on the seed and the time only, and its parts agree with each other."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from listenkey.adapters.simulator.candles import INTERVALS
from listenkey.adapters.simulator.desk import Desk
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.rest import Rest

BEGIN = 1_758_608_899_123
MINUTE, HOUR = 60_000, 3_600_000
BTC = "BTC-USDT"
D = Decimal


class Board:
    """A simulated market with its public endpoints."""

    def __init__(self, *, seed: int = 3) -> None:
        self.exchange = Exchange(now=BEGIN, seed=seed)
        self.desk = Desk(self.exchange)
        self.rest = Rest(self.exchange, depth=self.desk.depth)
        self.now = BEGIN

    def ask(self, path: str, **params: object) -> Any:
        """Return the data of an answer."""
        said = {name: str(value) for name, value in params.items()}
        version = "v3" if path == "klines" else "v2"
        return self.rest.answer(f"/openApi/swap/{version}/quote/{path}", said, self.now)["data"]


def test_all_of_it_shows_one_price() -> None:
    """Ticker, price, premium, last candle, last trade and best ask are equal, and the best bid is a tick below."""
    board = Board()
    for _ in range(5):
        board.now += 7_300
        price = board.exchange.market.price(BTC, board.now)
        (trade, *_others) = board.ask("trades", symbol=BTC)
        (candle,) = board.ask("klines", symbol=BTC, interval="1m", limit=1)
        book = board.ask("depth", symbol=BTC, limit=5)
        shown = [
            *(board.ask("price", symbol=BTC)["price"], board.ask("ticker", symbol=BTC)["lastPrice"]),
            *(board.ask("premiumIndex", symbol=BTC)["markPrice"], trade["price"], candle["close"], book["asks"][0][0]),
            board.ask("bookTicker", symbol=BTC)["book_ticker"]["ask_price"],
        ]
        assert {D(each) for each in shown} == {price}
        assert D(book["bids"][0][0]) == price - D("0.1")


def test_a_book_has_an_order_and_room() -> None:
    """Each side of the book is ordered from its best price, and its prices and quantities are on their grids."""
    book = Board().ask("depth", symbol=BTC, limit=100)
    asks, bids = ([(D(price), D(qty)) for price, qty in book[side]] for side in ("asks", "bids"))
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert all(qty > 0 and qty % D("0.0001") == 0 and price % D("0.1") == 0 for price, qty in (*asks, *bids))


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_follow_each_other(interval: str) -> None:
    """Candles are listed newest first, each opens at the close before it, and low and high contain open and close."""
    board = Board()
    board.now += 3 * MINUTE
    found = board.ask("klines", symbol=BTC, interval=interval, limit=4)
    assert 0 < len(found) <= 4
    for later, earlier in pairwise(found):
        assert later["open"] == earlier["close"]
        assert 0 < later["time"] - earlier["time"] <= INTERVALS[interval]
    for each in found:
        assert D(each["low"]) <= min(D(each["open"]), D(each["close"]))
        assert D(each["high"]) >= max(D(each["open"]), D(each["close"]))
    assert found[0]["time"] <= board.now < found[0]["time"] + INTERVALS[interval]


def test_longer_candles_are_made_of_shorter_ones() -> None:
    """A candle of an hour has the open, high, low and close of its sixty minutes."""
    board = Board()
    board.now += HOUR
    start = (BEGIN // HOUR) * HOUR - HOUR
    minutes = board.ask("klines", symbol=BTC, interval="1m", startTime=start, endTime=start + HOUR - 1, limit=100)
    (hour,) = board.ask("klines", symbol=BTC, interval="1h", startTime=start, endTime=start + HOUR - 1)
    assert len(minutes) == 60
    assert hour["high"] == str(max(D(each["high"]) for each in minutes))
    assert hour["low"] == str(min(D(each["low"]) for each in minutes))
    assert (hour["open"], hour["close"]) == (minutes[-1]["open"], minutes[0]["close"])


def test_a_window_of_candles() -> None:
    """A window gives `limit` candles from its start, or the newest without a start, and none after now."""
    board = Board()
    board.now += 10 * MINUTE
    start = BEGIN - 5 * MINUTE
    times = [each["time"] for each in board.ask("klines", symbol=BTC, interval="1m", startTime=start, limit=3)]
    first = start - start % MINUTE + MINUTE
    assert times == [first + 2 * MINUTE, first + MINUTE, first]
    assert board.ask("klines", symbol=BTC, interval="1m", startTime=board.now + 1) == []
    until = [each["time"] for each in board.ask("klines", symbol=BTC, interval="5m", endTime=BEGIN, limit=2)]
    assert [each // (5 * MINUTE) - BEGIN // (5 * MINUTE) for each in until] == [0, -1]
    ages = [each["time"] for each in board.ask("klines", symbol=BTC, interval="1d", limit=1000)]
    assert 29 <= len(ages) <= 32


def test_the_past_is_the_same_however_it_is_asked_for() -> None:
    """Past candles depend on the seed only, not on how they are asked for or on later moves."""
    whole, bits = Board(), Board()
    asked: dict[str, object] = {"symbol": BTC, "interval": "1m", "startTime": BEGIN - 6 * HOUR, "limit": 300}
    for hours in (1, 3):
        bits.ask("klines", symbol=BTC, interval="1h", limit=hours)
    before = whole.ask("klines", **asked)
    whole.now += HOUR
    assert whole.ask("klines", **asked) == before == bits.ask("klines", **asked)
    assert Board(seed=4).ask("klines", **asked) != before


def test_public_trades_go_with_the_price() -> None:
    """Each move has a public trade; the newest thousand are listed, newest first."""
    board = Board()
    board.now += 2_500_000
    found = board.ask("trades", symbol=BTC, limit=1000)
    assert len(found) == 1000
    assert [each["id"] for each in found] == list(range(2500, 1500, -1))
    assert {each["isBuyerMaker"] for each in found} == {True, False}


def test_what_nobody_can_ask() -> None:
    """An unknown symbol, interval, depth or parameter, and a limit that is too high, are refused with their codes."""
    board = Board()
    for code, path, params in (
        (109425, "ticker", {"symbol": "NOPE-USDT"}),
        (109400, "depth", {"symbol": BTC, "limit": 7}),
        (109400, "depth", {}),
        (109400, "klines", {"symbol": BTC, "interval": "7m"}),
        (109400, "klines", {"symbol": BTC, "interval": "1m", "limit": 1441}),
        (109400, "trades", {"symbol": BTC, "limit": 1001}),
        (109400, "price", {"symbol": BTC, "timezone": 8}),
    ):
        with pytest.raises(OrderRefused) as error:
            board.ask(path, **params)
        assert error.value.code == code


def test_the_funding_rate_is_the_one_that_was_settled_last() -> None:
    """The funding rate is 0 at first and then the one settled last; the next time is a multiple of 8 hours."""
    board = Board()
    row = board.ask("premiumIndex", symbol=BTC)
    assert (row["lastFundingRate"], row["nextFundingTime"] % (8 * HOUR)) == ("0.00000000", 0)
    board.exchange.fund(BTC, D("0.0001"), now=BEGIN)
    assert board.ask("premiumIndex", symbol=BTC)["lastFundingRate"] == "0.00010000"
    assert len(board.ask("premiumIndex")) == len(board.ask("ticker")) == len(board.ask("price")) == 4
