"""ccxt pro's BingX, offline: its own client and handlers, its markets known, nobody connected."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from typing import Any

from .frames import SYMBOL

MISSING = "ccxt is not installed: pip install 'listenkey[bench]'"
URL = "wss://open-api-swap.bingx.com/swap-market?listenKey=none"


def installed() -> bool:
    """True if ccxt can be imported."""
    return importlib.util.find_spec("ccxt") is not None


def version() -> str:
    """Its version."""
    return str(importlib.import_module("ccxt").__version__)


def exchange(**options: Any) -> Any:
    """A `ccxt.pro.bingx` that knows one market and needs no network to know it."""
    made = importlib.import_module("ccxt.pro").bingx({"apiKey": "none", "secret": "none", "options": options})
    contract = {
        "symbol": SYMBOL,
        "currency": "USDT",
        "asset": SYMBOL.partition("-")[0],
        "pricePrecision": 1,
        "quantityPrecision": 4,
        "tradeMinQuantity": 0.0001,
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
    }
    made.set_markets([made.parse_market(contract)])
    return made


def client(made: Any) -> Any:
    """Its client for the private stream, unconnected. A running event loop is needed."""
    made.asyncio_loop = asyncio.get_running_loop()
    return made.client(URL)
