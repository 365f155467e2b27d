"""Answers of the REST endpoints about orders and fills, open and past."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Literal

import msgspec

from .amounts import ZERO
from .exchange import Exchange
from .orders import Fill, Order, OrderRefused
from .queries import WEEK_MS, Params, integer, order_of, required, row_limit, symbol_of, time_of, window
from .routes import Route, Sight
from .rows import Row, fill_row, newer_fill_row, order_fill_row, order_history_row, order_row
from .rules import INVALID, not_modelled

FillShape = Literal["documented", "newer"]
FillWindows = Literal["exact", "seconds"]
ClosedStops = Literal["listed", "unknown"]
SECOND_MS = 1000


class Records:
    """Reads the orders of an exchange and their fills."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        fill_shape: FillShape,
        symbol_required: bool,
        symbol_ignored: bool,
        closed_stops: ClosedStops,
        fill_rows: int | None,
        fill_windows: FillWindows,
    ) -> None:
        if fill_windows not in {"exact", "seconds"}:
            raise ValueError(f"fill windows are exact or seconds, not {fill_windows!r}")
        if closed_stops not in {"listed", "unknown"}:
            raise ValueError(f"closed stops are listed or unknown, not {closed_stops!r}")
        if fill_shape not in {"documented", "newer"}:
            raise ValueError(f"fill shape is documented or newer, not {fill_shape!r}")
        self._exchange = exchange
        self._newer = fill_shape == "newer"
        self._symbol_required = symbol_required
        self._symbol_ignored = symbol_ignored
        self._forgets_stops = closed_stops == "unknown"
        self._fill_rows = fill_rows
        self._by_seconds = fill_windows == "seconds"
        one = ("symbol", "orderId", "clientOrderId", "clientOrderID")
        past = ("symbol", "currency", "orderId", "startTime", "endTime", "limit")
        fills = ("symbol", "currency", "orderId", "startTs", "endTs")
        self.routes = {
            "/openApi/swap/v2/trade/openOrders": Route(self._open_orders, ("symbol", "type")),
            "/openApi/swap/v2/trade/order": Route(self._order, one),
            "/openApi/swap/v2/trade/openOrder": Route(self._order, one),
            "/openApi/swap/v2/trade/allOrders": Route(self._all_orders, past),
            "/openApi/swap/v1/trade/fullOrder": Route(self._full_orders, past),
            "/openApi/swap/v2/trade/forceOrders": Route(self._force_orders, (*past, "autoCloseType")),
            "/openApi/swap/v2/trade/fillHistory": Route(
                self._fill_history, (*fills, "lastFillId", "pageIndex", "pageSize")
            ),
            "/openApi/swap/v2/trade/allFillOrders": Route(self._all_fill_orders, (*fills, "tradingUnit")),
        }

    def _open_orders(self, params: Params, now: int, sight: Sight) -> Row:
        symbol = None if self._symbol_ignored else symbol_of(params, self._exchange.market)
        # An order whose last fill is not shown yet is still open to the caller.
        candidates = self._exchange.open if sight.fills_until is None else self._exchange.orders
        seen = (self._seen(each, sight) for each in list(candidates.values()))
        kind = params.get("type")
        shown = (each for each in seen if each.open and symbol in {None, each.symbol} and kind in {None, each.type})
        return {"orders": [self._order_row(each) for each in shown]}

    def _order(self, params: Params, now: int, sight: Sight) -> Row:
        order = order_of(params, self._exchange)
        if self._is_forgotten(order):
            raise OrderRefused(109421, "order not exist")
        return {"order": self._order_row(self._seen(order, sight))}

    def _all_orders(self, params: Params, now: int, sight: Sight) -> Row:
        return {"orders": self._history(params, now, sight, done_only=True)}

    def _full_orders(self, params: Params, now: int, sight: Sight) -> Row:
        return {"orders": self._history(params, now, sight, done_only=False)}

    def _force_orders(self, params: Params, now: int, sight: Sight) -> Row:
        if params.get("autoCloseType", "LIQUIDATION") != "LIQUIDATION":
            raise not_modelled(f"autoCloseType {params['autoCloseType']}")
        return {"orders": self._history(params, now, sight, done_only=True, kind="LIQUIDATION")}

    def _history(
        self, params: Params, now: int, sight: Sight, *, done_only: bool, kind: str | None = None
    ) -> list[Row]:
        """Rows of the orders created within the window, newest first, with times in whole seconds."""
        symbol = symbol_of(params, self._exchange.market)
        start, end = window(params, now, "startTime", "endTime", WEEK_MS)
        first, limit = integer(params, "orderId", 0), row_limit(params, "limit", 500)
        asset = params.get("currency")
        rows: list[Row] = []
        for order in reversed(self._exchange.orders.values()):
            if order.created < start or len(rows) == limit:
                break
            if order.created > end or order.id < first or self._is_forgotten(order):
                continue
            wanted = kind is None or (order.type == kind and not order.terms.deleveraged)
            if symbol in {None, order.symbol} and asset in {None, order.asset} and wanted:
                seen = self._seen(order, sight)
                if not (done_only and seen.open):
                    rows.append(order_history_row(seen, self._leverage(seen)))
        return rows

    def _fill_history(self, params: Params, now: int, sight: Sight) -> Row:
        if self._symbol_required:
            required(params, "symbol")
        page, size = max(integer(params, "pageIndex", 1), 1), row_limit(params, "pageSize", 50)
        after = integer(params, "lastFillId", 0)
        # A window with a start and no end has no rows, as documented.
        if "startTs" in params and "endTs" not in params:
            return {"fill_history_orders": [], "total": 0}
        start, end = window(params, now, "startTs", "endTs", WEEK_MS)
        fills = [each for each in self._fills(params, max(start, now - WEEK_MS), end, sight) if each.trade_id > after]
        if self._fill_rows is not None:
            fills = fills[-self._fill_rows :]
        if self._newer:
            fills.reverse()
        shown = fills[(page - 1) * size : page * size]
        rows = [newer_fill_row(each) if self._newer else fill_row(each, self._quote(each)) for each in shown]
        return {"fill_history_orders": rows, "total": len(fills)}

    def _all_fill_orders(self, params: Params, now: int, sight: Sight) -> Row:
        """Fills in the other shape; the length of the window is not limited, as far as is known."""
        if required(params, "tradingUnit") not in {"COIN", "CONT"}:  # both are the same for these contracts
            raise OrderRefused(INVALID, "Invalid parameters, err:tradingUnit: must be COIN or CONT")
        required(params, "startTs")
        fills = self._fills(params, *window(params, now, "startTs", "endTs", None), sight)
        orders = self._exchange.orders
        return {"fill_orders": [order_fill_row(each, orders[each.order_id].client_id) for each in fills]}

    def _fills(self, params: Params, start: int, end: int, sight: Sight) -> list[Fill]:
        """Fills with start < t <= end, oldest first; with windows in `seconds`, t is cut to the second."""
        symbol = symbol_of(params, self._exchange.market)
        if self._by_seconds:
            start, end = (ms // SECOND_MS * SECOND_MS + SECOND_MS - 1 for ms in (start, end))
        if sight.fills_until is not None:
            end = min(end, sight.fills_until)
        if "orderId" in params:
            among = self._exchange.fills_of.get(integer(params, "orderId"), [])
        else:
            among = self._exchange.fills
        first = bisect_right(among, start, key=time_of)
        last = bisect_right(among, end, key=time_of)
        asset = params.get("currency")
        return [each for each in among[first:last] if symbol in {None, each.symbol} and asset in {None, each.asset}]

    def _is_forgotten(self, order: Order) -> bool:
        return self._forgets_stops and order.closed_stop

    def _quote(self, fill: Fill) -> Decimal:
        return sum((each.qty * each.price for each in self._exchange.fills_of[fill.order_id]), ZERO)

    def _order_row(self, order: Order) -> Row:
        return order_row(order, self._leverage(order))

    def _leverage(self, order: Order) -> int:
        return self._exchange.account.leverage[order.symbol][order.position_side == "SHORT"]

    def _seen(self, order: Order, sight: Sight) -> Order:
        """The order as it is shown: without the fills that are still hidden."""
        until = sight.fills_until
        if until is None:
            return order
        fills = self._exchange.fills_of[order.id]
        shown = [each for each in fills if each.ts <= until]
        if len(shown) == len(fills):
            return order
        status = order.status if order.status not in {"FILLED", "PARTIALLY_FILLED"} else "NEW"
        bare = msgspec.structs.replace(
            order, executed=ZERO, quote=ZERO, commission=ZERO, profit=ZERO, status=status, updated=order.created
        )
        for fill in shown:
            bare = bare.with_fill(fill)
        return bare if status == "NEW" else msgspec.structs.replace(bare, status=status, updated=order.updated)
