"""Frames and answers of Binance that contain a secret: the `Planted` of the family."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from listenkey.adapters.venues.binance.codes import CREDENTIALS
from listenkey.adapters.venues.binance.keys import Handshake, Keys
from listenkey.adapters.venues.binance.pace import Address, Pace
from listenkey.adapters.venues.binance.reader import Reader
from listenkey.adapters.venues.binance.rest import Rest
from listenkey.adapters.venues.family import Services
from listenkey.core.secrets import Secrets
from listenkey.ports.http import HttpResponse

from ....leaks.plants import Plant, Spoiled, bare, behind, text
from . import samples
from .venue import balance_row, fill_row, income_row, order_row, position_row

HEADER = "X-MBX-APIKEY"
TIME = "time"
MORTAL = ("error, refused for good", "error, too fast", "error, banned")
AT = 1_790_000_000_500
CALM: dict[tuple[str, str], Any] = {
    ("GET", "time"): {"serverTime": AT},
    ("GET", "balance"): [balance_row("USDT", "1000.5")],
    ("GET", "positionRisk"): [],
    ("GET", "openOrders"): [],
    ("GET", "allOrders"): [],
    ("GET", "userTrades"): [],
    ("GET", "income"): [],
}
_BALANCE = {"a": "USDT", "wb": "1000.5", "cw": "1000.5", "bc": "0"}
_POSITION = {"s": "ETHUSDT", "pa": "-1", "ep": "2000.0", "up": "-0.1", "mt": "cross", "iw": "0", "ps": "BOTH"}


def plants() -> Iterator[Plant]:
    """Yield each kind of frame once."""
    for name in ("s", "c", "o", "N", "X", "sp", "ps", "t", "new"):
        yield Plant(f"order, {name}", lambda secret, pad, name=name: text(_order(**{name: behind(secret, pad)})))  # type: ignore[misc]
    yield Plant("order in a binary frame", lambda secret, pad: text(_order(c=behind(secret, pad))).encode())
    yield Plant("account, named", lambda secret, pad: text({**_account(), "listenKey": behind(secret, pad)}))
    yield Plant("account, reason", lambda secret, pad: text(_account(m=behind(secret, pad))))
    yield Plant("account, asset", lambda secret, pad: text(_account(B=[{**_BALANCE, "a": behind(secret, pad)}])))
    yield Plant("account, mode", lambda secret, pad: text(_account(P=[{**_POSITION, "mt": behind(secret, pad)}])))
    yield Plant("settings", lambda secret, pad: text(_event("ACCOUNT_CONFIG_UPDATE", ac={"s": secret, "l": 5})))
    for name in ("MARGIN_CALL", "ALGO_UPDATE", "CONDITIONAL_ORDER_TRIGGER_REJECT"):
        yield Plant(name, lambda secret, pad, name=name: text(_event(name, p=[{"s": behind(secret, pad)}])))  # type: ignore[misc]
    yield Plant("wrapped", lambda secret, pad: text({"stream": behind(secret, pad), "data": _order(c=secret)}))
    yield Plant("answer", lambda secret, pad: text({"result": [behind(secret, pad) + "@ACCOUNT_UPDATE"], "id": 1}))
    yield Plant("answer, its number", lambda secret, pad: text({"result": None, "id": behind(secret, pad)}))
    yield Plant("error", lambda secret, pad: text({"code": -1100, "msg": behind(secret, pad)}))
    yield Plant("error, to a request", lambda secret, pad: text({"error": {"msg": behind(secret, pad)}, "id": 1}))
    yield Plant("a list of events", lambda secret, pad: text([_order(c=behind(secret, pad)), {"e": "NEWS"}]))
    yield Plant("lines", lambda secret, pad: f"{text(_account())}\nnot JSON {behind(secret, pad)}\n{text(_order())}")
    yield Plant("end of a key", lambda secret, pad: text(_event("listenKeyExpired", listenKey=secret)))


def spoiled() -> Iterator[Spoiled]:
    """Yield errors with the statuses that they have."""
    yield Spoiled("error", lambda secret, pad: bare({"code": -1001, "msg": behind(secret, pad)}, 500))
    yield Spoiled("error, its code", lambda secret, pad: bare({"code": behind(secret, pad), "msg": "no"}, 400))
    yield Spoiled("error, refused for good", lambda secret, pad: bare({"code": -2015, "msg": behind(secret, pad)}, 401))
    yield Spoiled("error, with a clock", lambda secret, pad: bare({"code": -1021, "msg": f"Timestamp {secret}"}, 400))
    yield Spoiled("error, too fast", lambda secret, pad: bare({"code": -1003, "msg": behind(secret, pad)}, 429))
    yield Spoiled("error, banned", lambda secret, pad: bare({"code": -1003, "msg": f"{secret} banned until {AT}"}, 418))
    yield Spoiled("success, with a code", lambda secret, pad: bare({"code": 200, "msg": behind(secret, pad)}))


def rows(secret: str, pad: int) -> dict[tuple[str, str], Any]:
    """Return the good answers with readable and odd rows in each list."""
    word = behind(secret, pad)
    return {
        **CALM,
        ("GET", "balance"): [*CALM["GET", "balance"], balance_row(word, "1", alias=word)],
        ("GET", "positionRisk"): [position_row(word, "1"), position_row("X", word)],
        ("GET", "openOrders"): [
            order_row(7, AT, status="NEW", clientOrderId=word),
            order_row(9, AT, status="NEW", type=word),
        ],
        ("GET", "allOrders"): [order_row(10, AT, executed=word)],
        ("GET", "userTrades"): [fill_row(1, 10, AT, commissionAsset=word), fill_row(2, 10, AT, word)],
        ("GET", "income"): [income_row("TRANSFER", word, AT, 3, info=word)],
    }


def good(content: Any) -> HttpResponse:
    """Return an answer with this content."""
    return bare(content)


def keyed(method: str, key: str) -> HttpResponse:
    """Return the answer about a listen key: the key, or an empty object after its deletion."""
    return bare({} if method == "DELETE" else {"listenKey": key})


class _Patient(Address):
    """An address that ignores the venue's locks."""

    def lock(self, until: float) -> None:
        """Ignore a lock."""


class _Forgiving(Pace):
    def address(self, host: str) -> Address:
        return _Patient(threading.Lock(), limited=False)


def services(api_key: str, api_secret: str, secrets: Secrets) -> Services:
    """Return the services, without limits."""
    pace = _Forgiving(limited=False)
    rest = Rest("https://venue.test", api_key, api_secret, pace=pace, secrets=secrets)
    handshake = Handshake("wss://venue.test/market", pace=pace, secrets=secrets)
    return Services(Keys(rest), Reader(rest), handshake, frozenset(map(str, CREDENTIALS)))


def _order(**fields: Any) -> dict[str, Any]:
    return {**samples.order(**fields), "E": AT, "T": AT}


def _account(**fields: Any) -> dict[str, Any]:
    return {**samples.account(**fields), "E": AT, "T": AT}


def _event(name: str, **content: Any) -> dict[str, Any]:
    return {"e": name, "E": AT, "T": AT, **content}
