"""Rows that cannot be read: what they concern is set aside, all else goes on, and in time they are written off."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.events import AccountUpdate, GapNotice, Health, Position
from listenkey.core.reports import Account, OddRow, OrderRef, OrderReport, Unrecognised

from ..exchange import D
from ..trading import TradingWorld, ready, trading

ZERO = D(0)


def fill_row(order: str | None, *, symbol: str | None = "BTC-USDT", qty: str | None = None) -> OddRow:
    return OddRow(
        kind="fill",
        endpoint="fills",
        excerpt=f"qty={qty}",
        symbol=symbol,
        order_id=order,
        qty=None if qty is None else D(qty),
    )


def beside(*rows: OddRow, hide: str | None = None) -> Callable[[Account], Account]:
    """Add these rows to answers, and hide all fills of the order `hide`, if one is named."""

    def alter(account: Account) -> Account:
        fills = tuple(row for row in account.fills if row.order_id != hide)
        return msgspec.structs.replace(account, odd=rows, fills=fills)

    return alter


def unread(world: TradingWorld, order: str, **changes: Any) -> Callable[[Account], Account]:
    """Make the executed quantity in the order's row unreadable."""

    def alter(account: Account) -> Account:
        report = msgspec.structs.replace(world.exchange.report(order), cumulative_qty=ZERO, **changes)
        row = OddRow(
            kind="order", endpoint="orders", excerpt="executed=''", symbol="BTC-USDT", order_id=order, order=report
        )
        orders = tuple(report for report in account.orders if report.order_id != order)
        if len(orders) == len(account.orders):
            return account
        return msgspec.structs.replace(account, orders=orders, odd=(row,))

    return alter


def unread_at_all(order: str) -> Callable[[Account], Account]:
    """Make the order's row unreadable, and hide all its fills."""
    row = OddRow(kind="order", endpoint="orders", excerpt="executed=''", symbol="BTC-USDT", order_id=order)

    def alter(account: Account) -> Account:
        orders = tuple(report for report in account.orders if report.order_id != order)
        return msgspec.structs.replace(beside(row, hide=order)(account), orders=orders)

    return alter


def proofs(world: TradingWorld) -> list[bool]:
    """For each closed gap, True if it was proven."""
    return [event.proven for event in world.events(GapNotice) if event.kind == "GAP_CLOSED"]


def said(world: TradingWorld) -> list[tuple[str, str]]:
    return [(report.anomaly.name, report.anomaly.detail) for report in world.seen(actions.Report)]


def lost_fill(world: TradingWorld, qty: str = "5") -> str:
    """Place an order that is filled at once without a frame."""
    order = world.exchange.place(qty, price=None)
    world.exchange.lose()
    world.exchange.fill(order, qty)
    return order


def test_a_fill_of_quantity_0_covers_nothing() -> None:
    """It is reported once, by symbol, order and row, and reads pass as if it were not there."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    world.exchange.altered = beside(fill_row("77", qty="0"))
    missed = lost_fill(world)
    world.passes(60)
    assert world.intervals(missed) == [("0", "5", "poll")]
    assert world.health is Health.LIVE
    assert said(world) == [("odd row: fill of BTC-USDT, order 77", "fills qty=0")]
    assert world.marks[-1] > 50_000


def test_a_read_with_an_odd_row_gives_no_opening_balance() -> None:
    """The row may be of a fill that the wallet has paid: the books open with the first read that has none."""
    world = trading(audit_interval=20)
    world.exchange.altered = beside(fill_row("77"))
    world.run(8)
    assert not world.connection.books
    world.exchange.altered = lambda account: account
    world.passes(60)
    (book,) = world.connection.books
    assert (book.opening is None, book.status) == (False, "MATCHED")


def test_an_odd_row_sets_its_order_aside_and_the_rest_is_delivered() -> None:
    """While the row is there a gap is open and `proven_until` stays; once it can be read, the order is delivered."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    odd, other = lost_fill(world), lost_fill(world)
    world.exchange.altered = beside(fill_row(odd), hide=odd)
    proven = world.marks[-1]
    world.passes(30)
    assert world.intervals(other) == [("0", "5", "poll")]
    assert world.fills(odd) == []
    assert world.gap_open
    assert world.marks[-1] == proven
    live = world.exchange.place("3", price=None)
    world.exchange.fill(live, "3")
    world.passes(1)
    assert world.intervals(live) == [("0", "3", "ws")]
    world.exchange.altered = lambda account: account
    world.passes(25)
    assert world.intervals(odd) == [("0", "5", "poll")]
    assert world.gaps[-1] == ("GAP_CLOSED", "hole")
    assert world.health is Health.LIVE


def test_frames_that_are_held_flow_though_a_row_is_odd() -> None:
    """Only frames of the row's own order wait, because its base is unknown."""
    world = trading(wire="z", start=False)
    world.exchange.pushes_account = False
    odd, other = world.exchange.place("9"), world.exchange.place("9")
    world.exchange.fill(odd, "2")
    world.exchange.altered = beside(fill_row(odd), hide=odd)
    world.run(20)
    world.feed(inputs.Start())
    world.run(23)
    for order in (odd, other):
        world.exchange.fill(order, "3")
    world.passes(1)
    assert world.intervals(other) == [("0", "3", "ws")]
    assert world.fills(odd) == []
    world.exchange.altered = lambda account: account
    world.passes(10)
    assert [interval[:2] for interval in world.intervals(odd)] == [("2", "5")]
    assert world.health is Health.LIVE


@pytest.mark.parametrize("wire", ["l", "z"])
def test_the_same_row_in_three_reads_over_two_intervals_is_written_off(wire: str) -> None:
    """This is reported, the gap closes as not proven, `proven_until` moves on, and the waiting frames are delivered."""
    world = trading(wire=wire, start=False, audit_interval=20)
    world.exchange.pushes_account = False
    odd = world.exchange.place("9")
    world.exchange.fill(odd, "2")
    world.exchange.altered = beside(fill_row(odd), hide=odd)
    world.feed(inputs.Start())
    world.run(1)
    world.exchange.lose()
    world.exchange.fill(odd, "3")
    world.exchange.fill(odd, "1")
    world.run(39)
    assert world.gap_open
    assert world.marks == []
    world.run(50)
    closed = [event for event in world.events(GapNotice) if event.kind == "GAP_CLOSED"]
    assert [event.proven for event in closed] == [False]
    world.exchange.fill(odd, "2")
    world.run(51)
    assert world.intervals(odd)[-1] == ("6", "8", "ws")
    assert [name for name, _ in said(world)] == [
        f"odd row: fill of BTC-USDT, order {odd}",
        f"row written off: fill of BTC-USDT, order {odd}",
    ]
    written = world.marks[-1]
    world.run(201)
    assert world.marks[-1] > written
    assert not world.gap_open
    assert len(said(world)) == 2


def test_a_row_that_goes_and_comes_back_is_counted_from_then() -> None:
    """Only three reads in a row, over two intervals, write a row off; one without it begins the count again."""
    world = ready(audit_interval=20)
    world.exchange.altered = beside(fill_row("77"))
    world.passes(35)
    assert world.gap_open
    world.exchange.altered = lambda account: account
    world.passes(20)
    assert not world.gap_open
    world.exchange.altered = beside(fill_row("77"))
    world.passes(35)
    assert world.gap_open
    assert [name for name, _ in said(world)] == ["odd row: fill of BTC-USDT, order 77"]


@pytest.mark.parametrize("symbol", [None, "BTC-USDT", "ETH-USDT"])
def test_a_row_that_names_no_order_excuses_any_order_that_it_may_be_about(symbol: str | None) -> None:
    """An order that adds up is delivered all the same; an order of another symbol is not excused."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    odd, other = lost_fill(world), lost_fill(world)
    world.exchange.altered = beside(fill_row(None, symbol=symbol), hide=odd)
    world.passes(30)
    assert world.intervals(other) == [("0", "5", "poll")]
    assert world.gaps[0] == ("GAP_OPENED", "hole")
    new = world.exchange.place("3")
    world.exchange.fill(new, "1")
    world.passes(1)
    assert world.intervals(new) == [("0", "1", "ws")]
    world.passes(120)
    assert world.gap_open is (symbol == "ETH-USDT")


def test_while_a_row_names_no_order_no_order_is_taken_for_new() -> None:
    """After a first read with such a row no order is known to be new, so orders wait for their base."""
    world = trading(wire="z", start=False, audit_interval=20)
    world.exchange.pushes_account = False
    world.exchange.altered = beside(fill_row(None))
    world.feed(inputs.Start())
    world.run(2)
    order = world.exchange.place("9", price=None)
    world.exchange.fill(order, "2")
    world.passes(1)
    assert world.fills() == []
    world.exchange.altered = lambda account: account
    world.passes(30)
    assert [interval[:2] for interval in world.intervals(order)] == [("0", "2")]


def test_an_order_that_is_filled_without_its_execution_and_an_average_has_triggered_another() -> None:
    """It counts as an order with nothing executed: a state, no fill and no gap."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.passes(1)
    world.exchange.lose()
    world.exchange.cancel(order)
    world.exchange.altered = unread(world, order, status="FILLED", average_price=None)
    world.passes(60)
    assert world.fills() == []
    assert world.gaps == []
    assert [state.status for state in world.order_states(order)[1:]] == ["FILLED"]


@pytest.mark.parametrize("executed", ["0", "2"])
def test_an_ended_order_without_its_execution_is_what_its_fills_add_up_to(executed: str) -> None:
    """The sum of its fills is its executed quantity: no gap opens, and the row is reported once."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    if executed != "0":
        world.exchange.fill(order, executed)
    world.passes(1)
    world.exchange.lose()
    world.exchange.cancel(order)
    world.exchange.altered = unread(world, order)
    world.passes(60)
    (state,) = world.order_states(order)[1:]
    assert (state.kind, state.cumulative_qty) == ("CANCEL_ACK", D(executed))
    assert world.gaps == []
    assert world.health is Health.LIVE
    assert said(world) == [(f"odd row: order of BTC-USDT, order {order}", "orders executed=''")]


def test_an_old_ended_order_without_its_execution_is_read_alone() -> None:
    """The list of fills does not reach back to its creation, so it is read alone."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.fill(order, "1")
    world.passes(60)
    world.exchange.lose()
    world.exchange.cancel(order)
    world.exchange.altered = unread(world, order)
    world.passes(30)
    assert [state.kind for state in world.order_states(order)] == ["ORDER_ACK", "CANCEL_ACK"]
    assert any(read.orders and read.since is None for read in world.seen(actions.ReadAccount))
    assert world.gaps == []


@pytest.mark.parametrize("trouble", ["lagging", "too little", "too much", "odd fill", "running"])
def test_an_order_whose_fills_do_not_add_up_is_set_aside(trouble: str) -> None:
    """Fewer fills than were seen or than FILLED needs, more than its quantity, an odd fill, or an order still open."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.passes(1)
    changes: dict[str, Any] = {"status": "FILLED"} if trouble == "too little" else {"status": "CANCELED"}
    if trouble == "too much":
        changes["qty"] = D(1)
    alter = unread(world, order, **changes)

    def worse(account: Account) -> Account:
        account = alter(account)
        if trouble == "lagging":
            return msgspec.structs.replace(account, fills=())
        if trouble == "odd fill":
            return msgspec.structs.replace(account, odd=(*account.odd, fill_row(order)))
        if trouble == "running":
            odd = tuple(msgspec.structs.replace(row, order=None) for row in account.odd)
            return msgspec.structs.replace(account, odd=odd)
        return account

    world.exchange.altered = worse
    world.passes(30)
    assert world.gaps == [("GAP_OPENED", "hole")]
    assert len(world.order_states(order)) == 1
    world.exchange.altered = lambda account: account
    world.passes(30)
    assert world.health is Health.LIVE


def test_without_audits_an_odd_row_is_looked_at_again_all_the_same() -> None:
    """The next read comes after 120 s, so that the row is written off in time."""
    world = trading(audit_interval=0).run(5)
    world.exchange.altered = beside(fill_row("77"))
    world.feed(inputs.Resync())
    world.passes(300)
    assert not world.gap_open
    assert world.gaps[-1] == ("GAP_CLOSED", "hole")


def test_a_position_that_cannot_be_read_is_as_it_was_delivered() -> None:
    """The last delivered position stands in for it; without one, the account is not delivered as complete."""
    world = ready(audit_interval=20)
    order = world.exchange.place("5", price=None)
    world.exchange.fill(order, "5")
    world.passes(40)

    def alter(account: Account) -> Account:
        row = OddRow(kind="position", endpoint="positions", excerpt="qty=''", symbol="BTC-USDT")
        return msgspec.structs.replace(
            account, positions=(Position(symbol="ETH-USDT", side="LONG", qty=D(1)),), odd=(row,)
        )

    def whole() -> list[AccountUpdate]:
        return [event for event in world.events(AccountUpdate) if event.complete]

    world.exchange.positions[-1][1]["ETH-USDT"] = D(1)
    world.exchange.altered = alter
    world.passes(20)
    assert {position.symbol for position in whole()[-1].positions} == {"BTC-USDT", "ETH-USDT"}
    fresh = trading(start=False)
    fresh.exchange.positions[-1][1]["ETH-USDT"] = D(1)
    fresh.exchange.altered = alter
    fresh.feed(inputs.Start())
    fresh.run(3)
    (part,) = fresh.events(AccountUpdate)
    assert (part.complete, [position.symbol for position in part.positions]) == (False, ["ETH-USDT"])


@pytest.mark.parametrize("wire", ["l", "z"])
def test_what_comes_of_an_order_after_its_row_was_written_off_is_delivered(wire: str) -> None:
    """Its base is unknown: the gap opened by its first frame closes as not proven, and none opens later."""
    world = trading(wire=wire, start=False, audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.altered = unread_at_all(order)
    world.feed(inputs.Start())
    world.run(80)
    world.exchange.fill(order, "2")
    world.passes(1)
    world.exchange.fill(order, "3")
    world.passes(40)
    assert [interval[:2] for interval in world.intervals(order)] == [("0", "2"), ("2", "5")][wire == "z" :]
    assert proofs(world) == [False, False]


def test_an_order_newer_than_the_stream_begins_at_0_though_its_row_was_written_off() -> None:
    """Its base is 0 all the same, so its first frame delivers everything executed, also without last quantities."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9", price=None)
    world.exchange.altered = unread_at_all(order)
    world.passes(80)
    world.exchange.fill(order, "2")
    world.passes(5)
    assert world.intervals(order) == [("0", "2", "ws")]
    assert proofs(world) == [False, False]


def test_a_read_makes_no_order_sure_that_it_says_nothing_of() -> None:
    """After an interruption the order's first frame has no figures, because no read has shown the order."""
    world = ready("z", audit_interval=20)
    world.exchange.pushes_account = False
    order, other = world.exchange.place("9"), world.exchange.place("9")
    for each in (order, other):
        world.exchange.fill(each, "1")
    world.passes(1)
    world.exchange.altered = unread_at_all(order)
    world.passes(80)
    world.drop_all()
    world.exchange.fill(order, "2")
    world.passes(10)
    for _ in range(2):
        for each in (order, other):
            world.exchange.fill(each, "1")
    world.passes(1)
    assert [fill.fee is None for fill in world.fills(order)] == [False, True, False]
    assert [fill.fee is None for fill in world.fills(other)] == [False, False, False]


def test_a_hole_in_an_order_whose_row_was_written_off_closes_unproven() -> None:
    """Fills above the hole are delivered when it is written off; those below it, once the row can be read."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "1")
    world.passes(1)
    world.exchange.altered = unread_at_all(order)
    world.passes(80)
    world.exchange.lose()
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "1")
    world.passes(20)
    assert world.intervals(order) == [("0", "1", "ws"), ("2", "3", "ws")]
    assert proofs(world) == [False, False]
    world.exchange.altered = lambda account: account
    world.passes(30)
    assert world.intervals(order)[2:] == [("1", "2", "poll")]
    assert proofs(world)[2:] == [True]


def test_a_frame_out_of_order_waits_although_the_row_was_written_off() -> None:
    """A read between two frames in the wrong order does not write off the hole, which nobody has found yet."""
    world = ready(audit_interval=20, reorder_window=1)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "1")
    world.passes(1)
    world.exchange.altered = unread_at_all(order)
    world.passes(80)
    world.exchange.delay(0.8)
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "1")
    world.passes(0.1)
    world.feed(inputs.Resync())
    world.passes(2)
    assert [interval[:2] for interval in world.intervals(order)] == [("0", "1"), ("1", "2"), ("2", "3")]


def test_doubtful_frames_cause_reads_while_a_row_is_odd() -> None:
    """A read with an odd row still answers the doubt, so that the next frame of the shape causes a read again."""
    world = ready(audit_interval=100)
    world.exchange.altered = beside(fill_row("77"))
    before = len(world.times(actions.ReadAccount))
    for _ in range(2):
        world.exchange.say(Unrecognised({}, doubtful=True))
        world.passes(12)
    missed = lost_fill(world)
    world.exchange.say(Unrecognised({}, doubtful=True))
    world.passes(20)
    assert world.intervals(missed) == [("0", "5", "poll")]
    assert len(world.times(actions.ReadAccount)) > before + 3


def test_an_order_that_only_a_row_names_is_not_delivered_as_over() -> None:
    """Only a row has shown the order, with a fill: no end is delivered, even if the venue denies the order."""
    world = ready(audit_interval=20)

    def alter(account: Account) -> Account:
        return msgspec.structs.replace(beside(fill_row("77"))(account), denied=frozenset({OrderRef("BTC-USDT", "77")}))

    world.exchange.forget("77")
    world.exchange.altered = alter
    world.passes(120)
    world.exchange.altered = lambda account: account
    world.passes(60)
    assert world.order_states("77") == []
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]


def test_beside_an_order_that_is_over_the_account_is_settled() -> None:
    """Its fills show how much it executed, in a read of its own too; money that no push showed causes no gap."""
    world = ready(audit_interval=20)
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.passes(60)
    world.exchange.pushes_account = False
    world.exchange.cancel(order)
    world.exchange.altered = unread(world, order)
    world.exchange.transfer("50")
    world.passes(25)
    assert [read.since for read in world.seen(actions.ReadAccount)][-1] is None
    world.exchange.pushes_account = True
    world.exchange.fill(world.exchange.place("3"), "1")
    world.passes(5)
    assert world.gaps == []


@pytest.mark.parametrize("one_way", [True, False])
def test_beside_a_position_that_cannot_be_read_the_account_is_delivered(one_way: bool) -> None:
    """It is not complete: balances as they are now, and positions that have closed."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    held = Position(symbol="ETH-USDT", side="LONG", qty=D(1))
    row = OddRow(kind="position", endpoint="positions", excerpt="qty=''", symbol="BTC-USDT")
    world.exchange.positions.append((0, {"ETH-USDT": D(1), "SOL-USDT": D(1)}))
    world.exchange.positions.append((0, {"SOL-USDT": D(1)}))
    world.exchange.altered = lambda account: msgspec.structs.replace(account, positions=(held,), one_way=one_way)
    world.passes(20)
    world.exchange.altered = lambda account: msgspec.structs.replace(
        account, positions=(msgspec.structs.replace(held, symbol="SOL-USDT"),), odd=(row,), one_way=one_way
    )
    world.exchange.transfer("50")
    world.passes(30)
    delivered = world.events(AccountUpdate)[-1]
    assert not delivered.complete
    assert [balance.wallet_balance for balance in delivered.balances] == [D(1050)]
    places = [(position.symbol, position.side, position.qty) for position in delivered.positions]
    assert places == [("ETH-USDT", None if one_way else "LONG", ZERO), ("SOL-USDT", "LONG", D(1))]
    world.exchange.altered = lambda account: account
    world.passes(30)
    assert world.events(AccountUpdate)[-1].complete


@pytest.mark.parametrize(
    ("sides", "complete", "delivered"),
    [
        pytest.param(["SHORT"], True, [("SHORT", D(1))], id="the one that was delivered"),
        pytest.param(["LONG"], False, [("SHORT", ZERO)], id="another, while that has closed"),
        pytest.param(["LONG", "SHORT"], False, [("SHORT", D(1))], id="both"),
        pytest.param([None], True, [("SHORT", D(1))], id="the only one, where the account nets them"),
        pytest.param([None, None], False, [("SHORT", D(1))], id="two, of which no side can be read"),
    ],
)
def test_a_row_stands_for_the_position_of_its_own_side(
    sides: list[str | None], complete: bool, delivered: list[tuple[str, Decimal]]
) -> None:
    """In hedge mode a symbol has two: one that was delivered says nothing of the other."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    world.exchange.positions.append((0, {"BTC-USDT": D(-1)}))
    held = Position(symbol="BTC-USDT", side="SHORT", qty=D(1))
    rows = tuple(
        OddRow(kind="position", endpoint="positions", excerpt=f"qty='' {n}", symbol="BTC-USDT", side=side)
        for n, side in enumerate(sides)
    )
    nets = sides == [None]
    world.exchange.altered = lambda account: msgspec.structs.replace(account, positions=(held,), one_way=nets)
    world.passes(20)
    world.exchange.altered = lambda account: msgspec.structs.replace(account, positions=(), one_way=nets, odd=rows)
    world.exchange.transfer("50")
    world.passes(30)
    update = world.events(AccountUpdate)[-1]
    assert update.complete is complete
    assert [(position.side, position.qty) for position in update.positions] == delivered


def test_the_other_side_of_a_position_whose_row_was_written_off_is_not_written_off_with_it() -> None:
    """Each side is met in three reads over two audit intervals of its own."""
    world = ready(audit_interval=20)
    short, long = (
        OddRow(kind="position", endpoint="positions", excerpt="qty=''", symbol="BTC-USDT", side=side)
        for side in ("SHORT", "LONG")
    )
    world.exchange.altered = beside(short)
    world.passes(80)
    assert not world.gap_open
    world.exchange.altered = beside(short, long)
    world.passes(25)
    assert world.gap_open
    world.passes(60)
    assert not world.gap_open


def test_no_more_than_a_thousand_rows_are_remembered() -> None:
    """Rows above the limit are reported again and not remembered."""
    world = ready(audit_interval=20)
    world.exchange.altered = beside(*(fill_row(str(number)) for number in range(1001)))
    world.passes(25)
    assert len(world.connection._continuity._reconciler._odd._reported) == 1000


def test_an_unnamed_row_waits_for_no_order_that_has_a_beginning() -> None:
    """Writing off a row ends the wait of those orders only that waited for it."""
    world = trading(wire="z", start=False, audit_interval=20)
    world.exchange.pushes_account = False
    world.exchange.altered = beside(fill_row(None))
    world.feed(inputs.Start())
    world.run(2)
    order = world.exchange.place("9", price=None)
    world.exchange.fill(order, "2")
    world.exchange.say(OrderReport("ETH-USDT", "5", "NEW", ZERO, qty=D(1), exchange_ts=world.exchange_ms))
    world.run(60)
    assert [interval[:2] for interval in world.intervals(order)] == [("0", "2")]
    assert not world.gap_open
