"""Money: capital, fees, realised PnL, funding and transfers per asset, and whether they explain the balance.

k_capital = opening balance + realised PnL - fees + funding + transfers

Between reads the ledger runs on delivered events. Rows of the venue's income list replace the estimated costs of the
fills of their trades, and provisional funding is replaced by its row. The opening balance is what the first settled
read leaves unexplained in which the cost of every fill is known; if an older event arrives after that, the next settled
read sets it anew.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from ..book import Book, Reconciliation
from ..events import ZERO, BalanceChange, ExchangeEvent, FillRevised, FundingFee
from ..execution import Execution
from ..grain import floor
from ..reports import Account, IncomeReport
from .by_time import are_booked, undecided
from .estimates import FEE, PNL, Estimates
from .projection import is_newer
from .sums import Sums

ESTIMATES = 100_000
"""Fills whose rows have not been read; past this the oldest are booked as delivered."""
REMEMBER_MS = 3_600_000
"""Rows are known for so long; no read shows older ones again."""
FUNDING_MATCH_MS = 600_000
"""Provisional funding that no row has replaced by then is superseded by whatever rows there are."""


class Ledger:
    """The books of all assets, from every event and every settled read. `grain` is that of the venue's lists, ms."""

    def __init__(self, grain: int = 1) -> None:
        self._grain = grain
        self._sums: defaultdict[str, Sums] = defaultdict(Sums)
        self._estimates = Estimates()
        self._provisional: dict[str, FundingFee] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._unmatched: dict[tuple[str, str], IncomeReport] = {}
        """Rows of trades that are not known; the next read need not list them again."""
        self._drift: dict[str, Decimal] = {}
        self._opened_ts = 0
        """Exchange time of the end of the last read that gave any asset its opening balance."""
        self._since: int | None = None
        self._known_from = 0
        """Rows from before this exchange time that are not known are not new: they were forgotten."""
        self._by_time = self._named = False
        """Rows have been booked by time; or one has named a trade that we know, so all can be expected to."""

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that have a book."""
        return tuple(self._sums)

    def begin(self, exchange_ms: int) -> None:
        """Rows before this exchange time are part of the opening balance."""
        if self._since is None:
            self._since = floor(exchange_ms, self._grain)

    def apply(self, event: ExchangeEvent) -> None:
        """Book an event, other than a fill, as delivered."""
        if isinstance(event, FillRevised):
            self._estimates.revise(event)
        elif isinstance(event, FundingFee):
            self._fund(event)
        elif isinstance(event, BalanceChange) and event.asset is not None:
            self._sums[event.asset].transfers += event.amount
            self._date(event.asset, event.exchange_ts)

    def estimate(self, fill: Execution) -> None:
        """Book a fill as delivered, until its rows are read."""
        if self._estimates.add(fill) > ESTIMATES:
            self._keep()
        if fill.exchange_ts is not None and fill.exchange_ts < self._opened_ts:
            for asset, _ in fill.gains:
                self._date(asset, fill.exchange_ts)

    def reconcile(self, account: Account, settled: bool) -> None:
        """Let the rows of a whole read that passed replace estimates; after a settled and whole one, compare."""
        if account.income_refused is not None:
            self._unprove(account)
            settled = False
        edge = max(self._known_from, self._since or 0)
        if account.fills:
            self._estimates.list(row for row in account.fills if row.exchange_ts >= edge)
        if account.income or self._unmatched:
            unmatched = {**self._unmatched, **self._new_rows(account, edge)}
            self._unmatched = {key: row for key, row in unmatched.items() if not self._book_row(row)}
        if settled:
            if self._unmatched and not self._named:
                self._book_by_time(account.as_of)
            for event_id, fee in tuple(self._provisional.items()):
                if fee.exchange_ts is None or fee.exchange_ts < account.as_of - FUNDING_MATCH_MS:
                    del self._provisional[event_id]
            self._compare(account)
        self._forget(account.as_of - REMEMBER_MS)

    def _unprove(self, account: Account) -> None:
        """Nobody lists what moved the wallets: no book is proven."""
        self._drift.clear()
        for balance in account.balances:
            self._sums.setdefault(balance.asset, Sums())

    def book(self, asset: str, *, gap_open: bool = False) -> Book:
        """The asset's books now; `gap_open` makes them unproven."""
        pnl, fees, funding, known = self._totals(asset)
        sums = self._sums.get(asset)
        drift = self._drift.get(asset) if known and not gap_open else None
        status = Reconciliation.UNPROVEN
        if drift is not None:
            status = Reconciliation.MATCHED if drift == ZERO else Reconciliation.DRIFTED
        return Book(
            asset=asset,
            status=status,
            drift=drift,
            opening=None if sums is None else sums.opening,
            realized_pnl=pnl,
            fees=fees,
            funding=funding,
            transfers=ZERO if sums is None else sums.transfers,
        )

    def _totals(self, asset: str) -> tuple[Decimal, Decimal, Decimal, bool]:
        """Return PnL, fees and funding with what no row has confirmed yet, and whether all of that is known."""
        sums, known = self._sums.get(asset), True
        pnl, fees, funding = (ZERO,) * 3 if sums is None else (sums.realized_pnl, sums.fees, sums.funding)
        for fill in self._estimates:
            if fill.fee_asset == asset:
                known, fees = known and fill.fee is not None, fees + (fill.fee or ZERO)
            if fill.pnl_asset == asset:
                known, pnl = known and fill.realized_pnl is not None, pnl + (fill.realized_pnl or ZERO)
        for fee in self._provisional.values():
            if fee.asset == asset:
                known = known and fee.amount is not None
                funding += fee.amount or ZERO
        return pnl, fees, funding, known

    def _date(self, asset: str | None, exchange_ts: int | None) -> None:
        """Drop the opening balance if an event older than it arrives; the next settled read takes it anew."""
        sums = None if asset is None else self._sums.get(asset)
        if sums is not None and asset is not None and exchange_ts is not None and exchange_ts < sums.opened_ts:
            sums.opening, sums.opened_ts = None, 0
            self._drift.pop(asset, None)

    def _keep(self) -> None:
        """Book the oldest fill for good, as delivered; rows from before it are not booked again."""
        kept = self._estimates.evict_oldest()
        self._since = max(self._since or 0, (kept.exchange_ts or 0) + 1)
        if kept.fee_asset is not None:
            self._sums[kept.fee_asset].fees += kept.fee or ZERO
        if kept.pnl_asset is not None:
            self._sums[kept.pnl_asset].realized_pnl += kept.realized_pnl or ZERO

    def _fund(self, event: FundingFee) -> None:
        if event.provisional:
            self._provisional[event.event_id] = event
            return
        if self._provisional.pop(event.replaces or "", None) is None:
            self._date(event.asset, event.exchange_ts)
        if event.asset is not None and event.amount is not None:
            self._sums[event.asset].funding += event.amount

    def _new_rows(self, account: Account, edge: int) -> dict[tuple[str, str], IncomeReport]:
        rows = [
            row
            for row in account.income
            if row.kind in (FEE, PNL)
            and row.asset is not None
            and row.exchange_ts >= edge
            and (row.tran_id, row.income_type) not in self._rows
        ]
        return {(row.tran_id, row.income_type): row for row in sorted(rows, key=lambda row: row.kind is FEE)}

    def _book_row(self, row: IncomeReport) -> bool:
        """Book a row in place of what the fill of its trade was thought to cost; False if its trade is not known."""
        if not self._estimates.pay(row):
            return False
        self._named = True
        self._add(row)
        return True

    def _book_by_time(self, as_of: int) -> None:
        """Where no row names a known trade, let all rows from before the read stand for all fills from before it."""
        until = floor(as_of, self._grain)
        due = {key: row for key, row in self._unmatched.items() if row.exchange_ts < until}
        for key, row in due.items():
            self._add(row)
            self._estimates.match_ahead(row)
            del self._unmatched[key]
        if due:
            self._by_time = True
            self._estimates.pay_until(until)

    def _add(self, row: IncomeReport) -> None:
        assert row.asset is not None
        self._rows[row.tran_id, row.income_type] = row.exchange_ts
        if row.kind is FEE:
            self._sums[row.asset].fees -= row.amount
        else:
            self._sums[row.asset].realized_pnl += row.amount

    def _compare(self, account: Account) -> None:
        known = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
        newer, differences = dict[str, Decimal](), dict[str, Decimal]()
        unclear: set[str] = set()
        for fill in self._estimates:
            newly = is_newer(fill, account, known)
            for asset, gain in fill.gains:
                if asset is not None and newly:
                    newer[asset] = newer.get(asset, ZERO) + (gain or ZERO)
                elif asset is not None and gain is None:
                    unclear.add(asset)
        for balance in account.balances:
            if balance.wallet_balance is None:
                continue
            pnl, fees, funding, _ = self._totals(balance.asset)
            sums = self._sums[balance.asset]
            explained = pnl - fees + funding + sums.transfers - newer.get(balance.asset, ZERO)
            if sums.opening is None and balance.asset in unclear:
                continue
            if sums.opening is None:
                sums.opening, sums.opened_ts = balance.wallet_balance - explained, account.exchange_ms
                self._opened_ts = max(self._opened_ts, account.exchange_ms)
            differences[balance.asset] = balance.wallet_balance - explained - sums.opening
        sure = self._sure(differences, account.as_of) if any(differences.values()) else differences
        self._drift = {asset: drift for asset, drift in self._drift.items() if asset not in differences} | sure

    def _sure(self, differences: dict[str, Decimal], as_of: int) -> dict[str, Decimal]:
        """Return the differences that are drift or none: without those that rows or fills may explain yet."""
        until, waits = floor(as_of, self._grain), self._by_time and not self._named
        unpaid = [fill for fill in self._estimates if waits and (fill.exchange_ts or until) < until]
        if are_booked(unpaid, differences):
            self._estimates.pay_until(until)
            return dict.fromkeys(differences, ZERO)
        open_ones = undecided(self._unmatched.values(), unpaid, as_of)
        return {asset: drift for asset, drift in differences.items() if drift == ZERO or asset not in open_ones}

    def _forget(self, edge: int) -> None:
        self._known_from = max(self._known_from, edge)
        if self._rows:
            self._rows = {key: ts for key, ts in self._rows.items() if ts >= edge}
        if self._unmatched:
            self._unmatched = {key: row for key, row in self._unmatched.items() if row.exchange_ts >= edge}
        self._estimates.forget(edge)
