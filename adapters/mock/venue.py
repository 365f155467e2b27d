"""A venue for a user's own tests: a script of events under the user's clock, no network, no waiting, asyncio or trio.

What is fed before anybody listens waits; a stream takes up the script where the one before left it. Every amount may
be given as `Decimal`, `int` or `str`; a `float` is refused. Nothing here is shared between threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

import anyio
import anyio.lowlevel

from ...core.events import (
    AccountUpdate,
    Balance,
    BalanceChange,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
    OrderState,
)
from ...core.ids import fill_id, order_state_id, revision_id
from ...ports.errors import ReadFailed
from .account import GRAIN, Account, Amount, Key, amount_of, positive
from .feed import Feed
from .session import trade

K = ExchangeEventKind
_STATUS = {K.ORDER_ACK: "NEW", K.CANCEL_ACK: "CANCELED", K.ORDER_REJECT: "REJECTED", K.ORDER_EXPIRED: "EXPIRED"}


class MockVenue(Feed):
    """A `VenueAdapter` that tells what its owner scripts, and keeps the account that follows from it.

    The account starts with `balance` of `asset` and no position. Time is `exchange_ms` and moves by `advance` alone.
    """

    def __init__(
        self,
        *,
        balance: Amount = 10_000,
        asset: str = "USDT",
        fee_rate: Amount = "0.0005",
        leverage: int = 10,
        exchange_ms: int = 1_700_000_000_000,
    ) -> None:
        super().__init__(exchange_ms)
        self._asset = asset
        self._fee_rate = amount_of(fee_rate)
        self._account = Account({asset: amount_of(balance)}, leverage)
        self._orders: dict[str, OrderState] = {}
        self._counted: dict[str, Decimal] = {}
        self._booked: dict[str, tuple[Decimal, Decimal]] = {}
        """Fee and PnL of each fill as the account has them."""
        self._failures: deque[str] = deque()
        self._numbers = 0

    async def account_snapshot(self) -> AccountUpdate:
        """The whole account as it is now, also while a gap is open. Raises `ReadFailed` if `fail_snapshot` asked so."""
        await anyio.lowlevel.checkpoint()
        self.calls.append("snapshot")
        if self._failures:
            raise ReadFailed(self._failures.popleft())
        return self._whole()

    async def close(self) -> None:
        """Noted in `calls`; streams end."""
        self.calls.append("close")
        self.end()

    def feed(self, *events: ExchangeEvent) -> None:
        """Script events as they are. The account follows fills, funding, changes and updates, once for each id."""
        for event in events:
            self._account_for(event)
            self._tell(event)

    def order(
        self,
        symbol: str = "BTC-USDT",
        side: str = "BUY",
        qty: Amount = 1,
        price: Amount | None = None,
        *,
        order_type: str | None = None,
        position_side: str | None = None,
        client_order_id: str | None = None,
    ) -> OrderState:
        """ORDER_ACK of a new order: LIMIT with a price, else MARKET. `position_side` is LONG or SHORT in hedge mode."""
        if side not in ("BUY", "SELL") or position_side not in (None, "LONG", "SHORT"):
            raise ValueError(
                f"side must be BUY or SELL, position_side None, LONG or SHORT: {side!r}, {position_side!r}"
            )
        self._numbers += 1
        event = OrderState(
            kind=K.ORDER_ACK,
            event_id="",
            exchange_ts=self.exchange_ms,
            source="ws",
            symbol=symbol,
            order_id=f"{self._numbers}",
            client_order_id=client_order_id,
            side=side,
            position_side=position_side,
            order_type=order_type or ("MARKET" if price is None else "LIMIT"),
            status="NEW",
            price=None if price is None else positive("price", price),
            qty=positive("qty", qty),
            cumulative_qty=Decimal(0),
        )
        return self._order_event(event, K.ORDER_ACK)

    def cancel(self, order: OrderState | str, kind: ExchangeEventKind = K.CANCEL_ACK) -> OrderState:
        """CANCEL_ACK of an open order, or with `kind` its ORDER_EXPIRED or ORDER_REJECT. `order` may be its id."""
        return self._order_event(self._open(order), kind)

    def fill(
        self,
        order: OrderState | str | None = None,
        *,
        symbol: str = "BTC-USDT",
        side: str = "BUY",
        qty: Amount | None = None,
        price: Amount | None = None,
        order_qty: Amount | None = None,
        position_side: str | None = None,
        fee: Amount | None = None,
        liquidation: bool = False,
        unsure: bool = False,
    ) -> Fill:
        """A fill and the ACCOUNT_UPDATE that follows from it.

        Without `order` a market order over `order_qty` (by default `qty`) comes first. With it `qty` is by default all
        that is left, `price` the order's. `fee` is by default the notional times `fee_rate`. An `unsure` one is told
        without fee, PnL and trade id, as after an interruption; `revise` then says what they were.
        """
        if order is None:
            if qty is None or price is None:
                raise ValueError("a fill without an order needs qty and price")
            positive("price", price)
            if positive("qty", qty) > positive("order_qty", qty if order_qty is None else order_qty):
                raise ValueError(f"the order is for {order_qty} only")
            self._account.traded((symbol, position_side), side, amount_of(qty), amount_of(price))
            order = self.order(symbol, side, qty if order_qty is None else order_qty, position_side=position_side)
        now = self._open(order)
        left = (now.qty or Decimal(0)) - now.cumulative_qty
        size = left if qty is None else positive("qty", qty)
        at = now.price if price is None else positive("price", price)
        if size > left or at is None:
            raise ValueError(
                f"{left} of order {now.order_id} is left" if size > left else "a market order needs a price"
            )
        profit, _ = self._account.traded((now.symbol, now.position_side), now.side, size, at)
        total, full = now.cumulative_qty + size, size == left
        charge = (size * at * self._fee_rate).quantize(GRAIN) if fee is None else amount_of(fee)
        event = Fill(
            **{
                **_fields(now),
                "kind": K.FULL_FILL if full else K.PARTIAL_FILL,
                "event_id": fill_id(now.symbol, now.order_id, total),
                "exchange_ts": self.exchange_ms,
                "status": "FILLED" if full else "PARTIALLY_FILLED",
                "cumulative_qty": total,
            },
            fill_qty=size,
            fill_price=at,
            trade_id=None if unsure else f"{now.order_id}-{total}",
            fee=None if unsure else charge,
            fee_asset=self._asset,
            realized_pnl=None if unsure else profit,
            liquidation=liquidation,
        )
        self.feed(event)
        self._push("ORDER", (now.symbol, now.position_side))
        return event

    def revise(
        self,
        fill: Fill | FillRevised,
        *,
        price: Amount | None = None,
        fee: Amount | None = None,
        realized_pnl: Amount | None = None,
    ) -> FillRevised:
        """FILL_REVISED: the fill with these figures, and the others as they were. The wallet follows, no push does.

        `fill` may be the revision before.
        """
        at = fill.fill_price if price is None else positive("price", price)
        charge = fill.fee if fee is None else amount_of(fee)
        profit = fill.realized_pnl if realized_pnl is None else amount_of(realized_pnl)
        same = {name: getattr(fill, name) for name in Fill.__struct_fields__ if name not in ("kind", "frame")}
        event = FillRevised(
            **{
                **same,
                "event_id": revision_id(fill.symbol, fill.order_id, fill.cumulative_qty, at, charge, profit),
                "source": "poll",
                "redelivered": False,
                "fill_price": at,
                "fee": charge,
                "realized_pnl": profit,
            },
            replaces=fill.replaces if isinstance(fill, FillRevised) else fill.event_id,
        )
        self.feed(event)
        return event

    def funding(
        self,
        amount: Amount,
        symbol: str | None = None,
        *,
        provisional: bool = False,
        replaces: FundingFee | None = None,
    ) -> FundingFee:
        """A FUNDING_FEE, positive when received, and its ACCOUNT_UPDATE. A final one may replace a provisional one."""
        self._numbers += 1
        event = FundingFee(
            event_id=f"funding:{'provisional-' if provisional else ''}{self._numbers}",
            exchange_ts=self.exchange_ms,
            source="ws" if provisional else "poll",
            amount=amount_of(amount),
            asset=self._asset,
            symbol=symbol,
            provisional=provisional,
            replaces=None if replaces is None else replaces.event_id,
        )
        self.feed(event)
        self._push("FUNDING_FEE")
        return event

    def transfer(self, amount: Amount, reason: str = "TRANSFER") -> BalanceChange:
        """A BALANCE_CHANGE, positive when it comes in, and its ACCOUNT_UPDATE."""
        event = BalanceChange(
            event_id=self._unique(K.BALANCE_CHANGE),
            exchange_ts=self.exchange_ms,
            source="poll",
            amount=amount_of(amount),
            asset=self._asset,
            symbol=None,
            reason=reason,
        )
        self.feed(event)
        self._push(reason)
        return event

    def session(self, seed: int, n: int, *, symbols: tuple[str, ...] = ("BTC-USDT", "ETH-USDT")) -> list[ExchangeEvent]:
        """Script `n` steps of plausible trading, the same for the same seed: orders, fills in parts, cancels, funding.

        Exchange time moves on by up to a minute at each step. Returns the events.
        """
        before = len(self.fed)
        trade(self, Random(seed), n, symbols)  # noqa: S311 - the same every time is the point
        return self.fed[before:]

    def fail_snapshot(self, message: str = "the account could not be read", *, times: int = 1) -> None:
        """The next `times` snapshots raise `ReadFailed`."""
        self._failures.extend([message] * times)

    def _account_for(self, event: ExchangeEvent) -> None:
        if isinstance(event, OrderState) and event.event_id not in self._counted:
            self._orders[event.order_id] = event
        if isinstance(event, AccountUpdate):
            self._account.replace(event)
        elif event.event_id not in self._counted:
            if isinstance(event, Fill):
                self._booked[event.event_id] = self._account.trade(event, self._asset)
            elif isinstance(event, FillRevised):
                self._rebook(event)
            elif isinstance(event, (FundingFee, BalanceChange)):
                amount = self._counted[event.event_id] = event.amount or Decimal(0)
                before = event.replaces if isinstance(event, FundingFee) else None
                self._account.pay(event.asset or self._asset, amount - self._counted.get(before or "", Decimal(0)))
            self._counted.setdefault(event.event_id, Decimal(0))

    def _rebook(self, event: FillRevised) -> None:
        booked = self._booked.get(event.replaces)
        if booked is not None:
            fee = booked[0] if event.fee is None else event.fee
            pnl = booked[1] if event.realized_pnl is None else event.realized_pnl
            self._account.pay(event.fee_asset or self._asset, booked[0] - fee)
            self._account.pay(self._asset, pnl - booked[1])
            self._booked[event.replaces] = fee, pnl

    def _open(self, order: OrderState | str) -> OrderState:
        name = order if isinstance(order, str) else order.order_id
        now = self._orders.get(name)
        if now is None or now.kind not in (K.ORDER_ACK, K.PARTIAL_FILL):
            raise ValueError(f"order {name} is {'unknown' if now is None else now.status}")
        return now

    def _order_event(self, now: OrderState, kind: ExchangeEventKind) -> OrderState:
        status = _STATUS[kind]
        name = order_state_id(now.symbol, now.order_id, status, now.cumulative_qty, now.qty, now.price)
        changed = {"kind": kind, "event_id": name, "exchange_ts": self.exchange_ms, "status": status}
        event = OrderState(**{**_fields(now), **changed})
        self.feed(event)
        return event

    def _whole(self) -> AccountUpdate:
        held = [key for key, holding in self._account.holdings.items() if holding.qty]
        return self._account_update(None, self._account.wallets, held, complete=True)

    def _push(self, reason: str, *changed: Key) -> None:
        if not self._blind:
            self._tell(self._account_update(reason, [self._asset], changed, complete=False))

    def _account_update(
        self, reason: str | None, assets: Iterable[str], held: Iterable[Key], *, complete: bool
    ) -> AccountUpdate:
        account = self._account
        return AccountUpdate(
            event_id=self._unique(K.ACCOUNT_UPDATE),
            exchange_ts=self.exchange_ms,
            source="poll" if complete else "ws",
            reason=reason,
            balances=tuple(
                account.balance(asset, margined=asset == self._asset)
                if complete
                else Balance(asset=asset, wallet_balance=account.wallets[asset])
                for asset in assets
            ),
            positions=tuple(account.position(key) for key in held),
            complete=complete,
        )


def _fields(order: OrderState) -> dict[str, Any]:
    """What an event of this order says of the order itself."""
    plain = {name: getattr(order, name) for name in OrderState.__struct_fields__}
    return {**plain, "source": "ws", "redelivered": False, "frame": None}
