"""A Binance with plain rows: keys, lists, weights, and a clock that only requests move.

Undocumented facts can be chosen: the answer to a renewal, the rows that a full page keeps, included window ends, how
far back an order's own list reaches, the time by which orders are listed, and if for all symbols at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from listenkey.adapters.venues.binance.pace import Pace
from listenkey.adapters.venues.binance.rest import Rest
from listenkey.adapters.venues.binance.weights import OF
from listenkey.ports.http import HttpResponse
from listenkey.ports.service import Service

from .... import inline

NOW = 1_790_000_000_500
DAY = 86_400_000
WEEK = 7 * DAY
KEY, SECRET = "an-api-key", "an-api-secret"
FIRST_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
Row = dict[str, Any]
T = TypeVar("T")


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
        self.seconds = 1000.0
        self.began = self.seconds
        self.calls: list[Call] = []
        self.times: list[float] = []
        self.fills: list[Row] = []
        self.orders: list[Row] = []
        self.income: list[Row] = []
        self.positions: Any = []
        self.balances: Any = [balance_row("USDT", "1000.5")]
        self.before: dict[tuple[str, int], Callable[[], None]] = {}
        self.scripted: dict[str, list[HttpResponse | Exception]] = {}
        self.key: str | None = None
        self.minted = 0
        self.renewal_names = True
        self.keeps_newest = False
        self.ends_included = True
        self.own_list_is_short = False
        self.by_update = False
        self.symbol_required = False
        self.hidden_after: int | None = None
        self.gone: set[str] = set()
        self.cleaned: set[str] = set()
        """Ids of orders that are older than the venue keeps: only lists of open orders have them."""
        self.others = 0
        self.weight = 0
        """The weight of all requests so far."""
        self._minute = self._used = 0
        self.says_weight = True

    def ms(self) -> int:
        """Return the exchange's time, in ms."""
        return NOW + round((self.seconds - self.began) * 1000)

    def count(self, name: str) -> int:
        return sum(call.name == name for call in self.calls)

    def asked(self, name: str) -> list[dict[str, str]]:
        return [call.params for call in self.calls if call.name == name]

    def rest(self, secret: str = SECRET, **options: Any) -> Rest:
        options.setdefault("pace", Pace(limited=False))
        return Rest("https://venue.test", KEY, secret, **options)

    def run(self, service: Service[T]) -> T:
        """Return the result of a service. Raises what it raises."""
        return inline.run(service, self)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, until: float) -> None:
        self.seconds = until

    def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        """Return an answer, after 20 ms of the clock."""
        call = Call(method, url, headers)
        self.calls.append(call)
        self.times.append(self.seconds)
        self.seconds += 0.02
        self.weight += OF[call.path]
        minute, self._minute = self._minute, self.ms() // 60_000
        self._used = OF[call.path] + (self._used if minute == self._minute else 0)
        happening = self.before.get((call.name, self.count(call.name)))
        if happening is not None:
            happening()
        if script := self.scripted.get(call.name):
            answer = script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        found = self._data(call)
        if isinstance(found, HttpResponse):
            return found
        headers = {"x_mbx_used_weight_1m": str(self._used + self.others)} if self.says_weight else {}
        return reply(found, 200, **headers)

    def _data(self, call: Call) -> Any:
        if call.name not in ("time", "listenKey"):
            assert call.query.rpartition("&")[2].startswith("signature=")
            assert abs(int(call.params["timestamp"]) - self.ms()) <= 1000
            assert call.headers == {"X-MBX-APIKEY": KEY}
        match call.name:
            case "time":
                return {"serverTime": self.ms()}
            case "listenKey":
                assert not call.query, "a key in the address would be a secret in the logs"
                return self._listen_key(call.method)
            case "balance":
                return self.balances
            case "positionRisk":
                return self.positions
            case "openOrders":
                return self._open()
            case "allOrders":
                if self.symbol_required and "symbol" not in call.params:
                    return refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
                if call.params.get("symbol") in self.gone:
                    return refused(-1121, "Invalid symbol.")
                return self._window(call, self._kept(), "updateTime" if self.by_update else "time")
            case "order" | "openOrder":
                wanted = (call.params["symbol"], call.params["orderId"])
                rows = self._kept() if call.name == "order" else self._open()
                found = [row for row in rows if (row["symbol"], str(row["orderId"])) == wanted]
                return found[0] if found else refused(-2013, "Order does not exist.")
            case "income":
                return self._window(call, self.income, "time")
            case "userTrades":
                return self._trades(call)
        raise AssertionError(call.name)

    def _open(self) -> list[Row]:
        return [row for row in self.orders if row["status"] in ("NEW", "PARTIALLY_FILLED")]

    def _kept(self) -> list[Row]:
        return [row for row in self.orders if str(row["orderId"]) not in self.cleaned]

    def _listen_key(self, method: str) -> Any:
        if method != "POST" and self.key is None:
            return refused(-1125, "This listenKey does not exist.")
        if method == "DELETE":
            self.key = None
            return {}
        if self.key is None:
            self.mint()
        return {"listenKey": self.key} if method == "POST" or self.renewal_names else {}

    def mint(self) -> str:
        """Replace the account's key, as another client can; return the new one."""
        self.minted += 1
        self.key = FIRST_KEY if self.minted == 1 else f"key-{self.minted}".ljust(64, "z")
        return self.key

    def _trades(self, call: Call) -> Any:
        params = call.params
        if params["symbol"] in self.gone:
            return refused(-1121, "Invalid symbol.")
        shown = sorted(self.fills, key=lambda row: (row["id"], row["orderId"]))
        shown = [row for row in shown if row["symbol"] == params["symbol"] and row["time"] > self.ms() - 90 * DAY]
        if self.hidden_after is not None:
            shown = [row for row in shown if row["time"] <= self.hidden_after]
        limit = int(params["limit"])
        assert limit <= 1000
        if "fromId" in params:
            if "startTime" in params or "endTime" in params:
                return refused(-1128, "Combination of optional parameters invalid.")
            return [row for row in shown if row["id"] >= int(params["fromId"])][:limit]
        if "orderId" in params:
            shown = [row for row in shown if str(row["orderId"]) == params["orderId"]]
            if "startTime" not in params:
                since = self.ms() - WEEK if self.own_list_is_short else 0
                return self._page([row for row in shown if row["time"] >= since], limit)
        return self._window(call, shown, "time")

    def _window(self, call: Call, rows: list[Row], name: str) -> Any:
        start, end = int(call.params["startTime"]), int(call.params["endTime"])
        if end - start > WEEK:
            return refused(-4165, "Maximum time interval is 7 days")
        if end < start:
            return refused(-1023, "Start time is greater than end time.")
        inside = range(start, end + 1) if self.ends_included else range(start + 1, end)
        shown = [row for row in rows if row[name] in inside]
        if "symbol" in call.params:
            shown = [row for row in shown if row["symbol"] == call.params["symbol"]]
        return self._page(sorted(shown, key=lambda row: int(row[name])), int(call.params["limit"]))

    def _page(self, rows: list[Row], limit: int) -> list[Row]:
        return rows[-limit:] if self.keeps_newest else rows[:limit]


def refused(code: int, message: str, status: int = 400, **headers: str) -> HttpResponse:
    return reply({"code": code, "msg": message}, status, **headers)


def reply(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def balance_row(asset: str, balance: str, alias: str = "SgsR") -> Row:
    return {
        "accountAlias": alias,
        "asset": asset,
        "balance": balance,
        "crossWalletBalance": balance,
        "crossUnPnl": "0.00000000",
        "availableBalance": "900.25",
        "maxWithdrawAmount": "900.25",
        "marginAvailable": True,
        "updateTime": 1617939110373,
    }


def position_row(symbol: str, amount: str, side: str = "BOTH", **more: Any) -> Row:
    return {
        "symbol": symbol,
        "positionSide": side,
        "positionAmt": amount,
        "entryPrice": "60000.1",
        "breakEvenPrice": "60010",
        "markPrice": "60100.5",
        "unRealizedProfit": "-1.06214947",
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": "21.12305052",
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "updateTime": 0,
        **more,
    }


def order_row(order_id: int, at: int, *, status: str = "FILLED", executed: str = "0.5", **more: Any) -> Row:
    return {
        "avgPrice": "60000.1",
        "clientOrderId": "mine",
        "cumQuote": "0",
        "executedQty": executed,
        "orderId": order_id,
        "origQty": "0.5",
        "origType": "LIMIT",
        "price": "60000.1",
        "reduceOnly": False,
        "side": "SELL",
        "positionSide": "BOTH",
        "status": status,
        "stopPrice": "0",
        "closePosition": False,
        "symbol": "BTCUSDT",
        "time": at,
        "timeInForce": "GTC",
        "type": "LIMIT",
        "updateTime": at,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        **more,
    }


def fill_row(trade_id: int, order_id: int, at: int, quantity: str = "0.5", **more: Any) -> Row:
    return {
        "symbol": "BTCUSDT",
        "id": trade_id,
        "orderId": order_id,
        "side": "SELL",
        "price": "60000.1",
        "qty": quantity,
        "realizedPnl": "0",
        "marginAsset": "USDT",
        "quoteQty": "30000.05",
        "commission": "0.25",
        "commissionAsset": "USDT",
        "time": at,
        "positionSide": "BOTH",
        "buyer": False,
        "maker": False,
        **more,
    }


def income_row(kind: str, amount: str, at: int, tran_id: int | str, **more: Any) -> Row:
    row = {"symbol": "BTCUSDT", "incomeType": kind, "income": amount, "asset": "USDT", "info": kind}
    return {**row, "time": at, "tranId": tran_id, "tradeId": "", **more}


def fee_row(trade_id: int, at: int, **more: Any) -> Row:
    """Return the income row of a fill's commission, which is also how an account's fills are found."""
    return income_row("COMMISSION", "-0.25", at, 10**18 + trade_id, tradeId=str(trade_id), **more)
