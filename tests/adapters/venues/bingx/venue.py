"""A BingX with plain rows: left-open windows, pages, late lists, and a clock that only requests move."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from listenkey.adapters.venues.bingx.pace import Pace
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Service

from .... import inline

NOW = 1_760_000_000_500
KEY, SECRET = "an-api-key", "an-api-secret"
Row = dict[str, Any]
T = TypeVar("T")


class Clock:
    """A clock moved by the test; its wall clock is years off, because nothing may depend on it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return 1


class Call:
    def __init__(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self.method, self.url, self.path, self.query, self.headers = method, url, parts.path, parts.query, headers
        self.params = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.name = parts.path.rsplit("/", 1)[1]


class Venue:
    """Runs services to their end, one part after the other, and answers their requests.

    `before[(name, n)]` is called just before the n-th request to the endpoint of that name.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.began = self.clock.now
        self.calls: list[Call] = []
        self.times: list[float] = []
        self.fills: list[Row] = []
        self.orders: list[Row] = []
        self.income: list[Row] = []
        self.positions: Any = []
        self.balances: Any = [balance_row("USDT", "1000.5")]
        self.before: dict[tuple[str, int], Callable[[], None]] = {}
        self.scripted: dict[str, list[HttpResponse | Exception]] = {}
        self.hidden_after: int | None = None
        self.symbol_required = False
        self.newest_first = False
        self.turns_pages = True
        self.most_fills = 1_000_000
        self.exact = False
        """True if windows of fills use the hidden milliseconds of their rows."""

    def ms(self) -> int:
        """Return the exchange's time, in ms."""
        return NOW + round((self.clock.now - self.began) * 1000)

    def count(self, name: str) -> int:
        return sum(call.name == name for call in self.calls)

    def rest(self, **options: Any) -> Rest:
        options.setdefault("pace", Pace(limited=False))
        return Rest("https://venue.test", KEY, SECRET, **options)

    def run(self, service: Service[T]) -> T:
        """Return the result of a service. Raises what it raises."""
        return inline.run(service, self)

    def monotonic(self) -> float:
        return self.clock.now

    def sleep(self, until: float) -> None:
        self.clock.now = until

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return an answer, after 20 ms of the clock."""
        call = Call(method, url, headers)
        self.calls.append(call)
        self.times.append(self.clock.now)
        self.clock.now += 0.02
        happening = self.before.get((call.name, self.count(call.name)))
        if happening is not None:
            happening()
        if script := self.scripted.get(call.name):
            answer = script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return ok(self._data(call))

    def _data(self, call: Call) -> Any:
        match call.name:
            case "time":
                return {"serverTime": self.ms()}
            case "balance":
                return self.balances
            case "positions":
                return self.positions
            case "openOrders":
                return {"orders": [row for row in self.orders if row["status"] in ("PENDING", "PARTIALLY_FILLED")]}
            case "allOrders":
                done = [row for row in self.orders if row["status"] not in ("PENDING", "PARTIALLY_FILLED")]
                return {"orders": self._limited(call, done, "time")}
            case "order":
                found = [row for row in self.orders if str(row["orderId"]) == call.params["orderId"]]
                return {"order": found[0]} if found else _refused(80016, "order does not exist")
            case "income":
                return self._limited(call, self.income, "time")
            case "fillHistory":
                return self._fills(call)
        return {}

    def _limited(self, call: Call, rows: list[Row], time: str) -> list[Row]:
        start, end = int(call.params["startTime"]), int(call.params["endTime"])
        assert end - start <= 7 * 86_400_000
        shown = [row for row in rows if start < int(row[time]) < end]
        if "symbol" in call.params:
            shown = [row for row in shown if row["symbol"] == call.params["symbol"]]
        return shown[: int(call.params["limit"])]

    def _fills(self, call: Call) -> Any:
        start, end = int(call.params["startTs"]), int(call.params["endTs"])
        assert self.ms() - 7 * 86_400_000 <= start
        assert end - start <= 7 * 86_400_000
        if self.symbol_required and "symbol" not in call.params:
            return _refused(109400, "Invalid parameters, err:symbol: symbol field is required")
        grain = 1 if self.exact else 1000
        shown = [row for row in self.fills if start < row["at"] // grain * grain <= end]
        if self.hidden_after is not None:
            shown = [row for row in shown if row["at"] <= self.hidden_after]
        for name in ("symbol", "orderId"):
            if name in call.params:
                shown = [row for row in shown if row[name] == call.params[name]]
        shown.sort(key=lambda row: int(row["at"]), reverse=self.newest_first)
        shown = shown[-self.most_fills :]
        size = int(call.params["pageSize"])
        first = (int(call.params["pageIndex"]) - 1) * size if self.turns_pages else 0
        rows = [{name: value for name, value in row.items() if name != "at"} for row in shown[first : first + size]]
        return {"fill_history_orders": rows, "total": len(shown)}


class Refused(dict[str, Any]):
    """Data that is sent as an error envelope."""


def _refused(code: int, message: str) -> Refused:
    return Refused(code=code, msg=message, data={})


def ok(data: Any) -> HttpResponse:
    return reply(data if isinstance(data, Refused) else {"code": 0, "msg": "", "data": data})


def reply(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def balance_row(asset: str, balance: str, available: str = "900.25") -> Row:
    return {
        "userId": "100",
        "asset": asset,
        "balance": balance,
        "equity": balance,
        "unrealizedProfit": "0.0000",
        "realisedProfit": "0",
        "availableMargin": available,
        "usedMargin": "0.0000",
        "freezedMargin": "0.0000",
        "shortUid": "100",
    }


def blank_row(asset: str) -> Row:
    blank = dict.fromkeys(
        ("balance", "equity", "unrealizedProfit", "availableMargin", "usedMargin", "freezedMargin"), ""
    )
    return {"userId": "", "asset": asset, **blank, "realisedProfit": "0", "shortUid": "100"}


def order_row(order_id: int, at: int, *, status: str = "FILLED", executed: str = "0.5", **more: Any) -> Row:
    return {
        "symbol": "BTC-USDT",
        "orderId": order_id,
        "side": "SELL",
        "positionSide": "SHORT",
        "type": "LIMIT",
        "origQty": "0.5",
        "price": "60000.1",
        "executedQty": executed,
        "avgPrice": "60000.1",
        "stopPrice": "",
        "profit": "0.0000",
        "commission": "-0.002585",
        "status": status,
        "time": at,
        "updateTime": at,
        "clientOrderId": "",
        "leverage": "15X",
        "takeProfit": {"type": "TAKE_PROFIT", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": ""},
        "stopLoss": "",
        **more,
    }


def fill_row(trade_id: int | None, order_id: int, at: int, quantity: str = "0.5", **more: Any) -> Row:
    """Return a fill row as documented: `volume` is the quantity, `filledTm` is mislabelled, and `at` is not sent."""
    row = {
        "at": at,
        "filledTm": f"{_utc8(at)}Z",
        "volume": quantity,
        "price": "60000.1",
        "qty": "30000.05",
        "quoteQty": "30000.05",
        "commission": "-0.25",
        "commissionAsset": "USDT",
        "orderId": str(order_id),
        "tradeId": "" if trade_id is None else str(trade_id),
        "filledTime": f"{_utc8(at)}.000+0800",
        "symbol": "BTC-USDT",
        "role": "maker",
        "side": "sell",
        "positionSide": "short",
    }
    return {**row, **more}


def income_row(kind: str, amount: str, at: int, tran_id: str, **more: Any) -> Row:
    row = {"symbol": "BTC-USDT", "incomeType": kind, "income": amount, "asset": "USDT", "info": kind}
    return {**row, "time": at, "tranId": tran_id, "tradeId": "", **more}


def _utc8(at: int) -> str:
    return (datetime.fromtimestamp(at // 1000, UTC) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S")
