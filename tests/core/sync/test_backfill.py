"""The placing of a read's rows on the coverage of their orders: tables over `examine` and `cover`."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from listenkey.core import actions
from listenkey.core.account.orders import Orders
from listenkey.core.account.unknowns import Unknowns
from listenkey.core.context import Context
from listenkey.core.events import Fill, OrderState
from listenkey.core.policy import Policy
from listenkey.core.reports import Account, FillReport, OrderRef, OrderReport
from listenkey.core.sync.backfill import Backfill, Finding, cover, examine
from listenkey.core.sync.scope import Scope, merge

from ..exchange import D
from ..trading import Plan, ready

BEGAN = 100_000
REF = OrderRef("BTC-USDT", "1")


def tracked(base: str | None = None, *intervals: tuple[str, str], seen: str = "0") -> Orders:
    """The coverage of one order, or of none if `base` is None."""
    context = Context(Policy(), 0, grain=1000)
    context.now = 0.0
    made = Orders(context, cumulative_costs=False, unknowns=Unknowns(context))
    made.began, made.complete = BEGAN, True
    if base is not None:
        order = made.track(REF, D(base))
        for start, end in intervals:
            order.cover(D(start), D(end), D(100))
        order.seen = max(order.seen, D(seen))
    return made


def row(qty: str, ts: int, trade_id: str | None = None, order_id: str = "1", price: str = "100") -> FillReport:
    return FillReport(
        symbol="BTC-USDT", order_id=order_id, qty=D(qty), exchange_ts=ts, price=D(price), trade_id=trade_id
    )


def read(executed: str | None, *rows: FillReport, created: int | None = 50_000, **fields: Any) -> Account:
    """A read of one order, or of rows without their order."""
    order = OrderReport(
        symbol="BTC-USDT",
        order_id="1",
        status="PARTIALLY_FILLED",
        cumulative_qty=D(executed or 0),
        qty=D(100),
        exchange_ts=rows[-1].exchange_ts if rows else 120_000,
        created_ts=created,
    )
    given = {
        "as_of": 200_000,
        "exchange_ms": 200_100,
        "since": 99_000,
        "whole": True,
        "settled": True,
        "fills": rows,
        "orders": () if executed is None else (order,),
    }
    return Account(**{**given, **fields})


def deliver(findings: list[Finding], on: Orders) -> Backfill:
    """Cover the findings and deliver them."""
    found = cover(findings, on, on._context, math.inf)
    found.deliver(on, on._context)
    return found


def laid(account: Account, on: Orders, alone: Account | None = None, **scope: Any) -> list[str] | None:
    """Return the base of each finding and its fills as "start-end", or None if the rows do not add up."""
    whole = account if alone is None else merge(account, alone)
    findings, troubled = examine(Scope(whole, alone, 195_000, grain=1000, **scope), on)
    assert len(findings) + len(troubled) <= 1
    if troubled:
        return None
    return [f"{finding.base}: " + " ".join(f"{p.start}-{p.end}" for p in finding.fills) for finding in findings]


@pytest.mark.parametrize(
    ("on", "account", "result"),
    [
        pytest.param(
            tracked(),
            read("3", row("1", 101_000), row("2", 102_000), created=100_500),
            ["0: 0-1 1-3"],
            id="began inside",
        ),
        pytest.param(
            tracked(), read("4", row("1", 101_000), row("2", 102_000), created=100_500), None, id="not all listed yet"
        ),
        pytest.param(
            tracked(),
            read("1", row("1", 101_000), row("2", 102_000), created=100_500),
            ["0: 0-1 1-3"],
            id="more listed",
        ),
        pytest.param(tracked(), read("3"), ["3: "], id="running, nothing since"),
        pytest.param(tracked(), read("3", row("1", 99_500)), ["3: "], id="running, its last fill not owed"),
        pytest.param(tracked(), read("3", row("1", 101_000)), None, id="running with a fill: must be read alone"),
        pytest.param(tracked(), read("3", row("1", 101_000), row("3", 101_000)), None, id="more rows than it executed"),
        pytest.param(tracked(), read(None, row("1", 101_000)), None, id="rows of an order that is not shown"),
        pytest.param(tracked("0", ("0", "3")), read("3", row("1", 101_000)), ["0: 2-3"], id="all delivered"),
        pytest.param(
            tracked("0", ("0", "3")),
            read("2", row("1", 101_000)),
            ["0: 1-2"],
            id="delivered more than is shown",
        ),
        pytest.param(tracked("0", ("0", "3")), read("5", row("2", 101_000)), None, id="something to deliver: alone"),
        pytest.param(tracked("0", ("0", "3"), seen="4"), read("3"), None, id="a frame has shown more"),
        pytest.param(tracked("0", ("0", "3")), read("4"), None, id="executed more than is listed"),
        pytest.param(tracked("0", ("0", "1"), ("2", "3")), read("3"), None, id="an island"),
        pytest.param(tracked("0"), read(None), [], id="nothing to say"),
        pytest.param(tracked("0", seen="1"), read(None), None, id="seen by a frame, shown by no read"),
        pytest.param(
            tracked("0", ("0", "3")),
            read("5", row("2", 101_000), moving=frozenset("1")),
            None,
            id="moved, not anchored",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("4", row("3", 101_000), row("2", 102_000), created=100_500, moving=frozenset("1")),
            ["0: 0-3 3-5"],
            id="moved, anchored",
        ),
    ],
)
def test_a_whole_read(on: Orders, account: Account, result: list[str] | None) -> None:
    """Rows are placed upward from 0 if all fills are there; else downward, which can only show that none is missing."""
    assert laid(account, on) == result


@pytest.mark.parametrize(
    ("on", "account", "alone", "reaches", "result"),
    [
        pytest.param(
            tracked("0", ("0", "3")),
            read("5", row("2", 101_000)),
            read("5", row("3", 60_000), row("2", 101_000), since=None),
            True,
            ["0: 3-5"],
            id="all its fills, old ones not owed",
        ),
        pytest.param(
            tracked("0"),
            read("5", row("2", 101_000)),
            read("5", row("3", 60_000), row("2", 101_000), since=None),
            True,
            ["3: 3-5"],
            id="what nobody owes is stepped over",
        ),
        pytest.param(
            tracked("4", ("4", "5")),
            read("5", row("2", 101_000)),
            read("5", row("3", 60_000), row("2", 101_000), since=None),
            True,
            ["3: 3-5"],
            id="an older fill turned up",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("5", row("2", 101_000)),
            read("5", row("3", 60_000), row("1", 101_000), since=None),
            True,
            None,
            id="the list lags",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("5", row("2", 101_000)),
            read("5", row("2", 101_000), since=90_000),
            True,
            ["0: 3-5"],
            id="older than the history: downward after all",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("6", row("2", 101_000)),
            read("6", row("2", 101_000), since=90_000),
            True,
            None,
            id="older than the history, and a hole",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("6", row("2", 101_000)),
            read("6", row("2", 101_000), since=90_000),
            False,
            ["4: 4-6"],
            id="a hole that the history does not reach is written off",
        ),
        pytest.param(
            tracked("0", ("0", "3")),
            read("5"),
            read(None, since=None),
            True,
            None,
            id="the venue does not know it when asked alone",
        ),
        pytest.param(
            tracked("0", ("0", "1"), ("4", "5")),
            read("3", row("3", 101_000)),
            read("3", row("3", 101_000), since=None),
            True,
            None,
            id="a frame has shown more than is known of it yet",
        ),
    ],
)
def test_an_order_that_was_read_alone(
    on: Orders, account: Account, alone: Account, reaches: bool, result: list[str] | None
) -> None:
    """All its fills place it from 0; if the history ends after its creation, it is placed downward."""
    alone = msgspec.structs.replace(alone, whole=False)
    assert laid(account, on, alone, reaches=reaches) == result


@pytest.mark.parametrize(
    ("on", "account", "result"),
    [
        pytest.param(tracked("0"), read("1", row("1", 194_500), created=150_000), [], id="too recent to judge"),
        pytest.param(tracked("0"), read("1", row("1", 194_000), created=150_000), ["0: 0-1"], id="old enough"),
        pytest.param(
            tracked("0"), read("2", row("1", 150_000), row("1", 196_000), created=140_000), ["0: 0-1 1-2"], id="old too"
        ),
        pytest.param(
            tracked("0", ("0", "1")),
            read("2", row("1", 150_000), row("1", 196_000), created=140_000),
            [],
            id="old delivered",
        ),
        pytest.param(
            tracked(), read("2", row("1", 150_000), row("1", 196_000), created=140_000), ["0: 0-1 1-2"], id="unknown"
        ),
        pytest.param(tracked(), read("1", row("1", 196_000), created=195_900), [], id="unknown and recent"),
        pytest.param(tracked("0"), read("2", row("1", 196_000)), [], id="recent, downward"),
        pytest.param(tracked("0"), read("2", row("1", 196_000), moving=frozenset("1")), None, id="recent and moving"),
    ],
)
def test_an_audit_judges_what_is_old_enough(on: Orders, account: Account, result: list[str] | None) -> None:
    """Rows that the socket may still bring are left to it, unless an older row is missing too."""
    assert laid(account, on, cautious=True) == result


@pytest.mark.parametrize(
    ("cumulative", "ts", "status", "result"),
    [
        pytest.param("5", 199_000, "PARTIALLY_FILLED", None, id="as much as is shown, and perhaps not listed yet"),
        pytest.param("5", 194_000, "PARTIALLY_FILLED", ["5: "], id="it would be listed by now: an amendment"),
        pytest.param("5", 199_000, "CANCELED", ["5: "], id="no fill at all"),
        pytest.param("6", 199_000, "PARTIALLY_FILLED", None, id="more than is shown"),
        pytest.param("5", None, "PARTIALLY_FILLED", None, id="whenever that was"),
    ],
)
def test_a_held_frame_is_no_duplicate_because_a_read_shows_as_much(
    cumulative: str, ts: int | None, status: str, result: list[str] | None
) -> None:
    """The base of an order is unknown as long as the list of fills may lack one of them."""
    on = tracked()
    on.complete = False
    frame = OrderReport(symbol="BTC-USDT", order_id="1", status=status, cumulative_qty=D(cumulative), exchange_ts=ts)
    on.take(frame, None)
    assert laid(read("5"), on) == result


def test_an_audit_leaves_a_busy_order_alone_that_cannot_be_read_still() -> None:
    """An order too old to be placed from 0 that has a fill even while it is read alone is left to the next audit."""
    account = read("2", row("1", 196_000), moving=frozenset("1"))
    alone = read("3", row("1", 197_000), moving=frozenset("1"), since=90_000)
    assert laid(account, tracked("0"), alone, cautious=True) == []


def test_rows_of_one_second_are_distinguished_by_their_trade_ids() -> None:
    """Rows of one second are sorted by trade id, as numbers if possible, but the rows of one order keep their order."""
    on = tracked()
    orders = tuple(
        OrderReport(symbol="BTC-USDT", order_id=order_id, status="FILLED", cumulative_qty=D(3), created_ts=100_500)
        for order_id in ("2", "1")
    )
    rows = (
        row("2", 101_000, "11", "1"),
        row("1", 101_000, "9", "1"),
        row("2", 101_000, "10", "2"),
        row("1", 102_000, "2", "2"),
    )
    account = read(None, *rows, orders=orders)
    findings, troubled = examine(Scope(account, None, 0, grain=1000), on)
    assert troubled == ()
    context = on._context
    backfill = deliver(findings, on)
    fills = [action.event for action in context.actions if isinstance(action, actions.Deliver)]
    assert [(fill.trade_id, str(fill.cumulative_qty)) for fill in fills if isinstance(fill, Fill)] == [
        ("9", "1"),
        ("10", "2"),
        ("11", "3"),
        ("2", "3"),
    ]
    assert (len(backfill.fills), backfill.latest_ts, backfill.out_of_order) == (4, 102_000, False)


def test_a_read_that_is_delivered_a_second_time_delivers_nothing() -> None:
    """The same rows again are covered already, and deliver nothing."""
    on = tracked()
    account = read("3", row("1", 101_000), row("2", 102_000), created=100_500)
    for expected in (2, 0):
        findings, _ = examine(Scope(account, None, 0, grain=1000), on)
        assert len(deliver(findings, on).fills) == expected


def test_what_was_read_alone_takes_the_place_of_what_the_whole_read_had() -> None:
    """Its orders, fills and moving orders are those of the single read; its times stay those of the balances.

    The balances were read earlier, so a push since then, which may have been held, is newer than they are.
    """
    account = read("2", row("1", 101_000), row("4", 101_000, order_id="7"), moving=frozenset(("1", "7")))
    alone = read("3", row("1", 60_000), row("2", 101_000), as_of=300_000, exchange_ms=300_001)
    merged = merge(account, alone)
    assert (merged.as_of, merged.exchange_ms, merged.since) == (200_000, account.exchange_ms, 99_000)
    assert merged.moving == {"7"}
    assert sorted((fill.order_id, str(fill.qty)) for fill in merged.fills) == [("1", "1"), ("1", "2"), ("7", "4")]
    assert [str(order.cumulative_qty) for order in merged.orders] == ["3"]


@pytest.mark.parametrize(
    ("status", "quantity", "shown", "listed", "kinds"),
    [
        ("PARTIALLY_FILLED", "5", "2", ("2", "3"), ["PARTIAL_FILL", "FULL_FILL"]),
        ("NEW", "5", "0", ("5",), ["FULL_FILL"]),
        ("PARTIALLY_FILLED", "9", "2", ("2", "3"), ["PARTIAL_FILL", "PARTIAL_FILL"]),
        ("FILLED", "5", "5", ("2", "3"), ["PARTIAL_FILL", "FULL_FILL"]),
        ("FILLED", "", "5", ("2", "3"), ["PARTIAL_FILL", "FULL_FILL"]),
        ("PARTIALLY_FILLED", "", "5", ("2", "3"), ["PARTIAL_FILL", "PARTIAL_FILL"]),
        ("CANCELED", "9", "5", ("2", "3"), ["PARTIAL_FILL", "PARTIAL_FILL"]),
    ],
)
def test_the_kind_of_a_recovered_fill_follows_its_interval(
    status: str, quantity: str, shown: str, listed: tuple[str, ...], kinds: list[str]
) -> None:
    """A fill is a FULL_FILL if it reaches the order's quantity, even if it was made after the list of orders was read.

    If the quantity is unknown, it is one if the order is FILLED and the fill reaches its executed quantity.
    """
    on = tracked("0")
    rows = [row(qty, 120_000 + 1000 * place, str(place)) for place, qty in enumerate(listed)]
    account = read(shown, *rows, created=100_500)
    order = msgspec.structs.replace(account.orders[0], status=status, qty=D(quantity) if quantity else None)
    findings, troubled = examine(
        Scope(msgspec.structs.replace(account, orders=(order,)), None, 195_000, grain=1000), on
    )
    assert not troubled
    context = on._context
    deliver(findings, on)
    fills = [
        each.event for each in context.actions if isinstance(each, actions.Deliver) and isinstance(each.event, Fill)
    ]
    assert [fill.kind.value for fill in fills] == kinds


@pytest.mark.parametrize(("quantity", "state", "is_open"), [("5", [], False), ("9", ["PARTIALLY_FILLED 5"], True)])
def test_a_row_that_its_fills_have_overtaken_takes_nothing_back(quantity: str, state: list[str], is_open: bool) -> None:
    """If it was amended and filled after the list of orders was read, its state is that of its fills."""
    on = tracked("0")
    before = OrderReport(symbol="BTC-USDT", order_id="1", status="PARTIALLY_FILLED", cumulative_qty=D(0), qty=D(7))
    on.note(on.by_ref[REF], before)
    account = read("2", row("2", 120_000, "1"), row("3", 121_000, "2"), created=100_500)
    order = msgspec.structs.replace(account.orders[0], qty=D(quantity))
    findings, _ = examine(Scope(msgspec.structs.replace(account, orders=(order,)), None, 195_000, grain=1000), on)
    context = on._context
    deliver(findings, on)
    events = [each.event for each in context.actions if isinstance(each, actions.Deliver)]
    states = [each for each in events if isinstance(each, OrderState) and not isinstance(each, Fill)]
    assert [f"{each.status} {each.cumulative_qty}" for each in states] == state
    assert on.by_ref[REF].open == is_open


@pytest.mark.parametrize(
    ("made_at", "seen", "quantity", "delivered"),
    [
        pytest.param(199_000, "0", "5", ["PARTIAL_FILL 2"], id="it may have been made since the row was read"),
        pytest.param(198_000, "0", "5", ["PARTIAL_FILL 2", "FULL_FILL 5"], id="it is older: the row lags"),
        pytest.param(199_000, "5", "5", ["PARTIAL_FILL 2", "FULL_FILL 5"], id="a frame has shown it"),
        pytest.param(199_000, "0", "9", ["PARTIAL_FILL 2", "PARTIAL_FILL 5"], id="it fills nothing"),
        pytest.param(199_000, "0", "2", ["FULL_FILL 2", "FULL_FILL 5"], id="the row was filled already"),
    ],
)
def test_a_fill_that_came_while_the_read_was_made_fills_no_order_by_an_older_row(
    made_at: int, seen: str, quantity: str, delivered: list[str]
) -> None:
    """The order may have been amended in between, so the fill is left to its frame or to the next read."""
    on = tracked("0", seen=seen)
    account = read("2", row("2", 120_000, "1"), row("3", made_at + 1, "2"), created=100_500)
    order = msgspec.structs.replace(account.orders[0], qty=D(quantity))
    findings, troubled = examine(
        Scope(msgspec.structs.replace(account, orders=(order,)), None, 195_000, grain=1000), on
    )
    assert not troubled
    deliver(findings, on)
    fills = [each.event for each in on._context.actions if isinstance(each, actions.Deliver)]
    assert [f"{fill.kind.value} {fill.cumulative_qty}" for fill in fills if isinstance(fill, Fill)] == delivered
    amended = msgspec.structs.replace(order, qty=D(9), cumulative_qty=D(5))
    findings, _ = examine(Scope(msgspec.structs.replace(account, orders=(amended,)), None, 195_000, grain=1000), on)
    deliver(findings, on)
    assert on.by_ref[REF].coverage.contiguous == 5
    assert on.by_ref[REF].open is ("FULL_FILL 5" not in delivered)


@pytest.mark.parametrize(
    ("frame", "more", "known", "is_open"),
    [
        pytest.param("5 of 9", [], "9", True, id="a frame has shown that it is open"),
        pytest.param("5 of 9", [row("2", 199_001, "3")], "9", True, id="and it was executed further"),
        pytest.param(None, [row("2", 199_001, "3")], None, True, id="it was executed further"),
        pytest.param(None, [], "5", False, id="nothing says that it was amended"),
    ],
)
@pytest.mark.parametrize("delivered", [False, True])
def test_an_order_that_was_amended_while_it_was_read_is_not_filled(
    frame: str | None, more: list[FillReport], known: str | None, is_open: bool, delivered: bool
) -> None:
    """Its row has the quantity from before. A fill that frames have shown, and that would fill that, does not end the
    order if a frame has shown it open after that, delivered or waiting, or if the list has a further fill.
    """
    on = tracked("0", seen="5")
    if frame is not None:
        shown = OrderReport(
            symbol="BTC-USDT", order_id="1", status="PARTIALLY_FILLED", cumulative_qty=D(5), qty=D(9), last_qty=D(1)
        )
        if delivered:
            on.note(on.by_ref[REF], shown)
        else:
            on.by_ref[REF].waiting.append((shown, None))
    account = read("2", row("2", 120_000, "1"), row("3", 199_001, "2"), *more, created=100_500)
    order = msgspec.structs.replace(account.orders[0], qty=D(5))
    findings, _ = examine(Scope(msgspec.structs.replace(account, orders=(order,)), None, 195_000, grain=1000), on)
    deliver(findings, on)
    events = [each.event for each in on._context.actions if isinstance(each, actions.Deliver)]
    fills = [event for event in events if isinstance(event, Fill)]
    assert [(str(fill.cumulative_qty), fill.qty) for fill in fills] == [
        (end, None if known is None else D(known)) for end in ("2", "5")
    ]
    assert {event.status for event in events if isinstance(event, (Fill, OrderState))} <= {
        "PARTIALLY_FILLED",
        "PARTIALLY_FILLED" if is_open else "FILLED",
    }
    assert on.by_ref[REF].open is is_open


def test_not_even_one_before_another_fills_an_order_by_an_older_row() -> None:
    """If two fills came during the read, the first is left as well, because it would fill the order as it was."""
    on = tracked("0")
    account = read("2", row("2", 120_000, "1"), row("3", 199_001, "2"), row("2", 199_001, "3"), created=100_500)
    order = msgspec.structs.replace(account.orders[0], qty=D(5))
    findings, _ = examine(Scope(msgspec.structs.replace(account, orders=(order,)), None, 195_000, grain=1000), on)
    assert [(str(placed.end), finding.sure) for finding in findings for placed in finding.fills] == [("2", False)]


@pytest.mark.parametrize("audit_interval", [0, 20])
@pytest.mark.parametrize("made_at", [0.6, 0.9, 1.2, 1.5])
def test_what_a_read_leaves_out_is_read_soon(audit_interval: float, made_at: float) -> None:
    """Without audits, too, a read follows soon: the fill may have been made without a link, so that no frame comes."""
    world = ready(audit_interval=audit_interval)
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.passes(40)
    world.exchange.plan = Plan(order_lag=900)
    world.drop_all()
    world.at(world.now + made_at, lambda: world.exchange.fill(order, "3"))
    world.passes(15)
    world.exchange.plan = Plan()
    world.passes(30)
    assert [interval[:2] for interval in world.intervals(order)] == [("0", "2"), ("2", "5")]
