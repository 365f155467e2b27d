"""The books of a mock account, computed from delivered events; each counts once by its id."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import msgspec

from ...core.book import Book, Reconciliation
from ...core.events import (
    ZERO,
    AccountUpdate,
    BalanceChange,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FillRevised,
    FundingFee,
)


class _Sums(msgspec.Struct):
    """The sums of one asset."""

    opening: Decimal
    realized_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    transfers: Decimal = ZERO
    wallet: Decimal | None = None
    """The last delivered balance, until it is compared."""
    drift: Decimal | None = ZERO

    @property
    def explained(self) -> Decimal:
        return self.opening + self.realized_pnl - self.fees + self.funding + self.transfers


class _Costs(NamedTuple):
    """The costs of one fill; None is not known yet."""

    fee_asset: str
    fee: Decimal | None
    realized_pnl: Decimal | None


class Books:
    """Keeps the books; amounts without an asset, and all PnL, are of `asset`, which opens with `balance`."""

    def __init__(self, asset: str, balance: Decimal) -> None:
        self._asset = asset
        self._sums = {asset: _Sums(balance)}
        self._fills: dict[str, _Costs] = {}
        self._unknown: set[str] = set()
        """Ids of fills with an unknown figure."""
        self._paid: dict[str, Decimal] = {}
        self._gap_open = False

    @property
    def shown(self) -> tuple[Book, ...]:
        """The books by asset, compared with the last delivered balance; UNPROVEN in a gap or with unknown figures."""
        return tuple(self._book(asset, sums) for asset, sums in self._sums.items())

    def take(self, event: ExchangeEvent) -> None:
        """Book a delivered event."""
        if isinstance(event, Fill) and event.event_id not in self._fills:
            self._cost(event.event_id, event)
        elif isinstance(event, FillRevised) and event.replaces in self._fills:
            self._add(self._fills[event.replaces], -1)
            self._cost(event.replaces, event)
        elif isinstance(event, FundingFee) and event.event_id not in self._paid:
            amount = self._paid[event.event_id] = event.amount or ZERO
            self._of(event.asset).funding += amount - self._paid.get(event.replaces or "", ZERO)
        elif isinstance(event, BalanceChange) and event.event_id not in self._paid:
            self._paid[event.event_id] = event.amount
            self._of(event.asset).transfers += event.amount
        elif isinstance(event, AccountUpdate):
            for balance in event.balances:
                if balance.wallet_balance is not None:
                    self._sums.setdefault(balance.asset, _Sums(balance.wallet_balance)).wallet = balance.wallet_balance
        if event.kind in (ExchangeEventKind.GAP_OPENED, ExchangeEventKind.GAP_CLOSED):
            self._gap_open = event.kind is ExchangeEventKind.GAP_OPENED
        if not self._gap_open:
            self._compare()

    def _cost(self, event_id: str, fill: Fill | FillRevised) -> None:
        costs = self._fills[event_id] = _Costs(fill.fee_asset or self._asset, fill.fee, fill.realized_pnl)
        self._add(costs, 1)
        if costs.fee is None or costs.realized_pnl is None:
            self._unknown.add(event_id)
        else:
            self._unknown.discard(event_id)

    def _add(self, costs: _Costs, times: int) -> None:
        self._of(costs.fee_asset).fees += times * (costs.fee or ZERO)
        self._of(None).realized_pnl += times * (costs.realized_pnl or ZERO)

    def _of(self, asset: str | None) -> _Sums:
        return self._sums.setdefault(asset or self._asset, _Sums(ZERO))

    def _compare(self) -> None:
        """Compare delivered balances; one that was read in a gap is compared when all missed events have come."""
        for sums in self._sums.values():
            if sums.wallet is not None:
                sums.drift = None if self._unknown else sums.wallet - sums.explained
                sums.wallet = None

    def _book(self, asset: str, sums: _Sums) -> Book:
        drift = None if self._gap_open or self._unknown else sums.drift
        status = Reconciliation.UNPROVEN
        if drift is not None:
            status = Reconciliation.DRIFTED if drift else Reconciliation.MATCHED
        return Book(
            asset=asset,
            status=status,
            drift=drift,
            opening=sums.opening,
            realized_pnl=sums.realized_pnl,
            fees=sums.fees,
            funding=sums.funding,
            transfers=sums.transfers,
        )
