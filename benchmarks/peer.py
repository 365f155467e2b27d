"""ccxt pro's BingX without a network: its own client and handlers, with a known market."""

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
    """The version of ccxt."""
    return str(importlib.import_module("ccxt").__version__)


def exchange(**options: Any) -> Any:
    """Return a `ccxt.pro.bingx` that knows one market without a network."""
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
    """Return its client of the private stream, unconnected. It needs a running event loop."""
    made.asyncio_loop = asyncio.get_running_loop()
    return made.client(URL)
