"""The cross-check of every fill: the positions and wallets that account pushes report.

Where the venue does not give the quantity of each fill, a lost last frame of an order leaves no hole. But the position
then differs from the sum of the fills. A push and the fill it belongs to come in either order, so what a push shows
must come true within `reorder_window`, or have been true; if it does not, something was lost and the account is read. A
push that is delivered after a settled read but dated before its end shows nothing new. After an alarm that finds
nothing the next one waits longer: no document promises that wallets are exactly the sum of what frames report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from ..backoff import Backoff
from ..context import Context
from ..events import ZERO, Balance, Position
from ..reports import Account, AccountReport
from ..timers import Timer
from .projection import PositionKey, Projection

QUIET_INITIAL = 5.0
QUIET_MAX = 3600.0


class CrossCheck:
    """Compares pushes with the projection of the fills, and calls the alarm for what does not come true."""

    def __init__(self, context: Context, projection: Projection, alarm: Callable[[], None]) -> None:
        self._context = context
        self._alarm = alarm
        self._projection = projection
        self._forgiven = False
        """True if the pending comparisons have been given their time once more."""
        self.waits = False
        """True if a comparison is pending, so that `check` is due after a fill."""
        self._positions: dict[PositionKey, tuple[Decimal, float]] = {}
        self._wallets: dict[str, tuple[Decimal, float]] = {}
        self._pushed: dict[str, Decimal] = {}
        """Wallets by the last push, whatever had been delivered by then."""
        self._read_ts = 0
        """Exchange time of the end of the last read."""
        self._latest_ts = 0
        self._behind_ts = 0
        """Pushes from before this exchange time, ms, are behind the last read, so they are not compared."""
        self._moved_ts = 0
        """Exchange time of the last push of money that no fill moved."""
        self._quiet = Backoff(QUIET_INITIAL, QUIET_MAX)
        self._quiet_until = float("-inf")
        self._alarmed = False

    def pushed(self, report: AccountReport) -> None:
        """The account push says what the account is."""
        anchored = self._projection.anchored_ts
        ts = report.exchange_ts
        moved = not (report.by_fill or report.snapshot)
        if moved:
            self._moved_ts = max(self._moved_ts, min(ts or 0, self._context.exchange_time() or 0))
        if anchored is None or ts is None or ts <= anchored or ts < self._latest_ts:
            return
        self._latest_ts = ts
        for balance in report.balances:
            if moved:
                self._move(balance)
            if balance.wallet_balance is not None:
                self._pushed[balance.asset] = balance.wallet_balance
        if ts < self._behind_ts:
            return
        until = self._context.now + self._context.policy.reorder_window
        projection = self._projection
        for position in report.positions:
            signed = -position.qty if report.one_way and position.side == "SHORT" else position.qty
            key = (position.symbol, None if report.one_way else position.side)
            if self._positions or projection.positions.get(key, ZERO) != signed:
                self._positions[key] = (signed, self._positions.get(key, (ZERO, until))[1])
        for balance in report.balances:
            wallet = balance.wallet_balance
            if wallet is not None and not moved and (self._wallets or projection.wallets.get(balance.asset) != wallet):
                self._wallets[balance.asset] = (wallet, self._wallets.get(balance.asset, (ZERO, until))[1])
        if self._positions or self._wallets:
            self.check()

    def is_unsure_of(self, account: Account) -> bool:
        """True if the read's balances may or may not have a fill that its orders do not show, or money that moved."""
        return self._moved_ts >= account.as_of or self._projection.is_unsure_of(account)

    def is_flat(self, position: Position, moves: Mapping[PositionKey, Decimal], delivered_ts: int) -> bool:
        """True if delivered fills, with these moves, have closed a position since the last settled read.

        Before the first one: since its delivery, at `delivered_ts`, and since the end of the last read.
        """
        projection = self._projection
        if projection.anchored_ts is None:
            return projection.has_closed(position, moves, max(delivered_ts, self._read_ts))
        keys = {(position.symbol, position.side), (position.symbol, None)}
        known = [
            projection.positions.get(key, ZERO) + moves.get(key, ZERO) for key in keys & projection.positions.keys()
        ]
        return bool(known) and not any(known)

    def read(self, account: Account, recovered: int, settled: bool) -> None:
        """Take a whole read that passed; one that is settled and delivered whole becomes the new anchor."""
        if recovered:
            self._quiet.reset()
            self._quiet_until = float("-inf")
        elif self._alarmed:
            self._quiet_until = self._context.now + self._quiet.delay()
        self._alarmed = False
        self._read_ts = account.exchange_ms
        slack = int(self._context.policy.reorder_window * 1000)
        self._behind_ts = account.exchange_ms + slack
        self._clear()
        self._pushed.clear()
        self._context.timers.cancel((Timer.CROSS_CHECK, 0))
        if settled:
            self._projection.anchor(account)

    def overdue(self, late: float) -> None:
        """A push has not come true.

        If this call is `late`, by seconds, frames that explain the push may wait to be read: they get their time once
        more.
        """
        window = self._context.policy.reorder_window
        if late > window / 2 and not self._forgiven:
            self._forgiven, until = True, self._context.now + window
            self._positions = {key: (qty, until) for key, (qty, _) in self._positions.items()}
            self._wallets = {asset: (balance, until) for asset, (balance, _) in self._wallets.items()}
            self.check()
            return
        self._clear()
        if self._context.now >= self._quiet_until and not self._alarmed:
            self._alarmed = True
            self._alarm()

    def check(self) -> None:
        """Look what has come true."""
        projection = self._projection
        for key, (qty, _) in tuple(self._positions.items()):
            if projection.positions.get(key, ZERO) == qty:
                del self._positions[key]
        for asset, (balance, _) in tuple(self._wallets.items()):
            if projection.wallets.get(asset) in (balance, None):
                del self._wallets[asset]
        waiting = [until for _, until in (*self._positions.values(), *self._wallets.values())]
        self.waits = bool(waiting)
        if waiting:
            self._context.timers.arm((Timer.CROSS_CHECK, 0), max(min(waiting), self._context.now))
        else:
            self._forgiven = False
            self._context.timers.cancel((Timer.CROSS_CHECK, 0))

    def _clear(self) -> None:
        self._positions.clear()
        self._wallets.clear()
        self.waits = self._forgiven = False

    def _move(self, balance: Balance) -> None:
        """Book money that no fill moved, by its change: the fills of that moment may or may not have been delivered."""
        if balance.wallet_balance is None:
            return
        delivered, pushed = self._projection.wallets.get(balance.asset), self._pushed.get(balance.asset)
        change = balance.change or (None if pushed is None else balance.wallet_balance - pushed)
        known = delivered is not None and change is not None
        self._projection.wallets[balance.asset] = delivered + change if known else balance.wallet_balance  # type: ignore[operator]
