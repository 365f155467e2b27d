"""Answers of the REST endpoints that read an account, without signatures, limits or faults: those are the server's."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

import msgspec

from .amounts import ZERO
from .exchange import Exchange
from .orders import Fill, Order, OrderRefused
from .queries import QUARTER_MS, WEEK_MS, Params, integer, order_of, required, row_limit, symbol_of, window
from .rows import (
    IncomeTrades,
    Row,
    balance_row,
    contract_row,
    empty_balance_row,
    fill_row,
    income_row,
    newer_fill_row,
    order_fill_row,
    order_history_row,
    order_row,
    position_row,
)
from .rules import INVALID

FillShape = Literal["documented", "newer"]
ClosedStops = Literal["listed", "unknown"]


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer may show: fills up to `fills_until` (exchange ms) or all, amounts or empty strings."""

    fills_until: int | None = None
    lag_income: bool = False
    empty_amounts: bool = False


CLEAR = Sight()


class Rest:
    """Reads an exchange. `OrderRefused` is raised for what the venue refuses."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        fill_shape: FillShape = "documented",
        symbol_required: bool = False,
        symbol_ignored: bool = False,
        signed_shorts: bool = False,
        closed_stops: ClosedStops = "listed",
        income_trades: IncomeTrades = "named",
        fill_rows: int | None = None,
    ) -> None:
        if closed_stops not in {"listed", "unknown"}:
            raise ValueError(f"closed stops are listed or unknown, not {closed_stops!r}")
        if income_trades not in {"named", "foreign", "bare"}:
            raise ValueError(f"income trades are named, foreign or bare, not {income_trades!r}")
        if fill_shape not in {"documented", "newer"}:
            raise ValueError(f"fill shape is documented or newer, not {fill_shape!r}")
        self._exchange = exchange
        self._newer = fill_shape == "newer"
        self._symbol_required = symbol_required
        self._symbol_ignored = symbol_ignored
        self._signed_shorts = signed_shorts
        self._forgets_stops = closed_stops == "unknown"
        self._income_trades = income_trades
        self._fill_rows = fill_rows
        self._routes: dict[str, Callable[[Params, int, Sight], Any]] = {
            "/openApi/swap/v2/server/time": self._time,
            "/openApi/swap/v2/quote/contracts": self._contracts,
            "/openApi/swap/v3/user/balance": self._balances,
            "/openApi/swap/v2/user/balance": self._balance,
            "/openApi/swap/v2/user/positions": self._positions,
            "/openApi/swap/v1/positionSide/dual": self._mode,
            "/openApi/swap/v2/trade/openOrders": self._open_orders,
            "/openApi/swap/v2/trade/order": self._order,
            "/openApi/swap/v2/trade/openOrder": self._order,
            "/openApi/swap/v2/trade/allOrders": self._all_orders,
            "/openApi/swap/v1/trade/fullOrder": self._full_orders,
            "/openApi/swap/v2/trade/fillHistory": self._fill_history,
            "/openApi/swap/v2/trade/allFillOrders": self._all_fill_orders,
            "/openApi/swap/v2/user/income": self._income,
        }

    def knows(self, path: str) -> bool:
        """Whether there is such an endpoint."""
        return path in self._routes

    def answer(self, path: str, params: Params, now: int, sight: Sight = CLEAR) -> Row:
        """The whole body, in its envelope; the one of the position mode bears the time."""
        data = self._routes[path](params, now, sight)
        if path.endswith("/dual"):
            return {"code": 0, "msg": "", "timeStamp": now, "data": data}
        return {"code": 0, "msg": "", "data": data}

    def _time(self, params: Params, now: int, sight: Sight) -> Row:
        return {"serverTime": now}

    def _contracts(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = symbol_of(params, self._exchange.market)
        listed = self._exchange.market.instruments.values()
        return [contract_row(number, each) for number, each in enumerate(listed) if symbol in {None, each.symbol}]

    def _balances(self, params: Params, now: int, sight: Sight) -> list[Row]:
        wallets = self._exchange.account.book.wallets
        if sight.empty_amounts:
            return [empty_balance_row(asset) for asset in dict.fromkeys((*wallets, "USDC"))]
        rows = [self._balance_row(asset, now) for asset in wallets]
        return rows if "USDC" in wallets else [*rows, empty_balance_row("USDC")]

    def _balance(self, params: Params, now: int, sight: Sight) -> Row:
        return {"balance": empty_balance_row("USDT") if sight.empty_amounts else self._balance_row("USDT", now)}

    def _balance_row(self, asset: str, now: int) -> Row:
        account = self._exchange.account
        held = (each.unrealised for each in self._exchange.positions(now) if each.asset == asset)
        return balance_row(account.balance(asset), sum(held, ZERO), account.book.wallet(asset).pnl, self._exchange.uid)

    def _positions(self, params: Params, now: int, sight: Sight) -> list[Row]:
        symbol = symbol_of(params, self._exchange.market)
        held = self._exchange.positions(now)
        signed = self._signed_shorts
        return [position_row(each, signed_shorts=signed) for each in held if symbol in {None, each.symbol}]

    def _mode(self, params: Params, now: int, sight: Sight) -> Row:
        return {"dualSidePosition": "true" if self._exchange.hedge else "false"}

    def _open_orders(self, params: Params, now: int, sight: Sight) -> Row:
        symbol = None if self._symbol_ignored else symbol_of(params, self._exchange.market)
        # An order whose last fill is not shown yet is still open to the caller.
        candidates = self._exchange.open if sight.fills_until is None else self._exchange.orders
        seen = (self._seen(each, sight) for each in list(candidates.values()))
        return {"orders": [self._order_row(each) for each in seen if each.open and symbol in {None, each.symbol}]}

    def _order(self, params: Params, now: int, sight: Sight) -> Row:
        order = order_of(params, self._exchange.market, self._exchange.orders)
        if self._is_forgotten(order):
            raise OrderRefused(109421, "order not exist")
        return {"order": self._order_row(self._seen(order, sight))}

    def _all_orders(self, params: Params, now: int, sight: Sight) -> Row:
        return {"orders": self._history(params, now, sight, done_only=True)}

    def _full_orders(self, params: Params, now: int, sight: Sight) -> Row:
        return {"orders": self._history(params, now, sight, done_only=False)}

    def _history(self, params: Params, now: int, sight: Sight, *, done_only: bool) -> list[Row]:
        """Orders created within the window, newest first; their rows show whole seconds."""
        symbol = symbol_of(params, self._exchange.market)
        start, end = window(params, now, "startTime", "endTime", WEEK_MS)
        first, limit = integer(params, "orderId", 0), row_limit(params, "limit", 500)
        rows: list[Row] = []
        for order in reversed(self._exchange.orders.values()):
            if order.created < start or len(rows) == limit:
                break
            if order.created > end or order.id < first or self._is_forgotten(order):
                continue
            if symbol in {None, order.symbol}:
                seen = self._seen(order, sight)
                if not (done_only and seen.open):
                    rows.append(order_history_row(seen, self._leverage(seen)))
        return rows

    def _fill_history(self, params: Params, now: int, sight: Sight) -> Row:
        if self._symbol_required:
            required(params, "symbol")
        page, size = max(integer(params, "pageIndex", 1), 1), row_limit(params, "pageSize", 50)
        after = integer(params, "lastFillId", 0)
        # One who says where to begin and not where to end is shown nothing, as documented.
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
        """No limit of the window is known."""
        if required(params, "tradingUnit") not in {"COIN", "CONT"}:
            raise OrderRefused(INVALID, "Invalid parameters, err:tradingUnit: must be COIN or CONT")
        required(params, "startTs")
        fills = self._fills(params, *window(params, now, "startTs", "endTs", None), sight)
        orders = self._exchange.orders
        return {"fill_orders": [order_fill_row(each, orders[each.order_id].client_id) for each in fills]}

    def _fills(self, params: Params, start: int, end: int, sight: Sight) -> list[Fill]:
        """Fills with start < t <= end, oldest first."""
        symbol = symbol_of(params, self._exchange.market)
        if sight.fills_until is not None:
            end = min(end, sight.fills_until)
        if "orderId" in params:
            among = self._exchange.fills_of.get(integer(params, "orderId"), [])
        else:
            among = self._exchange.fills
        first = bisect_right(among, start, key=_time_of)
        last = bisect_right(among, end, key=_time_of)
        return [each for each in among[first:last] if symbol in {None, each.symbol}]

    def _income(self, params: Params, now: int, sight: Sight) -> list[Row]:
        """Newest first, as captured."""
        symbol = symbol_of(params, self._exchange.market)
        start, end = window(params, now, "startTime", "endTime", QUARTER_MS)
        start = max(start, now - QUARTER_MS)
        limit = row_limit(params, "limit", 100)
        kind = params.get("incomeType")
        rows = self._exchange.account.book.income
        first = bisect_left(rows, start, key=_time_of)
        last = bisect_right(rows, end, key=_time_of)
        lagging = sight.fills_until if sight.lag_income else None
        found = [
            each
            for each in rows[first:last]
            if kind in {None, each.type}
            and symbol in {None, each.symbol}
            and (lagging is None or each.ts <= lagging or each.type not in {"REALIZED_PNL", "TRADING_FEE"})
        ]
        return [income_row(each, self._income_trades) for each in found[: -limit - 1 : -1]]

    def _is_forgotten(self, order: Order) -> bool:
        return self._forgets_stops and order.closed_stop

    def _quote(self, fill: Fill) -> Decimal:
        return sum((each.qty * each.price for each in self._exchange.fills_of[fill.order_id]), ZERO)

    def _order_row(self, order: Order) -> Row:
        return order_row(order, self._leverage(order))

    def _leverage(self, order: Order) -> int:
        return self._exchange.account.leverage[order.symbol][order.position_side == "SHORT"]

    def _seen(self, order: Order, sight: Sight) -> Order:
        """The order as if its newest fills had not happened yet."""
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


def _time_of(row: Any) -> int:
    ts: int = row.ts
    return ts
