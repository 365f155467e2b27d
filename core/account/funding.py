"""Funding fees: what a push announces is provisional, until a row of the venue's income says the same for good."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from ..events import Balance, ExchangeEventKind, FundingFee, Position
from ..frames import Frame
from ..ids import digest_id
from ..reports import AccountReport
from ..turn import Turn

REMEMBERED_IDS = 512
SETTLEMENT_MS = 600_000
"""A funding row names a time within this of the push that announced it."""


class Funding:
    """Fees that wait for their rows, and rows that wait for their push; `recent` are ids of what was told."""

    def __init__(self, turn: Turn, recent: deque[str]) -> None:
        self._turn = turn
        self._recent = recent
        self._provisional: list[FundingFee] = []
        self._unannounced: list[tuple[str | None, Decimal, int]] = []

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
                self._tell(report, frame, balance, before)
            else:  # how much it was cannot be told, but its row may have been
                self._is_settled(balance.asset, None, report.exchange_ts)

    def announced(self, event: FundingFee) -> None:
        """A provisional funding has been told; a final one will replace it."""
        self._provisional.append(event)
        del self._provisional[:-REMEMBERED_IDS]

    def settle(self, asset: str | None, amount: Decimal, exchange_ts: int) -> str | None:
        """The id of the provisional funding that this final one replaces, None if none was told."""
        for event in self._provisional:
            near = event.exchange_ts is None or abs(event.exchange_ts - exchange_ts) <= SETTLEMENT_MS
            if event.asset == asset and event.amount == amount and near:
                self._provisional.remove(event)
                return event.event_id
        self._unannounced.append((asset, amount, exchange_ts))
        del self._unannounced[:-REMEMBERED_IDS]
        return None

    def _tell(self, report: AccountReport, frame: Frame, balance: Balance, before: Decimal | None) -> None:
        symbol = report.positions[0].symbol if len(report.positions) == 1 else report.symbol
        amount = balance.change
        if not amount:
            known = before is not None and balance.wallet_balance is not None
            amount = balance.wallet_balance - before if known else None  # type: ignore[operator]
        event_id = digest_id(ExchangeEventKind.FUNDING_FEE, report.exchange_ts, balance.asset, amount, symbol)
        if event_id in self._recent:
            return
        self._recent.append(event_id)
        if self._is_settled(balance.asset, amount, report.exchange_ts):
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
        self.announced(event)
        self._turn.deliver(event)

    def _is_settled(self, asset: str, amount: Decimal | None, exchange_ts: int | None) -> bool:
        """Whether the final funding was told before the push that announces it."""
        for row in self._unannounced:
            near = exchange_ts is None or abs(exchange_ts - row[2]) <= SETTLEMENT_MS
            if row[0] == asset and (not amount or row[1] == amount) and near:
                self._unannounced.remove(row)
                return True
        return False
