"""Where a limit is short, what is less urgent is read later: that is no failure, and it is said."""

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

from ..script import EPOCH, NEVER, RETRY, YES, Answer, Life, connected, no
from ..toy import Toy
from ..world import World


def later(wait: float | None) -> Answer:
    return no(Refusal(RefusalKind.RETRY, PUT_OFF, "others go first", wait))


def purposes(life: Life) -> list[Purpose]:
    return [read.purpose for read in life.seen(actions.ReadAccount)]


def test_a_read_says_how_urgent_it_is() -> None:
    """What recovers before what looks after, and that before what bridges the time without a link."""
    life = connected(200)
    assert purposes(life) == [Purpose.SYNC, Purpose.AUDIT, Purpose.AUDIT]
    life.dials.extend([NEVER] * 3)
    life.drop()
    life.run(209)
    assert purposes(life)[3:] == [Purpose.POLL]


def test_an_audit_that_is_put_off() -> None:
    """Comes when it is let in; however long that takes, nothing has failed, and the operator is told each time."""
    life = connected(10)
    life.reads.extend([later(500), later(400), YES])
    life.run(1100)
    asked = life.times(actions.ReadAccount)
    before = [at for at in asked if at > 100]
    assert [round(after - at) for at, after in pairwise(before)][:2] == [500, 400]
    assert life.gaps == []
    assert life.healths == ["LIVE"]
    assert life.anomalies == ["read put off"] * 2


def test_a_failure_after_it_was_put_off() -> None:
    """Is news after two intervals, which are longer by as much."""
    life = connected(10)
    life.reads.extend([later(500), *[no(RETRY)] * 40])
    life.run(1600)
    passed = max(at for at in life.times(inputs.AccountRead) if at < 20)
    told = [(now, thing.event.kind) for now, thing in life.log if isinstance(thing, actions.Deliver)]
    opened = [round(now, 6) for now, kind in told if kind == "GAP_OPENED"]
    assert opened == [pytest.approx(passed + 2 * (120 + 500))]
    assert life.gaps == [("GAP_OPENED", "read_failed")]


def test_what_is_urgent_does_not_wait() -> None:
    """Wanted while an audit is under way that is then put off, it is read at once."""
    life = connected(10)
    life.reads.append(NEVER)
    life.run(130)
    (audit,) = life.seen(actions.ReadAccount)[2:]
    life.play(inputs.Resync())
    life.play(audit.refused(Refusal(RefusalKind.RETRY, PUT_OFF, "others go first", 1000.0)))
    assert purposes(life)[-1] is Purpose.SYNC
    assert life.anomalies == ["read put off"]


@pytest.mark.parametrize("wait", [None, 30.0])
def test_what_recovers_is_never_put_off(wait: float | None) -> None:
    """Whoever refuses it so has failed it."""
    life = Life()
    life.reads.extend([later(wait), YES])
    life.run(60)
    assert life.gaps[0] == ("GAP_OPENED", "read_failed")
    assert life.gaps[-1] == ("GAP_CLOSED", "read_failed")


def test_a_time_that_is_not_named() -> None:
    """Is a failure like any other."""
    life = connected(10)
    life.reads.extend([later(None), YES])
    life.run(150)
    assert life.anomalies == []
    assert life.count(inputs.Refused) == 1


def test_polls_that_are_put_off() -> None:
    """Where there are only polls, the last one may be older by as much, and no longer."""
    life = PollingLife()
    life.until(6)
    life.refuse(later(40))
    life.until(44)
    assert life.connection.health == "LIVE"
    assert [read.purpose for read in life.asked] == [Purpose.POLL] * len(life.asked)
    asked = len(life.asked)
    life.until(51)
    assert len(life.asked) > asked
    life.silent = True
    life.until(120)
    assert life.connection.health == "BLIND"


def test_a_stale_poll_does_not_become_fresh() -> None:
    """Being put off makes nothing LIVE."""
    life = PollingLife()
    life.silent = True
    life.until(65)
    assert life.connection.health == "BLIND"
    life.silent = False
    life.refuse(later(40))
    life.until(80)
    assert life.connection.health == "BLIND"


class PollingLife:
    """A connection that polls, whose reads pass at once, unless told otherwise."""

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
    """Where the push has no position, as where funding of the cross margin is paid, but says what it was for."""
    world = World(silent=True).run(8)
    balance = Balance(asset="USDT", wallet_balance=Decimal(1000), change=Decimal("-0.5"))
    world.say(AccountReport(reason="paid", balances=(balance,), positions=(), funding=True, symbol="ETH-USDT"))
    world.passes(0.1)
    (fee,) = [event for event in world.delivered if isinstance(event, FundingFee)]
    assert (fee.symbol, fee.amount, fee.provisional) == ("ETH-USDT", Decimal("-0.5"), True)
