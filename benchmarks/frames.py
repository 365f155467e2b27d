"""Frames as the wire brings them: order fills and account updates mixed, from the simulated exchange's own wire."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal


def order_frame(serial: int, part: int, parts: int) -> bytes:
    """The text of one fill: the `part`-th of `parts` of order `serial`."""
    at = 1_758_608_899_316 + serial * 20 + part
    done = Decimal("0.001") * part
    content = {
        "e": "ORDER_TRADE_UPDATE",
        "E": at + 2,
        "T": at,
        "o": {
            "s": "BTC-USDT",
            "c": "",
            "i": 1970374651259388000 + serial,
            "S": "SELL",
            "o": "LIMIT",
            "q": f"{Decimal('0.001') * parts:.8f}",
            "p": "112848.10000000",
            "sp": "0.00000000",
            "ap": "112848.10000000",
            "x": "TRADE",
            "X": "FILLED" if part == parts else "PARTIALLY_FILLED",
            "N": "USDT",
            "n": "-0.05642405",
            "T": at,
            "wt": "",
            "ps": "SHORT",
            "rp": "0.00000000",
            "z": f"{done:.8f}",
            "sg": "false",
            "ti": 0,
            "ro": False,
            "td": 511178071 + serial * 10 + part,
            "tv": "112.8",
            "l": "0.00100000",
            "L": "112848.10000000",
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def account_frame(serial: int, part: int) -> bytes:
    """The text of the account update that follows that fill."""
    at = 1_758_608_899_318 + serial * 20 + part
    content = {
        "e": "ACCOUNT_UPDATE",
        "E": at,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": f"{117.8 + serial / 1000:.8f}", "cw": "95.23045595", "bc": "0"}],
            "P": [
                {
                    "s": "BTC-USDT",
                    "pa": f"{serial * 0.002 + part * 0.001:.8f}",
                    "ep": "112848.10000000",
                    "up": "-0.00004435",
                    "mt": "cross",
                    "iw": "22.56957565",
                    "ps": "SHORT",
                    "cr": "-0.05642405",
                }
            ],
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def mixed(fills: int, *, parts: int = 2) -> list[bytes]:
    """Gzip frames of so many fills, each followed by its account update; every order fills in `parts`."""
    frames = []
    for number in range(fills):
        serial, part = divmod(number, parts)
        frames.append(gzip.compress(order_frame(serial, part + 1, parts), 6))
        frames.append(gzip.compress(account_frame(serial, part + 1), 6))
    return frames
