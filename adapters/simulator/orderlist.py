"""All orders of the account and all their fills, oldest first."""

from __future__ import annotations

from decimal import Decimal

from .amounts import ZERO
from .codes import NO_SUCH_ORDER, ORDER_FINISHED
from .orders import Fill, Order, OrderRefused


class OrderList:
    """Keeps the newest state of every order; `open` has those that can still be filled or cancelled."""

    def __init__(self) -> None:
        self.all: dict[int, Order] = {}
        self.open: dict[int, Order] = {}
        self.by_client_id: dict[str, int] = {}
        """The id of the newest order by its client order id."""
        self.fills: list[Fill] = []
        self.fills_of: dict[int, list[Fill]] = {}

    def opened(self, order_id: int) -> Order:
        """The open order with this id. Raises `OrderRefused` if there is none."""
        order = self.all.get(order_id)
        if order is None:
            raise OrderRefused(NO_SUCH_ORDER, "order not exist")
        if not order.open:
            raise OrderRefused(ORDER_FINISHED, "order is already filled or cancelled")
        return order

    def store(self, order: Order) -> Order:
        """Store the new state of an order, and return it."""
        if order.id not in self.all:
            self.fills_of[order.id] = []
            if order.client_id:
                self.by_client_id[order.client_id] = order.id
        self.all[order.id] = order
        if order.open:
            self.open[order.id] = order
        else:
            self.open.pop(order.id, None)
        return order

    def add(self, fill: Fill) -> Order:
        """Append a fill, and return its order after it."""
        self.fills.append(fill)
        self.fills_of[fill.order_id].append(fill)
        return self.store(self.all[fill.order_id].with_fill(fill))

    def reducing(self, symbol: str, position_side: str) -> list[Order]:
        """The open orders that reduce this position."""
        return [
            each
            for each in self.open.values()
            if each.reduces and each.symbol == symbol and each.position_side == position_side
        ]

    def promised(self, symbol: str, position_side: str) -> Decimal:
        """The quantity of this position that is reserved for open orders that will close it."""
        return sum((each.reserved for each in self.reducing(symbol, position_side)), ZERO)

    def frozen(self, asset: str) -> Decimal:
        """The margin of this asset that open orders bind."""
        return sum((each.frozen for each in self.open.values() if each.asset == asset), ZERO)
