"""HTTP answers that hold a secret: errors, pages, headers, rows, cut or in another encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from listenkey.ports.http import HttpResponse

from .plants import behind, text

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
"""What is answered, by method and the last word of the path, when nothing is wrong."""


class Spoiled(NamedTuple):
    """A kind of answer, and the one that holds this text behind so many characters."""

    name: str
    answer: Callable[[str, int], HttpResponse]


def spoiled() -> Iterator[Spoiled]:
    """Answers to any request."""
    yield Spoiled("error", lambda secret, pad: told({"code": 100500, "msg": behind(secret, pad)}))
    yield Spoiled("error, its code", lambda secret, pad: told({"code": behind(secret, pad), "msg": "no"}))
    yield Spoiled("error, refused for good", lambda secret, pad: told({"code": 100413, "msg": behind(secret, pad)}))
    yield Spoiled("error, with a clock", lambda secret, pad: told({"code": 100421, "msg": f"timestamp {secret}"}))
    yield Spoiled("error, too fast", lambda secret, pad: told({"code": 100410, "msg": f"{secret} until 1758608899351"}))
    yield Spoiled("page", lambda secret, pad: page(200, behind(secret, pad)))
    yield Spoiled("page, server error", lambda secret, pad: page(502, behind(secret, pad)))
    yield Spoiled("page, not found", lambda secret, pad: page(404, behind(secret, pad)))
    yield Spoiled("page, two bytes a letter", lambda secret, pad: page(500, behind(secret, pad), "utf-16"))
    yield Spoiled("page, on many lines", lambda secret, pad: page(500, "\n\x1b[31m" + behind(secret, pad) + "\n\x07"))
    yield Spoiled("page, cut", lambda secret, pad: page(500, behind(secret, pad)[: pad + 8 + pad % 32]))
    yield Spoiled("JSON, cut", lambda secret, pad: page(200, text({"data": behind(secret, pad)})[: pad + 20]))
    yield Spoiled(
        "headers", lambda secret, pad: _headed(503, {"retry-after": secret, "date": secret, "x-sent": secret})
    )
    yield Spoiled(
        "elsewhere", lambda secret, pad: _headed(302, {"location": f"https://venue.test/?signature={secret}"})
    )
    yield Spoiled("no envelope", lambda secret, pad: told({behind(secret, pad): secret}))


def rows(secret: str, pad: int) -> dict[tuple[str, str], Any]:
    """Good answers whose rows hold it, understood or not."""
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
    """A success."""
    return HttpResponse(200, {}, text({"code": 0, "data": content}).encode())


def told(content: Any) -> HttpResponse:
    """A document without an envelope."""
    return HttpResponse(200, {}, text(content).encode())


def page(status: int, content: str, encoding: str = "utf-8") -> HttpResponse:
    """What is no JSON."""
    return HttpResponse(status, {}, content.encode(encoding))


def _headed(status: int, headers: dict[str, str]) -> HttpResponse:
    return HttpResponse(status, headers, text(headers).encode())
