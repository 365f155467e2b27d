"""Frames and rows of conditional orders, which belong to the algo service."""

from __future__ import annotations

from typing import Any

from ..amounts import ZERO, plain
from ..orders import TRAILING, Order
from . import words

Row = dict[str, Any]
PERCENT = 100


def algo_frame(order: Order, born: Order | None, ts: int, due: int, *, triggering: bool = False) -> Row:
    """An `ALGO_UPDATE`; with `triggering` it shows the moment of the trigger, without later fills of `born`."""
    terms, triggered = order.terms, born is not None
    body: Row = {
        "caid": order.client_id,
        "aid": order.id,
        "at": "CONDITIONAL",
        "o": words.kind(order),
        "s": order.symbol,
        "S": order.side,
        "ps": order.position_side,
        "f": "GTC",
        "q": "0" if terms.closes else plain(order.qty),
        "X": "TRIGGERED" if triggering else words.algo_status(order, born),
        "ai": str(born.id) if born is not None else "",
    }
    if born is not None:
        told = (ZERO, ZERO) if triggering else (born.average, born.executed)
        body |= {"ap": plain(told[0]), "aq": plain(told[1]), "act": words.kind(born)}
    body |= {
        "tp": plain(order.stop_price or ZERO),
        "p": plain(order.price or ZERO),
        "V": "EXPIRE_MAKER",
        "wt": words.WORKING[terms.working],
        "pm": "NONE",
        "cp": terms.closes,
        "pP": False,
        "R": order.reduce_only,
        "tt": ts if triggered else 0,
        "gtd": 0,
        "rm": "",
    }
    if order.type == TRAILING:
        body |= {"AP": plain(terms.activation or ZERO), "cr": plain(terms.rate * PERCENT), "ia": triggered}
    return {"e": "ALGO_UPDATE", "T": ts, "E": due, "o": body}


def algo_row(order: Order, born: Order | None) -> Row:
    """A row of the lists of algo orders."""
    terms = order.terms
    row: Row = {
        "algoId": order.id,
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": words.kind(order),
        "symbol": order.symbol,
        "side": order.side,
        "positionSide": order.position_side,
        "timeInForce": "GTC",
        "quantity": "0" if terms.closes else plain(order.qty),
        "algoStatus": words.algo_status(order, born),
        "actualOrderId": str(born.id) if born is not None else "",
        "actualPrice": plain(born.average) if born is not None else "0.00000",
        "triggerPrice": plain(order.stop_price or ZERO),
        "price": plain(order.price or ZERO),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": words.WORKING[terms.working],
        "priceMatch": "NONE",
        "closePosition": terms.closes,
        "priceProtect": False,
        "reduceOnly": order.reduce_only,
        "createTime": order.created,
        "updateTime": order.updated,
        "triggerTime": order.updated if order.triggered else 0,
        "goodTillDate": 0,
    }
    if order.type == TRAILING:
        row |= {"activatePrice": plain(terms.activation or ZERO), "callbackRate": plain(terms.rate * PERCENT)}
    return row
