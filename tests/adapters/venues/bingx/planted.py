"""Frames and answers of BingX that contain a secret: the `Planted` of the family."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from listenkey.adapters.venues.bingx.codes import CREDENTIALS
from listenkey.adapters.venues.bingx.keys import Handshake, Keys
from listenkey.adapters.venues.bingx.pace import Endpoint, Pace
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.adapters.venues.family import Services
from listenkey.core.secrets import Secrets
from listenkey.ports.http import HttpResponse

from ....leaks.plants import Plant, Spoiled, bare, behind, text
from . import samples

HEADER = "X-BX-APIKEY"
TIME = "time"
MORTAL = ("error, refused for good", "error, too fast")
AT = 1_758_608_899_350
CALM: dict[tuple[str, str], Any] = {
    ("GET", "time"): {"serverTime": AT},
    ("GET", "balance"): [{"asset": "USDT", "balance": "1000.5", "availableMargin": "900"}],
    ("GET", "positions"): [],
    ("GET", "openOrders"): {"orders": []},
    ("GET", "allOrders"): {"orders": []},
    ("GET", "fillHistory"): {"fill_history_orders": [], "total": 0},
    ("GET", "income"): [],
}
_ORDER = {"o": "LIMIT", "X": "PARTIALLY_FILLED", "T": AT, "wt": "", "S": "SELL", "sp": "0.00000000"}
_BALANCE = {"a": "USDT", "wb": "1000.5", "cw": "1", "bc": "0"}
_POSITION = {"s": "BTC-USDT", "pa": "1.0", "ep": "2.0", "up": "-0.1", "mt": "cross", "iw": "3", "ps": "SHORT"}


def plants() -> Iterator[Plant]:
    """Yield each kind of frame once."""
    for name in ("s", "c", "o", "N", "X", "sp", "wt", "td", "new"):
        yield Plant(f"order, {name}", lambda secret, pad, name=name: _packed(_order(**{name: behind(secret, pad)})))  # type: ignore[misc]
    yield Plant("order in a text frame", lambda secret, pad: text(_order(c=behind(secret, pad))))
    yield Plant("account, named", lambda secret, pad: _packed({**_account(), "listenKey": behind(secret, pad)}))
    yield Plant("account, reason", lambda secret, pad: _packed(_account(m=behind(secret, pad))))
    yield Plant("account, asset", lambda secret, pad: _packed(_account(B=[{**_BALANCE, "a": behind(secret, pad)}])))
    yield Plant("account, mode", lambda secret, pad: _packed(_account(P=[{**_POSITION, "mt": behind(secret, pad)}])))
    yield Plant("settings", lambda secret, pad: _packed(_settings(behind(secret, pad))))
    yield Plant("snapshot", lambda secret, pad: _packed({"e": "SNAPSHOT", "E": AT, "a": _account()["a"], "k": secret}))
    yield Plant("error", lambda secret, pad: _packed({"code": 100500, "msg": behind(secret, pad)}))
    yield Plant("error, code", lambda secret, pad: _packed({"code": behind(secret, pad), "msg": "no"}))
    yield Plant("ping", lambda secret, pad: _packed({"ping": behind(secret, pad).replace("\\", ""), "time": "now"}))
    yield Plant("a list of events", lambda secret, pad: text([_order(c=behind(secret, pad)), {"e": "NEWS"}]))
    yield Plant("lines", lambda secret, pad: f"{text(_account())}\nnot JSON {behind(secret, pad)}\n{text(_order())}")
    yield Plant("end of a key", lambda secret, pad: _packed({"e": "listenKeyExpired", "E": AT, "listenKey": secret}))


def spoiled() -> Iterator[Spoiled]:
    """Yield errors, with the status 200 that the venue always has."""
    yield Spoiled("error", lambda secret, pad: bare({"code": 100500, "msg": behind(secret, pad)}))
    yield Spoiled("error, its code", lambda secret, pad: bare({"code": behind(secret, pad), "msg": "no"}))
    yield Spoiled("error, refused for good", lambda secret, pad: bare({"code": 100413, "msg": behind(secret, pad)}))
    yield Spoiled("error, with a clock", lambda secret, pad: bare({"code": 100421, "msg": f"timestamp {secret}"}))
    yield Spoiled("error, too fast", lambda secret, pad: bare({"code": 100410, "msg": f"{secret} until 1758608899351"}))


def rows(secret: str, pad: int) -> dict[tuple[str, str], Any]:
    """Return the good answers with readable and odd rows in each list."""
    word = behind(secret, pad)
    order = {"symbol": "BTC-USDT", "orderId": 7, "status": "NEW", "origQty": "1", "executedQty": "0", "time": AT}
    fill = {"symbol": "BTC-USDT", "orderId": 8, "filledTime": "2025-09-23T06:28:19Z", "price": "1"}
    return {
        **CALM,
        ("GET", "balance"): [*CALM["GET", "balance"], {"asset": word, "balance": "1"}],
        ("GET", "positions"): [{"symbol": word, "positionAmt": "1"}, {"symbol": "X", "positionAmt": word}],
        ("GET", "openOrders"): {"orders": [{**order, "clientOrderId": word}, {**order, "orderId": 9, "type": word}]},
        ("GET", "allOrders"): {"orders": [{**order, "orderId": 10, "status": "FILLED", "executedQty": word}]},
        ("GET", "fillHistory"): {"fill_history_orders": [{**fill, "volume": "", "x": word}, {**fill, "volume": word}]},
        ("GET", "income"): [{"incomeType": "TRANSFER", "income": word, "time": AT, "info": word}],
    }


def good(content: Any) -> HttpResponse:
    """Return an answer with this content in an envelope."""
    return bare({"code": 0, "data": content})


def keyed(method: str, key: str) -> HttpResponse:
    """Return the answer about a listen key: the key to a mint, else an empty body."""
    return bare({"listenKey": key}) if method == "POST" else HttpResponse(200, {}, b"")


class _Forgiving(Pace):
    """A pace that does not count failing calls."""

    def endpoint(self, host: str, api_key: str, method: str, path: str) -> Endpoint:
        return Pace(limited=False).endpoint(host, api_key, method, path)


def services(api_key: str, api_secret: str, secrets: Secrets) -> Services:
    """Return the services, without limits."""
    rest = Rest("https://venue.test", api_key, api_secret, pace=_Forgiving(limited=False), secrets=secrets)
    handshake = Handshake("wss://venue.test/market", pace=Pace(limited=False), secrets=secrets)
    return Services(Keys(rest), Reader(rest), handshake, frozenset(map(str, CREDENTIALS)))


def _order(**fields: Any) -> dict[str, Any]:
    return {**samples.order(**{**_ORDER, **fields}), "E": AT}


def _account(**fields: Any) -> dict[str, Any]:
    return {**samples.account(**fields), "E": AT}


def _settings(symbol: str) -> dict[str, Any]:
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": AT, "ac": {"s": symbol, "l": 5, "S": 5, "mt": "cross"}}


def _packed(content: Any) -> bytes | str:
    return samples.packed(text(content))
