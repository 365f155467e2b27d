"""Frames of BingX, good and odd: the `Samples` of the family."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from listenkey.adapters.simulator.garbage import garbage as garbage
from listenkey.adapters.venues.bingx.spot import SpotDialect
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.dialect import Dialect

from ..nasty import JSON, fields

DIALECTS: dict[str, Dialect] = {"swap": SwapDialect(), "spot": SpotDialect()}
ORDER_EVENTS = ("ORDER_TRADE_UPDATE", "TRADE_UPDATE")
EVENTS = (*ORDER_EVENTS, "ACCOUNT_UPDATE", "ACCOUNT_CONFIG_UPDATE", "SNAPSHOT", "executionReport", "listenKeyExpired")
IGNORED: tuple[str, ...] = ()
EXACT = False
AMOUNTS = ("q", "z", "l", "L", "ap", "p", "n", "rp", "T", "i", "td")
FIELDS = fields([*"sciSoqpxXNnTzlLEQCtO", "sp", "ap", "ps", "rp", "td", "wb", "cw", "bc", "pa", "ep", "up", "mt"])
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "e": st.sampled_from(EVENTS) | JSON,
        "E": JSON,
        "o": FIELDS | JSON,
        "a": st.fixed_dictionaries(
            {}, optional={"B": st.lists(FIELDS) | JSON, "P": st.lists(FIELDS) | JSON, "m": JSON}
        ),
        "ac": FIELDS | JSON,
        "data": FIELDS | JSON,
        "dataType": JSON,
        "code": JSON,
        "id": JSON,
        "msg": JSON,
        "ping": JSON,
        "listenKey": JSON,
    },
)
TRAPS = (
    '{"ping":"' + "9" * 300 + '","time":"x"}',
    '{"e":"listenKeyExpired","listenKey":"Ping"}',
    "Ping\n",
    "ping",
    '{"e":"listenKeyExpired"}',
    '{"code":100413,"msg":"' + "x" * 100_000 + '"}',
)
_ORDER = {
    "s": "BTC-USDT", "c": "", "i": 1976218903122018401, "S": "BUY", "o": "LIMIT", "q": "1", "p": "64000",
    "x": "TRADE", "X": "PARTIALLY_FILLED", "N": "USDT", "n": "-0.01", "T": 0, "ps": "LONG", "rp": "0", "z": "0.5",
    "ap": "64000", "l": "0.5", "L": "64000", "td": 7,
}  # fmt: skip
_BALANCE = {"a": "USDT", "wb": "1000.5", "cw": "1", "bc": "0"}
_POSITION = {"s": "BTC-USDT", "pa": "1.0", "ep": "2.0", "up": "-0.1", "mt": "cross", "iw": "3", "ps": "SHORT"}


def order(**fields: Any) -> dict[str, Any]:
    """Return the frame of a fill of half an order."""
    return {"e": "ORDER_TRADE_UPDATE", "E": 1_760_000_001_000, "o": {**_ORDER, **fields}}


def account(**fields: Any) -> dict[str, Any]:
    """Return the frame of a balance and a position."""
    return {
        "e": "ACCOUNT_UPDATE",
        "E": 1_760_000_001_000,
        "a": {"m": "ORDER", "B": [_BALANCE], "P": [_POSITION], **fields},
    }


_ROWS: list[dict[str, Any]] = [
    *({"B": ["USDT"]}, {"B": "USDT"}, {"B": [{"wb": "1"}]}),
    *({"P": [["BTC-USDT"]]}, {"P": [{"s": "", "pa": "1"}]}),
]
ROWLESS = [{"e": "ACCOUNT_UPDATE", "E": 5, "a": body} for body in _ROWS]


def event(frame: Mapping[str, Any]) -> Any:
    """Return the name of the event, which spot's frames have in their `data`."""
    inner = frame.get("data")
    return inner.get("e") if isinstance(inner, dict) and "e" not in frame else frame.get("e")


def alive(dialect: Dialect, socket: int) -> Sequence[str]:
    """Return the acknowledgements of spot's subscriptions, or the venue's ping for a swap's socket."""
    return [f'{{"id":"{opening.id}","code":0,"msg":""}}' for opening in dialect.opening(socket)] or ["Ping"]


def packed(text: str) -> bytes | str:
    """Return the text as a gzip member."""
    return gzip.compress(text.encode(errors="surrogatepass"), 1, mtime=0)
