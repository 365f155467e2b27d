"""The REST endpoints by which a bot trades: orders placed, cancelled and changed, positions closed, settings made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from .codes import NO_SUCH_ORDER
from .desk import Desk
from .holdings import Holdings
from .orderanswers import placed_row, refused_row, replaced_row
from .orderforms import FLAGS, NAMES, listed, ticket_of, word, written
from .orders import TYPES, Order, OrderRefused
from .positionrows import position_id
from .queries import Params, integer, order_of, required, symbol_of
from .routes import check_names
from .rows import Row, order_row
from .rules import INVALID, check_symbol, not_modelled

ORDER_PATH = "/openApi/swap/v2/trade/order"
PLACES = frozenset(
    {
        ORDER_PATH,
        "/openApi/swap/v2/trade/batchOrders",
        "/openApi/swap/v1/trade/cancelReplace",
        "/openApi/swap/v1/trade/batchCancelReplace",
    }
)
BATCH = 5
"""Orders that may be placed together."""
CANCELS = 10
"""Orders that may be cancelled together."""
ANYWAY = {"STOP_ON_FAILURE": False, "ALLOW_FAILURE": True}
ONLY = {"": None, "ONLY_NEW": "NEW", "ONLY_PENDING": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}
MARGIN_MODES = {"CROSSED": "cross", "ISOLATED": "isolated"}
REPLACES = NAMES | {"cancelReplaceMode", "cancelRestrictions", "cancelOrderId", "cancelClientOrderId"}
NAMED = ("symbol", "orderId", "clientOrderId", "clientOrderID")


class Deed(NamedTuple):
    """The function that a call runs, and the parameters that it understands."""

    do: Callable[[Params, int], Any]
    names: Iterable[str] = ()


class Trading:
    """Carries out calls on a desk. Raises `OrderRefused` for a call that is refused or not modelled."""

    def __init__(self, desk: Desk, holdings: Holdings) -> None:
        self._desk = desk
        self._exchange = desk.exchange
        self._holdings = holdings
        v1, v2 = "/openApi/swap/v1", "/openApi/swap/v2"
        self.deeds = {
            f"POST {ORDER_PATH}": Deed(lambda params, now: {"order": placed_row(self._place(params, now))}, NAMES),
            f"POST {ORDER_PATH}/test": Deed(self._test, NAMES),
            f"DELETE {ORDER_PATH}": Deed(self._cancel, NAMED),
            f"POST {v2}/trade/batchOrders": Deed(self._place_all, ["batchOrders"]),
            f"DELETE {v2}/trade/batchOrders": Deed(
                self._cancel_these, ["symbol", "orderIdList", "clientOrderIdList", "clientOrderIDList"]
            ),
            f"DELETE {v2}/trade/allOpenOrders": Deed(self._cancel_all, ["symbol", "type"]),
            f"POST {v2}/trade/cancelAllAfter": Deed(self._cancel_after, ["type", "timeOut"]),
            f"POST {v1}/trade/cancelReplace": Deed(self._replace, REPLACES),
            f"POST {v1}/trade/batchCancelReplace": Deed(self._replace_all, ["batchOrders"]),
            f"POST {v1}/trade/amend": Deed(self._amend, [*NAMED, "quantity"]),
            f"POST {v2}/trade/closeAllPositions": Deed(self._close_all, ["symbol"]),
            f"POST {v1}/trade/closePosition": Deed(self._close, ["positionId"]),
            f"POST {v2}/trade/leverage": Deed(self._set_leverage, ["symbol", "side", "leverage"]),
            f"POST {v2}/trade/marginType": Deed(self._set_margin_mode, ["symbol", "marginType"]),
            f"POST {v1}/positionSide/dual": Deed(self._set_position_mode, ["dualSidePosition"]),
        }

    @staticmethod
    def places(method: str, path: str) -> bool:
        """True if this call places orders."""
        return method == "POST" and path in PLACES

    def knows(self, method: str, path: str) -> bool:
        """True if this call trades or changes how the account trades."""
        return f"{method} {path}" in self.deeds

    def answer(self, method: str, path: str, params: Params, now: int) -> Row:
        """Carry out a call; return the whole body. Raises `OrderRefused`, also for parameters that are not modelled."""
        deed = self.deeds[f"{method} {path}"]
        if deed.names is not NAMES and deed.names is not REPLACES:  # orders are read by their own rules
            check_names(params, list(deed.names))
        return {"code": 0, "msg": "", "data": deed.do(params, now)}

    def _place(self, params: Params, now: int) -> Order:
        return self._desk.place(ticket_of(params, hedge=self._exchange.hedge), now=now)

    def _test(self, params: Params, now: int) -> Row:
        """Check an order without placing it; the answer has no id."""
        ticket = ticket_of(params, hedge=self._exchange.hedge)
        self._desk.check(ticket, now=now)
        told = ("symbol", "side", "positionSide", "type", "quantity", "price", "stopPrice", "timeInForce")
        return {"order": {"orderId": 0, "orderID": "", **{name: params.get(name, "") for name in told}}}

    def _place_all(self, params: Params, now: int) -> Row:
        placed, refusals = [], []
        for fields in listed(params, "batchOrders", BATCH):
            order = written(fields)
            try:
                placed.append(placed_row(self._place(order, now)))
            except OrderRefused as refused:
                refusals.append(refused_row(refused, symbol=order.get("symbol", ""), type=order.get("type", "")))
        return {"orders": placed, "errors": refusals}

    def _cancel(self, params: Params, now: int) -> Row:
        return {"order": self._row(self._desk.cancel(order_of(params, self._exchange).id, now=now))}

    def _cancel_these(self, params: Params, now: int) -> Row:
        symbol = check_symbol(self._exchange.market, required(params, "symbol"))
        name = next((name for name in ("clientOrderIdList", "clientOrderIDList") if params.get(name)), "orderIdList")
        said = "orderId" if name == "orderIdList" else "clientOrderId"
        cancelled, failed = [], []
        for each in _names(required(params, name)):
            try:
                cancelled.append(self._cancel({"symbol": symbol, said: each}, now)["order"])
            except OrderRefused as refused:
                failed.append(refused_row(refused, **{said: each}))
        return {"success": cancelled, "failed": failed or None}

    def _cancel_all(self, params: Params, now: int) -> Row:
        kind = params.get("type") or None
        if kind is not None and kind not in TYPES:
            raise OrderRefused(INVALID, f"Invalid parameters, err:type: {kind!r} is unknown")
        symbol = symbol_of(params, self._exchange.market)
        cancelled = self._desk.cancel_all(symbol=symbol, type=kind, now=now)
        return {"success": [self._row(each) for each in cancelled], "failed": None}

    def _cancel_after(self, params: Params, now: int) -> Row:
        active = word(params, "type", {"": None, "ACTIVATE": True, "CLOSE": False})
        if active is None:
            raise OrderRefused(INVALID, "Invalid parameters, err:type: type field is required")
        at = self._desk.cancel_after(integer(params, "timeOut") if active else None, now=now)
        note = "all open orders are cancelled at triggerTime" if active else "the countdown is off"
        return {"triggerTime": at // 1000, "status": "ACTIVATED" if active else "CLOSED", "note": note}

    def _replace(self, params: Params, now: int) -> Row:
        """Replace an order. Raises `OrderRefused` if neither half was done."""
        anyway = word(params, "cancelReplaceMode", ANYWAY)
        only = word(params, "cancelRestrictions", ONLY)
        named = {
            "orderId": params.get("cancelOrderId", ""),
            "clientOrderId": params.get("cancelClientOrderId", ""),
            "symbol": params.get("symbol", ""),
        }
        asked = {name: value for name, value in params.items() if name in NAMES or name not in REPLACES}
        ticket = ticket_of(asked, hedge=self._exchange.hedge)
        try:
            order_id = order_of(named, self._exchange).id
        except OrderRefused as refused:
            if not anyway or refused.code != NO_SUCH_ORDER:
                raise
            order_id = 0
        replaced = self._desk.replace(order_id, ticket, now=now, anyway=anyway, only=only)
        cancelled = replaced.cancelled
        if isinstance(cancelled, OrderRefused) and not isinstance(replaced.placed, Order):
            raise cancelled
        return replaced_row(replaced, self._row(cancelled) if isinstance(cancelled, Order) else None)

    def _replace_all(self, params: Params, now: int) -> list[Row]:
        found = []
        for fields in listed(params, "batchOrders", BATCH):
            try:
                found.append(self._replace(written(fields), now))
            except OrderRefused as refused:
                found.append(refused_row(refused))
        return found

    def _amend(self, params: Params, now: int) -> Row:
        order = order_of(params, self._exchange)
        try:
            qty = Decimal(required(params, "quantity"))
        except InvalidOperation:
            raise OrderRefused(INVALID, "Invalid parameters, err:quantity: must be a number") from None
        return placed_row(self._desk.amend(order.id, qty, now=now))

    def _close_all(self, params: Params, now: int) -> Row:
        symbol = symbol_of(params, self._exchange.market)
        held = [each for each in self._exchange.account.positions() if symbol in {None, each.symbol}]
        for each in held:
            self._desk.close(each.symbol, each.side, now=now)
        return {"success": [int(position_id(each.symbol, each.side)) for each in held], "failed": None}

    def _close(self, params: Params, now: int) -> Row:
        wanted = required(params, "positionId")
        for each in self._exchange.account.positions():
            if position_id(each.symbol, each.side) == wanted:
                order = self._desk.close(each.symbol, each.side, now=now)
                return self._row(order) | {"positionId": wanted}
        raise OrderRefused(109420, "position not exist")

    def _set_leverage(self, params: Params, now: int) -> Row:
        symbol, leverage = required(params, "symbol"), integer(params, "leverage")
        self._desk.set_leverage(symbol, required(params, "side"), leverage, now=now)
        return {**self._holdings.leverage_row(symbol, now), "leverage": leverage}

    def _set_margin_mode(self, params: Params, now: int) -> Row:
        said = required(params, "marginType")
        if said == "SEPARATE_ISOLATED":
            raise not_modelled(f"marginType {said}")
        symbol = check_symbol(self._exchange.market, required(params, "symbol"))
        self._desk.set_margin_mode(symbol, word(params, "marginType", MARGIN_MODES), now=now)
        return {}

    def _set_position_mode(self, params: Params, now: int) -> Row:
        required(params, "dualSidePosition")
        hedge = word(params, "dualSidePosition", FLAGS)
        self._desk.set_position_mode(hedge)
        return {"dualSidePosition": str(hedge).lower()}

    def _row(self, order: Order) -> Row:
        leverage = self._exchange.account.leverage[order.symbol][order.position_side == "SHORT"]
        return order_row(order, leverage)


def _names(text: str) -> list[str]:
    """Read the ids of a list, written as `[1,2]`, `["a","b"]` or `a,b`. Raises `OrderRefused` if they are too many."""
    found = re.findall(r"[^\[\]\",\s]+", text)
    if not 0 < len(found) <= CANCELS:
        raise OrderRefused(INVALID, f"Invalid parameters, err: a list names 1 to {CANCELS} orders")
    return found
