"""Reads orders, plain ones and those for the algo service: parameters become a ticket.

A parameter that is unknown or not modelled is refused; none is accepted and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

import msgspec

from ..amounts import ZERO
from ..exchange import Exchange
from ..orders import TRAILING
from ..terms import TimeInForce, Working
from ..ticket import Ticket
from .errors import Refusal, invalid, missing, not_modelled
from .quoterows import LEAST_NOTIONAL
from .routes import Params, flag, required

NAMES = (
    *("symbol", "side", "positionSide", "type", "timeInForce", "quantity", "reduceOnly", "price", "newClientOrderId"),
    *("stopPrice", "closePosition", "activationPrice", "callbackRate", "workingType", "priceProtect"),
    *("newOrderRespType", "priceMatch", "selfTradePreventionMode", "goodTillDate"),
)
ALGO_NAMES = (
    *("algoType", "symbol", "side", "positionSide", "type", "timeInForce", "quantity", "price", "triggerPrice"),
    *("workingType", "priceMatch", "closePosition", "priceProtect", "reduceOnly", "activatePrice", "callbackRate"),
    *("clientAlgoId", "newOrderRespType", "selfTradePreventionMode", "goodTillDate"),
)
TIMES_IN_FORCE: Mapping[str, TimeInForce] = MappingProxyType(
    {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "GTX": "POST_ONLY"}
)
WORKING: Mapping[str, Working] = MappingProxyType({"CONTRACT_PRICE": "last", "MARK_PRICE": "mark"})
STOPPING = frozenset({"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", TRAILING})
PREVENTION = frozenset({"", "NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"})
"""All of these are accepted: with one account on the exchange its orders do not meet each other."""
NAME = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
RATES = (Decimal("0.1"), Decimal(10))
"""The lowest and highest callback rate, percent."""


class Forms:
    """Reads the orders of one account. Raises `Refusal` for a wrong one."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def plain(self, params: Params, now: int) -> Ticket:
        """Read a limit or market order; a conditional one is refused, as it belongs to the algo service."""
        kind = required(params, "type")
        if kind in STOPPING:
            raise Refusal(
                -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
            )
        if kind not in {"LIMIT", "MARKET"}:
            raise Refusal(-1116, "Invalid orderType.")
        for name in ("stopPrice", "activationPrice", "callbackRate", "closePosition", "workingType", "priceProtect"):
            if params.get(name, "").lower() not in {"", "false"}:
                raise Refusal(-1106, f"Parameter '{name}' sent when not required.")
        if kind == "MARKET" and (params.get("price") or params.get("timeInForce")):
            raise Refusal(
                -1106, f"Parameter '{'price' if params.get('price') else 'timeInForce'}' sent when not required."
            )
        ticket = self._ticket(params, kind, name="newClientOrderId")
        if kind == "LIMIT":
            force = required(params, "timeInForce")
            if force not in TIMES_IN_FORCE:
                raise (
                    not_modelled(f"timeInForce {force}")
                    if force in {"GTD", "RPI"}
                    else Refusal(-1115, "Invalid timeInForce.")
                )
            ticket = ticket_with(ticket, price=self._amount(params, "price"), time_in_force=TIMES_IN_FORCE[force])
        self._check_worth(ticket, now)
        return ticket

    def algo(self, params: Params, now: int) -> Ticket:
        """Read a conditional order; one that may open gets a type with a trigger price on either side of the market."""
        if required(params, "algoType") != "CONDITIONAL":
            raise not_modelled(f"algoType {params['algoType']}")
        kind = required(params, "type")
        if kind not in STOPPING:
            raise Refusal(-1116, "Invalid orderType.")
        if params.get("timeInForce", "GTC") not in {"", "GTC"}:
            raise not_modelled(f"timeInForce {params['timeInForce']} of a {kind} order")
        if flag(params, "priceProtect"):
            raise not_modelled("priceProtect")
        closes = flag(params, "closePosition")
        ticket = self._ticket(params, kind, name="clientAlgoId", sized=not closes)
        working = params.get("workingType") or "CONTRACT_PRICE"
        if working not in WORKING:
            raise invalid("workingType")
        ticket = ticket_with(ticket, working=WORKING[working], closes=closes)
        if kind == TRAILING:
            return self._trailing(ticket, params)
        stop = self._amount(params, "triggerPrice")
        price = self._amount(params, "price") if kind in {"STOP", "TAKE_PROFIT"} else None
        self._check_side(ticket, kind, stop, now)
        closing = (
            closes or ticket.reduce_only or (ticket.position_side, ticket.side) in {("LONG", "SELL"), ("SHORT", "BUY")}
        )
        may_open = "TRIGGER_LIMIT" if price is not None else "TRIGGER_MARKET"
        return ticket_with(ticket, type=kind if closing else may_open, stop_price=stop, price=price)

    def _trailing(self, ticket: Ticket, params: Params) -> Ticket:
        rate = self._amount(params, "callbackRate")
        if not RATES[0] <= rate <= RATES[1]:
            raise Refusal(-2007, "Invalid callBack rate.")
        activation = self._amount(params, "activatePrice") if params.get("activatePrice") else None
        return ticket_with(ticket, rate=rate / 100, activation=activation)

    def _ticket(self, params: Params, kind: str, *, name: str, sized: bool = True) -> Ticket:
        symbol, side = required(params, "symbol"), required(params, "side")
        if symbol not in self._exchange.market.instruments:
            raise Refusal(-1121, "Invalid symbol.")
        if side not in {"BUY", "SELL"}:
            raise Refusal(-1117, "Invalid side.")
        hedge, position_side = self._exchange.hedge, params.get("positionSide") or "BOTH"
        if (position_side in {"LONG", "SHORT"}) is not hedge or position_side not in {"BOTH", "LONG", "SHORT"}:
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        if hedge and params.get("reduceOnly"):
            raise Refusal(-1106, "Parameter 'reduceOnly' sent when not required.")
        if not sized and (params.get("quantity") or params.get("reduceOnly")):
            raise Refusal(-4136, "Target strategy invalid for orderType with closePosition")
        for parameter in ("priceMatch", "goodTillDate"):
            if params.get(parameter, "") not in {"", "NONE", "0"}:
                raise not_modelled(parameter)
        if params.get("selfTradePreventionMode", "") not in PREVENTION:
            raise invalid("selfTradePreventionMode")
        client_id = params.get(name, "")
        if client_id and not NAME.fullmatch(client_id):
            raise Refusal(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{{1,36}}$'.",
            )
        return Ticket(
            symbol=symbol,
            side=side,
            type=kind,
            position_side=position_side if hedge else None,
            qty=self._amount(params, "quantity") if sized else None,
            client_id=client_id,
            reduce_only=flag(params, "reduceOnly"),
        )

    def _amount(self, params: Params, name: str) -> Decimal:
        try:
            amount = Decimal(required(params, name))
        except InvalidOperation:
            raise missing(name) from None
        instrument = self._exchange.market.instruments[params["symbol"]]
        grid = {"quantity": instrument.step, "callbackRate": Decimal("0.1")}.get(name, instrument.tick)
        if not amount.is_finite() or amount <= 0:
            raise Refusal(-4003, "Quantity less than or equal to zero.") if name == "quantity" else invalid(name)
        if amount % grid:
            off = name in {"price", "triggerPrice", "activatePrice"}
            raise (
                Refusal(-4014, "Price not increased by tick size.")
                if off
                else Refusal(-1111, f"Precision is over the maximum defined for this asset: {name}.")
            )
        return amount

    def _check_worth(self, ticket: Ticket, now: int) -> None:
        closing = ticket.reduce_only or (ticket.position_side, ticket.side) in {("LONG", "SELL"), ("SHORT", "BUY")}
        price = self._exchange.market.price(ticket.symbol, now) if ticket.price is None else ticket.price
        if not closing and (ticket.qty or ZERO) * price < LEAST_NOTIONAL:
            raise Refusal(
                -4164, f"Order's notional must be no smaller than {LEAST_NOTIONAL} (unless you choose reduce only)."
            )

    def _check_side(self, ticket: Ticket, kind: str, stop: Decimal, now: int) -> None:
        """Raise `Refusal` if the trigger price is one that the market has already reached."""
        market = self._exchange.market.price(ticket.symbol, now)
        rises = kind.startswith("STOP") == (ticket.side == "BUY")
        if stop <= market if rises else stop >= market:
            raise Refusal(-2021, "Order would immediately trigger.")


def ticket_with(ticket: Ticket, **changes: object) -> Ticket:
    """Return the ticket with these fields changed."""
    return msgspec.structs.replace(ticket, **changes)
