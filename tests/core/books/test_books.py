"""The books of a connection: which events reach the ledger, and when it is compared with the balances."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from listenkey.core import inputs
from listenkey.core.book import Book, Reconciliation
from listenkey.core.connection import Connection
from listenkey.core.events import BalanceChange, FundingFee

from ..exchange import D
from ..toy import Toy
from ..trading import Plan, TradingWorld, ready, trading
from ..world import EPOCH


def book(world: TradingWorld) -> Book:
    (only,) = world.connection.books
    return only


def wallet(world: TradingWorld) -> Decimal:
    return world.exchange.wallets[-1][1]


def silent(**policy: float) -> TradingWorld:
    """A live stream whose exchange pushes only orders."""
    world = ready("l", **policy)
    world.exchange.pushes_account = False
    return world


def test_a_frame_moves_the_books_at_once() -> None:
    """An event is booked when it is delivered; the books wait for no read."""
    world = silent()
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.passes(0.1)
    assert (book(world).opening, book(world).fees) == (D(1000), D("0.1"))
    assert book(world).k_capital == wallet(world)


def test_funding_moves_the_books_at_once_and_its_row_takes_its_place() -> None:
    """Funding from an account push is booked until the list of income has its row; then the row alone is booked."""
    world = ready()
    world.exchange.fund("-1.5")
    world.passes(0.1)
    assert (book(world).funding, book(world).transfers, book(world).k_capital) == (D("-1.5"), D(0), D("998.5"))
    world.feed(inputs.Resync())
    world.passes(1)
    delivered = [event.provisional for event in world.events(FundingFee)]
    assert delivered == [True, False]
    assert (book(world).funding, book(world).k_capital) == (D("-1.5"), wallet(world))
    assert book(world).status is Reconciliation.MATCHED


def test_what_was_paid_before_the_stream_began_is_part_of_the_opening() -> None:
    """The first read's window begins a little before the books; rows from that time are part of the opening balance."""
    world = trading(start=False)
    order = world.exchange.place("9")
    world.run(19.5)
    world.exchange.fill(order, "2")
    world.run(20)
    world.feed(inputs.Start())
    world.passes(8)
    assert (book(world).opening, book(world).fees) == (D("999.9"), D(0))


def test_books_are_unproven_while_a_gap_is_open() -> None:
    """The books are matched again once a read has closed the gap."""
    world = silent()
    order = world.exchange.place("9")
    world.passes(1)
    assert book(world).status is Reconciliation.MATCHED
    world.drop_all()
    world.exchange.fill(order, "2")
    assert book(world).status is Reconciliation.UNPROVEN
    world.passes(20)
    assert book(world).status is Reconciliation.MATCHED
    assert book(world).k_capital == wallet(world) == D("999.9")


def test_balances_of_a_read_during_which_something_moved_are_compared_with_nothing() -> None:
    """The opening balance comes from the first settled read, even if other reads pass before it."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.run(20)
    world.exchange.plan = Plan(takes=1)
    world.feed(inputs.Start())
    world.run(20.9)
    world.exchange.fill(order, "2")
    world.run(24)
    assert world.connection.proven_until is not None
    assert [known.opening for known in world.connection.books] in ([], [None])
    world.passes(20)
    assert (book(world).opening, book(world).k_capital) == (D(1000), wallet(world))
    assert book(world).status is Reconciliation.MATCHED


def test_balances_that_have_a_fill_which_was_not_delivered_yet_are_compared_with_nothing() -> None:
    """Balances are not compared while an audit has seen a fill whose frame is still on its way."""
    world = silent(audit_interval=20)
    order = world.exchange.place("9")
    world.run(26.3)
    world.exchange.delay(3.0)
    world.exchange.fill(order, "2")
    world.run(27)
    assert world.fills() == []
    assert world.connection.proven_until == EPOCH + 26_370 - 5000
    assert book(world).status is Reconciliation.MATCHED
    world.passes(30)
    assert book(world).status is Reconciliation.MATCHED
    assert book(world).k_capital == wallet(world)


def test_balances_that_may_have_money_which_no_list_shows_yet_are_compared_with_nothing() -> None:
    """Balances are not compared if a push during the read moved money that the list of income does not show yet."""
    world = ready()
    world.exchange.plan = Plan(takes=1, lag=4000)
    world.feed(inputs.Resync())
    world.passes(0.3)
    world.exchange.transfer("7")
    world.passes(1)
    assert book(world).transfers == D(0)
    assert book(world).status is Reconciliation.MATCHED
    world.exchange.plan = Plan()
    world.passes(20)
    assert (book(world).transfers, book(world).k_capital) == (D(7), D(1007))
    assert book(world).status is Reconciliation.MATCHED


@pytest.mark.parametrize(
    ("proven", "ts", "booked"),
    [
        pytest.param(5500, 4999, False, id="from before what is proven: part of the opening"),
        pytest.param(5500, 5000, True, id="of the same second: lists of income know only whole ones"),
        pytest.param(5500, 5499, True, id="of the same second, later"),
        pytest.param(5500, 5501, True, id="since then"),
        pytest.param(5500, None, False, id="of an unknown time"),
        pytest.param(None, 1999, False, id="never proven: from before the beginning"),
        pytest.param(None, 2000, True, id="never proven: of the second of the beginning"),
    ],
)
def test_books_of_a_resumed_run_begin_where_the_run_before_was_proven(
    proven: int | None, ts: int | None, booked: bool
) -> None:
    """Later events are booked again; earlier ones are in the balance with which the first read opens the books."""
    world = ready()
    world.exchange.transfer("5")
    world.feed(inputs.Resync())
    world.passes(1)
    (delivered,) = world.events(BalanceChange)
    start = EPOCH // 1000 * 1000
    event = msgspec.structs.replace(delivered, exchange_ts=None if ts is None else start + ts)
    until = None if proven is None else start + proven
    connection = Connection(Toy())
    connection.handle(inputs.Start(inputs.Checkpoint(start + 2500, until, (event,))), now=0.0)
    assert [known.transfers for known in connection.books] == ([D(5)] if booked else [])


def test_what_was_paid_before_the_books_of_a_resumed_run_begin_is_part_of_their_opening() -> None:
    """The first window after a restart begins before the books; rows from that time are part of the opening balance."""
    world = silent()
    order = world.exchange.place("9")
    world.run(10.5)
    world.exchange.fill(order, "2")
    world.run(16)
    world.feed(inputs.Resync())
    world.passes(1)
    assert world.connection.proven_until == EPOCH + 11_020
    world.restart()
    world.passes(20)
    assert (book(world).opening, book(world).fees) == (D("999.9"), D(0))
    assert book(world).status is Reconciliation.MATCHED


def test_books_after_a_restart_explain_the_balance() -> None:
    """Events delivered before the process was killed, and those missed, are each booked once."""
    world = ready()
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.exchange.transfer("5")
    world.exchange.fund("-1")
    world.passes(130)
    world.exchange.fill(order, "2")
    world.passes(0.1)
    world.restart()
    world.exchange.fill(order, "2")
    world.passes(30)
    assert book(world).status is Reconciliation.MATCHED
    assert book(world).k_capital == wallet(world)
