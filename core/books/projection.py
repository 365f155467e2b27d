"""The account that follows from delivered fills: positions and wallets, anchored at each settled read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from ..events import ZERO, Position
from ..execution import Execution
from ..reports import Account

PositionKey = tuple[str, str | None]
"""A symbol and LONG or SHORT; or, where the account nets its positions, None: then the quantity has a sign."""

REMEMBERED_FILLS = 4096


class Projection:
    """Quantities by place, balances by asset. A wallet is unknown after a fill whose fee or PnL is, until a read."""

    def __init__(self) -> None:
        self.anchored_ts: int | None = None
        """Exchange time of the last settled read's end."""
        self.positions: dict[PositionKey, Decimal] = {}
        self.wallets: dict[str, Decimal | None] = {}
        self._recent: deque[Execution] = deque(maxlen=REMEMBERED_FILLS)

    def apply(self, fill: Execution) -> None:
        """Add a fill."""
        self._recent.append(fill)
        side, towards, asset = fill.side, fill.position_side, fill.fee_asset
        if side is not None:
            key = (fill.symbol, towards)
            held = self.positions.get(key, ZERO)
            gains = side == ("SELL" if towards == "SHORT" else "BUY")
            self.positions[key] = held + fill.fill_qty if gains else held - fill.fill_qty
        if asset is None:  # any of them may have paid it
            self.wallets = dict.fromkeys(self.wallets)
            return
        pnl = fill.realized_pnl
        if fill.settled_in is not None:
            self._gain(fill.settled_in, pnl)
            pnl = ZERO
        wallet, fee = self.wallets.get(asset), fill.fee
        self.wallets[asset] = None if wallet is None or fee is None or pnl is None else wallet - fee + pnl

    def _gain(self, asset: str, pnl: Decimal | None) -> None:
        wallet = self.wallets.get(asset)
        self.wallets[asset] = None if wallet is None or pnl is None else wallet + pnl

    def is_unsure_of(self, account: Account) -> bool:
        """True if a delivered fill is newer than the read's start and missing from the read's orders.

        The read's balances and positions may or may not include it: a venue's lists can be older than those, and clocks
        differ.
        """
        known = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
        return any(is_newer(fill, account, known) for fill in self._recent)

    def has_closed(self, position: Position, moves: Mapping[PositionKey, Decimal], since: int) -> bool:
        """True if delivered fills, dated after `since`, exchange time in ms, and these moves have closed the position.

        The newest of them are counted back: what was recovered since may have been part of the position already.
        """
        symbol, side, qty = position.symbol, position.side, position.qty
        for towards, held in ((side, qty), (None, -qty if side == "SHORT" else qty)):
            left = held + moves.get((symbol, towards), ZERO)
            if left == ZERO:
                return True
            for fill in reversed(self._recent):
                if (fill.symbol, fill.position_side) == (symbol, towards) and (fill.exchange_ts or 0) > since:
                    gains = fill.side == ("SELL" if towards == "SHORT" else "BUY")
                    left += fill.fill_qty if gains else -fill.fill_qty
                    if left == ZERO:
                        return True
        return False

    def anchor(self, account: Account) -> None:
        """Start again from a settled read, and from the delivered fills that it does not include yet."""
        known = {(report.symbol, report.order_id): report.cumulative_qty for report in account.orders}
        self.anchored_ts = account.exchange_ms
        self.positions = positions_of(account)
        self.wallets = {balance.asset: balance.wallet_balance for balance in account.balances}
        newer = [fill for fill in self._recent if is_newer(fill, account, known)]
        self._recent.clear()
        for fill in newer:
            self.apply(fill)


def is_newer(fill: Execution, account: Account, known: dict[tuple[str, str], Decimal]) -> bool:
    """True if the fill came too late to be part of the read; `known` are the read's executed quantities by order."""
    if fill.exchange_ts is not None and fill.exchange_ts < account.as_of:
        return False
    return fill.cumulative_qty > known.get((fill.symbol, fill.order_id), ZERO)


def positions_of(account: Account) -> dict[PositionKey, Decimal]:
    """The positions of a read, those that are open."""
    held: dict[PositionKey, Decimal] = {}
    for position in account.positions:
        if position.qty != ZERO:
            if account.one_way:
                held[position.symbol, None] = -position.qty if position.side == "SHORT" else position.qty
            else:
                held[position.symbol, position.side] = position.qty
    return held
