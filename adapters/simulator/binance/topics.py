"""The public streams of a market, to which clients subscribe, and their messages."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from ..amounts import ZERO, plain
from ..candles import INTERVALS, begin_of, next_of
from ..clearing import Clearing
from ..depth import Depth
from .quoterows import book_row, premium_row, ticker_row

Message = dict[str, Any]
FORM = re.compile(
    r"(?P<symbol>[a-z0-9]+)@(?P<kind>ticker|miniTicker|bookTicker|trade|aggTrade|markPrice(@1s)?"
    r"|depth(?P<levels>5|10|20)?(@(100|250|500)ms)?|kline_(?P<interval>\w+))"
)
OF_ALL = {"!ticker@arr": "ticker", "!miniTicker@arr": "miniTicker", "!markPrice@arr": "markPrice"}
"""Streams that list all symbols, each with the kind of stream of one symbol."""
MOST_TRADES = 100
"""The most moves of the price for which trades are sent at once, one for each move."""
Book = dict[str, dict[Decimal, Decimal]]


class Topic(NamedTuple):
    """One stream: `name` as the client wrote it; without a symbol it is of all symbols."""

    name: str
    symbol: str | None
    kind: str
    levels: int = 0
    interval: str = ""


class Topics:
    """Makes the messages of a market between two moves of the price."""

    def __init__(self, clearing: Clearing, depth: Depth) -> None:
        self._clearing = clearing
        self._market = clearing.market
        self._depth = depth

    def topic(self, name: str) -> Topic | None:
        """The stream with this name; None if it is not modelled."""
        if (all_of := OF_ALL.get(name.removesuffix("@1s"))) is not None:
            return Topic(name, None, all_of)
        found = FORM.fullmatch(name)
        symbol = found["symbol"].upper() if found else ""
        if found is None or symbol not in self._market.instruments:
            return None
        if found["interval"] and found["interval"] not in INTERVALS:
            return None
        kind = re.split("[_@0-9]", found["kind"])[0]
        return Topic(name, symbol, kind, int(found["levels"] or 0), found["interval"] or "")

    def moves(self, topic: Topic, now: int) -> int:
        """The number of moves up to `now` of the price of a topic's symbol, or of the first one if it is of all."""
        return self._market.step(topic.symbol or next(iter(self._market.instruments)), now)

    def book(self, topic: Topic, now: int) -> Book:
        """The whole book of a topic's symbol: quantities by price."""
        assert topic.symbol is not None
        sides = {"b": "SELL", "a": "BUY"}
        return {name: dict(self._depth.levels(topic.symbol, side, now)) for name, side in sides.items()}

    def changes(self, topic: Topic, before: Book, since: int, now: int) -> Message:
        """The message of the book's changes: quantities that differ from `before`, 0 for levels that are gone."""
        assert topic.symbol is not None
        book, step = self.book(topic, now), self.moves(topic, now)
        sides = {
            name: [
                [plain(price), plain(book[name].get(price, ZERO))]
                for price in sorted({*before.get(name, {}), *book[name]}, reverse=name == "b")
                if book[name].get(price, ZERO) != before.get(name, {}).get(price, ZERO)
            ]
            for name in ("b", "a")
        }
        return _depth_update(topic.symbol, since, step, now) | sides

    def messages(self, topic: Topic, since: int, now: int) -> list[Any]:
        """The new messages of a stream after the price's first `since` moves."""
        if topic.symbol is None:
            return [[self._one(topic.kind, each, now) for each in self._market.instruments]]
        match topic.kind:
            case "trade" | "aggTrade":
                count = min(max(self.moves(topic, now) - since, 1), MOST_TRADES)
                return [
                    self._trade(topic.kind, topic.symbol, each)
                    for each in self._market.trades(topic.symbol, count, now)
                ]
            case "kline":
                return [self._candle(topic, now)]
            case "depth":
                bids, asks = (self._depth.levels(topic.symbol, side, now)[: topic.levels] for side in ("SELL", "BUY"))
                rows = book_row(bids, asks)
                update = _depth_update(topic.symbol, since, self.moves(topic, now), now)
                return [update | {"b": rows["bids"], "a": rows["asks"]}]
        return [self._one(topic.kind, topic.symbol, now)]

    def _one(self, kind: str, symbol: str, now: int) -> Message:
        if kind == "markPrice":
            row = premium_row(symbol, self._market.price(symbol, now), self._clearing.funding_rate(symbol), now)
            names = {"p": "markPrice", "i": "indexPrice", "P": "estimatedSettlePrice", "r": "lastFundingRate"}
            return (
                _event("markPriceUpdate", symbol, now)
                | {key: row[name] for key, name in names.items()}
                | {"T": row["nextFundingTime"]}
            )
        if kind == "bookTicker":
            ask, bid = (self._depth.best(symbol, side, now) for side in ("BUY", "SELL"))
            told = {"b": bid and bid[0], "B": bid and bid[1], "a": ask and ask[0], "A": ask and ask[1]}
            message = {"e": "bookTicker", "u": self._market.step(symbol, now), "s": symbol, "T": now, "E": now}
            return message | {key: plain(each) if each else "0" for key, each in told.items()}
        (last,) = self._market.trades(symbol, 1, now)
        row = ticker_row(symbol, self._market.last_day(symbol, now), last, now)
        short = {
            "c": "lastPrice",
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "q": "quoteVolume",
        }
        if kind == "miniTicker":
            return _event("24hrMiniTicker", symbol, now) | {key: row[name] for key, name in short.items()}
        long = {"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "Q": "lastQty", "O": "openTime"}
        long |= {"C": "closeTime", "F": "firstId", "L": "lastId", "n": "count"}
        return _event("24hrTicker", symbol, now) | {key: row[name] for key, name in (short | long).items()}

    def _trade(self, kind: str, symbol: str, trade: Any) -> Message:
        told = {"p": plain(trade.price), "q": plain(trade.qty), "T": trade.time, "m": trade.buyer_maker}
        ids = {"t": trade.id, "X": "MARKET"} if kind == "trade" else {"a": trade.id, "f": trade.id, "l": trade.id}
        return _event(kind, symbol, trade.time) | told | ids

    def _candle(self, topic: Topic, now: int) -> Message:
        assert topic.symbol is not None
        begun = begin_of(topic.interval, now)
        (candle,) = self._market.candles(topic.symbol, topic.interval, begun, now, 1, now)
        prices = {"o": candle.open, "c": candle.close, "h": candle.high, "l": candle.low, "v": candle.volume}
        k = {
            "t": begun,
            "T": next_of(topic.interval, begun) - 1,
            "s": topic.symbol,
            "i": topic.interval,
            "f": 0,
            "L": 0,
        }
        k |= {key: plain(each) for key, each in prices.items()}
        k |= {"n": 1, "x": False, "q": plain(candle.worth), "V": k["v"], "Q": plain(candle.worth), "B": "0"}
        return _event("kline", topic.symbol, now) | {"k": k}


def _event(name: str, symbol: str, now: int) -> Message:
    return {"e": name, "E": now, "s": symbol}


def _depth_update(symbol: str, since: int, step: int, now: int) -> Message:
    """An update of the book; it begins at the last move before it, so that it joins a book read there."""
    return _event("depthUpdate", symbol, now) | {"T": now, "U": since, "u": step, "pu": since}
