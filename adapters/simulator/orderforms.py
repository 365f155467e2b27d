"""Reads orders: the parameters of a call, or an object of a list, become a ticket.

A parameter that is unknown or not modelled is refused; none is accepted and ignored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, TypeVar

from .orders import PRICED, STOPS, TRAILING, TRIGGERS, OrderRefused
from .queries import Params, required
from .routes import COMMON
from .rows import WORKING_TYPES
from .rules import INVALID, not_modelled
from .terms import Leg, TimeInForce, Working
from .ticket import Ticket

PLACED = frozenset({"MARKET", "LIMIT"}) | TRIGGERS
TYPES_NOT_MODELLED = ("TRAILING_TP_SL", "TRIGGER_REVERSE_MARKET")
"""Order types that the venue has and this exchange does not model."""
NAMES = frozenset(
    {
        *("symbol", "side", "type", "positionSide", "quantity", "quoteOrderQty", "price", "stopPrice", "timeInForce"),
        *("clientOrderId", "clientOrderID", "workingType", "closePosition", "reduceOnly", "priceRate"),
        *("activationPrice", "stopLoss", "takeProfit"),
    }
)
LEG_NAMES = frozenset({"type", "stopPrice", "price", "quantity", "workingType"})
WORKING: Mapping[str, Working] = MappingProxyType({name: meaning for meaning, name in WORKING_TYPES.items()})
TIMES_IN_FORCE: Mapping[str, TimeInForce] = MappingProxyType(
    {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "PostOnly": "POST_ONLY"}
)
FLAGS: Mapping[str, bool] = MappingProxyType({"false": False, "true": True})
_Value = TypeVar("_Value")


def ticket_of(params: Params, *, hedge: bool) -> Ticket:
    """Read an order. In hedge mode a missing position side is LONG, as documented. Raises `OrderRefused`."""
    kind = required(params, "type")
    if kind in TYPES_NOT_MODELLED:
        raise not_modelled(f"type {kind}")
    if kind not in PLACED:
        raise OrderRefused(INVALID, f"Invalid parameters, err:type: {kind!r} is unknown")
    _check_names(params, NAMES)
    _check_prices(params, kind)
    trailing = kind == TRAILING
    price = _amount(params, "price")
    return Ticket(
        symbol=params.get("symbol", ""),
        side=params.get("side", ""),
        type=kind,
        position_side=params.get("positionSide") or ("LONG" if hedge else None),
        qty=_amount(params, "quantity"),
        quote=_amount(params, "quoteOrderQty") or Decimal(0),
        closes=word(params, "closePosition", FLAGS),
        price=None if trailing else price,
        stop_price=None if trailing else _amount(params, "stopPrice"),
        client_id=params.get("clientOrderId") or params.get("clientOrderID", ""),
        reduce_only=word(params, "reduceOnly", FLAGS),
        time_in_force=word(params, "timeInForce", TIMES_IN_FORCE),
        working=word(params, "workingType", WORKING),
        rate=_amount(params, "priceRate") or Decimal(0),
        distance=(price or Decimal(0)) if trailing else Decimal(0),
        activation=_amount(params, "activationPrice") if trailing else None,
        stop_loss=_leg(params, "stopLoss"),
        take_profit=_leg(params, "takeProfit"),
    )


def listed(params: Params, name: str, most: int) -> list[Any]:
    """Read a parameter that is a JSON list of 1 to `most` entries. Raises `OrderRefused` otherwise."""
    try:
        found = json.loads(required(params, name), parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not 0 < len(found) <= most:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be a list of 1 to {most}")
    return found


def written(fields: Any) -> dict[str, str]:
    """Return the fields of an object in a list as texts, as they would be in a query."""
    if not isinstance(fields, dict):
        raise OrderRefused(INVALID, "Invalid parameters, err: each order is an object")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}


def word(params: Params, name: str, among: Mapping[str, _Value]) -> _Value:
    """The value for the parameter's text, in upper or lower case; the first one in `among` if none was sent."""
    said = params.get(name) or next(iter(among))
    found = {each.upper(): value for each, value in among.items()}
    if said.upper() not in found:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: {said!r} is unknown")
    return found[said.upper()]


def _check_names(params: Params, names: frozenset[str]) -> None:
    for name, value in params.items():
        if name not in names and name not in COMMON and not _is_blank(value):
            raise not_modelled(name)


def _check_prices(params: Params, kind: str) -> None:
    """Refuse a price that orders of this type do not have, instead of ignoring it."""
    if kind not in STOPS and not _is_blank(params.get("stopPrice", "")):
        raise not_modelled(f"stopPrice of a {kind} order")
    if kind not in PRICED and kind != TRAILING and not _is_blank(params.get("price", "")):
        raise not_modelled(f"price of a {kind} order")
    if kind != TRAILING:
        for name in ("priceRate", "activationPrice"):
            if not _is_blank(params.get(name, "")):
                raise not_modelled(f"{name} of a {kind} order")


def _leg(params: Params, name: str) -> Leg | None:
    text = params.get(name, "")
    if _is_blank(text):
        return None
    try:
        said = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be an object")
    fields = written(said)
    _check_names(fields, LEG_NAMES)
    stop_price = _amount(fields, "stopPrice")
    if stop_price is None:
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: stopPrice field is required")
    default = "STOP_MARKET" if name == "stopLoss" else "TAKE_PROFIT_MARKET"
    return Leg(
        type=fields.get("type") or default,
        stop_price=stop_price,
        price=_amount(fields, "price"),
        qty=_amount(fields, "quantity"),
        working=word(fields, "workingType", WORKING),
    )


def _amount(params: Params, name: str) -> Decimal | None:
    """A number; None if it is missing or 0. Raises `OrderRefused` for other texts."""
    text = params.get(name, "")
    if text == "":
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise OrderRefused(INVALID, f"Invalid parameters, err:{name}: must be a number")
    return amount or None


def _is_blank(text: str) -> bool:
    """True if the text of a parameter has no effect: it is empty, false, `{}` or zero."""
    try:
        return text in {"", "false", "{}"} or not Decimal(text)
    except InvalidOperation:
        return False
