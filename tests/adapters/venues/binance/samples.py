"""Frames of Binance's USDⓈ-M futures, good and odd: the `Samples` of the family."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from listenkey.adapters.simulator.binance.garbage import garbage as garbage
from listenkey.adapters.venues.binance import facts
from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.core.dialect import Dialect

from ..nasty import JSON, fields

DIALECTS: dict[str, Dialect] = {"usdm": UsdmDialect()}
ORDER_EVENTS = ("ORDER_TRADE_UPDATE",)
EVENTS = facts.EVENTS
IGNORED = (facts.IGNORED,)
EXACT = True
AMOUNTS = ("q", "z", "l", "L", "ap", "p", "sp", "n", "rp", "T", "i", "t")
FIELDS = fields([*"scSofqpxXilzLnNTtmRabSPBe", "ap", "ps", "rp", "wb", "cw", "bc", "pa", "ep", "up", "mt"])
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "e": st.sampled_from([*EVENTS, *IGNORED, "serverShutdown"]) | JSON,
        "E": JSON,
        "o": FIELDS | JSON,
        "a": st.fixed_dictionaries(
            {}, optional={"B": st.lists(FIELDS, max_size=2) | JSON, "P": st.lists(FIELDS, max_size=2) | JSON, "m": JSON}
        ),
        "ac": FIELDS | JSON,
        "data": FIELDS | JSON,
        "stream": JSON,
        "result": JSON,
        "error": JSON,
        "code": JSON,
        "id": JSON,
        "msg": JSON,
        "listenKey": JSON,
    },
)
TRAPS = (
    '{"result":[],"id":"1"}',
    '{"result":null,"id":1e400}',
    '{"id":1,"error":{"code":2,"msg":"\\ud800"}}',
    '{"stream":"x@ORDER_TRADE_UPDATE","data":{"stream":"y","data":{"e":"ORDER_TRADE_UPDATE"}}}',
    '{"e":"listenKeyExpired","listenKey":"' + "9" * 300 + '"}',
    '{"e":"listenKeyExpired"}',
    '{"code":-1003,"msg":"' + "x" * 100_000 + '"}',
)
_ORDER = json.loads(
    '{"s":"ETHUSDT","c":"mine","S":"BUY","o":"LIMIT","f":"GTC","q":"2","p":"10","ap":"10","sp":"0","x":"TRADE",'
    '"X":"PARTIALLY_FILLED","i":7,"l":"1","z":"1","L":"10","n":"0.01","N":"USDT","T":4,"t":9,"m":false,"R":false,'
    '"ps":"BOTH","rp":"0.5"}'
)
_BALANCE = {"a": "USDT", "wb": "1000.5", "cw": "1000.5", "bc": "0"}
_POSITION = {
    "s": "ETHUSDT", "pa": "-1", "ep": "2000.0", "cr": "0", "up": "-0.1", "mt": "cross", "iw": "0", "ps": "BOTH",
    "ma": "USDT", "bep": "2001",
}  # fmt: skip


def order(**fields: Any) -> dict[str, Any]:
    """Return the frame of a fill of half an order."""
    return {"e": "ORDER_TRADE_UPDATE", "E": 5, "T": 4, "o": {**_ORDER, **fields}}


def account(**fields: Any) -> dict[str, Any]:
    """Return the frame of a balance and a position."""
    return {"e": "ACCOUNT_UPDATE", "E": 5, "T": 4, "a": {"m": "ORDER", "B": [_BALANCE], "P": [_POSITION], **fields}}


_ROWS: list[dict[str, Any]] = [
    *({"B": ["USDT"]}, {"B": "USDT"}, {"B": [{"wb": "1"}]}, {"B": [{"a": "USDT", "wb": ""}]}),
    *({"P": [["ETHUSDT"]]}, {"P": [{"s": "", "pa": "1"}]}, {"P": [{"s": "ETHUSDT", "pa": "NaN"}]}),
    *({"P": [{"s": [], "ps": side}, {"s": "ETHUSDT", "ps": "BOTH", "pa": "0"}]} for side in ("LONG", "BOTH")),
]
ROWLESS = [{"e": "ACCOUNT_UPDATE", "E": 5, "a": body} for body in _ROWS]


def event(frame: Mapping[str, Any]) -> Any:
    """Return the name of the event, also of one within an envelope with a stream."""
    inner = frame.get("data")
    return (inner if isinstance(inner, dict) and "stream" in frame and "e" not in frame else frame).get("e")


def alive(dialect: Dialect, socket: int) -> Sequence[str]:
    """Return the answers to the opening requests of a socket."""
    return [f'{{"result":["x@ACCOUNT_UPDATE"],"id":{opening.id}}}' for opening in dialect.opening(socket)]


def packed(text: str) -> bytes | str:
    """Return the text itself, because Binance sends plain text."""
    return text
