"""Rows of the answers about the market."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ..amounts import eight, plain
from ..candles import DAY_MS, Candle, next_of
from ..market import Instrument, Trade
from .rows import Row

FUNDING_MS = 8 * 3_600_000
LEAST_NOTIONAL = 5
"""The least value of an order that opens, in the quote asset."""
TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
_CENT = Decimal("0.01")
_MOST = 1_000_000
Level = tuple[Decimal, Decimal]
"""A price, and the quantity that is offered there."""


def symbol_row(instrument: Instrument) -> Row:
    """The row of a symbol, with fixed dates of listing and delivery."""
    base, tick, step = instrument.symbol.removesuffix(instrument.asset), plain(instrument.tick), plain(instrument.step)
    lot = {"minQty": step, "maxQty": str(_MOST), "stepSize": step}
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "0.4000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": instrument.asset,
        "marginAsset": instrument.asset,
        "pricePrecision": _decimals(instrument.tick),
        "quantityPrecision": _decimals(instrument.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.000500",
        "marketTakeBound": "1.00",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": str(100 * _MOST), "tickSize": tick},
            {"filterType": "LOT_SIZE", **lot},
            {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MIN_NOTIONAL", "notional": str(LEAST_NOTIONAL)},
        ],
        "orderTypes": list(TYPES),
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def ticker_row(symbol: str, day: Candle, last: Trade, now: int) -> Row:
    """The row of a symbol's last 24 hours."""
    moved = day.close - day.open
    return {
        "symbol": symbol,
        "priceChange": plain(moved),
        "priceChangePercent": str((100 * moved / day.open).quantize(Decimal("0.001"), ROUND_HALF_UP)),
        "weightedAvgPrice": plain((day.worth / day.volume).quantize(_CENT)) if day.volume else plain(day.close),
        "lastPrice": plain(day.close),
        "lastQty": plain(last.qty),
        "openPrice": plain(day.open),
        "highPrice": plain(day.high),
        "lowPrice": plain(day.low),
        "volume": plain(day.volume),
        "quoteVolume": plain(day.worth),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": 0,
        "lastId": last.id,
        "count": last.id + 1,
    }


def book_row(bids: Iterable[Level], asks: Iterable[Level]) -> Row:
    """The row of the book, best levels first."""
    sides = {"bids": bids, "asks": asks}
    return {name: [[plain(price), plain(qty)] for price, qty in levels] for name, levels in sides.items()}


def trade_row(trade: Trade) -> Row:
    """The row of a public trade."""
    return {
        "id": trade.id,
        "price": plain(trade.price),
        "qty": plain(trade.qty),
        "quoteQty": plain((trade.qty * trade.price).quantize(_CENT)),
        "time": trade.time,
        "isBuyerMaker": trade.buyer_maker,
    }


def candle_row(candle: Candle, interval: str) -> list[Any]:
    """A candle as a list."""
    prices = [plain(each) for each in (candle.open, candle.high, candle.low, candle.close)]
    half = [plain(candle.volume), plain(candle.worth)]
    return [candle.time, *prices, half[0], next_of(interval, candle.time) - 1, half[1], 1, *half, "0"]


def premium_row(symbol: str, price: Decimal, rate: Decimal, now: int) -> Row:
    """The row of mark and index price, which are both the market's, and of the last settled funding rate."""
    prices = dict.fromkeys(("markPrice", "indexPrice", "estimatedSettlePrice"), eight(price))
    next_time = now - now % FUNDING_MS + FUNDING_MS
    rates = {"lastFundingRate": eight(rate), "interestRate": "0.00010000"}
    return {"symbol": symbol, **prices, **rates, "nextFundingTime": next_time, "time": now}


def _decimals(grid: Decimal) -> int:
    return max(0, -int(grid.normalize().as_tuple().exponent))
