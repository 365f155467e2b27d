"""A restart with a journal: nothing is delivered twice, and nothing is lost."""

from __future__ import annotations

from listenkey.core import actions, inputs
from listenkey.core.book import Reconciliation
from listenkey.core.events import BalanceChange, FundingFee, Health

from ..exchange import D
from ..trading import REFUSED, UNANSWERED, Plan, ready, trading


def test_a_restart_goes_on_where_the_run_before_ended() -> None:
    """A gap `start` lasts until the first read; open orders, holes and ends are recalled, and nothing comes twice."""
    world = ready()
    running, holed = world.exchange.place("9"), world.exchange.place("9")
    gone = world.exchange.place("1", price=None)
    world.exchange.fill(running, "2")
    world.exchange.fill(gone, "1")
    world.exchange.transfer("5")
    world.exchange.fund("-1")
    world.passes(130)
    world.exchange.plan = UNANSWERED
    world.exchange.lose()
    world.exchange.fill(holed, "1")
    world.passes(0.1)
    world.exchange.fill(holed, "2")
    world.passes(5)
    assert world.intervals(holed) == [("1", "3", "ws")]
    world.exchange.reachable = False
    world.restart()
    restarted = world.now
    world.exchange.fill(running, "3", "101")
    world.exchange.cancel(running)
    new = world.exchange.place("5", price=None)
    world.exchange.fill(new, "5")
    world.passes(3)
    world.exchange.reachable = True
    world.exchange.plan = Plan()
    world.passes(40)
    assert world.summary(restarted) == [
        "GAP_OPENED start",
        f"PARTIAL_FILL {holed} 1 poll",
        f"PARTIAL_FILL {running} 5 poll",
        f"FULL_FILL {new} 5 poll",
        f"CANCEL_ACK {running} 5 poll",
        "GAP_CLOSED start 3",
    ]
    assert world.health is Health.LIVE
    world.restart()
    world.passes(40)
    assert world.summary()[-2:] == ["GAP_OPENED start", "GAP_CLOSED start 0"]


def test_a_fee_that_was_final_before_a_restart_is_replaced_by_no_other() -> None:
    """A later fee of the same amount replaces its own push, and the books agree."""
    world = ready()
    world.exchange.fund("-1")
    world.passes(130)
    world.restart()
    world.passes(60)
    world.exchange.fund("-1")
    world.passes(130)
    fees = [event for event in world.delivered if isinstance(event, FundingFee)]
    assert [fee.provisional for fee in fees] == [True, False, True, False]
    assert [fee.replaces for fee in fees] == [None, fees[0].event_id, None, fees[2].event_id]
    (book,) = world.connection.books
    assert (book.funding, book.status) == (D(-1), Reconciliation.MATCHED)


def test_a_restart_before_any_read_had_passed_still_knows_where_the_stream_began() -> None:
    """Fills since the first key of the run before are due; those that it delivered are not delivered again."""
    world = trading(start=False, wire="z")
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.run(20)
    world.exchange.plan = REFUSED
    world.feed(inputs.Start())
    world.passes(1)
    new = world.exchange.place("9")
    world.exchange.fill(new, "1")
    world.exchange.fill(running, "1")
    world.passes(5)
    world.restart()
    world.passes(1)
    world.exchange.plan = Plan()
    world.passes(40)
    assert [interval[:2] for interval in world.intervals(running)] == [("0", "1")]
    assert [interval[:2] for interval in world.intervals(new)] == [("0", "1")]
    assert world.health is Health.LIVE


def test_an_order_that_began_in_the_middle_goes_on_from_there_after_a_restart() -> None:
    """Orders whose coverage began with a fill, or while they ran, keep it after a restart."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.exchange.fill(running, "3")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(1)
    met = world.exchange.place("9", price=None)
    for order in (running, met):
        world.exchange.fill(order, "1")
        world.exchange.fill(order, "2")
    world.passes(0.1)
    world.restart()
    for order in (running, met):
        world.exchange.fill(order, "1")
    world.passes(20)
    assert [interval[:2] for interval in world.intervals(running)] == [("3", "4"), ("4", "6"), ("6", "7")]
    assert [interval[:2] for interval in world.intervals(met)] == [("0", "1"), ("1", "3"), ("3", "4")]
    assert world.health is Health.LIVE
    reads = len(world.times(actions.ReadAccount))
    world.restart()
    world.passes(5)
    assert len(world.times(actions.ReadAccount)) == reads + 1


def test_a_restart_reads_from_where_the_run_before_was_proven() -> None:
    """The first read begins at `proven_until`, not at the beginning; until it has passed nothing more is proven."""
    world = ready()
    world.passes(130)
    proven = world.connection.proven_until
    assert proven is not None
    world.exchange.plan = UNANSWERED
    world.restart()
    assert world.connection.proven_until == proven
    world.passes(1)
    assert world.seen(actions.ReadAccount)[-1].since == proven - 1000


def test_an_order_that_is_met_after_a_restart_is_new() -> None:
    """The journal has all earlier orders, so an order that is not in it begins at 0, even before the first read."""
    world = ready("z")
    world.passes(130)
    world.exchange.plan = UNANSWERED
    world.restart()
    world.passes(1)
    order = world.exchange.place("9", price=None)
    world.exchange.fill(order, "2")
    world.passes(5)
    assert world.intervals(order) == [("0", "2", "ws")]


def test_a_transfer_that_was_delivered_is_not_delivered_again_after_a_restart() -> None:
    """The first window contains the transfer, whose id the journal recalls."""
    world = ready()
    world.exchange.transfer("5")
    world.feed(inputs.Resync())
    world.passes(1)
    world.restart()
    world.passes(30)
    assert [event.amount for event in world.events(BalanceChange)] == [5]
