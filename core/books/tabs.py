"""What was told of orders without trade ids: given up, oldest first, as trades of the order are paid that add up to it.

Which part of the order each of them was does not matter for money.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from ..events import ZERO, FillRevised
from ..execution import Execution


class _Tab(msgspec.Struct):
    """Of one order."""

    exchange_ts: int = 0
    paid: Decimal = ZERO
    """Quantity of trades that are paid, less that of the fills which were given up for them."""
    unpaid: deque[Execution] = msgspec.field(default_factory=deque)


class Tabs:
    """Fills without a trade id, until trades of their orders are paid."""

    def __init__(self) -> None:
        self._tabs: dict[tuple[str, str], _Tab] = {}
        self.unpaid = 0
        """How many fills there are."""

    def __iter__(self) -> Iterator[Execution]:
        for tab in self._tabs.values():
            yield from tab.unpaid

    def tell(self, fill: Execution) -> None:
        """A fill without a trade id was told."""
        tab = self._of(fill.symbol, fill.order_id, fill.exchange_ts or 0)
        tab.unpaid.append(fill)
        self.unpaid += 1
        self._pay_off(tab)

    def revise(self, fill: FillRevised) -> None:
        """A fill was put right."""
        tab = self._tabs.get((fill.symbol, fill.order_id))
        if tab is not None and tab.paid == ZERO:
            tab.unpaid = deque(
                msgspec.structs.replace(thought, fee=fill.fee, fee_asset=fill.fee_asset, realized_pnl=fill.realized_pnl)
                if thought.cumulative_qty == fill.cumulative_qty
                else thought
                for thought in tab.unpaid
            )

    def pay(self, symbol: str, order_id: str, qty: Decimal, exchange_ts: int) -> None:
        """So much of the order was paid by trades that were not told by their ids."""
        tab = self._of(symbol, order_id, exchange_ts)
        tab.paid += qty
        self._pay_off(tab)

    def take_back(self, symbol: str, order_id: str, qty: Decimal, exchange_ts: int) -> None:
        """So much of what was paid was told by a trade's id after all."""
        self._of(symbol, order_id, exchange_ts).paid -= qty

    def pay_until(self, exchange_ms: int) -> None:
        """All fills before this exchange time are paid."""
        for tab in self._tabs.values():
            while tab.unpaid and (tab.unpaid[0].exchange_ts or exchange_ms) < exchange_ms:
                tab.paid -= self._drop(tab).fill_qty  # its trades may be named yet

    def forget(self, exchange_ms: int) -> None:
        """No read shows what is older than this exchange time again."""
        if self._tabs:
            self._tabs = {key: tab for key, tab in self._tabs.items() if tab.unpaid or tab.exchange_ts >= exchange_ms}

    def give_up(self) -> Execution:
        """The oldest fill of an order, which is no more."""
        return self._drop(next(tab for tab in self._tabs.values() if tab.unpaid))

    def _of(self, symbol: str, order_id: str, exchange_ts: int) -> _Tab:
        tab = self._tabs.get((symbol, order_id))
        if tab is None:
            tab = self._tabs[symbol, order_id] = _Tab()
        tab.exchange_ts = max(tab.exchange_ts, exchange_ts)
        return tab

    def _pay_off(self, tab: _Tab) -> None:
        while tab.unpaid and tab.unpaid[0].fill_qty <= tab.paid:
            tab.paid -= self._drop(tab).fill_qty

    def _drop(self, tab: _Tab) -> Execution:
        self.unpaid -= 1
        return tab.unpaid.popleft()
