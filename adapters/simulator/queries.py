"""Parameters of a REST call, read as strictly as the venue does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .codes import NO_SUCH_ORDER
from .exchange import Exchange
from .market import Market
from .orders import Order, OrderRefused
from .rules import INVALID

Params = Mapping[str, str]
WEEK_MS = 7 * 86_400_000
QUARTER_MS = 90 * 86_400_000
MOST_ROWS = 1000


def integer(params: Params, name: str, default: int | None = None) -> int:
    """A whole number. Raises `OrderRefused` if it is none, or is missing and has no default."""
    text = params.get(name, "")
    if text == "" and default is not None:
        return default
    if not text.isdecimal():
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be a number")
    return int(text)


def row_limit(params: Params, name: str, default: int) -> int:
    """The number of rows that the caller wants, 1 to 1000. Raises `OrderRefused` otherwise."""
    limit = integer(params, name, default)
    if not 0 < limit <= MOST_ROWS:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be within 1 and {MOST_ROWS}")
    return limit


def window(params: Params, now: int, first: str, last: str, longest_ms: int | None) -> tuple[int, int]:
    """The two ends of a window, ms, by default seven days long. Raises `OrderRefused` if it is longer than allowed."""
    end = integer(params, last, now)
    start = integer(params, first, end - WEEK_MS)
    if start > end:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{first}: must not be after {last}")
    if longest_ms is not None and end - start > longest_ms:
        longest = "seven days" if longest_ms == WEEK_MS else f"{longest_ms // 86_400_000} days"
        raise OrderRefused(INVALID, f"Invalid parameters, err:the query range is more than {longest}")
    return start, end


def required(params: Params, name: str) -> str:
    """The value of a parameter. Raises `OrderRefused` if it is missing."""
    if name not in params:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: {name} field is required")
    return params[name]


def symbol_of(params: Params, market: Market) -> str | None:
    """The symbol, None if it is missing. Raises `OrderRefused` if the venue does not list it."""
    symbol = params.get("symbol")
    if symbol is not None and symbol not in market.instruments:
        raise OrderRefused(109425, f"{symbol} not exist, please verify it in api: /openApi/swap/v2/quote/contracts")
    return symbol


def order_of(params: Params, exchange: Exchange) -> Order:
    """The order with this symbol and order id, or the newest one with this client order id.

    Raises `OrderRefused` if there is none, or it has another symbol.
    """
    required(params, "symbol")
    symbol = symbol_of(params, exchange.market)
    name = params.get("clientOrderId", params.get("clientOrderID", "")).lower()
    order_id = integer(params, "orderId") if params.get("orderId") or not name else exchange.by_client_id.get(name, 0)
    order = exchange.orders.get(order_id)
    if order is None or order.symbol != symbol:
        raise OrderRefused(NO_SUCH_ORDER, "order not exist")
    return order


def time_of(row: Any) -> int:
    """The exchange time, ms, of a fill or an income row."""
    ts: int = row.ts
    return ts
