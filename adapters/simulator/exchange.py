"""The simulated exchange: takes orders, makes fills, money and pushes; without I/O or clock: callers give the time, ms.

It holds the true state of one account, and models no market: its callers (`desk`, `flow`, a test, the control
endpoints) decide what is filled. A `now` before the last one counts as the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from .amounts import ZERO
from .clearing import UID, Clearing
from .market import INSTRUMENTS, Instrument
from .orderlist import OrderList
from .orders import PRICED, TRIGGERS, Fill, Order, OrderIds, OrderRefused, Triggered
from .rules import INVALID, check_price, check_prices, check_quantity, check_symbol, check_words
from .seeds import seeded
from .terms import PLAIN, Terms


class Exchange(Clearing):
    """One account on one venue. A call that the venue would refuse raises `OrderRefused` and changes nothing."""

    def __init__(
        self,
        *,
        now: int,
        seed: int = 0,
        hedge: bool = True,
        instruments: Iterable[Instrument] = INSTRUMENTS,
        opening: Mapping[str, Decimal] | None = None,
        leverage: int = 5,
        uid: str = UID,
        triggered: Triggered = "framed",
        naming: Callable[[str, int], str] = lambda name, id: name.lower(),
    ) -> None:
        if triggered not in {"framed", "silent", "own"}:
            raise ValueError(f"triggered is framed, silent or own, not {triggered!r}")
        super().__init__(
            now=now, seed=seed, hedge=hedge, instruments=instruments, opening=opening, leverage=leverage, uid=uid
        )
        self.seed, self.triggered, self._naming = seed, triggered, naming
        self._list = OrderList()
        self.orders, self.open, self.by_client_id = self._list.all, self._list.open, self._list.by_client_id
        self.fills, self.fills_of = self._list.fills, self._list.fills_of
        self._ids, self._random = OrderIds(), seeded(seed, "exchange")
        self._trade_id = 511_000_000 + self._random.randrange(1_000_000)

    def place(
        self,
        symbol: str,
        side: str,
        qty: Decimal,
        *,
        now: int,
        type: str = "MARKET",
        position_side: str | None = None,
        price: Decimal | None = None,
        stop_price: Decimal | None = None,
        client_id: str = "",
        reduce_only: bool = False,
        silent: bool = False,
        terms: Terms | None = None,
    ) -> Order:
        """Place an order; with `silent` its placement has no frame, as for many market orders on the real wire.

        A caller that gives `terms` has checked the order's own fields already.
        """
        now = self._advance(now)
        if terms is None:
            check_symbol(self.market, symbol)
            check_words(side, type, position_side, hedge=self.hedge)
            check_quantity(self.market, symbol, qty)
            check_prices(self.market, symbol, type, price, stop_price)
        order = Order(
            id=(id := self._ids.next(now)),
            symbol=symbol,
            asset=self.market.instruments[symbol].asset,
            side=side,
            position_side=(position_side or ("LONG" if side == "BUY" else "SHORT")) if self.hedge else "BOTH",
            type=type,
            qty=qty,
            price=price if type in PRICED else None,
            guard=self.market.guard(symbol, side, now),
            stop_price=stop_price if type in TRIGGERS else None,
            client_id=self._naming(client_id, id),
            reduce_only=reduce_only,
            created=now,
            updated=now,
            terms=terms or PLAIN,
        )
        if order.reduces and order.terms.reserves and qty > self.closable(symbol, order.position_side, side):
            raise OrderRefused(101205, "No position to close")
        self._check_held(order, qty)
        self._list.store(order)
        if not silent:
            self._outbox.order(order, "TRADE" if type in TRIGGERS else "NEW", now)
        return order

    def fill(
        self,
        order_id: int,
        qty: Decimal | None = None,
        *,
        now: int,
        price: Decimal | None = None,
        maker: bool | None = None,
        against: Fill | None = None,
    ) -> Fill:
        """Execute `qty` of an open order, by default all that remains, at its own price or else the market's.

        An order with a price pays the maker's fee unless `maker` is given. A conditional order is triggered first if
        it was not yet, and the fill belongs to the order that executes.
        """
        now = self._advance(now)
        order = self._list.opened(order_id)
        qty = order.remaining if qty is None else qty
        check_quantity(self.market, order.symbol, qty)
        if qty > order.remaining:
            raise OrderRefused(INVALID, f"quantity {qty} is not within the order's remaining {order.remaining}")
        if price is None:
            price = order.price if order.price is not None else self.market.price(order.symbol, now)
        check_price(self.market, order.symbol, price)
        self._check_held(order, qty)
        if order.type in TRIGGERS and not order.triggered:
            order = self._trigger(order, now, order.remaining)
        if against is None:  # else it has the trade id of the fill on the other side
            self._trade_id += self._random.randint(1, 9)
        maker = order.type in PRICED if maker is None else maker
        fill, position = self.account.execute(order, qty, price, trade_id=self._trade_id, now=now, maker=maker)
        order = self._list.add(fill)
        self._outbox.order(order, "CALCULATED" if order.type == "LIQUIDATION" else "TRADE", now, fill)
        self._outbox.money("ORDER", order.asset, now, (position,), fee_asset=fill.asset)
        return fill

    def trade(
        self,
        symbol: str,
        side: str,
        qty: Decimal,
        *,
        now: int,
        parts: int = 1,
        position_side: str | None = None,
        client_id: str = "",
    ) -> list[Fill]:
        """Place a market order and fill it at once, in at most `parts` fills; the last one takes the rest."""
        order = self.place(symbol, side, qty, now=now, position_side=position_side, client_id=client_id, silent=True)
        step = self.market.instruments[symbol].step
        each = (qty / parts).quantize(step, ROUND_HALF_UP) if parts > 1 else qty
        fills = []
        for _ in range(parts - 1):
            if each < step or self.orders[order.id].remaining <= each:
                break
            fills.append(self.fill(order.id, each, now=now))
        return [*fills, self.fill(order.id, now=now)]

    def trigger(self, order_id: int, qty: Decimal | None = None, *, now: int) -> Order:
        """Trigger a conditional order; return the order that executes from now on, which is another one or itself.

        That order's quantity is `qty`, by default what remains.
        """
        now = self._advance(now)
        order = self._list.opened(order_id)
        if order.type not in TRIGGERS or order.triggered:
            raise OrderRefused(INVALID, f"this {order.type} order cannot be triggered")
        qty = order.remaining if qty is None else qty
        self._check_held(order, qty)
        return self._trigger(order, now, qty)

    def amend(self, order_id: int, qty: Decimal, *, now: int, price: Decimal | None = None) -> Order:
        """Change the quantity and price of an open order; if the quantity is just the executed one, it is FILLED."""
        now = self._advance(now)
        order = self._list.opened(order_id)
        check_quantity(self.market, order.symbol, qty)
        if qty < order.executed:
            raise OrderRefused(INVALID, f"quantity {qty} is below the executed {order.executed}")
        if order.reduces and order.terms.reserves:
            if qty - order.executed > self.closable(order.symbol, order.position_side, order.side) + order.reserved:
                raise OrderRefused(101205, "No position to close")
        else:
            self._check_held(order, qty - order.executed)
        if price is not None:
            check_price(self.market, order.symbol, price)
        status, price = "FILLED" if qty == order.executed else order.status, order.price if price is None else price
        order = self._list.store(msgspec.structs.replace(order, status=status, qty=qty, price=price, updated=now))
        self._outbox.order(order, "NEW", now)
        return order

    def cancel(self, order_id: int, *, now: int) -> Order:
        """Cancel the unfilled rest of an open order."""
        return self._finish(order_id, "CANCELED", now)

    def expire(self, order_id: int, *, now: int) -> Order:
        """Let the unfilled rest of an open order expire."""
        return self._finish(order_id, "EXPIRED", now)

    def liquidate(
        self, symbol: str, position_side: str | None = None, *, now: int, price: Decimal | None = None
    ) -> Fill:
        """Liquidate a whole position, by default at the market's price; open orders that reduce it are cancelled."""
        now = self._advance(now)
        position = self.account.position(symbol, position_side or "BOTH")
        if not position.qty:
            raise OrderRefused(109420, "position not exist")
        for reducing in self._list.reducing(symbol, position.side):
            self.cancel(reducing.id, now=now)
        side, qty = "SELL" if position.qty > 0 else "BUY", abs(position.qty)
        order = self.place(symbol, side, qty, now=now, type="LIQUIDATION", position_side=position_side, silent=True)
        return self.fill(order.id, now=now, price=price)

    def frozen(self, asset: str) -> Decimal:
        """The margin of this asset that open orders bind."""
        return self._list.frozen(asset)

    def closable(self, symbol: str, position_side: str, side: str) -> Decimal:
        """The quantity of a position that is not reserved for open orders that reduce it."""
        position = self.account.position(symbol, position_side)
        if not position.qty or (position.qty > 0) == (side == "BUY"):
            return ZERO
        return abs(position.qty) - self._list.promised(symbol, position_side)

    def _trigger(self, order: Order, now: int, qty: Decimal) -> Order:
        """Trigger the order: a market order made by it has no frame before its fill, one with a price has one."""
        if self.triggered == "own":
            return self._list.store(msgspec.structs.replace(order, qty=qty, triggered=True, updated=now))
        ended = self._list.store(msgspec.structs.replace(order, status="FILLED", triggered=True, updated=now))
        if self.triggered == "framed":
            self._outbox.order(ended, "TRADE", now)
        born = order.spawned(self._ids.next(now), self.market.guard(order.symbol, order.side, now), now)
        made = self._list.store(msgspec.structs.replace(born, qty=qty, client_id=self._naming("", born.id)))
        if made.type in PRICED:
            self._outbox.order(made, "NEW", now)
        return made

    def _check_held(self, order: Order, qty: Decimal) -> None:
        if order.reduces:
            held = self.account.position(order.symbol, order.position_side).qty
            if qty > abs(held) or (held > 0) == (order.side == "BUY"):
                raise OrderRefused(101205, "No position to close")

    def _finish(self, order_id: int, status: str, now: int) -> Order:
        now = self._advance(now)
        order = self._list.store(msgspec.structs.replace(self._list.opened(order_id), status=status, updated=now))
        self._outbox.order(order, status, now)
        return order
