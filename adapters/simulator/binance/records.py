"""Answers about orders and fills of the last three months: by symbol, and by windows of a week or by ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from ..amounts import ZERO
from ..exchange import Exchange
from ..orders import Fill, Order
from . import words
from .algorows import algo_row
from .errors import NO_SUCH_ORDER, Refusal, invalid
from .readings import Readings
from .routes import WEEK_MS, Params, Route, Sight, limit, required, whole
from .rows import Row, order_row, trade_row

MONTHS_MS = 90 * 86_400_000
"""The age, ms, up to which fills and orders are shown."""
UNFILLED_MS = 3 * 86_400_000
"""The age, ms, up to which orders that ended without a fill are shown."""
T = TypeVar("T")


class Records:
    """Reads the orders of an exchange and their fills."""

    def __init__(self, exchange: Exchange, readings: Readings) -> None:
        self._exchange = exchange
        self._readings = readings
        one = ("symbol", "orderId", "origClientOrderId")
        past = ("symbol", "orderId", "startTime", "endTime", "limit")
        algo = ("symbol", "algoId", "clientAlgoId")
        self.routes = {
            "GET /fapi/v1/userTrades": Route(self._trades, (*past, "fromId"), 5),
            "GET /fapi/v1/allOrders": Route(self._all, past, 5),
            "GET /fapi/v1/openOrders": Route(self._open, ("symbol",), 40, 1),
            "GET /fapi/v1/openOrder": Route(self._open_one, one, 1),
            "GET /fapi/v1/order": Route(self._one, one, 1),
            "GET /fapi/v1/forceOrders": Route(self._forced, (*past, "autoCloseType"), 50, 20),
            "GET /fapi/v1/openAlgoOrders": Route(self._open_algo, ("symbol", "algoType"), 40, 1),
            "GET /fapi/v1/algoOrder": Route(self._one_algo, algo, 1),
            "GET /fapi/v1/allAlgoOrders": Route(
                self._all_algo, ("symbol", "algoId", "startTime", "endTime", "limit"), 5
            ),
        }

    def found(self, params: Params, code: int = NO_SUCH_ORDER, *, algo: bool = False) -> Order:
        """The order with this order id or client order id. Raises `Refusal` with `code` if there is none."""
        by_id, by_name = ("algoId", "clientAlgoId") if algo else ("orderId", "origClientOrderId")
        symbol = params.get("symbol", "") if algo else required(params, "symbol")
        self.symbol(params)
        order_id, name = whole(params, by_id), params.get(by_name, "")
        if order_id is None and not name:
            raise Refusal(-1102, f"Either '{by_name}' or '{by_id}' must be sent, but both were empty/null!")
        wanted = self._exchange.by_client_id.get(name, 0) if order_id is None else order_id
        order = self._exchange.orders.get(wanted)
        if order is None or words.is_algo(order) is not algo or (symbol and order.symbol != symbol):
            text = "Unknown order sent." if code != NO_SUCH_ORDER else "Order does not exist."
            raise Refusal(code, text)
        return order

    def symbol(self, params: Params) -> str | None:
        """The symbol, None if it is missing. Raises `Refusal` if the venue does not list it."""
        symbol = params.get("symbol") or None
        if symbol is not None and symbol not in self._exchange.market.instruments:
            raise Refusal(-1121, "Invalid symbol.")
        return symbol

    def row(self, order: Order, *, full: bool = True) -> Row:
        """The row of a plain order, or of an algo order."""
        if words.is_algo(order):
            return algo_row(order, self.born(order))
        return order_row(order, self._exchange.orders.get(order.triggered_by), full=full)

    def born(self, order: Order) -> Order | None:
        """The order that executes in place of a conditional one; None before it is triggered."""
        if not order.triggered:
            return None
        return next((each for each in self._exchange.orders.values() if each.triggered_by == order.id), None)

    def _trades(self, params: Params, now: int, sight: Sight) -> list[Row]:
        required(params, "symbol")
        symbol, most, first = self.symbol(params), limit(params, 500, 1000), whole(params, "fromId")
        order_id = whole(params, "orderId")
        start, end = whole(params, "startTime"), whole(params, "endTime")
        if first is not None and (start is not None or end is not None):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        among = self._exchange.fills if order_id is None else self._exchange.fills_of.get(order_id, [])
        until = now if sight.fills_until is None else sight.fills_until
        shown = [each for each in among if each.symbol == symbol and now - MONTHS_MS <= each.ts <= until]
        if first is not None:
            shown = [each for each in shown if each.trade_id >= first][:most]
        elif start is None and end is None and order_id is not None:
            shown = shown[-most:]
        elif start is not None and end is None and now - start > WEEK_MS:
            shown = []  # observed: a start of long ago without an end gives no rows
        else:
            begin, last = self._window(start, end, now)
            windowed = [each for each in shown if begin <= each.ts < last]
            shown = windowed[-most:] if start is None and end is None else self._page(windowed, most)
        return [self._trade_row(each) for each in shown]

    def _all(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol, most, first = self.symbol(params), limit(params, 500, 1000), whole(params, "orderId")
        if self._readings.orders_symbol == "required" or first is not None:
            required(params, "symbol")
        plain = (each for each in self._exchange.orders.values() if not words.is_algo(each))
        return [self.row(each) for each in self._past(plain, params, first, symbol, most, now, sight)]

    def _all_algo(self, params: Params, now: int, sight: Sight) -> list[Row]:
        required(params, "symbol")
        symbol, most, first = self.symbol(params), limit(params, 500, 1000), whole(params, "algoId")
        algo = (each for each in self._exchange.orders.values() if words.is_algo(each))
        return [self.row(each) for each in self._past(algo, params, first, symbol, most, now, sight)]

    def _forced(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol, most = self.symbol(params), limit(params, 50, 100)
        if params.get("autoCloseType") not in {None, "", "LIQUIDATION", "ADL"}:
            raise invalid("autoCloseType")
        kinds = {"ADL": (True,), "LIQUIDATION": (False,)}.get(params.get("autoCloseType", ""), (True, False))
        every = self._exchange.orders.values()
        forced = (each for each in every if each.type == "LIQUIDATION" and each.terms.deleveraged in kinds)
        return [self.row(each) for each in self._past(forced, params, None, symbol, most, now, sight)]

    def _past(
        self,
        orders: Iterable[Order],
        params: Params,
        first: int | None,
        symbol: str | None,
        most: int,
        now: int,
        sight: Sight,
    ) -> list[Order]:
        """Those of `orders` that the parameters ask for, oldest first."""
        until = now if sight.orders_until is None else sight.orders_until
        start, end = whole(params, "startTime"), whole(params, "endTime")
        known = [
            self._seen(each, sight)
            for each in orders
            if symbol in {None, each.symbol} and each.created <= until and not _is_forgotten(each, now)
        ]
        if first is not None:
            return [each for each in known if each.id >= first][:most]
        begin, last = self._window(start, end, now)
        by = self._readings.orders_by == "updated"
        windowed = [each for each in known if begin <= (each.updated if by else each.created) < last]
        return windowed[-most:] if start is None and end is None else self._page(windowed, most)

    def _open(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = self.symbol(params)
        # An order whose last fill is not shown yet is still open to the caller.
        among = self._exchange.open if sight.fills_until is None else self._exchange.orders
        seen = [self._seen(each, sight) for each in list(among.values()) if not words.is_algo(each)]
        return [self.row(each) for each in seen if each.open and symbol in {None, each.symbol}]

    def _open_algo(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = self.symbol(params)
        among = self._exchange.open.values()
        return [self.row(each) for each in among if words.is_algo(each) and symbol in {None, each.symbol}]

    def _one(self, params: Params, now: int, sight: Sight) -> Any:
        order = self.found(params)
        if _is_forgotten(order, now):
            raise Refusal(NO_SUCH_ORDER, "Order does not exist.")
        return self.row(self._seen(order, sight))

    def _open_one(self, params: Params, now: int, sight: Sight) -> Any:
        order = self._seen(self.found(params), sight)
        if not order.open:
            raise Refusal(NO_SUCH_ORDER, "Order does not exist.")
        return self.row(order)

    def _one_algo(self, params: Params, now: int, sight: Sight) -> Any:
        return self.row(self.found(params, algo=True))

    def _window(self, start: int | None, end: int | None, now: int) -> tuple[int, int]:
        """The ends of a window, the second excluded. Raises `Refusal` if it is longer than a week, or reversed."""
        if end is None:
            end = now if start is None else min(start + WEEK_MS, now)
        begin = end - WEEK_MS if start is None else start
        if begin > end:
            raise Refusal(-1023, "Start time is greater than end time.")
        if end - begin > WEEK_MS:
            code = int(self._readings.window_error)
            raise Refusal(code, "Maximum time interval is 7 days" if code == -4165 else "Lookup interval is too big.")
        return begin, end + (self._readings.window_end == "included")

    def _page(self, rows: list[T], most: int) -> list[T]:
        return rows[:most] if self._readings.full_page == "oldest" else rows[-most:]

    def _trade_row(self, fill: Fill) -> Row:
        return trade_row(fill, self._exchange.market.instruments[fill.symbol].asset)

    def _seen(self, order: Order, sight: Sight) -> Order:
        """The order as it is shown: without the fills that are still hidden."""
        fills, until = self._exchange.fills_of[order.id], sight.fills_until
        shown = [each for each in fills if until is None or each.ts <= until]
        if len(shown) == len(fills):
            return order
        over = order.status not in {"FILLED", "PARTIALLY_FILLED"}
        bare = msgspec.structs.replace(order, executed=ZERO, quote=ZERO, status="NEW", updated=order.created)
        for fill in shown:
            bare = bare.with_fill(fill)
        return msgspec.structs.replace(bare, status=order.status, updated=order.updated) if over else bare


def _is_forgotten(order: Order, now: int) -> bool:
    age = now - order.created
    return not order.open and (age > MONTHS_MS or (not order.executed and not order.triggered and age > UNFILLED_MS))
