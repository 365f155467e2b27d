"""The simulated venue's books: exact, and the sum of its own fills."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.flow import Flow
from listenkey.adapters.simulator.orders import STOPS, OrderRefused, Triggered
from listenkey.adapters.simulator.truth import truth_of

from ...examples import TIMES

BEGIN = 1_758_608_899_000
D = Decimal


def busy(seed: int, *, hedge: bool, seconds: int = 40, turn_ms: int = 50) -> Exchange:
    exchange = Exchange(now=BEGIN, seed=seed, hedge=hedge)
    flow = Flow(exchange, now=BEGIN, fills_per_second=20, seed=seed)
    for now in range(BEGIN, BEGIN + seconds * 1000, turn_ms):
        flow.advance(now)
    return exchange


@given(seed=st.integers(0, 10_000), hedge=st.booleans())
@settings(max_examples=10 * TIMES, deadline=None)
def test_wallet_is_opening_plus_what_was_booked(seed: int, hedge: bool) -> None:
    """The wallet is opening + PnL - fees + funding + transfers exactly, which fills and income rows confirm."""
    exchange = busy(seed, hedge=hedge)
    wallet = exchange.account.book.wallets["USDT"]
    assert wallet.balance == wallet.opening + wallet.pnl - wallet.fees + wallet.funding + wallet.transfers
    assert wallet.fees == sum(fill.fee for fill in exchange.fills)
    assert wallet.pnl == sum(fill.pnl for fill in exchange.fills)
    income = exchange.account.book.income
    assert wallet.balance == wallet.opening + sum(row.amount for row in income)
    assert len({(row.tran_id, row.type) for row in income}) == len(income)


@given(seed=st.integers(0, 10_000), hedge=st.booleans())
@settings(max_examples=10 * TIMES, deadline=None)
def test_intervals_of_an_order_tile_what_was_executed(seed: int, hedge: bool) -> None:
    """The fills of one order cover (0, executed] without a hole or an overlap, and never more than its quantity."""
    exchange = busy(seed, hedge=hedge)
    assert {fill.order_id for fill in exchange.fills} <= set(exchange.orders)
    begetters = {order.triggered_by for order in exchange.orders.values()}
    for order in exchange.orders.values():
        reached = D(0)
        for fill in exchange.fills_of[order.id]:
            assert fill.start == reached
            assert fill.end > fill.start
            reached = fill.end
        assert reached == order.executed <= order.qty
        assert (order.status == "FILLED") == (order.executed == order.qty or order.id in begetters)
        assert order.open == (order.id in exchange.open)
        assert order.quote == sum(fill.qty * fill.price for fill in exchange.fills_of[order.id])


@given(seed=st.integers(0, 10_000), hedge=st.booleans())
@settings(max_examples=10 * TIMES, deadline=None)
def test_positions_are_the_sum_of_the_fills(seed: int, hedge: bool) -> None:
    """A position's size is the sum of its fills, and its cost is what the fills paid plus their PnL."""
    exchange = busy(seed, hedge=hedge)
    sizes: dict[tuple[str, str], Decimal] = {}
    paid: dict[tuple[str, str], Decimal] = {}
    for fill in exchange.fills:
        signed = fill.qty if fill.side == "BUY" else -fill.qty
        at = (fill.symbol, fill.position_side)
        sizes[at] = sizes.get(at, D(0)) + signed
        paid[at] = paid.get(at, D(0)) + signed * fill.price + fill.pnl
        if hedge:
            assert (sizes[at] >= 0) if fill.position_side == "LONG" else (sizes[at] <= 0)
        else:
            assert fill.position_side == "BOTH"
    for (symbol, side), size in sizes.items():
        position = exchange.account.position(symbol, side)
        assert position.qty == size
        assert position.cost == paid[symbol, side]


def test_the_same_seed_gives_the_same_history() -> None:
    """The history depends on the seed alone, not on how often the flow is asked to advance."""
    coarse, fine = busy(7, hedge=True, turn_ms=1000), busy(7, hedge=True, turn_ms=10)
    upto = min(coarse.fills[-1].ts, fine.fills[-1].ts)
    assert [each for each in coarse.fills if each.ts <= upto] == [each for each in fine.fills if each.ts <= upto]
    assert coarse.fills != busy(8, hedge=True, turn_ms=1000).fills


def test_the_flow_keeps_its_rate_and_does_everything() -> None:
    """The flow makes about the given number of fills, a third of the orders in parts, and every kind of activity."""
    exchange = busy(3, hedge=True, seconds=200)
    assert 0.8 < len(exchange.fills) / (200 * 20) < 1.25
    parts = [len(fills) for fills in exchange.fills_of.values() if fills]
    assert 0.2 < sum(count > 1 for count in parts) / len(parts) < 0.45
    statuses = {order.status for order in exchange.orders.values()}
    assert {"FILLED", "CANCELED", "EXPIRED"} <= statuses
    assert any(order.status == "CANCELED" and order.executed for order in exchange.orders.values())
    assert {"MARKET", "LIMIT"} | STOPS == {order.type for order in exchange.orders.values()}
    begotten = [order for order in exchange.orders.values() if order.triggered_by]
    assert {"MARKET", "LIMIT"} == {order.type for order in begotten if order.executed}
    assert any(order.status == "CANCELED" for order in exchange.orders.values() if order.type in STOPS)
    kinds = {row.type for row in exchange.account.book.income}
    assert kinds == {"TRADING_FEE", "REALIZED_PNL", "FUNDING_FEE", "TRANSFER"}
    assert all(order_id > 2**53 for order_id in exchange.orders)
    assert all((order.id >> 22) + 1288834974657 == order.created for order in exchange.orders.values())


def test_a_quiet_flow_does_nothing_more() -> None:
    """A hushed flow fills no order, not even one that has begun, until it is resumed."""
    exchange = Exchange(now=BEGIN)
    flow = Flow(exchange, now=BEGIN, fills_per_second=50)
    flow.advance(BEGIN + 2000)
    made = len(exchange.fills)
    flow.hush()
    flow.advance(BEGIN + 4000)
    assert len(exchange.fills) == made
    flow.resume(BEGIN + 4000)
    flow.advance(BEGIN + 6000)
    assert len(exchange.fills) > made


def test_pnl_and_fees_by_hand() -> None:
    """A short opened at 100 and 110 has entry 105 and, closed by half at 90, PnL 30; maker and taker fees differ."""
    exchange = Exchange(now=BEGIN)
    for price in ("100.000", "110.000"):
        order = exchange.place("SOL-USDT", "SELL", D(2), now=BEGIN, type="LIMIT", position_side="SHORT", price=D(price))
        assert exchange.fill(order.id, now=BEGIN).fee == D(2) * D(price) * D("0.0002")
    order = exchange.place("SOL-USDT", "BUY", D(2), now=BEGIN, position_side="SHORT")
    fill = exchange.fill(order.id, now=BEGIN, price=D(90))
    assert fill.pnl == D(30)
    assert fill.fee == D("0.09")
    (position,) = truth_of(exchange, BEGIN)["positions"]
    assert (position["side"], position["qty"], position["entry_price"]) == ("SHORT", "2", "105")


def test_one_way_mode_turns_a_position_over() -> None:
    """A sale beyond a long closes it at a profit and opens a short at the sale's price."""
    exchange = Exchange(now=BEGIN, hedge=False)
    first = exchange.place("SOL-USDT", "BUY", D(3), now=BEGIN)
    exchange.fill(first.id, now=BEGIN, price=D(100))
    second = exchange.place("SOL-USDT", "SELL", D(5), now=BEGIN)
    assert exchange.fill(second.id, now=BEGIN, price=D(101)).pnl == D(3)
    position = exchange.account.position("SOL-USDT", "BOTH")
    assert (position.qty, position.entry) == (D(-2), D(101))


def test_funding_and_transfers() -> None:
    """Longs pay a positive rate, no position pays nothing, and a transfer of more than is free is refused."""
    exchange = Exchange(now=BEGIN)
    assert exchange.fund("BTC-USDT", D("0.001"), now=BEGIN) == 0
    exchange.trade("BTC-USDT", "BUY", D("0.01"), now=BEGIN)
    price = exchange.market.price("BTC-USDT", BEGIN)
    assert exchange.fund("BTC-USDT", D("0.001"), now=BEGIN) == -price * D("0.00001")
    with pytest.raises(OrderRefused) as refused:
        exchange.transfer("USDT", D(-100_000), now=BEGIN)
    assert refused.value.code == 101204
    exchange.transfer("USDT", D("12.5"), now=BEGIN)
    assert exchange.account.book.wallets["USDT"].transfers == D("12.5")


def test_a_liquidation_closes_the_position_and_cancels_what_would_reduce_it() -> None:
    """A liquidation closes the whole position and cancels the orders that would reduce it."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("ETH-USDT", "BUY", D("0.5"), now=BEGIN)
    resting = exchange.place("ETH-USDT", "SELL", D("0.2"), now=BEGIN, type="LIMIT", position_side="LONG", price=D(4000))
    fill = exchange.liquidate("ETH-USDT", "LONG", now=BEGIN)
    assert (fill.qty, exchange.orders[fill.order_id].type) == (D("0.5"), "LIQUIDATION")
    assert exchange.orders[resting.id].status == "CANCELED"
    assert exchange.positions(BEGIN) == []


SPELL: dict[str, Any] = {"symbol": "BTC-USDT", "side": "BUY", "qty": D("0.01"), "now": BEGIN}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "NOPE-USDT"}, 109425),
        ({"side": "HOLD"}, 109400),
        ({"type": "ICEBERG"}, 109400),
        ({"qty": D("0.00001")}, 109400),
        ({"qty": D("NaN")}, 109400),
        ({"qty": D(0)}, 109400),
        ({"position_side": "BOTH"}, 109400),
        ({"type": "LIMIT"}, 109400),
        ({"type": "LIMIT", "price": D("60000.05")}, 109400),
        ({"type": "TRIGGER_MARKET"}, 109400),
        ({"side": "SELL", "position_side": "LONG"}, 101205),
        ({"reduce_only": True}, 101205),
    ],
)
def test_what_the_venue_refuses_changes_nothing(change: dict[str, Any], code: int) -> None:
    """A refused order has the venue's code, and leaves no order and no frame."""
    exchange = Exchange(now=BEGIN)
    with pytest.raises(OrderRefused) as refused:
        exchange.place(**(SPELL | change))
    assert refused.value.code == code
    assert not exchange.orders
    assert exchange.due(BEGIN + 10**9) == []


def test_what_cannot_be_done_to_an_order() -> None:
    """A fill beyond the rest, an amendment below what was executed, and a cancel of a finished order are refused."""
    exchange = Exchange(now=BEGIN)
    order = exchange.place("LTC-USDT", "BUY", D(5), now=BEGIN, type="LIMIT", price=D(80))
    exchange.fill(order.id, D(2), now=BEGIN)
    with pytest.raises(OrderRefused):
        exchange.fill(order.id, D("3.1"), now=BEGIN)
    with pytest.raises(OrderRefused):
        exchange.amend(order.id, D("1.9"), now=BEGIN)
    with pytest.raises(OrderRefused):
        exchange.trigger(order.id, now=BEGIN)
    assert exchange.amend(order.id, D("2.1"), now=BEGIN).remaining == D("0.1")
    assert exchange.amend(order.id, D(2), now=BEGIN).status == "FILLED"
    with pytest.raises(OrderRefused) as finished:
        exchange.cancel(order.id, now=BEGIN)
    with pytest.raises(OrderRefused) as unknown:
        exchange.cancel(1, now=BEGIN)
    assert (finished.value.code, unknown.value.code) == (109422, 109421)


@pytest.mark.parametrize("triggered", ["framed", "own"])
def test_a_conditional_order_that_is_filled_is_triggered_by_that(triggered: Triggered) -> None:
    """A fill triggers a conditional order and belongs to the executing one; a fill of too much changes nothing."""
    exchange = Exchange(now=BEGIN, triggered=triggered)
    order = exchange.place("SOL-USDT", "BUY", D(3), now=BEGIN, type="TAKE_PROFIT_MARKET", stop_price=D(160))
    exchange.due(BEGIN + 10**9)
    with pytest.raises(OrderRefused):
        exchange.fill(order.id, D(4), now=BEGIN)
    assert list(exchange.orders.values()) == [order]
    assert exchange.due(BEGIN + 10**9) == []
    first = exchange.fill(order.id, D(1), now=BEGIN)
    assert (first.order_id == order.id) == (triggered == "own")
    assert exchange.fill(first.order_id, now=BEGIN).end == D(3)
    assert exchange.orders[first.order_id].status == exchange.orders[order.id].status == "FILLED"
    assert exchange.account.position("SOL-USDT", "LONG").qty == D(3)


def test_what_cannot_be_triggered() -> None:
    """An order that is plain, already triggered, or without a position is not triggered, and nothing changes."""
    exchange = Exchange(now=BEGIN, hedge=False)
    exchange.trade("SOL-USDT", "BUY", D(3), now=BEGIN)
    stop: dict[str, Any] = {"now": BEGIN, "type": "STOP_MARKET", "stop_price": D(140), "reduce_only": True}
    hollow = exchange.place("SOL-USDT", "SELL", D(2), **stop)
    sound = exchange.place("SOL-USDT", "SELL", D(1), **stop)
    exchange.trade("SOL-USDT", "SELL", D(2), now=BEGIN)
    with pytest.raises(OrderRefused) as none_held:
        exchange.trigger(hollow.id, now=BEGIN)
    assert none_held.value.code == 101205
    assert exchange.orders[hollow.id] == hollow
    made = exchange.trigger(sound.id, now=BEGIN)
    assert (made.type, made.reduce_only, made.triggered_by, made.qty) == ("MARKET", True, sound.id, D(1))
    for order_id in (sound.id, made.id):
        with pytest.raises(OrderRefused):
            exchange.trigger(order_id, now=BEGIN)


def test_the_reading_of_triggered_orders_is_one_of_three() -> None:
    """An unknown reading of triggered orders is refused with the allowed ones."""
    with pytest.raises(ValueError, match="framed, silent or own"):
        Exchange(now=BEGIN, triggered="loud")  # type: ignore[arg-type]


def test_time_that_goes_backwards_is_clamped() -> None:
    """A time before the last one counts as the last one, so fills are in order of time."""
    exchange = Exchange(now=BEGIN)
    exchange.trade("BTC-USDT", "BUY", D("0.01"), now=BEGIN + 50)
    exchange.trade("BTC-USDT", "BUY", D("0.01"), now=BEGIN)
    assert [fill.ts for fill in exchange.fills] == [BEGIN + 50, BEGIN + 50]


def test_truth_is_plain_and_canonical() -> None:
    """In the truth amounts are canonical strings, ids are strings, and a fill's quantity is its end minus its start."""
    exchange = busy(1, hedge=True, seconds=5)
    truth = truth_of(exchange, exchange.now)
    for row in truth["fills"]:
        assert D(row["end"]) - D(row["start"]) == D(row["qty"]) > 0
        assert not row["qty"].endswith("0") or "." not in row["qty"]
        assert isinstance(row["order_id"], str)
        assert isinstance(row["trade_id"], str)
    assert truth["mode"] == "hedge"
    assert set(truth) >= {"opening", "wallet", "fees", "realized_pnl", "funding", "transfers", "positions", "orders"}
