"""The simulated venue's pushes in no wire's form, and the time at which each leaves."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from .account import Account, BalanceView, PositionView
from .amounts import ZERO
from .orders import Fill, Order
from .positions import Position

ORDER_LATENCY_MS = 5
ACCOUNT_LATENCY_MS = 7


class OrderPush(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An order changed: `execution` is the wire's execution type, `due` the exchange time, ms, at which it leaves."""

    due: int
    ts: int
    order: Order
    execution: str
    fill: Fill | None = None


class AccountPush(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Balances and positions changed; `positions` is None if the frame has no list of them."""

    due: int
    ts: int
    reason: str
    balances: tuple[BalanceView, ...]
    positions: tuple[PositionView, ...] | None


class ConfigPush(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The leverage or margin mode of a symbol changed."""

    due: int
    ts: int
    symbol: str
    long_leverage: int
    short_leverage: int
    margin_mode: str


Push = OrderPush | AccountPush | ConfigPush


class Outbox:
    """Pushes that have not left: those of orders leave 5 ms after the event, those of the account 2 ms later."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._waiting: list[tuple[int, int, Push]] = []
        self._serial = 0

    def due(self, now: int) -> list[Push]:
        """The pushes that leave by now, in the order in which they leave; each is returned once."""
        leaving = []
        while self._waiting and self._waiting[0][0] <= now:
            leaving.append(heapq.heappop(self._waiting)[2])
        return leaving

    def order(self, order: Order, execution: str, ts: int, fill: Fill | None = None) -> None:
        """Add the push of an order that changed."""
        self._put(OrderPush(due=ts + ORDER_LATENCY_MS, ts=ts, order=order, execution=execution, fill=fill))

    def money(
        self,
        reason: str,
        asset: str,
        ts: int,
        positions: Iterable[Position] | None,
        change: Decimal = ZERO,
        fee_asset: str = "",
    ) -> None:
        """Add the push of a balance that changed, with that of the fee's asset, and of these positions."""
        account, others = self._account, {fee_asset} - {asset, ""}
        self._put(
            AccountPush(
                due=ts + ACCOUNT_LATENCY_MS,
                ts=ts,
                reason=reason,
                balances=(account.balance(asset, change), *(account.balance(each) for each in others)),
                positions=None if positions is None else tuple(account.view(each, ts) for each in positions),
            )
        )

    def config(self, symbol: str, ts: int) -> None:
        """Add the push of a symbol whose leverage or margin mode changed."""
        self._put(config_of(self._account, symbol, ts + ORDER_LATENCY_MS, ts))

    def _put(self, push: Push) -> None:
        self._serial += 1
        heapq.heappush(self._waiting, (push.due, self._serial, push))


def config_of(account: Account, symbol: str, due: int, ts: int) -> ConfigPush:
    """The push of the symbol's configuration as it is now."""
    long, short = account.leverage[symbol]
    return ConfigPush(
        due=due,
        ts=ts,
        symbol=symbol,
        long_leverage=long,
        short_leverage=short,
        margin_mode=account.margin_mode[symbol],
    )
