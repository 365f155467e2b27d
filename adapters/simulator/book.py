"""The venue's bookkeeping: a wallet with its sums per asset, and an income row for every movement of money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from .amounts import ZERO


class Income(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One movement of money, positive when received; the fee and the PnL of one trade share a `tran_id`."""

    type: str
    asset: str
    symbol: str
    amount: Decimal
    tran_id: str
    trade_id: str
    info: str
    ts: int


@dataclass(slots=True)
class Wallet:
    """The balance of one asset, and the sums by reason of all that was booked on it; `fees` are costs."""

    opening: Decimal
    balance: Decimal
    fees: Decimal = ZERO
    pnl: Decimal = ZERO
    funding: Decimal = ZERO
    transfers: Decimal = ZERO


class Book:
    """Books money, and keeps every row, oldest first."""

    def __init__(self, opening: Mapping[str, Decimal], *, uid: str) -> None:
        self.wallets = {asset: Wallet(amount, amount) for asset, amount in opening.items()}
        self.income: list[Income] = []
        self._uid = uid
        self._serial = 0

    def wallet(self, asset: str) -> Wallet:
        """The asset's wallet, empty if it has never been used."""
        if asset not in self.wallets:
            self.wallets[asset] = Wallet(ZERO, ZERO)
        return self.wallets[asset]

    def trade(
        self, asset: str, symbol: str, *, fee: Decimal, pnl: Decimal, trade_id: int, ts: int, fee_asset: str = ""
    ) -> None:
        """Book a fill: it costs `fee`, in the asset or another one, and realises `pnl`."""
        wallet, payer = self.wallet(asset), self.wallet(fee_asset or asset)
        payer.fees += fee
        payer.balance -= fee
        wallet.pnl += pnl
        wallet.balance += pnl
        tran_id = self._next()
        if fee:
            self._row("TRADING_FEE", fee_asset or asset, symbol, -fee, tran_id, str(trade_id), "Position fee", ts)
        if pnl:
            info = "Realized profit" if pnl > 0 else "Realized loss"
            self._row("REALIZED_PNL", asset, symbol, pnl, tran_id, str(trade_id), info, ts)

    def fund(self, asset: str, symbol: str, amount: Decimal, ts: int, kind: str = "FUNDING_FEE") -> None:
        """Book a funding settlement of this kind: `amount` is received, or paid if it is negative."""
        wallet = self.wallet(asset)
        wallet.funding += amount
        wallet.balance += amount
        self._row(kind, asset, symbol, amount, self._next(), self._next(), "Funding Fee", ts)

    def transfer(self, asset: str, amount: Decimal, ts: int, kind: str = "TRANSFER") -> None:
        """Book money of this kind that comes in, or leaves if it is negative."""
        wallet = self.wallet(asset)
        wallet.transfers += amount
        wallet.balance += amount
        info = "Transfer in" if amount > 0 else "Transfer out"
        self._row(kind, asset, "", amount, self._next(), "", info, ts)

    def _row(
        self, kind: str, asset: str, symbol: str, amount: Decimal, tran_id: str, trade_id: str, info: str, ts: int
    ) -> None:
        self.income.append(
            Income(
                type=kind,
                asset=asset,
                symbol=symbol,
                amount=amount,
                tran_id=tran_id,
                trade_id=trade_id,
                info=info,
                ts=ts,
            )
        )

    def _next(self) -> str:
        self._serial += 1
        return f"{self._uid}_310_{self._serial}"
