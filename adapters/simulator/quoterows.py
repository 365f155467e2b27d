"""Rows of REST answers about the market."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from .account import MAKER_FEE, TAKER_FEE
from .amounts import ZERO, eight, plain
from .candles import DAY_MS, Candle
from .clearing import Settlement
from .market import Instrument, Trade
from .rows import Row
from .rules import LEAST_WORTH, MOST_LEVERAGE

FUNDING_MS = 8 * 3_600_000
_CENT = Decimal("0.01")
Level = tuple[Decimal, Decimal]
"""A price, and the quantity that is offered there."""


def contract_row(number: int, instrument: Instrument) -> Row:
    """A row of the list of contracts, without dates of listing and delisting."""
    return {
        "contractId": str(100 + number),
        "symbol": instrument.symbol,
        "size": plain(instrument.step),
        "quantityPrecision": _decimals(instrument.step),
        "pricePrecision": _decimals(instrument.tick),
        "feeRate": TAKER_FEE,
        "makerFeeRate": MAKER_FEE,
        "takerFeeRate": TAKER_FEE,
        "tradeMinLimit": 0,
        "tradeMinQuantity": instrument.step,
        "tradeMinUSDT": LEAST_WORTH,
        "maxLongLeverage": MOST_LEVERAGE,
        "maxShortLeverage": MOST_LEVERAGE,
        "currency": instrument.asset,
        "asset": instrument.symbol.partition("-")[0],
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        "ensureTrigger": False,
        "triggerFeeRate": eight(ZERO),
        "brokerState": "false",
        "launchTime": 0,
        "maintainTime": 0,
        "offTime": 0,
    }


def ticker_row(symbol: str, day: Candle, last: Trade, ask: Level | None, bid: Level | None, now: int) -> Row:
    """The row of a symbol's last 24 hours; an empty side of the book has no best price."""
    moved = day.close - day.open
    return {
        "symbol": symbol,
        "priceChange": plain(moved),
        "priceChangePercent": f"{(100 * moved / day.open).quantize(_CENT, ROUND_HALF_UP)}%",
        "lastPrice": plain(day.close),
        "lastQty": plain(last.qty),
        "highPrice": plain(day.high),
        "lowPrice": plain(day.low),
        "volume": plain(day.volume),
        "quoteVolume": plain(day.worth),
        "openPrice": plain(day.open),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "askPrice": plain(ask[0]) if ask else "",
        "askQty": plain(ask[1]) if ask else "",
        "bidPrice": plain(bid[0]) if bid else "",
        "bidQty": plain(bid[1]) if bid else "",
    }


def depth_row(bids: Iterable[Level], asks: Iterable[Level], now: int) -> Row:
    """The row of the book, best levels first."""
    sides = {"bids": bids, "asks": asks}
    rows = {name: [[plain(price), plain(qty)] for price, qty in levels] for name, levels in sides.items()}
    return {"T": now, **rows, "bidsCoin": rows["bids"], "asksCoin": rows["asks"]}


def trade_row(trade: Trade) -> Row:
    """The row of a public trade."""
    return {
        "id": trade.id,
        "time": trade.time,
        "isBuyerMaker": trade.buyer_maker,
        "price": plain(trade.price),
        "qty": plain(trade.qty),
        "quoteQty": plain((trade.qty * trade.price).quantize(_CENT)),
    }


def candle_row(candle: Candle) -> Row:
    """The row of a candle; its time is when it began."""
    return {
        "open": plain(candle.open),
        "close": plain(candle.close),
        "high": plain(candle.high),
        "low": plain(candle.low),
        "volume": plain(candle.volume),
        "time": candle.time,
    }


def premium_row(symbol: str, price: Decimal, rate: Decimal, now: int) -> Row:
    """The row of mark and index price, which are both the market's, and of the last settled funding rate."""
    return {
        "symbol": symbol,
        "markPrice": plain(price),
        "indexPrice": plain(price),
        "lastFundingRate": eight(rate),
        "nextFundingTime": now - now % FUNDING_MS + FUNDING_MS,
        "fundingIntervalHours": FUNDING_MS // 3_600_000,
        "updateTime": now,
    }


def settlement_row(settlement: Settlement) -> Row:
    """The row of a settled funding rate."""
    return {"symbol": settlement.symbol, "fundingRate": eight(settlement.rate), "fundingTime": settlement.ts}


def _decimals(grid: Decimal) -> int:
    return max(0, -int(grid.normalize().as_tuple().exponent))
