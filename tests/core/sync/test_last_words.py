"""The last delivered values of the account are true, whichever link or read brought them, and in any order."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.book import Reconciliation
from listenkey.core.events import AccountUpdate, Balance, Position
from listenkey.core.reports import AccountReport
from listenkey.core.timers import Timer

from ..exchange import D
from ..speech import Speech, frame
from ..trading import TradingWorld, ready, trading


def report(
    world: TradingWorld, wallet: str | Decimal, *, ago: int = 0, snapshot: bool = False, qty: str = ""
) -> AccountReport:
    """A push dated so many ms ago."""
    positions = (Position(symbol="BTC-USDT", side="LONG" if D(qty) else None, qty=D(qty)),) if qty else ()
    return AccountReport(
        reason=None if snapshot else "ORDER",
        balances=(Balance(asset="USDT", wallet_balance=D(wallet)),),
        positions=positions,
        by_fill=not snapshot,
        snapshot=snapshot,
        one_way=True,
        exchange_ts=world.exchange_ms - ago,
    )


def last_wallet(world: TradingWorld) -> Decimal | None:
    return [row for event in world.events(AccountUpdate) for row in event.balances][-1].wallet_balance


def last_position(world: TradingWorld) -> Decimal:
    qty = D(0)
    for event in world.delivered:
        if isinstance(event, AccountUpdate):
            qty = D(0) if event.complete else qty
            qty = next((row.qty for row in event.positions), qty)
    return qty


def matched(world: TradingWorld) -> list[str]:
    """The assets whose books are matched."""
    return [book.asset for book in world.connection.books if book.status is Reconciliation.MATCHED]


def rotated(world: TradingWorld) -> tuple[int, int]:
    """Rotate; return the sockets of the leader and of its successor, both open."""
    before = set(world.open)
    world.feed(inputs.Rotate())
    world.passes(0.101)
    (leader,), (successor,) = before, set(world.open) - before
    return leader, successor


def test_the_opening_snapshot_of_a_successor_may_be_older_than_what_was_pushed() -> None:
    """The snapshot was made before a fill and comes after its push: the push stays, also after the next audits."""
    world = ready()
    order = world.exchange.place("9")
    world.exchange.fill(order, "1")
    world.passes(1)
    _, successor = rotated(world)
    stale = frame(report(world, world.exchange.wallets[-1][1], snapshot=True, qty="1"))
    world.passes(0.01)
    world.exchange.fill(order, "2")
    world.passes(0.02)
    world.feed(inputs.FrameReceived(successor, stale))
    for _ in range(30):
        world.passes(0.1)
        assert (last_wallet(world), last_position(world)) == (world.exchange.wallets[-1][1], D(3))
    world.passes(300)
    assert (last_wallet(world), last_position(world)) == (world.exchange.wallets[-1][1], D(3))
    assert world.gaps == []


def test_a_push_out_of_order_is_delivered_no_more() -> None:
    """On one socket the venue sends the older push after the newer one: the older is dropped."""
    world = ready()
    order = world.exchange.place("9")
    world.exchange.delay(0.01)  # the first fill
    world.exchange.fates[world.exchange.pushed + 1] = (0.5,)  # its account push, after that of the second
    world.exchange.fill(order, "1")
    world.passes(0.1)
    world.exchange.fill(order, "2")
    world.passes(1)
    assert last_position(world) == D(3)
    assert last_wallet(world) == world.exchange.wallets[-1][1]


def test_a_push_that_names_no_time_is_as_new_as_its_arrival_though_it_was_held() -> None:
    """A successor's copy that came before a dated push of the leader is held, and does not replace that push."""
    world = ready()
    world.exchange.transfer("5")
    world.passes(60)
    leader, successor = rotated(world)
    untimed = msgspec.structs.replace(report(world, "1000"), exchange_ts=None)
    world.feed(inputs.FrameReceived(successor, frame(untimed)))
    world.passes(0.01)
    world.feed(inputs.FrameReceived(leader, frame(report(world, "1005"))))
    world.passes(1.5)
    assert last_wallet(world) == D(1005)
    world.feed(inputs.FrameReceived(next(iter(world.open)), frame(untimed)))
    world.passes(1.5)
    assert last_wallet(world) == D(1000)


def test_a_wrong_word_that_was_delivered_is_corrected_by_the_next_read() -> None:
    """The read corrects it even if it equals the read before the wrong push."""
    world = ready()
    world.exchange.transfer("5")
    world.passes(8)
    world.feed(inputs.Resync())
    world.passes(20)
    (socket,) = world.open
    world.feed(inputs.FrameReceived(socket, frame(report(world, "1000"))))
    assert last_wallet(world) == D(1000)
    world.passes(120)
    assert last_wallet(world) == D(1005)


def test_two_links_that_say_different_things_of_one_moment_cause_an_audit() -> None:
    """The first value stays until the audit has passed; the same value from both links causes no audit."""
    world = ready()
    world.exchange.transfer("5")
    world.passes(60)
    leader, successor = rotated(world)
    at = world.exchange_ms
    for socket, wallet in ((leader, "1005"), (successor, "1000")):
        word = report(world, wallet, ago=world.exchange_ms - at)
        world.feed(inputs.FrameReceived(socket, frame(word)))
    world.passes(1.5)
    assert last_wallet(world) == D(1005)
    reads = len(world.times(actions.ReadAccount))
    world.passes(7)
    assert len(world.times(actions.ReadAccount)) == reads + 1
    assert world.gaps == []


def test_a_word_within_the_grain_of_a_read_that_says_otherwise_is_audited_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The push counts as newer, although the read may be: another read follows soon and decides."""
    monkeypatch.setattr(Speech, "time_grain_ms", 1000)
    world = ready()
    world.exchange.transfer("5")
    due = world.connection._context.timers._deadlines[(Timer.AUDIT, 0)]
    world.run(due - 0.01)
    (socket,) = world.open
    world.feed(inputs.FrameReceived(socket, frame(report(world, "1000"))))
    world.run(due + 1)
    assert last_wallet(world) == D(1000)
    world.passes(7)
    assert last_wallet(world) == D(1005)
    assert world.gaps == []


def test_a_read_that_a_push_overtook_settles_no_books() -> None:
    """The account is delivered at once, with the push in it; the books are matched only by the next read."""
    world = trading(hold_limit=0, reorder_window=0)
    world.run(0.19)
    assert len(world.times(actions.ReadAccount)) == 1
    (socket,) = world.open
    world.feed(inputs.FrameReceived(socket, frame(report(world, "1000"))))
    world.run(1)
    assert any(event.complete for event in world.events(AccountUpdate))
    assert matched(world) == []
    world.run(10)
    assert matched(world) == ["USDT"]


def contradict(world: TradingWorld) -> None:
    """Rotate, and let the successor push another balance of the same moment than the leader."""
    leader, successor = rotated(world)
    at = world.exchange_ms
    for socket, wallet in ((leader, "1005"), (successor, "1000")):
        word = report(world, wallet, ago=world.exchange_ms - at)
        world.feed(inputs.FrameReceived(socket, frame(word)))


@pytest.mark.parametrize("audit_interval", [0, 3, 120])
def test_one_read_follows_a_dispute_though_there_be_no_audits(audit_interval: float) -> None:
    """The value delivered first may be the wrong one: a read decides, and no second read follows."""
    world = ready(audit_interval=audit_interval)
    world.exchange.transfer("5")
    world.passes(60)
    contradict(world)
    world.passes(1.5)
    reads = len(world.times(actions.ReadAccount))
    world.passes(7)
    assert len(world.times(actions.ReadAccount)) > reads
    if not audit_interval:
        world.passes(300)
        assert len(world.times(actions.ReadAccount)) == reads + 1
    assert last_wallet(world) == D(1005)
    assert world.gaps == []


@pytest.mark.parametrize("audit_interval", [0, 120])
def test_a_steady_flow_of_disputes_does_not_put_the_read_off(audit_interval: float) -> None:
    """The read follows the first dispute in time, even if other reads pass in between."""
    world = ready(audit_interval=audit_interval)
    world.exchange.transfer("5")
    world.passes(60)
    rotated(world)
    leader, successor = world.open
    reads = world.times(actions.ReadAccount)
    for _ in range(30):
        at = world.exchange_ms
        for socket, wallet in ((leader, "1005"), (successor, "1000")):
            if socket in world.open:
                word = report(world, wallet, ago=world.exchange_ms - at)
                world.feed(inputs.FrameReceived(socket, frame(word)))
        world.passes(0.5)
    later = world.times(actions.ReadAccount)[len(reads) :]
    assert later
    assert later[0] - (world.now - 15) < 6.5 + world.connection.policy.reorder_window


@pytest.mark.parametrize("audit_interval", [0, 120])
def test_a_dispute_within_the_grain_of_a_read_has_one_more_read(
    monkeypatch: pytest.MonkeyPatch, audit_interval: float
) -> None:
    """The push stays, and without audits too the next read decides."""
    monkeypatch.setattr(Speech, "time_grain_ms", 1000)
    world = ready(audit_interval=audit_interval)
    world.exchange.transfer("5")
    world.passes(20.4)
    (socket,) = world.open
    world.feed(inputs.FrameReceived(socket, frame(report(world, "1000"))))
    world.feed(inputs.Resync())
    world.passes(1)
    assert last_wallet(world) == D(1000)
    world.passes(8)
    assert last_wallet(world) == D(1005)
    assert world.gaps == []
