"""Answers about the market, which need no API key: symbols, prices, the book, trades, candles, funding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..amounts import eight, plain
from ..candles import INTERVALS
from ..clearing import Clearing
from ..depth import Depth
from ..market import Trade
from . import limits
from .errors import Refusal, missing, not_modelled
from .quoterows import book_row, candle_row, premium_row, symbol_row, ticker_row, trade_row
from .routes import Params, Route, Sight, limit, required, whole
from .rows import Row

DEPTHS: Mapping[int, int] = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
"""The sizes of a book, each with the weight of a call."""
MOST_CANDLES = 1500


class Quotes:
    """Reads a market and its book, and the funding that the clearing settled."""

    def __init__(self, clearing: Clearing, depth: Depth) -> None:
        self._clearing = clearing
        self._market = clearing.market
        self._depth = depth
        one, paged = ("symbol",), ("symbol", "startTime", "endTime", "limit")
        routes = {
            "ping": Route(lambda *asked: {}),
            "time": Route(lambda params, now, sight: {"serverTime": now}),
            "exchangeInfo": Route(self._information),
            "depth": Route(self._book, ("symbol", "limit"), 10),
            "trades": Route(self._trades, ("symbol", "limit"), 5),
            "aggTrades": Route(self._aggregated, (*paged, "fromId"), 20),
            "klines": Route(self._candles, (*paged, "interval"), 5),
            "premiumIndex": Route(self._each(self._premium), one, 10, 1),
            "fundingRate": Route(self._settled, paged, 1),
            "fundingInfo": Route(lambda *asked: []),
            "ticker/24hr": Route(self._each(self._ticker), one, 40, 1),
            "ticker/price": Route(self._each(self._price), one, 2, 1),
            "ticker/bookTicker": Route(self._each(self._best), one, 5, 2),
        }
        found = {f"GET /fapi/v1/{name}": route._replace(security="NONE") for name, route in routes.items()}
        self.routes = {**found, "GET /fapi/v2/ticker/price": found["GET /fapi/v1/ticker/price"]}

    def _information(self, params: Params, now: int, sight: Sight) -> Row:
        """Limits of weight and orders, assets and symbols; there are no exchange-wide filters."""
        orders = [("SECOND", 10, limits.ORDERS["10S"][1]), ("MINUTE", 1, limits.ORDERS["1M"][1])]
        rates = [("REQUEST_WEIGHT", "MINUTE", 1, limits.WEIGHT), *(("ORDERS", *each) for each in orders)]
        names = ("rateLimitType", "interval", "intervalNum", "limit")
        listed = self._market.instruments.values()
        assets = sorted({each.asset for each in listed})
        return {
            "timezone": "UTC",
            "serverTime": now,
            "futuresType": "U_MARGINED",
            "rateLimits": [dict(zip(names, each, strict=True)) for each in rates],
            "exchangeFilters": [],
            "assets": [{"asset": each, "marginAvailable": True, "autoAssetExchange": "0"} for each in assets],
            "symbols": [symbol_row(each) for each in listed],
        }

    def _each(self, row: Callable[[str, int], Row]) -> Callable[[Params, int, Sight], Any]:
        """Make an answer that is one row if a symbol is given, else a list of all."""

        def answer(params: Params, now: int, sight: Sight) -> Row | list[Row]:
            if params.get("symbol"):
                return row(self._symbol(params), now)
            return [row(each, now) for each in self._market.instruments]

        return answer

    def _price(self, symbol: str, now: int) -> Row:
        return {"symbol": symbol, "price": plain(self._market.price(symbol, now)), "time": now}

    def _ticker(self, symbol: str, now: int) -> Row:
        (last,) = self._market.trades(symbol, 1, now)
        return ticker_row(symbol, self._market.last_day(symbol, now), last, now)

    def _best(self, symbol: str, now: int) -> Row:
        ask, bid = (self._depth.best(symbol, side, now) for side in ("BUY", "SELL"))
        told = {
            "bidPrice": bid and bid[0],
            "bidQty": bid and bid[1],
            "askPrice": ask and ask[0],
            "askQty": ask and ask[1],
        }
        return {"symbol": symbol, **{name: plain(each) if each else "0" for name, each in told.items()}, "time": now}

    def _premium(self, symbol: str, now: int) -> Row:
        return premium_row(symbol, self._market.price(symbol, now), self._clearing.funding_rate(symbol), now)

    def _settled(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol, most = params.get("symbol") or None, limit(params, 100, 1000)
        start, end = whole(params, "startTime") or 0, whole(params, "endTime")
        found = [
            {
                "symbol": each.symbol,
                "fundingRate": eight(each.rate),
                "fundingTime": each.ts,
                "markPrice": eight(self._market.price(each.symbol, each.ts)),
            }
            for each in self._clearing.settlements
            if symbol in {None, each.symbol} and start <= each.ts <= (now if end is None else end)
        ]
        return found[:most] if start else found[-most:]

    def _book(self, params: Params, now: int, sight: Sight) -> Row:
        symbol, most = self._symbol(params), whole(params, "limit") or 500
        if most not in DEPTHS:
            raise Refusal(-4021, f"Limit {most} is not valid depth limit.")
        asks, bids = (self._depth.levels(symbol, side, now)[:most] for side in ("BUY", "SELL"))
        return {"lastUpdateId": self._market.step(symbol, now), "E": now, "T": now, **book_row(bids, asks)}

    def _trades(self, params: Params, now: int, sight: Sight) -> list[Row]:
        return [trade_row(each) for each in self._recent(params, 1000, now)]

    def _aggregated(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """The newest trades as aggregates of one trade each."""
        if any(params.get(name) for name in ("startTime", "endTime", "fromId")):
            raise not_modelled("aggTrades of the past")
        return [
            {
                "a": each.id,
                "p": plain(each.price),
                "q": plain(each.qty),
                "f": each.id,
                "l": each.id,
                "T": each.time,
                "m": each.buyer_maker,
            }
            for each in self._recent(params, 1000, now)
        ]

    def _recent(self, params: Params, most: int, now: int) -> list[Trade]:
        return self._market.trades(self._symbol(params), limit(params, 500, most), now)

    def _candles(self, params: Params, now: int, sight: Sight) -> list[list[Any]]:
        """Candles, oldest first."""
        symbol, interval = self._symbol(params), required(params, "interval")
        if interval not in INTERVALS:
            raise Refusal(-1120, "Invalid interval.")
        most, start, end = limit(params, 500, MOST_CANDLES), whole(params, "startTime"), whole(params, "endTime")
        last = now if end is None else min(end, now)
        if start is not None and start > last:
            return []
        return [candle_row(each, interval) for each in self._market.candles(symbol, interval, start, last, most, now)]

    def _symbol(self, params: Params) -> str:
        symbol = params.get("symbol", "")
        if not symbol:
            raise missing("symbol")
        if symbol not in self._market.instruments:
            raise Refusal(-1121, "Invalid symbol.")
        return symbol
