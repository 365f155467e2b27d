"""Invalid frames: not JSON, not UTF-8, no object, not finite numbers, binary, or far too large."""

from __future__ import annotations

from functools import cache

import msgspec

from .client import Binary

MEBIBYTE = 1024 * 1024
_encode = msgspec.json.Encoder().encode


@cache
def garbage() -> dict[str, bytes]:
    """Return a frame of each kind of garbage by its name."""
    order = {
        "s": "BTCUSDT",
        "i": 9_007_199_254_740_993,
        "S": "BUY",
        "o": "MARKET",
        "x": "TRADE",
        "X": "FILLED",
        "q": "NaN",
        "p": "",
        "l": "NaN",
        "z": "1e400",
        "L": "-",
        "n": "NaN",
        "N": "USDT",
        "T": 0,
        "t": 1,
        "ps": "LONG",
        "rp": "Infinity",
    }
    account = {"m": "ORDER", "B": [{"a": "USDT", "wb": "NaN", "cw": "", "bc": ""}], "P": {}}
    return {
        "not_json": b'{"e":"ORDER_TRADE_UPDATE","o":{',
        "not_utf8": b'{"e":"\xff\xfe"}',
        "list": _encode([1, "two", {"e": "ORDER_TRADE_UPDATE"}]),
        "number": b"42",
        "nested": b"[" * 5000,
        "order_nan": _encode({"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": order}),
        "account_nan": _encode({"e": "ACCOUNT_UPDATE", "E": 1, "T": 1, "a": account}),
        "binary": Binary(b"\x00\x01 this is no text \xff"),
    }


def giant(mebibytes: int) -> bytes:
    """Return a frame of so many MiB: a JSON object that is nearly all blanks."""
    return b'{"e":"ACCOUNT_UPDATE"' + b" " * (mebibytes * MEBIBYTE) + b"}"
