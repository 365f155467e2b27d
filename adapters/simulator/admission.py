"""The checks of an order before it is accepted: its fields, its margin, and that it repeats no other."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import msgspec

from .amounts import ZERO
from .depth import Depth
from .exchange import Exchange
from .margin import Margin
from .orders import PRICED, STOP_LOSSES, TAKE_PROFITS, TRAILING, TRIGGERS, Order, OrderRefused
from .rules import (
    INVALID,
    LEAST_WORTH,
    check_price,
    check_prices,
    check_quantity,
    check_symbol,
    check_words,
    not_modelled,
)
from .terms import Leg, Terms
from .ticket import Ticket

LONGEST_NAME = 40
CLOSING = STOP_LOSSES | TAKE_PROFITS
"""Types that only close an existing position."""


class Admission:
    """Checks orders: raises `OrderRefused` with the venue's code for one that cannot be placed; changes nothing."""

    def __init__(self, exchange: Exchange, depth: Depth, margin: Margin) -> None:
        self._exchange = exchange
        self._depth = depth
        self._margin = margin

    def admitted(self, ticket: Ticket, now: int) -> tuple[Ticket, Terms]:
        """Return the ticket with its final quantity, and the terms of the order."""
        exchange, market = self._exchange, self._exchange.market
        check_symbol(market, ticket.symbol)
        check_words(ticket.side, ticket.type, ticket.position_side, hedge=exchange.hedge)
        ticket = self._sized(ticket, now)
        qty = ticket.qty or ZERO
        check_quantity(market, ticket.symbol, qty)
        check_prices(market, ticket.symbol, ticket.type, ticket.price, ticket.stop_price)
        self._check_name(ticket.client_id)
        self._check_time_in_force(ticket, now)
        reference = self._reference(ticket, now)
        closing = self.reduces(ticket)
        if ticket.type in CLOSING:
            check_side(ticket.type, ticket.side, ticket.stop_price or ZERO, market.price(ticket.symbol, now))
        if ticket.type == TRAILING:
            self._check_trailing(ticket, now)
        if not closing and qty * reference < LEAST_WORTH:
            raise OrderRefused(110425, f"an order is worth at least {LEAST_WORTH} USDT")
        for leg, kinds in ((ticket.stop_loss, STOP_LOSSES), (ticket.take_profit, TAKE_PROFITS)):
            if leg is not None:
                self._check_leg(ticket, leg, kinds, closing, reference)
        self._check_bracket(ticket)
        terms = Terms(
            time_in_force=ticket.time_in_force,
            working=ticket.working,
            closes=ticket.closes,
            rate=ticket.rate,
            distance=ticket.distance,
            activation=ticket.activation,
            stop_loss=ticket.stop_loss,
            take_profit=ticket.take_profit,
            quote=ticket.quote,
            reserves=ticket.type not in TRIGGERS,
            margin=ZERO if closing or ticket.type in TRIGGERS else self._bound(ticket, qty, now),
        )
        return ticket, terms

    def reduces(self, ticket: Ticket) -> bool:
        """True if the order may only make a position smaller."""
        return ticket.reduce_only or (ticket.position_side, ticket.side) in {("LONG", "SELL"), ("SHORT", "BUY")}

    def is_affordable(self, order: Order, qty: Decimal, bound: Decimal, now: int) -> bool:
        """True if `qty` of the order needs no more at the book's prices than the free margin and `bound`, its own."""
        needed = self._needed(order.symbol, order.position_side, order.side, qty, order.price, now)
        return not needed or needed <= self._margin.available(order.asset, now) + bound

    def _sized(self, ticket: Ticket, now: int) -> Ticket:
        """Return the ticket with its quantity; a stop loss or take profit is made one that only closes."""
        changes: dict[str, object] = {"quote": ZERO} if ticket.qty is not None and ticket.quote else {}
        if ticket.type in CLOSING and not self._exchange.hedge:
            changes["reduce_only"] = True
        elif ticket.type in CLOSING and not self.reduces(ticket):
            raise OrderRefused(101205, f"No position to close: a {ticket.type} order is for a position that is there")
        if ticket.closes:
            if ticket.type not in {"STOP_MARKET", "TAKE_PROFIT_MARKET"} or ticket.qty is not None:
                raise OrderRefused(INVALID, "closePosition is for STOP_MARKET and TAKE_PROFIT_MARKET, without quantity")
            held = self._exchange.account.position(ticket.symbol, self._side_of(ticket)).qty
            if not held or (held > 0) == (ticket.side == "BUY"):
                raise OrderRefused(101205, "No position to close")
            changes["qty"] = abs(held)
        elif ticket.qty is None:
            if not ticket.quote:
                raise OrderRefused(INVALID, "quantity field is required")
            step = self._exchange.market.instruments[ticket.symbol].step
            steps = (ticket.quote / self._reference(ticket, now) / step).to_integral_value(ROUND_DOWN)
            if not steps:
                raise OrderRefused(101400, f"The minimum order amount is {step}")
            changes["qty"] = steps * step
        return msgspec.structs.replace(ticket, **changes) if changes else ticket

    def _side_of(self, ticket: Ticket) -> str:
        if not self._exchange.hedge:
            return "BOTH"
        return ticket.position_side or ("LONG" if ticket.side == "BUY" else "SHORT")

    def _reference(self, ticket: Ticket, now: int) -> Decimal:
        """The price by which its value and its legs are checked: its own if it has one, else the market's."""
        if ticket.type in PRICED and ticket.price is not None and ticket.price.is_finite() and ticket.price > 0:
            return ticket.price
        return self._exchange.market.price(ticket.symbol, now)

    def _check_name(self, name: str) -> None:
        if len(name) > LONGEST_NAME:
            raise OrderRefused(INVALID, f"clientOrderId has at most {LONGEST_NAME} characters")
        if name and name.lower() in self._exchange.by_client_id:
            raise OrderRefused(101481, "The clientOrderID has already been used")

    def _check_time_in_force(self, ticket: Ticket, now: int) -> None:
        if ticket.time_in_force == "GTC" or (ticket.type == "MARKET" and ticket.time_in_force != "POST_ONLY"):
            return
        if ticket.type != "LIMIT":
            raise not_modelled(f"timeInForce {ticket.time_in_force} of a {ticket.type} order")
        if ticket.time_in_force == "POST_ONLY" and self._depth.meets(ticket.symbol, ticket.side, ticket.price, now):
            raise OrderRefused(101215, "The Post Only order would be filled immediately")

    def _check_trailing(self, ticket: Ticket, now: int) -> None:
        if bool(ticket.rate) == bool(ticket.distance):
            raise OrderRefused(INVALID, "a trailing stop has a priceRate or a price, its distance, and not both")
        if not 0 <= ticket.rate <= 1 or ticket.distance < 0:
            raise OrderRefused(110415, "The trailing stop callback is not within its bounds")
        if ticket.activation is None:
            return
        check_price(self._exchange.market, ticket.symbol, ticket.activation)
        market = self._exchange.market.price(ticket.symbol, now)
        if ticket.side == "SELL" and ticket.activation <= market:
            raise OrderRefused(110419, "The activation price must be greater than the Last/Mark Price")
        if ticket.side == "BUY" and ticket.activation >= market:
            raise OrderRefused(110420, "The activation price must be lower than the Last/Mark Price")

    def _check_leg(self, ticket: Ticket, leg: Leg, kinds: frozenset[str], closing: bool, reference: Decimal) -> None:
        if leg.type not in kinds:
            raise OrderRefused(INVALID, f"Invalid parameters, err: {leg.type} cannot be attached here")
        qty = ticket.qty or ZERO
        opened = self._margin.opened(ticket.symbol, self._side_of(ticket), ticket.side, qty)
        if ticket.type not in {"MARKET", "LIMIT"} or closing or opened != qty:
            raise not_modelled("stopLoss or takeProfit of an order that is conditional or closes")
        market = self._exchange.market
        check_prices(market, ticket.symbol, leg.type, leg.price, leg.stop_price)
        if leg.qty is not None:
            check_quantity(market, ticket.symbol, leg.qty)
            if leg.qty > qty:
                raise OrderRefused(INVALID, f"an attached {leg.type} order is for no more than the order's quantity")
        check_side(leg.type, "SELL" if ticket.side == "BUY" else "BUY", leg.stop_price, reference)

    def _check_bracket(self, ticket: Ticket) -> None:
        """Refuse a second stop loss or take profit for a whole position; legs of orders that wait count too."""
        position_side, closing_side = self._side_of(ticket), ticket.side
        if not ticket.closes:
            closing_side = "SELL" if ticket.side == "BUY" else "BUY"
        wanted = {
            "sl": ticket.stop_loss is not None or (ticket.closes and ticket.type in STOP_LOSSES),
            "tp": ticket.take_profit is not None or (ticket.closes and ticket.type in TAKE_PROFITS),
        }
        if not any(wanted.values()):
            return
        for order in self._exchange.open.values():
            if (order.symbol, order.position_side) != (ticket.symbol, position_side):
                continue
            whole = (order.terms.closes or order.terms.entry) and order.side == closing_side
            waits = order.side != closing_side and not order.executed
            if wanted["sl"] and ((whole and order.type in STOP_LOSSES) or (waits and order.terms.stop_loss)):
                raise OrderRefused(110406, "SL order already exists")
            if wanted["tp"] and ((whole and order.type in TAKE_PROFITS) or (waits and order.terms.take_profit)):
                raise OrderRefused(110407, "TP order already exists")

    def _bound(self, ticket: Ticket, qty: Decimal, now: int) -> Decimal:
        """The margin that each unit binds while the order rests. Raises `OrderRefused` 101204 if it is not there."""
        symbol, price = ticket.symbol, ticket.price if ticket.type in PRICED else None
        needed = self._needed(symbol, self._side_of(ticket), ticket.side, qty, price, now)
        if needed and needed > self._margin.available(self._exchange.market.instruments[symbol].asset, now):
            raise OrderRefused(101204, "Insufficient margin")
        return needed / qty if ticket.type in PRICED else ZERO

    def _needed(
        self, symbol: str, position_side: str, side: str, qty: Decimal, limit: Decimal | None, now: int
    ) -> Decimal:
        """The margin, fee and loss against the market of the part of `qty` that would open; 0 if it opens nothing."""
        opened = self._margin.opened(symbol, position_side, side, qty)
        if not opened:
            return ZERO
        market, reached = self._exchange.market.price(symbol, now), self._reached(symbol, side, qty, limit, now)
        lost = reached - market if side == "BUY" else market - reached
        price = limit or reached
        unit = self._margin.of_unit(symbol, side, price if side == "BUY" else max(price, market)) + max(lost, ZERO)
        held = self._exchange.account.position(symbol, position_side)
        released = self._margin.bound(held) if opened != qty else ZERO
        return max(opened * unit - released, ZERO)

    def _reached(self, symbol: str, side: str, qty: Decimal, limit: Decimal | None, now: int) -> Decimal:
        """The worst price in the book that an order of `qty` would take."""
        reached = self._exchange.market.price(symbol, now)
        for price, offered in self._depth.levels(symbol, side, now):
            if qty <= 0 or (limit is not None and (price > limit if side == "BUY" else price < limit)):
                break
            reached = price
            qty -= offered
        return reached


def check_side(type: str, side: str, stop_price: Decimal, market: Decimal) -> None:
    """Raise `OrderRefused` for a stop loss or take profit whose price the market has already reached."""
    if type in STOP_LOSSES and side == "SELL" and stop_price >= market:
        raise OrderRefused(110411, "the Stop Loss price of a long position is lower than the current price")
    if type in STOP_LOSSES and side == "BUY" and stop_price <= market:
        raise OrderRefused(110412, "the Stop Loss price of a short position is greater than the current price")
    if type in TAKE_PROFITS and side == "SELL" and stop_price <= market:
        raise OrderRefused(110413, "the Take Profit price of a long position is greater than the current price")
    if type in TAKE_PROFITS and side == "BUY" and stop_price >= market:
        raise OrderRefused(110414, "the Take Profit price of a short position is lower than the current price")
