"""A bot's own orders on the simulated venue: placed and cancelled by REST, filled when the market's price says so."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from .exchange import Exchange
from .orders import TRIGGERS, Order, OrderRefused

ORDER_PATH = "/openApi/swap/v2/trade/order"


class Trading:
    """Market orders are filled at once, limit orders at their own price, trigger orders once theirs was reached."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._resting: dict[int, bool] = {}

    def match(self, now: int) -> None:
        """Fill the bot's orders that the market has reached."""
        for order_id, from_above in list(self._resting.items()):
            order = self._exchange.orders[order_id]
            market = self._exchange.market.price(order.symbol, now)
            level = order.stop_price or order.price or market
            if not order.open:
                del self._resting[order_id]
            elif (market <= level) if from_above else (market >= level):
                del self._resting[order_id]
                with contextlib.suppress(OrderRefused):
                    self._exchange.fill(order_id, now=now)

    def knows(self, method: str, path: str) -> bool:
        """Whether this call trades."""
        return path == ORDER_PATH and method in {"POST", "DELETE"}

    def answer(self, method: str, path: str, params: Mapping[str, str], now: int) -> dict[str, Any]:
        """The whole body. Raises `OrderRefused`."""
        order = self._place(params, now) if method == "POST" else self._cancel(params, now)
        return {"code": 0, "msg": "", "data": {"order": _row(order)}}

    def _place(self, params: Mapping[str, str], now: int) -> Order:
        position_side = params.get("positionSide") or None
        order = self._exchange.place(
            params.get("symbol", ""),
            params.get("side", ""),
            _amount(params, "quantity"),
            now=now,
            type=params.get("type", ""),
            position_side=position_side,
            price=_amount(params, "price") if params.get("price") else None,
            stop_price=_amount(params, "stopPrice") if params.get("stopPrice") else None,
            client_id=params.get("clientOrderId", params.get("clientOrderID", "")),
            reduce_only=params.get("reduceOnly", "") == "true",
        )
        if order.type == "MARKET":
            self._exchange.fill(order.id, now=now)
        elif order.stop_price is not None:
            self._resting[order.id] = order.stop_price < self._exchange.market.price(order.symbol, now)
        else:
            self._resting[order.id] = order.side == "BUY"
        return self._exchange.orders[order.id]

    def _cancel(self, params: Mapping[str, str], now: int) -> Order:
        text = params.get("orderId", "")
        if not text.isdecimal():
            raise OrderRefused(109400, "Invalid parameters, err:orderId: must be a number")
        return self._exchange.cancel(int(text), now=now)


def _amount(params: Mapping[str, str], name: str) -> Decimal:
    try:
        return Decimal(params.get(name, ""))
    except InvalidOperation:
        raise OrderRefused(109400, f"Invalid parameters, err:{name}: must be a number") from None


def _row(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "side": order.side,
        "positionSide": order.position_side,
        "type": order.type,
        "clientOrderID": order.client_id,
        "workingType": "MARK_PRICE" if order.type in TRIGGERS else "",
    }
