"""Open orders and the account, computed from fed events; each counts once by its id."""

from __future__ import annotations

from decimal import Decimal

from ...core.events import (
    AccountUpdate,
    BalanceChange,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    OrderState,
)
from .account import Account

_OPEN = (ExchangeEventKind.ORDER_ACK, ExchangeEventKind.PARTIAL_FILL)


class Ledger:
    """Books into `account`; amounts without an asset are of `asset`."""

    def __init__(self, account: Account, asset: str) -> None:
        self._account = account
        self._asset = asset
        self._orders: dict[str, OrderState] = {}
        self._counted: dict[str, Decimal] = {}
        self._booked: dict[str, tuple[Decimal, Decimal]] = {}
        """The booked fee and PnL of each fill."""

    def order(self, order: OrderState | str) -> OrderState:
        """Return an open order as it is now, by its state or its id. Raises `ValueError` if there is none."""
        name = order if isinstance(order, str) else order.order_id
        now = self._orders.get(name)
        if now is None or now.kind not in _OPEN:
            raise ValueError(f"order {name} is {'unknown' if now is None else now.status}")
        return now

    def book(self, event: ExchangeEvent) -> None:
        """Book a fed event."""
        if isinstance(event, OrderState) and event.event_id not in self._counted:
            self._orders[event.order_id] = event
        if isinstance(event, AccountUpdate):
            self._account.replace(event)
        elif event.event_id not in self._counted:
            if isinstance(event, Fill):
                self._booked[event.event_id] = self._account.trade(event, self._asset)
            elif isinstance(event, FillRevised):
                self._revise(event)
            elif isinstance(event, (FundingFee, BalanceChange)):
                amount = self._counted[event.event_id] = event.amount or Decimal(0)
                before = event.replaces if isinstance(event, FundingFee) else None
                self._account.pay(event.asset or self._asset, amount - self._counted.get(before or "", Decimal(0)))
            self._counted.setdefault(event.event_id, Decimal(0))

    def _revise(self, event: FillRevised) -> None:
        booked = self._booked.get(event.replaces)
        if booked is not None:
            fee = booked[0] if event.fee is None else event.fee
            pnl = booked[1] if event.realized_pnl is None else event.realized_pnl
            self._account.pay(event.fee_asset or self._asset, booked[0] - fee)
            self._account.pay(self._asset, pnl - booked[1])
            self._booked[event.replaces] = fee, pnl
