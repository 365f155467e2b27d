"""Invalid frames: not gzip, cut short, not JSON, not UTF-8, no object, not finite numbers, or a gzip bomb."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from .wire import packed

MEBIBYTE = 1024 * 1024


@cache
def garbage() -> dict[str, bytes]:
    """Return a frame of each kind of garbage by its name."""
    order = {
        "e": "ORDER_TRADE_UPDATE",
        "E": 1,
        "o": {
            "s": "BTC-USDT",
            "i": 9_007_199_254_740_993,
            "S": "BUY",
            "o": "MARKET",
            "q": "NaN",
            "p": "",
            "ap": "NaN",
            "x": "TRADE",
            "X": "FILLED",
            "N": "USDT",
            "n": "NaN",
            "T": 0,
            "ps": "LONG",
            "rp": "Infinity",
            "z": "1e400",
        },
    }
    account = {
        "e": "ACCOUNT_UPDATE",
        "E": 1,
        "a": {"m": "ORDER", "B": [{"a": "USDT", "wb": "NaN", "cw": "", "bc": ""}]},
    }
    return {
        "not_gzip": b"\x00\x01 this is no gzip member \xff",
        "truncated": packed({"e": "ACCOUNT_UPDATE", "filler": "x" * 200})[:40],
        "not_json": packed('{"e": "ORDER_TRADE_UPDATE", "o": {'),
        "not_utf8": gzip.compress(b'{"e": "\xff\xfe"}', 1, mtime=0),
        "list": packed([1, "two", {"e": "ORDER_TRADE_UPDATE"}]),
        "number": packed(42),
        "nested": packed("[" * 5000),
        "order_nan": packed(order),
        "account_nan": packed(account),
    }


@cache
def bomb(mebibytes: int) -> bytes:
    """Return a gzip member, about a thousandth as large, that inflates to so many MiB."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    blank = b" " * MEBIBYTE
    return b"".join([*(squeeze.compress(blank) for _ in range(mebibytes)), squeeze.flush()])
