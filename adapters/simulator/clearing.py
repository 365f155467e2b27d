"""The account's money and settings without its orders: funding, transfers, leverage, margin mode, position mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from .account import Account, PositionView
from .amounts import ZERO, booked
from .market import INSTRUMENTS, Instrument, Market
from .orders import OrderRefused
from .pushes import Outbox, Push
from .rules import INVALID, check_symbol

UID = "1341158271307522053"


class Settlement(msgspec.Struct, frozen=True):
    """A settlement of funding on a symbol: the rate, and the amount that each position received, negative if it paid.

    The key of a position is its position side (BOTH in one-way mode) and its direction, LONG or SHORT.
    """

    symbol: str
    rate: Decimal
    ts: int
    paid: Mapping[tuple[str, str], Decimal]


class Clearing:
    """One account on one market; `now` is the newest exchange time, ms, that it was given."""

    def __init__(
        self,
        *,
        now: int,
        seed: int = 0,
        hedge: bool = True,
        instruments: Iterable[Instrument] = INSTRUMENTS,
        opening: Mapping[str, Decimal] | None = None,
        leverage: int = 5,
        uid: str = UID,
    ) -> None:
        self.market = Market(instruments, seed=seed, now=now)
        assets = {each.asset: Decimal(100_000) for each in self.market.instruments.values()}
        self.account = Account(
            self.market, assets if opening is None else opening, hedge=hedge, leverage=leverage, uid=uid
        )
        self.uid = uid
        self.now = now
        self.settlements: list[Settlement] = []
        self._outbox = Outbox(self.account)

    @property
    def hedge(self) -> bool:
        """True if a symbol may have a position on each side."""
        return self.account.hedge

    def due(self, now: int) -> list[Push]:
        """The pushes that leave by now, in the order in which they leave; each is returned once."""
        return self._outbox.due(now)

    def positions(self, now: int) -> list[PositionView]:
        """All positions that are not flat, at the market's price."""
        return [self.account.view(each, now) for each in self.account.positions()]

    def funding_rate(self, symbol: str) -> Decimal:
        """The symbol's last settled funding rate, 0 before the first settlement."""
        return next((each.rate for each in reversed(self.settlements) if each.symbol == symbol), ZERO)

    def fund(self, symbol: str, rate: Decimal, *, now: int, kind: str = "FUNDING_FEE") -> Decimal:
        """Settle funding on a symbol's positions (longs pay a positive rate); return the amount, 0 without positions.

        `kind` is the kind of its booking.
        """
        now = self._advance(now)
        held = [each for each in self.account.positions() if each.symbol == symbol]
        mark = self.market.price(symbol, now)
        paid = {(each.side, "LONG" if each.qty > 0 else "SHORT"): -each.qty * mark * rate for each in held}
        self.settlements.append(Settlement(symbol, rate, now, paid))
        amount = booked(sum(paid.values(), ZERO))
        if amount:
            asset = self.market.instruments[symbol].asset
            self.account.book.fund(asset, symbol, amount, now, kind)
            isolated = self.account.margin_mode[symbol] == "isolated"
            self._outbox.money(kind, asset, now, tuple(held) if isolated else None, amount)
        return amount

    def transfer(self, asset: str, amount: Decimal, *, now: int, kind: str = "TRANSFER") -> None:
        """Move money in, or out if negative, but not more than is free. `kind` is the kind of its booking."""
        now = self._advance(now)
        if not amount.is_finite() or not amount or booked(amount) != amount:
            raise OrderRefused(INVALID, f"amount {amount} cannot be transferred")
        if amount < 0 and -amount > self.account.balance(asset).free:
            raise OrderRefused(101204, "Insufficient margin")
        self.account.book.transfer(asset, amount, now, kind)
        self._outbox.money("DEPOSIT" if amount > 0 else "WITHDRAW", asset, now, (), amount)

    def set_leverage(self, symbol: str, long: int, short: int, *, now: int) -> None:
        """Change a symbol's leverage."""
        if min(long, short) < 1:
            raise OrderRefused(INVALID, "leverage is at least 1")
        self.account.leverage[check_symbol(self.market, symbol)] = (long, short)
        self._outbox.config(symbol, self._advance(now))

    def set_margin_mode(self, symbol: str, mode: str, *, now: int) -> None:
        """Change a symbol's margin mode to `cross` or `isolated`."""
        if mode not in {"cross", "isolated"}:
            raise OrderRefused(INVALID, "margin mode is cross or isolated")
        self.account.margin_mode[check_symbol(self.market, symbol)] = mode
        self._outbox.config(symbol, self._advance(now))

    def set_position_mode(self, hedge: bool) -> None:
        """Set hedge or one-way mode. The caller must make sure that no position is held."""
        self.account.hedge = hedge

    def _advance(self, now: int) -> int:
        if now > self.now:
            self.now = now
        return self.now
