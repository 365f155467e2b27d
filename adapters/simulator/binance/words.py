"""The venue's names of an order's type, status and other fields."""

from __future__ import annotations

from decimal import Decimal

from ..amounts import ZERO, plain
from ..orders import PRICED_TRIGGERS, TRIGGERS, Order
from ..terms import Working

GUARD = Decimal("1.03")
"""The factor by which the protective price of an order is worse than the market when it was placed."""
WORKING: dict[Working, str] = {"mark": "MARK_PRICE", "last": "CONTRACT_PRICE", "index": "MARK_PRICE"}
AT_ONCE = frozenset({"IOC", "FOK"})
IN_MATCH = "EXPIRED_IN_MATCH"
EXPIRIES = {"IOC": "2", "FOK": "10"}


def is_algo(order: Order) -> bool:
    """True if the order is conditional: the algo service keeps it, and another order executes for it."""
    return order.type in TRIGGERS


def kind(order: Order) -> str:
    """The type; a conditional order that may open is a stop or a take profit, depending on the market at that time."""
    if order.type not in {"TRIGGER_MARKET", "TRIGGER_LIMIT"}:
        return "LIMIT" if order.type == "LIQUIDATION" else order.type
    buys, stop = order.side == "BUY", order.stop_price or ZERO
    market = order.guard / GUARD if buys else order.guard * GUARD
    name = "STOP" if (stop > market) == buys else "TAKE_PROFIT"
    return name if order.type in PRICED_TRIGGERS else f"{name}_MARKET"


def status(order: Order) -> str:
    """The status; a market, IOC or FOK order whose rest was cancelled has EXPIRED."""
    if order.status == "EXPIRED" and order.terms.prevented:
        return IN_MATCH
    if order.status == "CANCELED" and (order.type == "MARKET" or order.terms.time_in_force in AT_ONCE):
        return "EXPIRED"
    return order.status


def expiry(order: Order) -> str:
    """The number of the reason of its expiry, 0 if it did not expire."""
    if status(order) == IN_MATCH:
        return "1"
    if status(order) != "EXPIRED":
        return "0"
    return "9" if order.type == "MARKET" else EXPIRIES.get(order.terms.time_in_force, "0")


def algo_status(order: Order, born: Order | None) -> str:
    """The status of an algo order; `born` is the plain order that executes for it, if there is one."""
    if born is not None:
        return "TRIGGERED" if born.open else "FINISHED"
    return "TRIGGERED" if order.triggered else order.status


def time_in_force(order: Order) -> str:
    """The time in force."""
    if order.type == "LIQUIDATION":
        return "IOC"
    return "GTX" if order.terms.time_in_force == "POST_ONLY" else order.terms.time_in_force


def named(name: str, order_id: int) -> str:
    """The client order id: the given one, else one that the venue makes."""
    return name or f"sim_{order_id:x}"


def client_id(order: Order) -> str:
    """The client order id that is shown; in one of the venue's own orders it begins with the kind of order."""
    if order.type != "LIQUIDATION":
        return order.client_id
    begin = "adl_autoclose_" if order.terms.deleveraged else "autoclose-"
    return f"{begin}{order.created}{order.id % 1_000_000:06}"


def price(order: Order) -> str:
    """The price; 0 for a market order, and the average or protective price of a liquidation."""
    return plain((order.average or order.guard) if order.type == "LIQUIDATION" else order.price or ZERO)


def is_isolated(mode: str) -> bool:
    """True if positions in this margin mode have their own margin."""
    return mode == "isolated"


def tran_id(text: str) -> int:
    """The number of a booking, above 2^53; fee and PnL of one trade have the same number."""
    return 4_480_321_991_774_000_000 + int(text.rpartition("_")[2])


def alias(uid: str) -> str:
    """The account's alias in balances: four letters."""
    number = int(uid) if uid.isdecimal() else sum(map(ord, uid))
    return "".join(chr(ord("A") + number // 26**place % 26) for place in range(4))
