"""The venue's income rows: final funding, transfers, and whatever else moved the wallet, each delivered once."""

from __future__ import annotations

from ..context import Context
from ..events import BalanceChange, FundingFee
from ..grain import FUNDING_GRAIN, floor
from ..kinds import IncomeKind
from ..reports import Account, IncomeReport
from .funding import Funding

FUNDING = IncomeKind.FUNDING
OF_FILLS = frozenset({IncomeKind.FEE, IncomeKind.PNL})
"""Rows that repeat a delivered fill."""
REMEMBER_MS = 3_600_000


class Income:
    """Rows are known by their identity for an hour longer than a read can show them again.

    That is (`tran_id`, `income_type`); of funding, whose events do not keep the venue's word, it is `tran_id` alone.
    """

    def __init__(self, context: Context, funding: Funding) -> None:
        self._context = context
        self._fees = funding
        self._delivered: dict[tuple[str, str | None], int] = {}
        self._refused = False

    def read(self, account: Account, due_from: int | None) -> None:
        """Deliver the rows that are new and not older than the stream; report once that the venue refuses the list."""
        refusal, was_refused = account.income_refused, self._refused
        self._refused = refusal is not None
        if refusal is not None and not was_refused:
            self._context.report("income refused", f"{refusal.code}: {refusal.message}")
        grain = self._context.grain
        for row in sorted(account.income, key=lambda row: (row.exchange_ts, row.tran_id)):
            key = (row.tran_id, None if row.kind is FUNDING else row.income_type)
            if row.kind in OF_FILLS or key in self._delivered:
                continue
            exact = max(grain, FUNDING_GRAIN) if row.kind is FUNDING else grain
            if due_from is not None and row.exchange_ts < floor(due_from, exact):
                continue
            self._delivered[key] = row.exchange_ts
            self._context.deliver(self._funding(row) if row.kind is FUNDING else _change(row))

    def recall(self, event: FundingFee | BalanceChange) -> None:
        """An event of the run before."""
        ts = event.exchange_ts or 0
        if isinstance(event, BalanceChange):
            _, income_type, tran_id = event.event_id.split(":", 2)
            self._delivered[tran_id, income_type] = ts
        elif event.provisional:
            self._fees.expect_row(event)
        else:
            self._fees.forget(event.replaces)
            self._delivered[event.event_id.removeprefix("funding:"), None] = ts

    def forget(self, proven_until: int) -> None:
        """No read will show rows from well before this exchange time again."""
        if self._delivered:
            self._delivered = {key: ts for key, ts in self._delivered.items() if ts > proven_until - REMEMBER_MS}

    def _funding(self, row: IncomeReport) -> FundingFee:
        return FundingFee(
            event_id=f"funding:{row.tran_id}",
            exchange_ts=row.exchange_ts,
            source="poll",
            amount=row.amount,
            asset=row.asset,
            symbol=row.symbol,
            provisional=False,
            replaces=self._fees.match(row.asset, row.amount, row.exchange_ts),
        )


def _change(row: IncomeReport) -> BalanceChange:
    return BalanceChange(
        event_id=f"income:{row.income_type}:{row.tran_id}",
        exchange_ts=row.exchange_ts,
        source="poll",
        amount=row.amount,
        asset=row.asset,
        symbol=row.symbol,
        reason=row.income_type,
    )
