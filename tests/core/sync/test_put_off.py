"""Less urgent reads are put off when a limit is short: that is no failure, and it is reported."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import Balance, FundingFee
from listenkey.core.kinds import Purpose
from listenkey.core.policy import Policy
from listenkey.core.refusal import PUT_OFF, Refusal, RefusalKind
from listenkey.core.reports import Account, AccountReport

from ..scripted import NEVER, YES, Answer, ScriptedWorld, connected, no, scripted
from ..toy import Toy
from ..trading import trading
from ..world import EPOCH, RETRY


def later(wait: float | None) -> Answer:
    return no(Refusal(RefusalKind.RETRY, PUT_OFF, "others go first", wait))


def purposes(world: ScriptedWorld) -> list[Purpose]:
    return [read.purpose for read in world.seen(actions.ReadAccount)]


def test_a_read_says_how_urgent_it_is() -> None:
    """A read to recover is `SYNC`, one beside a link `AUDIT`, one without a link `POLL`, which is the least urgent."""
    world = connected(200)
    assert purposes(world) == [Purpose.SYNC, Purpose.AUDIT, Purpose.AUDIT]
    world.exchange.dials.extend([NEVER] * 3)
    world.drop()
    world.run(209)
    assert purposes(world)[3:] == [Purpose.POLL]


def test_an_audit_that_is_put_off() -> None:
    """It comes when the limits allow it; nothing counts as failed meanwhile, and each delay is reported."""
    world = connected(10)
    world.exchange.reads.extend([later(500), later(400), YES])
    world.run(1100)
    asked = world.times(actions.ReadAccount)
    before = [at for at in asked if at > 100]
    assert [round(after - at) for at, after in pairwise(before)][:2] == [500, 400]
    assert world.gaps == []
    assert world.healths == ["LIVE"]
    assert world.anomalies == ["read put off"] * 2


def test_a_failure_after_it_was_put_off() -> None:
    """If it fails afterwards, a gap opens after two intervals, which are longer by the time it was put off."""
    world = connected(10)
    world.exchange.reads.extend([later(500), *[no(RETRY)] * 40])
    world.run(1600)
    passed = max(at for at in world.times(inputs.AccountRead) if at < 20)
    delivered = [(now, thing.event.kind) for now, thing in world.log if isinstance(thing, actions.Deliver)]
    opened = [round(now, 6) for now, kind in delivered if kind == "GAP_OPENED"]
    assert opened == [pytest.approx(passed + 2 * (120 + 500))]
    assert world.gaps == [("GAP_OPENED", "read_failed")]


def test_what_is_urgent_does_not_wait() -> None:
    """A read to recover that was asked for during an audit is made at once when that audit is put off."""
    world = connected(10)
    world.exchange.reads.append(NEVER)
    world.run(130)
    (audit,) = world.seen(actions.ReadAccount)[2:]
    world.feed(inputs.Resync())
    world.feed(audit.refused(Refusal(RefusalKind.RETRY, PUT_OFF, "others go first", 1000.0)))
    assert purposes(world)[-1] is Purpose.SYNC
    assert world.anomalies == ["read put off"]


@pytest.mark.parametrize("wait", [None, 30.0])
def test_what_recovers_is_never_put_off(wait: float | None) -> None:
    """If a read to recover is refused as put off, that counts as a failure."""
    world = scripted()
    world.exchange.reads.extend([later(wait), YES])
    world.run(60)
    assert world.gaps[0] == ("GAP_OPENED", "read_failed")
    assert world.gaps[-1] == ("GAP_CLOSED", "read_failed")


def test_a_time_that_is_not_named() -> None:
    """If a read is put off and no time is named, that is a failure like any other."""
    world = connected(10)
    world.exchange.reads.extend([later(None), YES])
    world.run(150)
    assert world.anomalies == []
    assert world.count(inputs.Refused) == 1


def test_polls_that_are_put_off() -> None:
    """With polls only, the last poll may be older by the time the next was put off, and no more."""
    world = PollingLife()
    world.until(6)
    world.refuse(later(40))
    world.until(44)
    assert world.connection.health == "LIVE"
    assert [read.purpose for read in world.asked] == [Purpose.POLL] * len(world.asked)
    asked = len(world.asked)
    world.until(51)
    assert len(world.asked) > asked
    world.silent = True
    world.until(120)
    assert world.connection.health == "BLIND"


def test_a_stale_poll_does_not_become_fresh() -> None:
    """If the last poll is too old, a poll that is put off does not make health LIVE."""
    world = PollingLife()
    world.silent = True
    world.until(65)
    assert world.connection.health == "BLIND"
    world.silent = False
    world.refuse(later(40))
    world.until(80)
    assert world.connection.health == "BLIND"


class PollingLife:
    """A connection that polls; its reads pass at once unless another answer is given."""

    def __init__(self) -> None:
        self.connection = Connection(Toy(), Policy(), mode="poll")
        self.now = 0.0
        self.silent = False
        self.asked: list[actions.ReadAccount] = []
        self._answers: list[Answer] = []
        self._take(inputs.Start())

    def refuse(self, answer: Answer) -> None:
        self._answers.append(answer)

    def until(self, when: float) -> None:
        while self.connection.deadline <= when:
            self.now = self.connection.deadline
            self._take(inputs.Tick())
        self.now = when

    def _take(self, received: inputs.Input) -> None:
        for action in self.connection.handle(received, now=self.now):
            if isinstance(action, actions.ReadAccount):
                self.asked.append(action)
                if self._answers:
                    refusal = self._answers.pop().refusal
                    assert refusal is not None
                    self._take(action.refused(refusal))
                elif not self.silent:
                    at = EPOCH + int(self.now * 1000)
                    account = Account(as_of=at, exchange_ms=at, since=action.since, whole=True, settled=True)
                    self._take(action.read(account))


def test_funding_that_names_its_symbol() -> None:
    """A funding push without a position, as for cross margin, may name its symbol: the fee has it."""
    world = trading(silent=True).run(8)
    balance = Balance(asset="USDT", wallet_balance=Decimal(1000), change=Decimal("-0.5"))
    world.exchange.say(AccountReport(reason="paid", balances=(balance,), positions=(), funding=True, symbol="ETH-USDT"))
    world.passes(0.1)
    (fee,) = world.events(FundingFee)
    assert (fee.symbol, fee.amount, fee.provisional) == ("ETH-USDT", Decimal("-0.5"), True)
