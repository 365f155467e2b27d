"""Money: capital, fees, realised PnL, funding and transfers per asset, and whether they explain the balance.

k_capital = opening balance + realised PnL - fees + funding + transfers

Between reads the ledger runs on what was told. A row of the venue's income list replaces the estimate that the fill of
its trade made, and provisional funding is replaced by its row; a fill whose wire gave no trade id gets it from the row
of the fill list that lies on the same ground. The opening balance is what the first settled read leaves unexplained.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum

import msgspec

from .events import BalanceChange, ExchangeEvent, Fill, FundingFee
from .fold import is_newer
from .order import ZERO
from .recovery import Finding
from .reports import Account, IncomeReport

FEE, PNL, FUNDING = "TRADING_FEE", "REALIZED_PNL", "FUNDING_FEE"
ESTIMATES = 100_000
"""Fills whose rows have not been read; past this the oldest are booked as they were told."""
REMEMBER_MS = 3_600_000
"""Rows are known for so long; no read shows older ones again."""
SETTLEMENT_MS = 600_000
"""Provisional funding that no row has replaced by then is superseded by whatever rows there are."""


class Reconciliation(StrEnum):
    """Whether the books explain the balance that the venue reports."""

    MATCHED = "MATCHED"
    DRIFTED = "DRIFTED"
    UNPROVEN = "UNPROVEN"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """One asset's books. `drift` is what the venue reports less what the books explain, None while unproven."""

    asset: str
    status: Reconciliation
    drift: Decimal | None
    opening: Decimal | None
    realized_pnl: Decimal
    fees: Decimal
    funding: Decimal
    transfers: Decimal

    @property
    def k_capital(self) -> Decimal | None:
        """The balance that the books explain; None before the first settled read."""
        if self.opening is None:
            return None
        return self.opening + self.realized_pnl - self.fees + self.funding + self.transfers


_Key = tuple[str, str, Decimal]
"""A fill: symbol, order and cumulative quantity."""
_Trade = tuple[str, str]
"""A symbol and a trade id."""


class _Sums:
    __slots__ = ("fees", "funding", "opening", "realized_pnl", "transfers")

    def __init__(self) -> None:
        self.opening: Decimal | None = None
        self.realized_pnl = self.fees = self.funding = self.transfers = ZERO


class Ledger:
    """Fold every event and every settled read into it; no clock, no I/O."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}
        self._estimates: dict[_Key, Fill] = {}
        self._trades: dict[_Trade, _Key] = {}
        self._provisional: dict[str, FundingFee] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._paid: dict[_Trade, int] = {}
        self._merged: dict[_Key, Fill] = {}
        """Fills without a trade id that a row has settled: one may be several trades, with a row each."""
        self._drift: dict[str, Decimal] = {}
        self._since: int | None = None
        self._named = False
        """Some row has named a trade that we know, so all can be expected to."""

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that have a book."""
        return tuple(self._sums)

    def begin(self, exchange_ms: int) -> None:
        """Rows before this exchange time are part of the opening balance."""
        if self._since is None:
            self._since = exchange_ms // 1000 * 1000

    def apply(self, event: ExchangeEvent) -> None:
        """Book an event as it was told."""
        if isinstance(event, Fill):
            self._estimate(event)
        elif isinstance(event, FundingFee):
            self._fund(event)
        elif isinstance(event, BalanceChange) and event.asset is not None:
            self._book(event.asset).transfers += event.amount

    def settle(self, account: Account, findings: Iterable[Finding], settled: bool) -> None:
        """Replace estimates by the rows of a whole read that passed; after one settled and told whole, compare."""
        self._name_trades(findings)
        strangers = [row for row in self._new_rows(account) if not self._settle_row(row)]
        for row in strangers:
            del self._rows[row.tran_id, row.income_type]
        if settled:
            if not self._named:
                self._settle_by_time(strangers, account.as_of)
            for event_id, fee in tuple(self._provisional.items()):
                if fee.exchange_ts is None or fee.exchange_ts < account.as_of - SETTLEMENT_MS:
                    del self._provisional[event_id]
            self._compare(account, [row for row in strangers if (row.tran_id, row.income_type) not in self._rows])

    def book(self, asset: str, *, gap_open: bool = False) -> Book:
        """The asset's books now; `gap_open` makes them unproven."""
        sums = self._sums.get(asset) or _Sums()
        fills = [fill for fill in self._estimates.values() if fill.fee_asset == asset]
        funding = [fee for fee in self._provisional.values() if fee.asset == asset]
        unknown = any(fill.fee is None or fill.realized_pnl is None for fill in fills) or any(
            fee.amount is None for fee in funding
        )
        drift = None if gap_open or unknown else self._drift.get(asset)
        status = Reconciliation.UNPROVEN
        if drift is not None:
            status = Reconciliation.MATCHED if drift == ZERO else Reconciliation.DRIFTED
        return Book(
            asset=asset,
            status=status,
            drift=drift,
            opening=sums.opening,
            realized_pnl=sums.realized_pnl + sum((fill.realized_pnl or ZERO for fill in fills), ZERO),
            fees=sums.fees + sum((fill.fee or ZERO for fill in fills), ZERO),
            funding=sums.funding + sum((fee.amount or ZERO for fee in funding), ZERO),
            transfers=sums.transfers,
        )

    def _book(self, asset: str) -> _Sums:
        return self._sums.setdefault(asset, _Sums())

    def _estimate(self, fill: Fill) -> None:
        key = (fill.symbol, fill.order_id, fill.cumulative_qty)
        if fill.trade_id is not None:
            trade = (fill.symbol, fill.trade_id)
            if trade in self._paid:
                return
            self._trades[trade] = key
        self._estimates[key] = fill
        if len(self._estimates) > ESTIMATES:
            self._keep(self._estimates.pop(next(iter(self._estimates))))

    def _keep(self, fill: Fill) -> None:
        """Book a fill for good as it was told; its row, should it come after all, is not booked again."""
        self._trades.pop((fill.symbol, fill.trade_id or ""), None)
        if fill.fee_asset is not None:
            sums = self._book(fill.fee_asset)
            sums.fees += fill.fee or ZERO
            sums.realized_pnl += fill.realized_pnl or ZERO

    def _fund(self, event: FundingFee) -> None:
        if event.provisional:
            self._provisional[event.event_id] = event
            return
        if event.replaces is not None:
            self._provisional.pop(event.replaces, None)
        if event.asset is not None and event.amount is not None:
            self._book(event.asset).funding += event.amount

    def _name_trades(self, findings: Iterable[Finding]) -> None:
        """Give fills without a trade id those of the rows that lie on their ground."""
        unnamed: dict[tuple[str, str], list[Fill]] = {}
        for fill in (*self._estimates.values(), *self._merged.values()):
            if fill.trade_id is None:
                unnamed.setdefault((fill.symbol, fill.order_id), []).append(fill)
        for finding in findings:
            for fill in unnamed.get(finding.ref, ()):
                key, unpaid = (fill.symbol, fill.order_id, fill.cumulative_qty), fill.fill_qty
                for placed in finding.fills:
                    inside = fill.cumulative_qty - fill.fill_qty < placed.end <= fill.cumulative_qty
                    trade = (fill.symbol, placed.row.trade_id or "")
                    if inside and trade in self._paid:
                        unpaid -= placed.row.qty
                    elif inside and placed.row.trade_id is not None:
                        self._trades[trade] = key
                if unpaid <= ZERO:
                    self._estimates.pop(key, None)  # all its rows came before it was told, or known by its trades

    def _new_rows(self, account: Account) -> list[IncomeReport]:
        edge = account.as_of - REMEMBER_MS
        self._rows = {key: ts for key, ts in self._rows.items() if ts > edge}
        self._paid = {trade: ts for trade, ts in self._paid.items() if ts > edge}
        self._merged = {key: fill for key, fill in self._merged.items() if (fill.exchange_ts or 0) > edge}
        rows = []
        for row in account.income:
            key = (row.tran_id, row.income_type)
            if row.income_type in (FEE, PNL) and row.asset is not None and key not in self._rows:
                self._rows[key] = row.exchange_ts
                if self._since is None or row.exchange_ts >= self._since:
                    rows.append(row)
        return sorted(rows, key=lambda row: row.income_type == FEE)

    def _settle_row(self, row: IncomeReport) -> bool:
        """Book a row in place of what the fill of its trade estimated; False if no fill of that trade is known."""
        trade = (row.symbol or "", row.trade_id or "")
        key = self._trades.get(trade)
        if key is None and trade not in self._paid:
            return False
        self._named = True
        self._add(row)
        fill = self._estimates.get(key) if key is not None else None
        if row.income_type == FEE:
            self._paid[trade] = row.exchange_ts
            if fill is None or not fill.realized_pnl:
                self._trades.pop(trade, None)
        if fill is not None and key is not None:
            if fill.trade_id is None:
                self._merged[key] = fill
            change = {"fee": ZERO} if row.income_type == FEE else {"realized_pnl": ZERO}
            fill = msgspec.structs.replace(fill, **change)
            if fill.fee == ZERO and not fill.realized_pnl:
                del self._estimates[key]
            else:
                self._estimates[key] = fill
        return True

    def _settle_by_time(self, rows: list[IncomeReport], as_of: int) -> None:
        """Where no row names a trade that we know, all rows up to a whole second stand for all fills up to then."""
        until = as_of // 1000 * 1000
        settled = [row for row in rows if row.exchange_ts < until]
        for row in settled:
            self._add(row)
            self._rows[row.tran_id, row.income_type] = row.exchange_ts
            if row.income_type == FEE and row.trade_id is not None:
                self._paid[row.symbol or "", row.trade_id] = row.exchange_ts  # its fill may be shown later
        if not settled:
            return
        for key, fill in tuple(self._estimates.items()):
            if fill.exchange_ts is not None and fill.exchange_ts < until:
                del self._estimates[key]
                if fill.trade_id is None:
                    self._merged[key] = fill  # a row that is shown late must still find it

    def _add(self, row: IncomeReport) -> None:
        assert row.asset is not None
        if row.income_type == FEE:
            self._book(row.asset).fees -= row.amount
        else:
            self._book(row.asset).realized_pnl += row.amount

    def _compare(self, account: Account, strangers: Iterable[IncomeReport]) -> None:
        # A row whose fill is not shown yet is in the balance already: what it moved is not part of the opening.
        early = {row.asset for row in strangers if row.exchange_ts > account.as_of - SETTLEMENT_MS}
        known = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
        newer: dict[str, Decimal] = {}
        for fill in self._estimates.values():
            if fill.fee_asset is not None and is_newer(fill, account, known):
                gain = (fill.realized_pnl or ZERO) - (fill.fee or ZERO)
                newer[fill.fee_asset] = newer.get(fill.fee_asset, ZERO) + gain
        for balance in account.balances:
            if balance.wallet_balance is None:
                continue
            if balance.asset in early and self._book(balance.asset).opening is None:
                continue
            book = self.book(balance.asset)
            explained = book.realized_pnl - book.fees + book.funding + book.transfers - newer.get(balance.asset, ZERO)
            sums = self._book(balance.asset)
            if sums.opening is None:
                sums.opening = balance.wallet_balance - explained
            self._drift[balance.asset] = balance.wallet_balance - explained - sums.opening
