"""Rows of REST answers to calls that place, cancel or replace orders."""

from __future__ import annotations

from typing import Any

from .amounts import ZERO, plain
from .desk import Replaced
from .orderforms import TIMES_IN_FORCE
from .orders import TRAILING, Order, OrderRefused
from .rows import WORKING_TYPES, Row, order_status, target_row

_TIMES = {meaning: word for word, meaning in TIMES_IN_FORCE.items()}


def placed_row(order: Order) -> Row:
    """The row of a placed order: the fields as they were requested, its status and executed quantity now."""
    terms = order.terms
    return {
        "orderId": order.id,
        "orderID": str(order.id),
        "symbol": order.symbol,
        "positionSide": order.position_side,
        "side": order.side,
        "type": order.type,
        "price": terms.distance if order.type == TRAILING else order.price or ZERO,
        "quantity": order.qty,
        "quoteOrderQty": terms.quote,
        "stopPrice": order.stop_price or ZERO,
        "workingType": WORKING_TYPES[terms.working],
        "clientOrderID": order.client_id,
        "clientOrderId": order.client_id,
        "timeInForce": _TIMES[terms.time_in_force],
        "priceRate": terms.rate,
        "stopLoss": "" if terms.stop_loss is None else target_row(terms.stop_loss),
        "takeProfit": "" if terms.take_profit is None else target_row(terms.take_profit),
        "reduceOnly": order.reduce_only,
        "activationPrice": terms.activation or ZERO,
        "closePosition": "true" if terms.closes else "",
        "stopGuaranteed": "",
        "status": order_status(order),
        "avgPrice": plain(order.average),
        "executedQty": plain(order.executed),
    }


def refused_row(refused: OrderRefused, **named: Any) -> Row:
    """The row of an order of a batch that was refused: code and message, with the fields `named`."""
    return {**named, "errorCode": refused.code, "errorMessage": refused.message}


def replaced_row(replaced: Replaced, cancelled: Row | None) -> Row:
    """The row of a replacement, with both halves; `cancelled` is the row of the cancelled order."""
    cancel, place = replaced
    found: Row = {
        "cancelResult": str(isinstance(cancel, Order)).lower(),
        "cancelMsg": cancel.message if isinstance(cancel, OrderRefused) else "",
        "cancelResponse": cancelled,
        "replaceResult": str(isinstance(place, Order)).lower(),
        "replaceMsg": place.message if isinstance(place, OrderRefused) else "",
        "newOrderResponse": placed_row(place) if isinstance(place, Order) else None,
    }
    return found
