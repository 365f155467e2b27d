"""The public streams of a market, to which clients subscribe, and their messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .amounts import plain
from .candles import INTERVALS
from .depth import Depth
from .market import Market
from .quoterows import depth_row, ticker_row

Message = dict[str, Any]
FORM = re.compile(r"([A-Z0-9]+-[A-Z]+)@(ticker|trade|depth(5|10|20|50|100)(@[25]00ms)?|kline_(\w+))")
MOST_TRADES = 100
"""The most trades in a message."""


class Topic(NamedTuple):
    """One stream: `name` as the client wrote it, `size` the number of a book's levels, `interval` that of candles."""

    name: str
    symbol: str
    kind: str
    size: int = 0
    interval: str = ""


class Topics:
    """Reads a market and its book."""

    def __init__(self, market: Market, depth: Depth) -> None:
        self._market = market
        self._depth = depth
        self._kinds: Mapping[str, Callable[[Topic, int, int], Message]] = MappingProxyType(
            {"ticker": self._ticker, "trade": self._trades, "depth": self._book, "kline": self._candle}
        )

    def topic(self, name: str) -> Topic | None:
        """The stream with this name; None if there is none."""
        found = FORM.fullmatch(name)
        if found is None or found[1] not in self._market.instruments:
            return None
        if found[5] is not None and found[5] not in INTERVALS:
            return None
        kind = next(kind for kind in self._kinds if found[2].startswith(kind))
        return Topic(name, found[1], kind, int(found[3] or 0), found[5] or "")

    def message(self, topic: Topic, since: int, now: int) -> Message | None:
        """The message of a stream after the price's move number `since`; None if the price has not moved since."""
        moves = self.moves(topic, now) - since
        return {"code": 0, "dataType": topic.name, **self._kinds[topic.kind](topic, moves, now)} if moves > 0 else None

    def moves(self, topic: Topic, now: int) -> int:
        """The number of the price's moves up to `now`."""
        return self._market.step(topic.symbol, now)

    def _ticker(self, topic: Topic, moves: int, now: int) -> Message:
        symbol = topic.symbol
        (last,) = self._market.trades(symbol, 1, now)
        ask, bid = (self._depth.best(symbol, side, now) for side in ("BUY", "SELL"))
        row = ticker_row(symbol, self._market.last_day(symbol, now), last, ask, bid, now)
        names = {
            "p": "priceChange",
            "P": "priceChangePercent",
            "c": "lastPrice",
            "L": "lastQty",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "q": "quoteVolume",
            "o": "openPrice",
            "O": "openTime",
            "C": "closeTime",
            "A": "askPrice",
            "a": "askQty",
            "B": "bidPrice",
            "b": "bidQty",
        }
        told = {name: row[of] for name, of in names.items()}
        return {"data": {"e": "24hTicker", "E": now, "s": symbol, **told, "P": told["P"].rstrip("%")}}

    def _trades(self, topic: Topic, moves: int, now: int) -> Message:
        made = self._market.trades(topic.symbol, min(moves, MOST_TRADES), now)
        return {
            "data": [
                {"q": plain(each.qty), "p": plain(each.price), "T": each.time, "m": each.buyer_maker, "s": topic.symbol}
                for each in made
            ]
        }

    def _book(self, topic: Topic, moves: int, now: int) -> Message:
        asks, bids = (self._depth.levels(topic.symbol, side, now)[: topic.size] for side in ("BUY", "SELL"))
        row = depth_row(bids, asks, now)
        return {"ts": now, "data": {"T": now, "bids": row["bids"], "asks": row["asks"]}}

    def _candle(self, topic: Topic, moves: int, now: int) -> Message:
        (candle,) = self._market.candles(topic.symbol, topic.interval, None, now, 1, now)
        prices = {"c": candle.close, "o": candle.open, "h": candle.high, "l": candle.low, "v": candle.volume}
        row = {**{name: plain(each) for name, each in prices.items()}, "T": candle.time}
        return {"s": topic.symbol, "data": [row]}
