"""Answers of the REST endpoints about the market: contracts, prices, the book, trades, candles, funding."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .amounts import plain
from .candles import INTERVALS
from .clearing import Clearing
from .depth import Depth
from .market import Market
from .orders import OrderRefused
from .queries import Params, integer, required, row_limit, symbol_of
from .quoterows import candle_row, contract_row, depth_row, premium_row, settlement_row, ticker_row, trade_row
from .routes import Route, Sight
from .rows import Row
from .rules import INVALID, check_symbol

DEPTHS = (5, 10, 20, 50, 100, 500, 1000)
MOST_TRADES = 1000
MOST_CANDLES = 1440


class Quotes:
    """Reads a market and its book, and the funding that the clearing settled."""

    def __init__(self, clearing: Clearing, depth: Depth) -> None:
        self._clearing = clearing
        self._market: Market = clearing.market
        self._depth = depth
        one = ("symbol",)
        self.routes = {
            "/openApi/swap/v2/server/time": Route(lambda params, now, sight: {"serverTime": now}),
            "/openApi/swap/v2/quote/contracts": Route(self._contracts, one),
            "/openApi/swap/v2/quote/price": Route(self._one_or_all(self._price), one),
            "/openApi/swap/v1/ticker/price": Route(self._one_or_all(self._price), one),
            "/openApi/swap/v2/quote/ticker": Route(self._one_or_all(self._ticker), one),
            "/openApi/swap/v2/quote/bookTicker": Route(self._book_ticker, one),
            "/openApi/swap/v2/quote/premiumIndex": Route(self._one_or_all(self._premium), one),
            "/openApi/swap/v2/quote/fundingRate": Route(self._settled, ("symbol", "startTime", "endTime", "limit")),
            "/openApi/swap/v2/quote/depth": Route(self._book, ("symbol", "limit")),
            "/openApi/swap/v2/quote/trades": Route(self._trades, ("symbol", "limit")),
            "/openApi/swap/v3/quote/klines": Route(
                self._candles, ("symbol", "interval", "startTime", "endTime", "limit")
            ),
        }

    def _contracts(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = symbol_of(params, self._market)
        listed = self._market.instruments.values()
        return [contract_row(number, each) for number, each in enumerate(listed) if symbol in {None, each.symbol}]

    def _one_or_all(self, row: Callable[[str, int], Row]) -> Callable[[Params, int, Sight], Any]:
        """Make an answer that is one row if a symbol is given, else a list of all."""

        def answer(params: Params, now: int, sight: Sight) -> Row | list[Row]:
            symbol = symbol_of(params, self._market)
            return row(symbol, now) if symbol else [row(each, now) for each in self._market.instruments]

        return answer

    def _price(self, symbol: str, now: int) -> Row:
        return {"symbol": symbol, "price": plain(self._market.price(symbol, now)), "time": now}

    def _ticker(self, symbol: str, now: int) -> Row:
        day, (last,) = self._market.last_day(symbol, now), self._market.trades(symbol, 1, now)
        return ticker_row(symbol, day, last, self._best(symbol, "BUY", now), self._best(symbol, "SELL", now), now)

    def _best(self, symbol: str, side: str, now: int) -> tuple[Decimal, Decimal] | None:
        return self._depth.best(symbol, side, now)

    def _book_ticker(self, params: Params, now: int, sight: Sight) -> Row:
        symbol = self._symbol(params)
        row = self._ticker(symbol, now)
        names = {"bid_price": "bidPrice", "bid_qty": "bidQty", "ask_price": "askPrice", "ask_qty": "askQty"}
        return {"book_ticker": {"symbol": symbol, **{name: row[of] for name, of in names.items()}, "time": now}}

    def _premium(self, symbol: str, now: int) -> Row:
        return premium_row(symbol, self._market.price(symbol, now), self._clearing.funding_rate(symbol), now)

    def _settled(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """Settled funding rates, newest first."""
        symbol, limit = symbol_of(params, self._market), row_limit(params, "limit", 100)
        start, end = integer(params, "startTime", 0), integer(params, "endTime", now)
        found = [
            settlement_row(each)
            for each in self._clearing.settlements
            if symbol in {None, each.symbol} and start <= each.ts <= end
        ]
        return found[: -limit - 1 : -1]

    def _book(self, params: Params, now: int, sight: Sight) -> Row:
        symbol, limit = self._symbol(params), integer(params, "limit", 20)
        if limit not in DEPTHS:
            raise OrderRefused(INVALID, f"Invalid parameters, err:limit: must be one of {DEPTHS}")
        asks, bids = (self._depth.levels(symbol, side, now)[:limit] for side in ("BUY", "SELL"))
        return depth_row(bids, asks, now)

    def _trades(self, params: Params, now: int, sight: Sight) -> list[Row]:
        limit = integer(params, "limit", 500)
        if not 0 < limit <= MOST_TRADES:
            raise OrderRefused(INVALID, f"Invalid parameters, err:limit: must be within 1 and {MOST_TRADES}")
        return [trade_row(each) for each in reversed(self._market.trades(self._symbol(params), limit, now))]

    def _candles(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """Candles, newest first."""
        symbol, interval = self._symbol(params), required(params, "interval")
        if interval not in INTERVALS:
            raise OrderRefused(INVALID, f"Invalid parameters, err:interval: must be one of {', '.join(INTERVALS)}")
        limit = integer(params, "limit", 500)
        if not 0 < limit <= MOST_CANDLES:
            raise OrderRefused(INVALID, f"Invalid parameters, err:limit: must be within 1 and {MOST_CANDLES}")
        start = integer(params, "startTime") if params.get("startTime") else None
        end = min(integer(params, "endTime", now), now)
        if start is not None and start > end:
            return []
        found = self._market.candles(symbol, interval, start, end, limit, now)
        return [candle_row(each) for each in reversed(found)]

    def _symbol(self, params: Params) -> str:
        return check_symbol(self._market, required(params, "symbol"))
