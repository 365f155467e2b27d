"""Frames that hold a secret: of every kind, in every field, behind so many other characters, in every form."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

PAD = "- "
"""Filling in which nothing looks like a key."""
AT = 1_758_608_899_350
ORDER: dict[str, Any] = {
    "s": "BTC-USDT",
    "c": "",
    "i": 1970374651259388123,
    "S": "SELL",
    "o": "LIMIT",
    "q": "0.00200000",
    "p": "112848.10000000",
    "sp": "0.00000000",
    "ap": "112848.10000000",
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "N": "USDT",
    "n": "-0.05642405",
    "T": AT,
    "wt": "",
    "ps": "SHORT",
    "rp": "0.00000000",
    "z": "0.00100000",
}
BALANCE = {"a": "USDT", "wb": "1000.5", "cw": "1", "bc": "0"}
POSITION = {"s": "BTC-USDT", "pa": "1.0", "ep": "2.0", "up": "-0.1", "mt": "cross", "iw": "3", "ps": "SHORT"}


class Plant(NamedTuple):
    """A kind of frame, and the frame that holds this text behind so many characters."""

    name: str
    frame: Callable[[str, int], bytes | str]


def written(secret: str) -> Iterator[str]:
    """The secret as it may be written."""
    yield secret
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield quote(secret, safe="")
    yield quote(secret)
    yield secret.encode().hex()
    yield secret.encode().hex().upper()
    for before in range(3):
        yield base64.b64encode(b"x" * before + secret.encode() + b"yz").decode()
        yield base64.urlsafe_b64encode(b"x" * before + secret.encode()).decode()


def text(content: Any) -> str:
    """JSON in which a backslash that is there already stays as it is."""
    return json.dumps(content, separators=(",", ":")).replace("\\\\", "\\")


def behind(secret: str, pad: int) -> str:
    """The secret at that place of a text."""
    return (PAD * (pad // 2 + 1))[:pad] + secret


def frames() -> Iterator[Plant]:
    """All kinds, each of them once."""
    for name in ("s", "c", "o", "N", "X", "sp", "wt", "td", "new"):
        yield Plant(f"order, {name}", lambda secret, pad, name=name: packed(order(**{name: behind(secret, pad)})))  # type: ignore[misc]
    yield Plant("order in a text frame", lambda secret, pad: text(order(c=behind(secret, pad))))
    yield Plant("account, named", lambda secret, pad: packed({**account(), "listenKey": behind(secret, pad)}))
    yield Plant("account, reason", lambda secret, pad: packed(account(m=behind(secret, pad))))
    yield Plant("account, asset", lambda secret, pad: packed(account(B=[{**BALANCE, "a": behind(secret, pad)}])))
    yield Plant("account, mode", lambda secret, pad: packed(account(P=[{**POSITION, "mt": behind(secret, pad)}])))
    yield Plant("settings", lambda secret, pad: packed(settings(behind(secret, pad))))
    yield Plant("snapshot", lambda secret, pad: packed({"e": "SNAPSHOT", "E": AT, "a": account()["a"], "k": secret}))
    yield Plant("unknown", lambda secret, pad: packed({"e": "NEWS", "what": {"of": [behind(secret, pad)]}}))
    yield Plant("unknown, key of an object", lambda secret, pad: packed({"e": "NEWS", behind(secret, pad): 1}))
    yield Plant("error", lambda secret, pad: packed({"code": 100500, "msg": behind(secret, pad)}))
    yield Plant("error, code", lambda secret, pad: packed({"code": behind(secret, pad), "msg": "no"}))
    yield Plant("ping", lambda secret, pad: packed({"ping": behind(secret, pad).replace("\\", ""), "time": "now"}))
    yield Plant("not JSON", lambda secret, pad: packed(behind(secret, pad)))
    yield Plant("not JSON, in a text frame", lambda secret, pad: behind(secret, pad) + " !")
    yield Plant("a list of events", lambda secret, pad: text([order(c=behind(secret, pad)), {"e": "NEWS"}]))
    yield Plant("lines", lambda secret, pad: f"{text(account())}\nnot JSON {behind(secret, pad)}\n{text(order())}")
    yield Plant("plain, in a binary frame", lambda secret, pad: b"\xff " + behind(secret, pad).encode())
    yield Plant("zlib", lambda secret, pad: zlib.compress(behind(secret, pad).encode()))
    yield Plant("zlib, cut", lambda secret, pad: zlib.compress(behind(secret, pad).encode())[:-3])
    yield Plant("gzip, cut", lambda secret, pad: _gzip(behind(secret, pad))[:-9])
    yield Plant("gzip, cut within", lambda secret, pad: _gzip(behind(secret, pad))[: -9 - pad % 40])
    yield Plant("gzip that compresses nothing, cut", lambda secret, pad: _gzip(behind(secret, pad), 0)[: -9 - pad % 40])
    yield Plant("two bytes a letter", lambda secret, pad: behind(secret, pad).encode("utf-16"))
    yield Plant("oversized", lambda secret, pad: gzip.compress(b"x" * 70_000 + secret.encode(), mtime=0))
    yield Plant("end of a key", lambda secret, pad: packed({"e": "listenKeyExpired", "E": AT, "listenKey": secret}))


def order(**changes: Any) -> dict[str, Any]:
    """What is said of an order."""
    return {"e": "ORDER_TRADE_UPDATE", "E": AT, "o": {**ORDER, **changes}}


def account(**changes: Any) -> dict[str, Any]:
    """What is said of the account."""
    return {"e": "ACCOUNT_UPDATE", "E": AT, "a": {"m": "ORDER", "B": [BALANCE], "P": [POSITION], **changes}}


def settings(symbol: str) -> dict[str, Any]:
    """What is said of a symbol's leverage."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": AT, "ac": {"s": symbol, "l": 5, "S": 5, "mt": "cross"}}


def packed(content: Any) -> bytes:
    """A frame as the venue sends it."""
    return _gzip(content if isinstance(content, str) else text(content))


def _gzip(content: str, level: int = 6) -> bytes:
    return gzip.compress(content.encode(), level, mtime=0)
