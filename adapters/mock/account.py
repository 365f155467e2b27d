"""The account of a mock, computed from fed events: wallets, positions, and the PnL that a trade realises."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from ...core.events import AccountUpdate, Balance, Fill, Position

Amount = Decimal | int | str
Key = tuple[str, str | None]
"""The key of a position: symbol and, in hedge mode, LONG or SHORT."""

GRAIN = Decimal("1e-8")
"""The grain to which prices and fees are rounded."""


class Holding(NamedTuple):
    """A position: `qty` and `cost` are negative for a short one; `price` is that of the last trade."""

    qty: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    price: Decimal = Decimal(0)


class Account:
    """Keeps wallets and positions: one position per symbol, or in hedge mode per symbol and side."""

    def __init__(self, wallets: dict[str, Decimal], leverage: int) -> None:
        self.wallets = wallets
        self.holdings: dict[Key, Holding] = {}
        self._leverage = leverage

    def traded(self, key: Key, side: str | None, qty: Decimal, price: Decimal) -> tuple[Decimal, Holding]:
        """The PnL that a trade would realise, and the position after it. Raises `ValueError` if it closes too much."""
        held = self.holdings.get(key, Holding())
        change = qty if side == "BUY" else -qty
        closing = min(qty, abs(held.qty)) if held.qty * change < 0 else Decimal(0)
        opening = (qty - closing).copy_sign(change)
        if opening and key[1] is not None and (key[1] == "LONG") != (change > 0):
            raise ValueError(f"only {abs(held.qty)} {key[0]} {key[1]} can be closed")
        portion = held.cost
        if closing != abs(held.qty):
            portion = (held.cost * closing / abs(held.qty)).quantize(GRAIN)
        profit = closing.copy_sign(held.qty) * price - portion if closing else Decimal(0)
        behind = Holding(held.qty - closing.copy_sign(held.qty) + opening, held.cost - portion + opening * price, price)
        return profit, behind

    def trade(self, fill: Fill, asset: str) -> tuple[Decimal, Decimal]:
        """Book a fill, with computed figures for unknown ones; return the fee and PnL that were booked."""
        key = (fill.symbol, fill.position_side)
        price = fill.fill_price or self.holdings.get(key, Holding()).price
        profit, self.holdings[key] = self.traded(key, fill.side, fill.fill_qty, price)
        fee, pnl = fill.fee or Decimal(0), profit if fill.realized_pnl is None else fill.realized_pnl
        self.pay(asset, pnl)
        self.pay(fill.fee_asset or asset, -fee)
        return fee, pnl

    def pay(self, asset: str, amount: Decimal) -> None:
        """Book an amount, positive if it comes in."""
        self.wallets[asset] = self.wallets.get(asset, Decimal(0)) + amount

    def replace(self, update: AccountUpdate) -> None:
        """Take over an update; a position counts as one of hedge mode only if there is one of its side already."""
        if update.complete:
            self.wallets.clear()
            self.holdings.clear()
        self.wallets.update({b.asset: b.wallet_balance for b in update.balances if b.wallet_balance is not None})
        for position in update.positions:
            hedged = (position.symbol, position.side)
            qty = -position.qty if position.side == "SHORT" else position.qty
            price = position.entry_price or Decimal(0)
            key = hedged if hedged in self.holdings else (position.symbol, None)
            self.holdings[key] = Holding(qty, qty * price, price)

    def whole(self, event_id: str, exchange_ts: int, *, margin_asset: str) -> AccountUpdate:
        """The whole account as a read shows it."""
        held = [key for key, holding in self.holdings.items() if holding.qty]
        return AccountUpdate(
            event_id=event_id,
            exchange_ts=exchange_ts,
            source="poll",
            reason=None,
            balances=tuple(self.balance(asset, margined=asset == margin_asset) for asset in self.wallets),
            positions=tuple(map(self.position, held)),
            complete=True,
        )

    def change(
        self, event_id: str, exchange_ts: int, reason: str, asset: str, positions: Iterable[Key]
    ) -> AccountUpdate:
        """A wallet and these positions as a push shows them."""
        return AccountUpdate(
            event_id=event_id,
            exchange_ts=exchange_ts,
            source="ws",
            reason=reason,
            balances=(Balance(asset=asset, wallet_balance=self.wallets[asset]),),
            positions=tuple(map(self.position, positions)),
            complete=False,
        )

    def balance(self, asset: str, *, margined: bool) -> Balance:
        """The asset's balance as a read shows it; `margined` is True for the asset of positions."""
        wallet = self.wallets[asset]
        held = [each for each in self.holdings.values() if margined]
        unrealized = sum((each.qty * each.price - each.cost for each in held), Decimal(0))
        used = sum(((abs(each.cost) / self._leverage).quantize(GRAIN) for each in held), Decimal(0))
        equity = wallet + unrealized
        return Balance(
            asset=asset,
            wallet_balance=wallet,
            available=max(equity - used, Decimal(0)),
            equity=equity,
            unrealized_pnl=unrealized,
            used_margin=used,
        )

    def position(self, key: Key) -> Position:
        """The position as an event shows it."""
        qty, cost, price = self.holdings[key]
        return Position(
            symbol=key[0],
            side=key[1] or (("LONG" if qty > 0 else "SHORT") if qty else None),
            qty=abs(qty),
            entry_price=(cost / qty).quantize(GRAIN) if qty else None,
            unrealized_pnl=qty * price - cost,
            margin_mode="cross",
            leverage=self._leverage,
            mark_price=price,
        )


def amount_of(value: Amount) -> Decimal:
    try:
        if not isinstance(value, (bool, float)) and (amount := Decimal(value)).is_finite():
            return amount
    except InvalidOperation:
        pass
    raise ValueError(f"an amount must be a finite Decimal, int or str, not {value!r}")


def positive(name: str, value: Amount) -> Decimal:
    if (amount := amount_of(value)) <= 0:
        raise ValueError(f"{name} must be more than 0, not {value!r}")
    return amount
