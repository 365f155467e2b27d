"""Binance's frames of the same account, with all keys of the wire: texts, and amounts without trailing zeros."""

from __future__ import annotations

import json
from decimal import Decimal

from .frames import FEE, FIRST_ORDER, FIRST_TRADE, PRICE

SYMBOL = "BTCUSDT"


def order_text(
    serial: int, done: Decimal, qty: Decimal, at: int, *, last: Decimal, trade: int, pnl: Decimal, status: str = ""
) -> bytes:
    """Return the frame of the order after a fill of `last`: even orders sell a short, odd ones buy it back."""
    content = {
        "e": "ORDER_TRADE_UPDATE",
        "T": at,
        "E": at + 1,
        "o": {
            "s": SYMBOL,
            "c": f"bot-{serial:032x}",
            "S": "BUY" if serial % 2 else "SELL",
            "o": "LIMIT",
            "f": "GTC",
            "q": _plain(qty),
            "p": _plain(PRICE),
            "ap": _plain(PRICE if done else Decimal(0)),
            "sp": "0",
            "x": "TRADE" if last else "NEW",
            "X": status or ("FILLED" if done == qty else "PARTIALLY_FILLED" if done else "NEW"),
            "i": FIRST_ORDER + serial,
            "l": _plain(last),
            "z": _plain(done),
            "L": _plain(PRICE if last else Decimal(0)),
            "n": _plain(FEE if last else Decimal(0)),
            "N": "USDT",
            "T": at,
            "t": FIRST_TRADE + trade if last else 0,
            "b": "0",
            "a": "112.8481",
            "m": False,
            "R": False,
            "wt": "CONTRACT_PRICE",
            "ot": "LIMIT",
            "ps": "SHORT",
            "cp": False,
            "rp": _plain(pnl),
            "pP": False,
            "si": 0,
            "ss": 0,
            "V": "EXPIRE_MAKER",
            "pm": "NONE",
            "gtd": 0,
            "er": "0",
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def account_text(wallet: Decimal, held: Decimal, at: int) -> bytes:
    """Return the frame of the account after that fill; a short position has a negative amount."""
    content = {
        "e": "ACCOUNT_UPDATE",
        "T": at,
        "E": at + 1,
        "a": {
            "B": [{"a": "USDT", "wb": _plain(wallet), "cw": _plain(wallet), "bc": "0"}],
            "P": [
                {
                    "s": SYMBOL,
                    "pa": _plain(-held),
                    "ep": _plain(PRICE if held else Decimal(0)),
                    "cr": "-0.05642405",
                    "up": "-0.00004435",
                    "mt": "cross",
                    "iw": "0",
                    "ps": "SHORT",
                    "ma": "USDT",
                    "bep": "112791.67595",
                }
            ],
            "m": "ORDER",
        },
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount else "0"
