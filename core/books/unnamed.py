"""Delivered fills without a trade id, by order: matched, oldest first, with paid trades of the order that add up to
them.

Which part of the order each of them was does not matter for money.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from ..events import ZERO, FillRevised
from ..execution import Execution


class _OrderFills(msgspec.Struct):
    """Of one order."""

    exchange_ts: int = 0
    paid: Decimal = ZERO
    """Quantity of trades that are paid, less that of the fills which were given up for them."""
    unpaid: deque[Execution] = msgspec.field(default_factory=deque)


class UnnamedFills:
    """Fills without a trade id, until trades of their orders are paid."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str], _OrderFills] = {}
        self.unpaid = 0
        """How many fills there are."""

    def __iter__(self) -> Iterator[Execution]:
        for order in self._orders.values():
            yield from order.unpaid

    def add(self, fill: Execution) -> None:
        """Add a delivered fill without a trade id."""
        order = self._of(fill.symbol, fill.order_id, fill.exchange_ts or 0)
        order.unpaid.append(fill)
        self.unpaid += 1
        self._match(order)

    def revise(self, fill: FillRevised) -> None:
        """A fill was put right."""
        order = self._orders.get((fill.symbol, fill.order_id))
        if order is not None and order.paid == ZERO:
            order.unpaid = deque(
                msgspec.structs.replace(thought, fee=fill.fee, fee_asset=fill.fee_asset, realized_pnl=fill.realized_pnl)
                if thought.cumulative_qty == fill.cumulative_qty
                else thought
                for thought in order.unpaid
            )

    def pay(self, symbol: str, order_id: str, qty: Decimal, exchange_ts: int) -> None:
        """Count so much of the order as paid, by trades that were not delivered under their ids."""
        order = self._of(symbol, order_id, exchange_ts)
        order.paid += qty
        self._match(order)

    def take_back(self, symbol: str, order_id: str, qty: Decimal, exchange_ts: int) -> None:
        """Take back so much of the paid quantity: it was delivered under a trade's id after all."""
        self._of(symbol, order_id, exchange_ts).paid -= qty

    def pay_until(self, exchange_ms: int) -> None:
        """All fills before this exchange time are paid."""
        for order in self._orders.values():
            while order.unpaid and (order.unpaid[0].exchange_ts or exchange_ms) < exchange_ms:
                order.paid -= self._drop(order).fill_qty  # its trades may be named yet

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        if self._orders:
            self._orders = {
                key: order for key, order in self._orders.items() if order.unpaid or order.exchange_ts >= exchange_ms
            }

    def evict_oldest(self) -> Execution:
        """Remove and return the oldest fill of the first order."""
        return self._drop(next(order for order in self._orders.values() if order.unpaid))

    def _of(self, symbol: str, order_id: str, exchange_ts: int) -> _OrderFills:
        order = self._orders.get((symbol, order_id))
        if order is None:
            order = self._orders[symbol, order_id] = _OrderFills()
        order.exchange_ts = max(order.exchange_ts, exchange_ts)
        return order

    def _match(self, order: _OrderFills) -> None:
        while order.unpaid and order.unpaid[0].fill_qty <= order.paid:
            order.paid -= self._drop(order).fill_qty

    def _drop(self, order: _OrderFills) -> Execution:
        self.unpaid -= 1
        return order.unpaid.popleft()
