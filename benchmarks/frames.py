"""BingX's frames of one account whose books add up, with all keys of the wire."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

SYMBOL = "BTC-USDT"
FIRST_ORDER = 1970374651259388000
FIRST_TRADE = 511178071
PRICE, FEE = Decimal("112848.1"), Decimal("0.05642405")
PING = gzip.compress(b"Ping", 6)
_EIGHT = Decimal("1e-8")


def order_text(
    serial: int, done: Decimal, qty: Decimal, at: int, *, last: Decimal, trade: int, pnl: Decimal, status: str = ""
) -> bytes:
    """Return the frame of the order after a fill of `last`: even orders sell a short, odd ones buy it back."""
    content = {
        "e": "ORDER_TRADE_UPDATE",
        "E": at + 2,
        "T": at,
        "o": {
            "s": SYMBOL,
            "c": "",
            "i": FIRST_ORDER + serial,
            "S": "BUY" if serial % 2 else "SELL",
            "o": "LIMIT",
            "q": f"{qty:.8f}",
            "p": f"{PRICE:.8f}",
            "sp": "0.00000000",
            "ap": f"{PRICE if done else 0:.8f}",
            "x": "TRADE" if last else "NEW",
            "X": status or ("FILLED" if done == qty else "PARTIALLY_FILLED" if done else "NEW"),
            "N": "USDT",
            "n": f"{-FEE if last else 0:.8f}",
            "T": at,
            "wt": "",
            "ps": "SHORT",
            "rp": f"{pnl:.8f}",
            "z": f"{done:.8f}",
            "sg": "false",
            "ti": 0,
            "ro": False,
            "td": FIRST_TRADE + trade if last else 0,
            "tv": "112.8",
            "l": f"{last:.8f}",
            "L": f"{PRICE if last else 0:.8f}",
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def account_text(wallet: Decimal, held: Decimal, at: int) -> bytes:
    """Return the frame of the account after that fill."""
    content = {
        "e": "ACCOUNT_UPDATE",
        "E": at,
        "a": {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": f"{wallet.quantize(_EIGHT)}", "cw": "95.23045595", "bc": "0"}],
            "P": [
                {
                    "s": SYMBOL,
                    "pa": f"{held:.8f}",
                    "ep": f"{PRICE:.8f}",
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


def packed(text: bytes) -> bytes:
    """Return the text as one binary frame."""
    return gzip.compress(text, 6, mtime=0)
