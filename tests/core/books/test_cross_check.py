"""The cross-check: a pushed balance or position must agree with the fills delivered before it or soon after it."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from listenkey.core.books.cross_check import CrossCheck
from listenkey.core.books.projection import Projection
from listenkey.core.context import Context
from listenkey.core.events import Balance, Position
from listenkey.core.execution import execution
from listenkey.core.policy import Policy
from listenkey.core.reports import Account, AccountReport

from .test_ledger import T0, account, fill


class Trial:
    """A cross-check on virtual time, and the number of alarms that it raised."""

    def __init__(self) -> None:
        self.context = Context(Policy(), 0)
        self.context.now = 0.0
        self.alarms = 0
        self.projection = Projection()
        self.cross_check = CrossCheck(self.context, self.projection, self._alarm)

    def _alarm(self) -> None:
        self.alarms += 1

    def wait(self, seconds: float = 0.3, *, asleep: bool = False) -> int:
        """Let time pass; timers fire at their deadlines or, if `asleep`, all at the end."""
        until = self.context.now + seconds
        while (deadline := self.context.timers.deadline) <= until:
            self.context.now = until if asleep else max(self.context.now, deadline)
            due = self.context.timers.pop_due(self.context.now)
            if due is not None:
                self.cross_check.overdue(self.context.now - due[1])
        self.context.now = until
        return self.alarms

    def anchored(self, **changes: Any) -> Trial:
        self.cross_check.read(whole(**changes), 0, True)
        return self

    def filled(self, end: str, **changes: Any) -> None:
        self.projection.apply(execution(fill("1", "0", end, exchange_ts=T0 + 9000, **changes)))
        if self.cross_check.waits:
            self.cross_check.check()


def whole(**changes: Any) -> Account:
    return account("100", at=T0, **changes)


def push(qty: str, *, ts: int | None = T0 + 9000, wallet: str | None = None, **changes: Any) -> AccountReport:
    balances = () if wallet is None else (Balance(asset="USDT", wallet_balance=D(wallet)),)
    positions = (Position(symbol="X", side=changes.pop("side", "LONG"), qty=D(qty)),)
    fields: dict[str, Any] = {
        "reason": "ORDER",
        "by_fill": True,
        "balances": balances,
        "positions": positions,
        "exchange_ts": ts,
    }
    return AccountReport(**fields | changes)


def test_who_comes_late_gives_a_fill_its_time_once_more() -> None:
    """After a timer that was late the fill's frame may still be unread: it gets its time once more, and not again."""
    trial = Trial().anchored()
    trial.cross_check.pushed(push("1", wallet="99.9"))
    assert trial.wait(5.0, asleep=True) == 0
    trial.filled("1")
    assert trial.wait() == 0
    trial.cross_check.pushed(push("2", wallet="99.8"))
    assert trial.wait(5.0, asleep=True) == 0
    assert trial.wait(0.2) == 0
    assert trial.wait(5.0, asleep=True) == 1


def test_a_fill_before_or_after_its_push_is_no_alarm() -> None:
    """A push may come before its fill or after it."""
    trial = Trial().anchored()
    trial.filled("1")
    trial.cross_check.pushed(push("1", wallet="99.9"))
    assert trial.wait() == 0
    trial.cross_check.pushed(push("3", wallet="99.8"))
    trial.filled("2")
    assert trial.wait() == 0


def test_a_push_that_does_not_come_true_is_an_alarm() -> None:
    """A position, or a wallet alone, that no delivered fill explains raises an alarm."""
    trial = Trial().anchored()
    trial.cross_check.pushed(push("1"))
    assert trial.wait(0.2) == 0
    assert trial.wait(0.2) == 1
    other = Trial().anchored()
    other.cross_check.pushed(push("0", wallet="99.9"))
    assert other.wait() == 1


def test_later_pushes_do_not_put_the_alarm_off() -> None:
    """The alarm counts from the first push that shows the lost fill, even if pushes go on for ever."""
    trial = Trial().anchored()
    for step in range(1, 4):  # a fill of 1 was lost: the projection is always one behind
        trial.filled(str(2 * step), fill_qty=D(2))
        trial.cross_check.pushed(push(str(2 * step + 1), ts=T0 + 9000 + step))
        trial.wait(0.1)
    assert trial.alarms == 1


def test_a_netted_position_has_a_sign() -> None:
    """In one-way mode a short is negative, and the position has no side."""
    trial = Trial().anchored(one_way=True)
    trial.filled("1", side="SELL", position_side=None)
    trial.cross_check.pushed(push("1", side="SHORT", one_way=True))
    assert trial.wait() == 0


def test_pushes_that_bear_no_witness() -> None:
    """A push proves nothing before a settled read, without a time, or if it is older than the last read or push."""
    early = Trial()
    early.cross_check.pushed(push("9"))
    assert early.wait() == 0
    trial = Trial().anchored()
    for ts in (None, T0, T0 + 200):
        trial.cross_check.pushed(push("9", ts=ts))
    trial.cross_check.pushed(push("0", ts=T0 + 9000, balances=(Balance(asset="USDT", wallet_balance=None),)))
    trial.cross_check.pushed(push("9", ts=T0 + 8000))
    assert trial.wait() == 0


def test_money_that_is_not_of_fills_moves_the_wallet() -> None:
    """A transfer or funding sets the wallet to the pushed balance; after a fill of unknown cost it is not compared."""
    trial = Trial().anchored()
    trial.cross_check.pushed(push("0", wallet="150", reason="DEPOSIT", by_fill=False))
    trial.filled("1")
    trial.cross_check.pushed(push("1", wallet="149.9", ts=T0 + 9001))
    assert trial.wait() == 0
    unsaid = (Balance(asset="USDT", wallet_balance=None, change=D(9)),)
    trial.cross_check.pushed(push("1", balances=unsaid, ts=T0 + 9001, reason="DEPOSIT", by_fill=False))
    trial.filled("2", fee=None)
    trial.cross_check.pushed(push("3", wallet="7", ts=T0 + 9002))
    assert trial.wait() == 0


@pytest.mark.parametrize("change", ["50", "0", None])
def test_money_moves_beside_fills(change: str | None) -> None:
    """A fill is delivered before the push of a transfer that the venue made earlier: the wallet moves by both amounts.

    The transfer's amount is its change or, if the push gives none, the difference to the push before.
    """
    trial = Trial().anchored()
    trial.cross_check.pushed(push("0", wallet="100"))
    trial.filled("1")
    moved = (Balance(asset="USDT", wallet_balance=D(150), change=None if change is None else D(change)),)
    trial.cross_check.pushed(push("0", balances=moved, positions=(), ts=T0 + 9001, reason="DEPOSIT", by_fill=False))
    trial.cross_check.pushed(push("1", wallet="149.9", ts=T0 + 9002))
    assert trial.wait() == 0
    trial.cross_check.pushed(push("1", wallet="149.8", ts=T0 + 9003))
    assert trial.wait() == 1


def test_fruitless_alarms_grow_rare() -> None:
    """Wallets need not be the sum of frames: after an alarm that led to nothing, the next one waits longer."""
    trial = Trial().anchored()
    for step in range(60):
        before = trial.alarms
        trial.cross_check.pushed(push("9", ts=T0 + 9000 + step))
        if trial.wait(1.0) > before:
            trial.cross_check.read(whole(), 0, False)
    assert 2 <= trial.alarms <= 5
    trial.cross_check.read(whole(), 1, False)
    trial.cross_check.pushed(push("9", ts=T0 + 9900))
    before = trial.alarms
    assert trial.wait(1.0) == before + 1


def test_one_alarm_until_a_read_has_answered() -> None:
    """While the account is being read, no second alarm is raised."""
    trial = Trial().anchored()
    for step in range(5):
        trial.cross_check.pushed(push("9", ts=T0 + 9000 + step))
        trial.wait()
    assert trial.alarms == 1


@pytest.mark.parametrize(
    ("delivered_ts", "moved", "flat"),
    [(T0, "0", True), (T0, "-3", True), (T0, "-2", False), (T0 + 9000, "0", False), (T0 + 9000, "-3", True)],
)
def test_before_a_settled_read_the_last_fills_explain_the_position(delivered_ts: int, moved: str, flat: bool) -> None:
    """3 are held, and 1 and 2 were sold: fills after the delivered position, or still to come, make it flat."""
    trial = Trial()
    for end in ("7", "1", "2"):
        trial.filled(end, side="SELL", position_side="LONG")
    held = Position(symbol="X", side="LONG", qty=D(3))
    assert trial.cross_check.is_flat(held, {("X", "LONG"): D(moved)}, delivered_ts) is flat
