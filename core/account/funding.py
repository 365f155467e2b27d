"""Funding fees: a push gives a provisional one, and a row of the venue's income makes it final."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ..context import Context
from ..events import Balance, ExchangeEventKind, FundingFee, Position
from ..frames import Frame
from ..ids import digest_id
from ..reports import AccountReport
from .recent import RecentIds

REMEMBERED = 512
"""Fees, and rows, that wait."""
MATCH_MS = 600_000
"""A funding row names a time within this, ms, of its push."""


class Funding:
    """Holds provisional fees until their rows come, and rows until their push comes; `recent` are ids of delivered
    pushes.
    """

    def __init__(self, context: Context, recent: RecentIds) -> None:
        self._context = context
        self._recent = recent
        self._provisional: list[FundingFee] = []
        self._unmatched: list[tuple[str | None, Decimal, int]] = []

    def push(
        self,
        report: AccountReport,
        frame: Frame,
        wallets: Sequence[Decimal | None],
        dropped: tuple[Balance | Position, ...],
    ) -> None:
        """Deliver the funding fees of a push: the changes, else what the `wallets` before it were less."""
        for balance, before in zip(report.balances, wallets, strict=True):
            if balance.change or balance not in dropped:
                self._deliver(report, frame, balance, before)
            else:  # the amount is unknown, but the row may have been delivered
                self._has_row(balance.asset, None, report.exchange_ts)

    def expect_row(self, event: FundingFee) -> None:
        """Keep a provisional fee that was delivered; a final one will replace it."""
        self._provisional.append(event)
        del self._provisional[:-REMEMBERED]

    def forget(self, event_id: str | None) -> None:
        """The run before has delivered the final one of this provisional fee."""
        self._provisional = [event for event in self._provisional if event.event_id != event_id]

    def match(self, asset: str | None, amount: Decimal, exchange_ts: int) -> str | None:
        """Return the id of the delivered provisional fee that this final one replaces; None if there is none."""
        for event in self._provisional:
            near = event.exchange_ts is None or abs(event.exchange_ts - exchange_ts) <= MATCH_MS
            if event.asset == asset and event.amount == amount and near:
                self._provisional.remove(event)
                return event.event_id
        self._unmatched.append((asset, amount, exchange_ts))
        del self._unmatched[:-REMEMBERED]
        return None

    def _deliver(self, report: AccountReport, frame: Frame, balance: Balance, before: Decimal | None) -> None:
        symbol = report.positions[0].symbol if len(report.positions) == 1 else report.symbol
        amount = balance.change
        if not amount:
            known = before is not None and balance.wallet_balance is not None
            amount = balance.wallet_balance - before if known else None  # type: ignore[operator]
        event_id = digest_id(ExchangeEventKind.FUNDING_FEE, report.exchange_ts, balance.asset, amount, symbol)
        if event_id in self._recent:
            return
        self._recent.add(event_id)
        if self._has_row(balance.asset, amount, report.exchange_ts):
            return
        event = FundingFee(
            event_id=event_id,
            exchange_ts=report.exchange_ts,
            source="ws",
            frame=frame,
            amount=amount,
            asset=balance.asset,
            symbol=symbol,
            provisional=True,
        )
        self.expect_row(event)
        self._context.deliver(event)

    def _has_row(self, asset: str, amount: Decimal | None, exchange_ts: int | None) -> bool:
        """True if the final fee was delivered before its push."""
        for row in self._unmatched:
            near = exchange_ts is None or abs(exchange_ts - row[2]) <= MATCH_MS
            if row[0] == asset and (not amount or row[1] == amount) and near:
                self._unmatched.remove(row)
                return True
        return False
