"""The fills and states that frames deliver, and those that wait: scripts of a live stream, on both wires."""

from __future__ import annotations

import msgspec
import pytest

from listenkey.core import actions, inputs
from listenkey.core.account.known_orders import FORGET_AFTER_MS
from listenkey.core.account.orders import Orders
from listenkey.core.account.unknowns import Unknowns
from listenkey.core.context import Context
from listenkey.core.events import ExchangeEventKind, Fill, Health, OrderState
from listenkey.core.frames import decoded
from listenkey.core.policy import Policy
from listenkey.core.reports import OrderRef, OrderReport

from ..exchange import D
from ..trading import REFUSED, UNANSWERED, Plan, TradingWorld, ready, trading

WIRES = pytest.mark.parametrize("wire", ["l", "z"])


def reports(world: TradingWorld, **fields: object) -> OrderReport:
    """Send a frame that the exchange itself has no reason to send."""
    given: dict[str, object] = {
        "symbol": "BTC-USDT",
        "order_id": "7",
        "status": "NEW",
        "cumulative_qty": D(0),
        "side": "BUY",
        "qty": D(10),
        "price": D(100),
        "exchange_ts": world.exchange_ms,
    }
    report = OrderReport(**{**given, **fields})  # type: ignore[arg-type]
    world.exchange.say(report)
    world.passes(0.05)
    return report


@WIRES
def test_an_order_s_life_is_delivered_as_it_happens(wire: str) -> None:
    """A placement, its fills and its end are delivered once each, with the right kind, and no gap opens."""
    world = ready(wire)
    order = world.exchange.place("5")
    for _ in range(2):
        world.exchange.fill(order, "2")
        world.passes(0.1)
    world.exchange.fill(order, "1", "101")
    world.passes(1)
    assert [event.kind.value for event in world.delivered if getattr(event, "order_id", "") == order] == [
        "ORDER_ACK",
        "PARTIAL_FILL",
        "PARTIAL_FILL",
        "FULL_FILL",
    ]
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "4", "ws"), ("4", "5", "ws")]
    assert [fill.fill_price for fill in world.fills(order)] == [D(100), D(100), D(101)]
    assert [fill.status for fill in world.fills(order)] == ["PARTIALLY_FILLED", "PARTIALLY_FILLED", "FILLED"]
    assert world.gaps == []


@WIRES
@pytest.mark.parametrize("repeats", [(0.01, 0.02), (0.01, 0.2, 3.0), (0.01, 0.01, 0.01)])
def test_a_repeated_frame_is_delivered_once(wire: str, repeats: tuple[float, ...]) -> None:
    """A frame whose interval is covered already is dropped."""
    world = ready(wire)
    order = world.exchange.place("5", price=None)
    world.exchange.delay(*repeats)
    world.exchange.fill(order, "5")
    world.passes(5)
    world.exchange.place("1")
    world.passes(1)
    assert world.intervals(order) == [("0", "5", "ws")]
    assert world.gaps == []


@WIRES
def test_a_repeated_state_is_delivered_once(wire: str) -> None:
    """A placement or an end that comes again with the same time is dropped."""
    world = ready(wire)
    world.exchange.delay(0.01, 0.02)
    order = world.exchange.place("5")
    world.passes(1)
    world.exchange.delay(0.01, 0.02)
    world.exchange.cancel(order)
    world.passes(1)
    assert [event.kind.value for event in world.order_states(order)] == ["ORDER_ACK", "CANCEL_ACK"]


def test_two_frames_in_the_wrong_order_are_delivered_in_the_right_one() -> None:
    """With `l`, a frame that came too early waits for the one before it, and no gap opens."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.delay(0.2)
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    world.passes(0.1)
    assert world.intervals(order) == []
    world.passes(2)
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "5", "ws")]
    assert world.gaps == []


def test_a_cancel_that_overtakes_the_last_fill_waits_for_it() -> None:
    """A cancel that shows more than is covered waits for the missing fill, and is then delivered alone after it."""
    for overtakes in ("l", "z"):
        world = ready(overtakes)
        world.exchange.pushes_account = False
        order = world.exchange.place("5")
        world.exchange.delay(0.15)
        world.exchange.fill(order, "2")
        world.exchange.cancel(order)
        world.passes(2)
        assert world.summary(8, account=True)[1:] == [f"PARTIAL_FILL {order} 2 ws", f"CANCEL_ACK {order} 2 ws"]


def test_a_cancel_that_came_first_of_three_is_delivered_last() -> None:
    """Of waiting reports with the same quantity, the fill goes before the cancel."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.delay(0.2)
    world.exchange.fill(order, "2")
    world.exchange.delay(0.1)
    world.exchange.fill(order, "1")
    world.exchange.cancel(order)
    world.passes(2)
    assert world.summary(8, account=True)[1:] == [
        f"PARTIAL_FILL {order} 2 ws",
        f"PARTIAL_FILL {order} 3 ws",
        f"CANCEL_ACK {order} 3 ws",
    ]


def test_a_hole_is_found_delivered_and_filled_before_what_waits_above_it() -> None:
    """A hole waits `reorder_window`, opens a gap, is filled by a read, and then the held reports follow."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.fill(order, "2")
    world.passes(0.1)
    world.exchange.lose()
    world.exchange.fill(order, "3", "101")
    world.exchange.fill(order, "1", "102")
    opened_at = world.now + 0.01 + 0.25
    world.exchange.plan = world.exchange.plan._replace(takes=0.5)
    world.passes(0.3)
    world.exchange.fill(order, "1", "103")
    world.passes(5)
    assert [part for part in world.summary(opened_at - 0.02, account=True) if "ACCOUNT" not in part] == [
        "GAP_OPENED hole",
        f"PARTIAL_FILL {order} 5 poll",
        f"PARTIAL_FILL {order} 6 poll",
        f"PARTIAL_FILL {order} 7 poll",
        "GAP_CLOSED hole 3",
    ]
    (asked,) = [asked for asked in world.seen(actions.ReadAccount) if asked.request > 5]
    assert [ref.order_id for ref in asked.orders] == [order]
    assert world.times(actions.ReadAccount)[-1] == pytest.approx(opened_at)
    assert [(fill.fill_price, fill.fee) for fill in world.fills(order)][1] == (D(101), D("0.1515"))


def test_what_waits_goes_on_after_the_hold_limit_and_the_hole_is_filled_later() -> None:
    """After `hold_limit` the reports are delivered above the hole; a later read delivers the hole once."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.passes(0.1)
    world.exchange.reads.append(REFUSED)
    world.exchange.reads.append(REFUSED)
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.fill(order, "2")
    world.passes(3.2)
    assert world.intervals(order) == []
    world.passes(0.2)
    assert world.intervals(order) == [("3", "5", "ws")]
    world.exchange.lose()
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "2")
    world.exchange.cancel(order)
    world.passes(0.1)
    assert world.intervals(order) == [("3", "5", "ws")]
    world.passes(20)
    assert world.intervals(order) == [
        ("3", "5", "ws"),
        ("6", "8", "ws"),
        ("0", "3", "poll"),
        ("5", "6", "poll"),
    ]
    assert [event.status for event in world.order_states(order)] == ["NEW", "CANCELED"]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]
    assert world.health is Health.LIVE


def test_a_repeated_frame_below_a_hole_does_not_let_go_what_waits_above_it() -> None:
    """Only the missing fill or `hold_limit` ends the wait; a repeated frame does not."""
    world = ready(reorder_window=1)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.delay(0.01, 0.5)
    world.exchange.fill(order, "1")
    world.exchange.delay(0.8)
    world.exchange.fill(order, "2")
    world.exchange.fill(order, "3")
    world.passes(0.6)
    assert world.intervals(order) == [("0", "1", "ws")]
    world.passes(2)
    assert world.intervals(order) == [("0", "1", "ws"), ("1", "3", "ws"), ("3", "6", "ws")]
    assert world.gaps == []


def test_what_no_read_shows_goes_on_as_soon_as_the_hole_is_filled() -> None:
    """A status that no read can show waits only until the hole below it is filled."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.lose()
    world.exchange.fill(order, "2")
    world.exchange.say(msgspec.structs.replace(world.exchange.report(order), status="SUSPENDED", last_qty=D(0)))
    world.passes(1)
    assert sorted(world.summary(8)[1:]) == [
        "GAP_CLOSED hole 1",
        "GAP_OPENED hole",
        f"PARTIAL_FILL {order} 2 poll",
        "UNKNOWN",
    ]


def test_what_no_read_shows_goes_on_as_soon_as_the_beginning_is_known() -> None:
    """Such a status of a running order waits until a read has shown the order's base."""
    world = trading(start=False)
    world.exchange.pushes_account = False
    running = world.exchange.place("9")
    world.exchange.fill(running, "3")
    world.run(20)
    world.exchange.plan = Plan(takes=4)
    world.feed(inputs.Start())
    world.passes(1)
    world.exchange.say(msgspec.structs.replace(world.exchange.report(running), status="SUSPENDED", last_qty=D(0)))
    world.run(23.9)
    assert world.summary() == ["GAP_OPENED read_failed"]
    world.run(24.5)
    assert "UNKNOWN" in world.summary()


def test_a_second_hole_goes_with_the_first() -> None:
    """The hold limit counts from the first hole that was found."""
    world = ready()
    world.exchange.pushes_account = False
    orders = [world.exchange.place("9"), world.exchange.place("9")]
    world.exchange.reads.append(UNANSWERED)
    for order in orders:
        world.exchange.lose()
        world.exchange.fill(order, "1")
        world.exchange.fill(order, "2")
        world.passes(1)
    world.passes(1.3)
    assert [world.intervals(order) for order in orders] == [[("1", "3", "ws")]] * 2


def test_a_report_over_the_coverage_delivers_the_pieces_around_it() -> None:
    """The covered part is cut out; a piece has neither the fee nor the PnL of the whole report, nor its status."""
    world = ready()
    world.exchange.reads.extend([REFUSED] * 9)
    for done, last in (("1", "1"), ("3", "1"), ("4", "4")):
        reports(
            world,
            status="FILLED" if done == "4" else "PARTIALLY_FILLED",
            cumulative_qty=D(done),
            qty=D(4),
            last_qty=D(last),
            last_price=D(100),
            fee=D("0.1"),
            realized_pnl=D(0),
        )
        world.passes(4)
    assert world.intervals("7") == [("0", "1", "ws"), ("2", "3", "ws"), ("1", "2", "ws"), ("3", "4", "ws")]
    assert [fill.status for fill in world.fills("7")] == ["PARTIALLY_FILLED"] * 3 + ["FILLED"]
    assert [fill.fee for fill in world.fills("7")] == [D("0.1"), D("0.1"), None, None]
    assert [event.kind.value for event in world.fills("7")][2:] == ["PARTIAL_FILL", "FULL_FILL"]


def test_letting_one_order_go_does_not_let_another_that_only_began_to_wait() -> None:
    """Each order waits `reorder_window` above its own hole: that another order's wait is over does not end it."""
    world = ready(reorder_window=1)
    world.exchange.pushes_account = False
    one, other = world.exchange.place("9"), world.exchange.place("9")
    world.exchange.reads.extend([UNANSWERED])
    world.exchange.lose()
    world.exchange.fill(one, "1")
    world.exchange.fill(one, "1")
    world.passes(3.5)
    world.exchange.delay(0.9)
    world.exchange.fill(other, "1")
    world.exchange.fill(other, "2")
    world.passes(3)
    assert world.intervals(one) == [("1", "2", "ws")]
    assert world.intervals(other) == [("0", "1", "ws"), ("1", "3", "ws")]


@WIRES
def test_a_cancel_whose_fills_are_lost_waits_for_the_read(wire: str) -> None:
    """On both wires a cancel waits for a read that shows the fills missing below it."""
    world = ready(wire)
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.cancel(order)
    world.passes(5)
    assert [part for part in world.summary(8, account=True) if "ACCOUNT" not in part] == [
        f"ORDER_ACK {order} 0 ws",
        "GAP_OPENED hole",
        f"PARTIAL_FILL {order} 3 poll",
        f"CANCEL_ACK {order} 3 poll",
        "GAP_CLOSED hole 1",
    ]


def test_a_cancel_that_was_let_go_above_its_hole_is_not_forgotten_by_the_next_read() -> None:
    """A gap does not close by a read that leaves out an order of which more was seen than delivered."""
    world = ready("z")
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    late = world.exchange.plan._replace(order_lag=9000, lag=9000)
    world.exchange.reads.extend([REFUSED, late, late])
    world.exchange.lose()
    world.exchange.fill(order, "3")
    world.exchange.cancel(order)
    world.passes(4)
    assert [event.status for event in world.order_states(order)] == ["NEW", "CANCELED"]
    world.passes(2)
    assert world.gaps == [("GAP_OPENED", "hole")]
    world.passes(20)
    assert world.intervals(order) == [("0", "3", "poll")]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]


def test_without_l_a_lost_frame_merges_into_the_next_one() -> None:
    """Without `l` the next frame covers the lost fill too, as one fill with the price of both."""
    world = ready("z")
    world.exchange.pushes_account = False
    order = world.exchange.place("9")
    world.exchange.lose()
    world.exchange.fill(order, "1", "100")
    world.exchange.fill(order, "3", "104")
    world.passes(1)
    (fill,) = world.fills(order)
    assert (fill.fill_qty, fill.cumulative_qty, fill.fill_price) == (D(4), D(4), D(103))
    assert world.gaps == []


@WIRES
def test_an_older_frame_never_takes_an_order_back(wire: str) -> None:
    """NEW after PARTIALLY_FILLED is dropped, and so is anything after the end."""
    world = ready(wire)
    world.exchange.delay(0.5)
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.exchange.delay(1.0)
    world.exchange.amend(order, qty="6")
    world.exchange.fill(order, "4")
    world.passes(3)
    assert world.order_states(order) == []
    assert world.intervals(order) == [("0", "2", "ws"), ("2", "6", "ws")]


@WIRES
def test_an_amendment_is_delivered_once(wire: str) -> None:
    """A change of quantity or price is a state of its own, before and after the first fill."""
    world = ready(wire)
    order = world.exchange.place("5")
    world.exchange.amend(order, qty="6")
    world.exchange.fill(order, "2")
    world.exchange.delay(0.01, 0.5)
    world.exchange.amend(order, qty="8")
    world.passes(2)
    assert [(event.status, event.qty) for event in world.order_states(order)] == [
        ("NEW", D(5)),
        ("NEW", D(6)),
        ("PARTIALLY_FILLED", D(8)),
    ]
    assert world.gaps == []


def ends(world: TradingWorld, order: str) -> list[tuple[str, str, str, str]]:
    """Kind, executed and ordered quantity, and source of every event that says that the order is filled."""
    delivered = [event for event in world.events(OrderState) if event.order_id == order]
    delivered = [event for event in delivered if event.status == "FILLED"]
    return [(event.kind.value, str(event.cumulative_qty), str(event.qty), event.source) for event in delivered]


@WIRES
@pytest.mark.parametrize("delivered_by", ["frame", "read", "read alone", "next run", "after a smaller amendment"])
def test_an_order_that_is_amended_down_to_what_was_executed_is_over(wire: str, delivered_by: str) -> None:
    """The end is delivered once, as a state, not as a fill; nothing is missing, so no gap opens."""
    world = ready(wire, audit_interval=20)
    order = world.exchange.place("5", side="SELL")
    world.exchange.fill(order, "1")
    world.exchange.fill(order, "1")
    world.passes(1)
    if delivered_by == "after a smaller amendment":
        partly = world.exchange.report(order)
        world.exchange.say(msgspec.structs.replace(partly, qty=D(2), last_qty=D(0), exchange_ts=world.exchange_ms))
        world.passes(1)
    if delivered_by == "read alone":
        world.passes(300)
    if delivered_by == "next run":
        world.exchange.amend(order, qty="2", silent=True)
        world.restart()
    else:
        world.exchange.delay(0.01, 0.5)
        world.exchange.amend(order, qty="2", silent=delivered_by.startswith("read"))
    world.passes(100)
    source = "ws" if delivered_by in ("frame", "after a smaller amendment") else "poll"
    assert ends(world, order) == [("ORDER_ACK", "2", "2", source)]
    assert [end for _, end, _ in world.intervals(order)] == ["1", "2"]
    assert {reason for _, reason in world.gaps} <= {"start"}
    assert world.connection._continuity._orders.open_orders() == ()
    world.restart()
    world.passes(100)
    assert len(ends(world, order)) == 1


@WIRES
def test_an_order_that_is_amended_down_while_its_last_fill_is_missed_ends_with_that_fill(wire: str) -> None:
    """The fill that reaches the new quantity is a full fill, by frame or by read, and no other event repeats that."""
    world = ready(wire, audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.fill(order, "1")
    world.passes(1)
    world.exchange.lose()
    world.exchange.fill(order, "1")
    world.exchange.amend(order, qty="2")
    world.passes(100)
    source = "ws" if wire == "z" else "poll"
    assert ends(world, order) == [("FULL_FILL", "2", "2", source)]
    assert [end for _, end, _ in world.intervals(order)] == ["1", "2"]


def test_a_fill_that_was_delivered_as_a_part_is_followed_by_the_end_of_its_order() -> None:
    """A read delivered it while the order's quantity was unknown; a frame then shows that the order has ended."""
    world = ready(audit_interval=20)
    world.exchange.pushes_account = False
    order = world.exchange.place("2", price=None)
    world.exchange.altered = lambda account: msgspec.structs.replace(
        account,
        orders=tuple(msgspec.structs.replace(row, qty=None, status="PARTIALLY_FILLED") for row in account.orders),
    )
    world.exchange.lose()
    world.exchange.fill(order, "2")
    world.passes(30)
    world.exchange.say(msgspec.structs.replace(world.exchange.report(order), last_qty=D(2), last_price=D(100)))
    world.passes(1)
    assert [fill.kind.value for fill in world.fills(order)] == ["PARTIAL_FILL"]
    assert ends(world, order) == [("ORDER_ACK", "2", "2", "ws")]


@pytest.mark.parametrize("audit_interval", [5, 120])
def test_an_order_that_was_over_before_the_stream_has_no_end_in_it(audit_interval: float) -> None:
    """An order that ended before the stream began has no events in it."""
    world = trading(start=False, audit_interval=audit_interval)
    order = world.exchange.place("5")
    world.exchange.fill(order, "2")
    world.exchange.amend(order, qty="2")
    world.now = 5
    world.feed(inputs.Start())
    world.passes(200)
    assert ends(world, order) == []


def test_an_unknown_status_is_delivered_with_its_frame_or_as_the_fill_that_it_shows() -> None:
    """A report with more executed is a fill, whatever its status; else a frame of unknown status is an event itself."""
    world = ready()
    reports(world, status="WORKING")
    assert world.delivered[-1].kind is ExchangeEventKind.UNKNOWN
    assert world.delivered[-1].to_dict()["raw"][1]["status"] == "WORKING"
    reports(world, status="Unknown", cumulative_qty=D(3), average_price=D(100))
    (fill,) = world.fills("7")
    assert (fill.status, fill.kind.value, fill.cumulative_qty) == ("Unknown", "PARTIAL_FILL", D(3))


def test_a_cancel_that_brings_its_last_fill_delivers_both() -> None:
    """A cancel with a last quantity is delivered as a fill and as the order's end."""
    world = ready()
    reports(world, status="EXPIRED", cumulative_qty=D(3), last_qty=D(3), last_price=D(100))
    assert world.summary(8, account=True) == ["PARTIAL_FILL 7 3 ws", "ORDER_EXPIRED 7 3 ws"]


@pytest.mark.parametrize(
    ("fields", "kind", "status"),
    [
        ({"status": "FILLED", "cumulative_qty": D(10)}, "FULL_FILL", "FILLED"),
        ({"status": "PARTIALLY_FILLED", "cumulative_qty": D(10)}, "FULL_FILL", "PARTIALLY_FILLED"),
        ({"status": "PARTIALLY_FILLED", "cumulative_qty": D(9)}, "PARTIAL_FILL", "PARTIALLY_FILLED"),
        ({"status": "FILLED", "cumulative_qty": D(9), "qty": None}, "FULL_FILL", "FILLED"),
    ],
)
def test_a_fill_is_full_when_nothing_is_left(fields: dict[str, object], kind: str, status: str) -> None:
    """A fill is full if the status is FILLED or if it reaches the order's quantity."""
    world = ready()
    reports(world, average_price=D(100), **fields)
    (fill,) = world.fills("7")
    assert (fill.kind.value, fill.status) == (kind, status)


def test_a_fill_says_what_the_frame_said() -> None:
    """Fee as a cost, PnL, ids, no price for a market order, and the frame itself; JSON keeps them."""
    world = ready()
    reports(
        world,
        status="FILLED",
        cumulative_qty=D(10),
        last_qty=D(10),
        last_price=D("99.5"),
        price=None,
        order_type="MARKET",
        client_order_id="mine",
        position_side="LONG",
        fee=D("-0.05"),
        fee_asset="USDT",
        realized_pnl=D("1.5"),
        trade_id="77",
        liquidation=True,
    )
    (fill,) = world.fills("7")
    assert fill.event_id == "fill:BTC-USDT:7:10"
    assert fill.frame is not None
    plain = fill.to_dict()
    assert {name: plain[name] for name in ("fee", "fee_asset", "realized_pnl", "trade_id", "liquidation")} == {
        "fee": "-0.05",
        "fee_asset": "USDT",
        "realized_pnl": "1.5",
        "trade_id": "77",
        "liquidation": True,
    }
    assert (plain["price"], plain["client_order_id"], plain["position_side"]) == (None, "mine", "LONG")


def test_where_costs_are_cumulative_a_fill_has_the_difference() -> None:
    """If a dialect's fee and PnL are totals of the order, a fill has the differences; None where one is unknown."""
    world = trading(wire="l", cumulative=True).run(8)
    delivered = []
    frames = (("2", "2", "0.2"), ("5", "3", "0.5"), ("6", "1", None), ("7", "1", "0.7"), ("9", "3", "0.9"))
    for cumulative, last, fee in frames:
        reports(
            world,
            status="PARTIALLY_FILLED",
            cumulative_qty=D(cumulative),
            last_qty=D(last),
            fee=None if fee is None else D(fee),
        )
        delivered.append(world.fills("7")[-1].fee)
    assert delivered == [D("0.2"), D("0.3"), None, None, None]


@WIRES
def test_a_finished_order_is_forgotten_and_a_late_frame_of_it_is_read_up_and_never_a_fill(wire: str) -> None:
    """A late frame of a forgotten order opens a gap, and a read that shows nothing missing closes it."""
    world = ready(wire)
    order = world.exchange.place("5", price=None)
    world.exchange.delay(0.01, 300)
    world.exchange.fill(order, "5")
    resting = world.exchange.place("5")
    world.exchange.fill(resting, "1")
    world.passes(260)
    known = world.connection._continuity._orders.by_ref
    assert {order_id for _, order_id in known} == {resting}
    world.exchange.pushes_account = False
    world.passes(60)
    assert world.intervals(order) == [("0", "5", "ws")]
    assert world.gaps == [("GAP_OPENED", "hole"), ("GAP_CLOSED", "hole")]
    assert world.health is Health.LIVE


@pytest.mark.parametrize("ms", [0, 250, 499, 750, 999])
def test_forgetting_and_owing_agree_to_the_second(ms: int) -> None:
    """Lists of fills have whole seconds: at no moment is an ended order both forgotten and due."""
    world = ready(audit_interval=61.001)
    world.passes(ms / 1000)
    orders = []
    for _ in range(5):
        order = world.exchange.place("2", price=None)
        world.exchange.fill(order, "2")
        orders.append(order)
        world.passes(0.37)
    frames = [world.exchange.report(order) for order in orders]
    for _ in range(30):
        world.passes(7.123)
        for frame in frames:
            world.exchange.say(frame)
    assert sorted(fill.order_id for fill in world.fills()) == sorted(orders)


@pytest.mark.parametrize(("until", "forgotten"), [(160_499, False), (160_999, False), (161_000, True)])
def test_an_order_is_forgotten_a_whole_second_after_nothing_of_it_is_owed(until: int, forgotten: bool) -> None:
    """An order is kept until its rows, dated to the second, cannot be due any more."""
    context = Context(Policy(), 0, grain=1000)
    context.now = 0.0
    orders = Orders(context, cumulative_costs=False, unknowns=Unknowns(context))
    orders.began, orders.complete = 0, True
    orders.take(
        OrderReport(symbol="BTC-USDT", order_id="7", status="CANCELED", cumulative_qty=D(0), exchange_ts=100_500), None
    )
    orders.prove(until)
    assert (orders.by_ref == {}) is forgotten
    due_from = orders.due_from(None)
    assert due_from is not None
    assert (due_from // 1000 * 1000 > 100_000) is forgotten


def test_an_order_that_ended_while_nobody_looked_is_forgotten_too() -> None:
    """An order whose end was shown only by a read is forgotten as well."""
    world = ready()
    order = world.exchange.place("5")
    world.passes(1)
    world.drop_all()
    world.exchange.fill(order, "5")
    world.passes(400)
    assert world.intervals(order) == [("0", "5", "poll")]
    assert world.connection._continuity._orders.by_ref == {}


def test_a_read_that_shows_an_order_as_it_was_delivers_no_state_of_it() -> None:
    """A list of orders may lag behind the frames; a state older than those delivered is dropped."""
    world = ready()
    order = world.exchange.place("5")
    world.exchange.amend(order, qty="6")
    world.passes(3)
    world.exchange.amend(order, qty="7")
    world.exchange.fill(order, "1")
    world.passes(1)
    delivered = len(world.order_states(order))
    world.exchange.reads.append(world.exchange.plan._replace(order_lag=2000))
    world.feed(inputs.Resync())
    world.passes(2)
    assert [event.qty for event in world.order_states(order)] == [D(5), D(6), D(7)]
    assert len(world.order_states(order)) == delivered
    assert world.gaps == []


def test_an_order_with_more_seen_than_delivered_is_not_forgotten() -> None:
    """An order with a fill not yet delivered stays tracked, however long ago it ended."""
    world = ready()
    world.exchange.pushes_account = False
    order = world.exchange.place("5")
    world.exchange.cancel(order)
    world.passes(0.1)
    orders = world.connection._continuity._orders
    orders.by_ref["BTC-USDT", order].seen = D(1)
    orders.prove(world.exchange_ms + 10 * FORGET_AFTER_MS)
    assert ("BTC-USDT", order) in orders.by_ref
    orders.by_ref["BTC-USDT", order].seen = D(0)
    orders.prove(world.exchange_ms + 10 * FORGET_AFTER_MS)
    assert ("BTC-USDT", order) not in orders.by_ref


def test_a_frame_without_a_time_is_delivered_and_its_order_is_forgotten_in_time() -> None:
    """Without an exchange time, the end is dated by the exchange's clock as we know it."""
    world = ready()
    order = world.exchange.place("5", price=None)
    reports(world, order_id=order, exchange_ts=None, price=None, qty=D(5))
    world.passes(1)
    world.exchange.lose()
    world.exchange.cancel(order)
    reports(world, order_id=order, exchange_ts=None, price=None, qty=D(5), status="CANCELED")
    assert [(event.status, event.exchange_ts is None) for event in world.order_states(order)] == [
        ("NEW", False),
        ("CANCELED", True),
    ]
    world.passes(400)
    assert world.connection._continuity._orders.by_ref == {}


def test_an_order_of_unknown_beginning_waits_until_a_read_has_shown_it() -> None:
    """No frame shows how much of it is due: reports wait, in order, until a read has shown the base."""
    context = Context(Policy(), 0, grain=1000)
    context.now = 0.0
    orders = Orders(context, cumulative_costs=False, unknowns=Unknowns(context))
    for cumulative in (2, 5):
        orders.take(
            OrderReport(symbol="BTC-USDT", order_id="7", status="PARTIALLY_FILLED", cumulative_qty=D(cumulative)), None
        )
    (order,) = orders.by_ref.values()
    orders.resume(order)
    assert context.actions == []
    assert orders.without_base == {OrderRef("BTC-USDT", "7")} == orders.doubtful()
    order.begin(D(2))
    orders.resume(order)
    (action,) = context.actions
    assert isinstance(action, actions.Deliver)
    assert action.event.event_id == "fill:BTC-USDT:7:5"
    assert orders.without_base == set() == orders.doubtful()


@pytest.mark.parametrize(
    ("frame", "plain"), [(None, None), ('{"a":1}', {"a": 1}), ("a", "a"), (b"\xff", "\ufffd"), (b"[1]", [1])]
)
def test_a_frame_as_plain_values(frame: str | bytes | None, plain: object) -> None:
    """`decoded` gives the plain values of a frame for an event; a dialect need not speak JSON."""
    assert decoded(frame) == plain


def test_ids_are_the_same_whichever_path_brought_them() -> None:
    """A fill or a state has the same id by frame and by read."""
    by_frame, by_read = ready("l"), trading(mode="poll").run(8)
    for world in (by_frame, by_read):
        world.exchange.pushes_account = False
        order = world.exchange.place("5")
        world.passes(6)
        world.exchange.fill(order, "2", "101.10")
        world.passes(6)
        world.exchange.fill(order, "1")
        world.exchange.cancel(order)
        world.passes(12)
    ids = [
        [event.event_id for event in world.delivered if event.event_id.startswith(("fill:", "order:"))]
        for world in (by_frame, by_read)
    ]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 4


def test_a_recovered_fill_says_what_its_row_and_its_order_say() -> None:
    """Price, fee, PnL and trade id are the row's; fills before the last of a finished order are PARTIALLY_FILLED."""
    world = ready()
    order = world.exchange.place("5", side="SELL")
    world.passes(0.1)
    world.drop_all()
    world.exchange.fill(order, "2", "101")
    world.exchange.fill(order, "3", "102")
    world.passes(10)
    delivered = [
        (
            fill.kind.value,
            fill.status,
            fill.fill_price,
            fill.fee,
            fill.fee_asset,
            fill.realized_pnl,
            fill.side,
            fill.source,
        )
        for fill in world.fills(order)
    ]
    assert delivered == [
        ("PARTIAL_FILL", "PARTIALLY_FILLED", D(101), D("0.101"), "USDT", D(1), "SELL", "poll"),
        ("FULL_FILL", "FILLED", D(102), D("0.153"), "USDT", D("1.5"), "SELL", "poll"),
    ]
    assert [event.status for event in world.order_states(order)] == ["NEW"]
    restored = msgspec.structs.asdict(world.fills(order)[0])
    assert Fill(**restored) == world.fills(order)[0]
