"""A venue for a user's own tests: a script of events under the user's clock, no network, no waiting, asyncio or trio.

Events that are fed before a stream is read wait for it; a stream continues the script where the last one stopped. Every
amount may be given as `Decimal`, `int` or `str`; a `float` is refused. It must be used from one thread.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from random import Random

import anyio
import anyio.lowlevel

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
from ...ports.errors import ReadFailed
from .account import GRAIN, Account, Amount, Key, amount_of, positive
from .feed import Feed
from .ledger import Ledger
from .orders import filled, moved, revised
from .session import trade

K = ExchangeEventKind


class MockVenue(Feed):
    """A `VenueAdapter` that delivers scripted events, and computes the account from them.

    The account starts with `balance` of `asset` and no position. Time is `exchange_ms`, moved only by `advance`.
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
        super().__init__(exchange_ms, asset, amount_of(balance))
        self._asset = asset
        self._fee_rate = amount_of(fee_rate)
        self._account = Account({asset: amount_of(balance)}, leverage)
        self._ledger = Ledger(self._account, asset)
        self._failures: deque[str] = deque()
        self._numbers = 0

    async def account_snapshot(self) -> AccountUpdate:
        """Return the whole account as it is now, even in a gap. Raises `ReadFailed` after `fail_snapshot`."""
        await anyio.lowlevel.checkpoint()
        self.calls.append("snapshot")
        if self._failures:
            raise ReadFailed(self._failures.popleft())
        return self._whole()

    async def close(self) -> None:
        """Note the call in `calls`, and end the streams."""
        self.calls.append("close")
        self.end()

    def feed(self, *events: ExchangeEvent) -> None:
        """Script events as they are. The account follows fills, funding, changes and updates, once for each id."""
        for event in events:
            self._ledger.book(event)
            self._deliver(event)

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
        """Script ORDER_ACK of a new order: LIMIT with a price, else MARKET. `position_side` is for hedge mode."""
        if side not in ("BUY", "SELL") or position_side not in (None, "LONG", "SHORT"):
            raise ValueError(f"side is BUY or SELL, position_side None, LONG or SHORT: {side!r}, {position_side!r}")
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
        return self._move(event, K.ORDER_ACK)

    def cancel(self, order: OrderState | str, kind: ExchangeEventKind = K.CANCEL_ACK) -> OrderState:
        """Script CANCEL_ACK of an open order, or its ORDER_EXPIRED or ORDER_REJECT by `kind`. `order` may be its id."""
        return self._move(self._ledger.order(order), kind)

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
        """Script a fill and the ACCOUNT_UPDATE that follows from it; return the fill.

        Without `order` a market order over `order_qty` (by default `qty`) comes first. With it `qty` is by default all
        that remains, and `price` the order's. `fee` is by default the notional times `fee_rate`. An `unsure` fill comes
        without fee, PnL and trade id, as after an interruption; `revise` then supplies them.
        """
        if order is None:
            if qty is None or price is None:
                raise ValueError("a fill without an order needs qty and price")
            positive("price", price)
            if positive("qty", qty) > positive("order_qty", qty if order_qty is None else order_qty):
                raise ValueError(f"the order is for {order_qty} only")
            self._account.traded((symbol, position_side), side, amount_of(qty), amount_of(price))
            order = self.order(symbol, side, qty if order_qty is None else order_qty, position_side=position_side)
        now = self._ledger.order(order)
        left = (now.qty or Decimal(0)) - now.cumulative_qty
        size = left if qty is None else positive("qty", qty)
        at = now.price if price is None else positive("price", price)
        if size > left or at is None:
            raise ValueError(
                f"{left} of order {now.order_id} is left" if size > left else "a market order needs a price"
            )
        profit, _ = self._account.traded((now.symbol, now.position_side), now.side, size, at)
        charge = (size * at * self._fee_rate).quantize(GRAIN) if fee is None else amount_of(fee)
        event = filled(
            now,
            size,
            at,
            self.exchange_ms,
            fee=charge,
            fee_asset=self._asset,
            realized_pnl=profit,
            liquidation=liquidation,
            unsure=unsure,
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
        """Script FILL_REVISED: the fill with these figures, the others unchanged. The wallet changes without a push.

        `fill` may be an earlier revision.
        """
        at = fill.fill_price if price is None else positive("price", price)
        charge = fill.fee if fee is None else amount_of(fee)
        profit = fill.realized_pnl if realized_pnl is None else amount_of(realized_pnl)
        event = revised(fill, at, charge, profit)
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
        """Script a FUNDING_FEE, positive if received, and its ACCOUNT_UPDATE. A final one can replace a provisional."""
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
        """Script a BALANCE_CHANGE, positive if it comes in, and its ACCOUNT_UPDATE."""
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
        """Let the next `times` snapshots raise `ReadFailed`."""
        self._failures.extend([message] * times)

    def _move(self, order: OrderState, kind: ExchangeEventKind) -> OrderState:
        event = moved(order, kind, self.exchange_ms)
        self.feed(event)
        return event

    def _whole(self) -> AccountUpdate:
        return self._account.whole(self._unique(K.ACCOUNT_UPDATE), self.exchange_ms, margin_asset=self._asset)

    def _push(self, reason: str, *changed: Key) -> None:
        if not self._blind:
            event_id = self._unique(K.ACCOUNT_UPDATE)
            self._deliver(self._account.change(event_id, self.exchange_ms, reason, self._asset, changed))
