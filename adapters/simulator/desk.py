"""The trading desk: the account holder's own orders and settings, on one exchange and the book of its market.

It knows no wire and no clock; its results depend on the seed, on the calls, and on their exchange times (ms) alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .admission import Admission
from .amounts import ZERO
from .depth import Depth
from .exchange import Exchange
from .margin import Margin
from .matching import Matching
from .orders import Order, OrderRefused
from .positions import Position
from .rules import INVALID, MOST_LEVERAGE, check_symbol, not_modelled
from .ticket import Ticket

COUNTDOWN = (10, 120)
"""The shortest and longest countdown to the cancellation of all orders, seconds."""


class Replaced(NamedTuple):
    """Both halves of a replacement: an order or its refusal; `placed` is None if it was not tried."""

    cancelled: Order | OrderRefused
    placed: Order | OrderRefused | None


class Desk:
    """Takes orders and settings; raises `OrderRefused` for one that is refused, and then changes nothing."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.depth = Depth(exchange.market, seed=exchange.seed)
        self.margin = Margin(exchange)
        self._admission = Admission(exchange, self.depth, self.margin)
        self._matching = Matching(exchange, self.depth, self._admission)
        self._cancels_at: int | None = None
        self._looked = exchange.now

    def step(self, now: int) -> None:
        """Do everything that is due by now: at each move of the price, countdown, liquidations, triggers and fills."""
        if self._cancels_at is not None or self._matching.busy or self.exchange.account.positions():
            for at in self.exchange.market.moves(self._looked, now):
                self._look(at)
        self._looked = max(self._looked, now)
        self._look(now)

    def check(self, ticket: Ticket, *, now: int) -> None:
        """Raise `OrderRefused` if the order could not be placed now."""
        self._admission.admitted(ticket, now)

    def place(self, ticket: Ticket, *, now: int) -> Order:
        """Place an order; return it after all fills that were possible at once."""
        ticket, terms = self._admission.admitted(ticket, now)
        order = self.exchange.place(
            ticket.symbol,
            ticket.side,
            ticket.qty or ZERO,
            now=now,
            type=ticket.type,
            position_side=ticket.position_side,
            price=ticket.price,
            stop_price=ticket.stop_price,
            client_id=ticket.client_id,
            reduce_only=ticket.reduce_only,
            terms=terms,
        )
        self._matching.enter(order, now)
        return self.exchange.orders[order.id]

    def cancel(self, order_id: int, *, now: int) -> Order:
        """Cancel the unfilled rest of an open order."""
        return self.exchange.cancel(order_id, now=now)

    def cancel_all(self, *, now: int, symbol: str | None = None, type: str | None = None) -> list[Order]:
        """Cancel all open orders, or those of a symbol and of a type."""
        return self._cancel_all(now, symbol=symbol, type=type)

    def cancel_after(self, seconds: int | None, *, now: int) -> int:
        """Cancel all orders in `seconds` unless called again; None calls it off. Return the time, ms, or 0."""
        if seconds is None:
            self._cancels_at = None
            return 0
        least, most = COUNTDOWN
        if not least <= seconds <= most:
            raise OrderRefused(INVALID, f"the countdown is of {least} to {most} seconds")
        self._cancels_at = now + seconds * 1000
        return self._cancels_at

    def replace(
        self, order_id: int, ticket: Ticket, *, now: int, anyway: bool = False, only: str | None = None
    ) -> Replaced:
        """Cancel an order and place another one; with `anyway` it is placed even if the first cannot be cancelled.

        `only` is the status that the first one must have.
        """
        cancelled: Order | OrderRefused
        try:
            order = self.exchange.orders.get(order_id)
            if order is not None and only not in {None, order.status}:
                raise OrderRefused(INVALID, f"the order is {order.status}, not {only}")
            cancelled = self.cancel(order_id, now=now)
        except OrderRefused as refused:
            cancelled = refused
            if not anyway:
                return Replaced(cancelled, None)
        try:
            return Replaced(cancelled, self.place(ticket, now=now))
        except OrderRefused as refused:
            return Replaced(cancelled, refused)

    def amend(self, order_id: int, qty: Decimal, *, now: int, price: Decimal | None = None) -> Order:
        """Change an open order's quantity and price. Raises `OrderRefused` if more quantity lacks its margin."""
        order = self.exchange.orders.get(order_id)
        if order is not None and order.open and order.terms.closes:
            raise OrderRefused(INVALID, "an order that takes the whole position has no quantity")
        if (
            order is not None
            and qty > order.qty
            and not self._admission.is_affordable(order, qty - order.qty, ZERO, now)
        ):
            raise OrderRefused(101204, "Insufficient margin")
        return self.exchange.amend(order_id, qty, now=now, price=price)

    def close(self, symbol: str, position_side: str, *, now: int) -> Order:
        """Close a position by a market order; the open orders that would reduce it are cancelled first."""
        held = self.exchange.account.position(symbol, position_side).qty
        if not held:
            raise OrderRefused(109420, "position not exist")
        side = "SELL" if held > 0 else "BUY"
        for order in list(self.exchange.open.values()):
            if order.reduces and (order.symbol, order.position_side, order.side) == (symbol, position_side, side):
                self.exchange.cancel(order.id, now=now)
        return self.place(
            Ticket(
                symbol=symbol,
                side=side,
                type="MARKET",
                position_side=position_side,
                qty=abs(held),
                reduce_only=position_side == "BOTH",
            ),
            now=now,
        )

    def set_leverage(self, symbol: str, side: str, leverage: int, *, now: int) -> None:
        """Change the leverage of one side in hedge mode, of `BOTH` in one-way mode."""
        exchange, account = self.exchange, self.exchange.account
        check_symbol(exchange.market, symbol)
        if side not in ({"LONG", "SHORT"} if exchange.hedge else {"BOTH"}):
            raise OrderRefused(INVALID, f"side {side} does not fit the position mode")
        if not 1 <= leverage <= MOST_LEVERAGE:
            raise OrderRefused(101414, f"leverage is within 1 and {MOST_LEVERAGE}")
        if any(each.symbol == symbol and each.frozen for each in exchange.open.values()):
            raise not_modelled("leverage of a symbol with open orders that bind margin")
        before = account.leverage[symbol]
        long, short = before
        after = (long if side == "SHORT" else leverage, short if side == "LONG" else leverage)
        asset = exchange.market.instruments[symbol].asset
        had = self.margin.available(asset, now)
        account.leverage[symbol] = after
        left = self.margin.available(asset, now)
        account.leverage[symbol] = before
        if left < min(had, ZERO):
            raise OrderRefused(101204, "Insufficient margin")
        exchange.set_leverage(symbol, *after, now=now)

    def set_margin_mode(self, symbol: str, mode: str, *, now: int) -> None:
        """Change the margin mode of a symbol that has no position and no open order."""
        if any(each.symbol == symbol for each in self._engaged()):
            raise OrderRefused(
                INVALID, "the margin mode of a symbol with a position or an open order cannot be changed"
            )
        self.exchange.set_margin_mode(symbol, mode, now=now)

    def set_position_mode(self, hedge: bool) -> None:
        """Change between hedge and one-way mode while there is no position and no open order."""
        if hedge != self.exchange.hedge and self._engaged():
            raise OrderRefused(104103, "The position mode cannot be changed with positions or open orders")
        self.exchange.set_position_mode(hedge)

    def _cancel_all(self, now: int, *, symbol: str | None = None, type: str | None = None) -> list[Order]:
        return [self.exchange.cancel(each.id, now=now) for each in self._open(symbol, type)]

    def _open(self, symbol: str | None, type: str | None) -> list[Order]:
        found = self.exchange.open.values()
        return [each for each in found if symbol in {None, each.symbol} and type in {None, each.type}]

    def _engaged(self) -> list[Position | Order]:
        return [*self.exchange.account.positions(), *self.exchange.open.values()]

    def _look(self, now: int) -> None:
        if self._cancels_at is not None and now >= self._cancels_at:
            self._cancels_at = None
            self._cancel_all(now)
        self._liquidate(now)
        self._matching.step(now)

    def _liquidate(self, now: int) -> None:
        """Close positions whose margin is lost, at a price no worse than the one at which it is used up."""
        failing = self.margin.failing(now)
        for symbol in {each.symbol: None for each in failing}:
            self._cancel_all(now, symbol=symbol)
        for position in failing:
            side = position.side if self.exchange.hedge else None
            self.exchange.liquidate(position.symbol, side, now=now, price=self.margin.closing_price(position, now))
