"""An account whose key others replace, whose sockets go silent and whose requests fail: no event is lost."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from listenkey.core.events import Fill, FillRevised, FundingFee, GapNotice, OrderState

from .world import SYMBOLS, World

DAY = 86_400_000
HAPPENINGS = ("place", "fill", "fill", "fill", "cancel", "fund", "match", "nothing")
TROUBLES = ("taken", "expired", "gone", "cut", "silent", "unreachable", "busy", "late", "lossy", "none")


def happen(world: World) -> None:
    """Let the account do something at random."""
    rng, running = world.rng, world.running()
    match rng.choice(HAPPENINGS):
        case "fill" if running:
            row = rng.choice(running)
            left = Decimal(row["origQty"]) - Decimal(row["executedQty"])
            world.fill(row, min(left, Decimal(rng.choice(("0.1", "0.5", "3")))))
        case "match" if running:
            first = rng.choice(running)
            others = [row for row in running if row["symbol"] == first["symbol"] and row is not first]
            if others:
                left = min(Decimal(row["origQty"]) - Decimal(row["executedQty"]) for row in (first, others[0]))
                world.fill(others[0], left, world.fill(first, left))
        case "cancel" if len(running) > 4:
            world.cancel(rng.choice(running))
        case "fund" if any(world.held.values()):
            world.fund(rng.choice([symbol for symbol in SYMBOLS if world.held[symbol]]))
        case _ if len(running) < 8:
            world.place(rng.choice(SYMBOLS), rng.choice(("1", "2", "5")))


def trouble(world: World) -> float:
    """Let something go wrong at random; return for how long, in seconds."""
    rng = world.rng
    match rng.choice(TROUBLES):
        case "taken":
            world.mint()
        case "expired":
            world.expire(said=True)
        case "gone":
            world.expire(said=False)
        case "cut":
            world.cut()
        case "silent":
            world.silent |= world.open.keys()
        case "unreachable":
            world.unreachable = True
            world.cut()
        case "busy":
            world.busy = True
        case "late":
            world.lag = 3000
        case "lossy":
            world.loses = 0.1
    return rng.uniform(1, 60)


def in_order(world: World) -> None:
    """Check that fills of an order adjoin, except while a gap is open."""
    ends: dict[tuple[str, str], Decimal] = {}
    gap_open = False
    for event in world.delivered:
        if isinstance(event, GapNotice):
            gap_open = event.kind.value == "GAP_OPENED" or (event.kind.value == "RECONNECTED" and gap_open)
        elif isinstance(event, Fill):
            order = (event.symbol, event.order_id)
            assert gap_open or event.cumulative_qty - event.fill_qty == ends.get(order, 0)
            ends[order] = max(ends.get(order, Decimal(0)), event.cumulative_qty)


def lived(seed: int, **readings: bool) -> World:
    """Run a quarter of an hour with troubles, then ten minutes without."""
    world = World(seed)
    for name, value in readings.items():
        setattr(world, name, value)
    world.passes(10)
    end = world.now + 900
    while world.now < end:
        until = world.now + trouble(world)
        while world.now < until:
            happen(world)
            world.passes(world.rng.choice((0.0, 0.001, 0.05, 1.0, 9.0)))
        world.unreachable = world.busy = False
        world.lag, world.loses = 0, 0.0
        world.silent.clear()
        world.passes(world.rng.choice((0.0, 5.0, 100.0)))
    world.passes(600)
    return world


def test_fees_in_bnb() -> None:
    """With fees in BNB the PnL is booked in USDT at once, and no gap opens because of the balance."""
    world = World(1)
    world.passes(20)
    world.place("BTCUSDT", "3")
    for _ in range(3):
        world.fill(world.running()[0], Decimal(1), costs=(Decimal("0.0001"), "BNB", Decimal("0.5")))
        world.passes(0.1)
        assert {book.asset: book.k_capital for book in world.connection.books} == world.wallet
        world.passes(3)
    assert not [event for event in world.delivered if isinstance(event, GapNotice) and event.reason == "balance"]


@pytest.mark.parametrize("from_before", [False, True])
@pytest.mark.parametrize("first", [5, 95])
@pytest.mark.parametrize("own_list_is_short", [False, True])
def test_an_order_that_is_older_than_the_venue_keeps(from_before: bool, first: int, own_list_is_short: bool) -> None:
    """An order older than the venue keeps is filled while the stream is down: each fill is delivered from lists."""
    world = World(1)
    world.own_list_is_short = own_list_is_short
    order = world.place("BTCUSDT", "5")
    row, one = world.running()[0], Decimal(1)
    if not from_before:
        world.passes(200)
    world.fill(row, one)
    if not from_before:
        world.passes(200)
    row["time"] -= 100 * DAY
    row["updateTime"] = world.fills[-1]["time"] = world.ms() - first * DAY
    world.cleaned = {str(order)}
    world.passes(200)
    world.fill(row, one)
    world.unreachable = True
    world.cut()
    for _ in range(2):
        world.fill(row, one)
    world.passes(5)
    world.unreachable = False
    world.passes(1)
    world.fill(row, one)
    world.passes(600)
    fills = [event for event in world.delivered if isinstance(event, Fill)]
    found = [(str(fill.cumulative_qty), fill.fill_qty, fill.trade_id) for fill in fills]
    due = world.fills[1:] if from_before else world.fills
    assert found == [(str(end), one, str(fill["id"])) for end, fill in zip(range(6 - len(due), 6), due, strict=True)]
    gaps = [event for event in world.delivered if isinstance(event, GapNotice) and event.kind.value == "GAP_CLOSED"]
    assert [gap.proven for gap in gaps] == [True] * len(gaps) != []
    assert world.connection.health == "LIVE"


@pytest.mark.parametrize("seed", [0, 21, 42, 63])
def test_a_life(seed: int) -> None:
    """Fills, funding and orders come once, fills in order and with their fees; the account is right and LIVE."""
    # Each bit of the seed chooses one reading of an undocumented fact, so that both readings of each are tested.
    readings = ("renewal_names", "keeps_newest", "ends_included", "own_list_is_short", "by_update", "symbol_required")
    world = lived(seed, **{name: bool(seed >> place & 1) for place, name in enumerate(readings)})
    fills = [event for event in world.delivered if isinstance(event, Fill)]
    delivered = {(fill.symbol, fill.order_id, fill.cumulative_qty): fill for fill in fills}
    assert len(delivered) == len(fills)
    assert delivered.keys() == world.truth.keys()
    revised = {event.replaces: event for event in world.delivered if isinstance(event, FillRevised)}
    for place, (quantity, fee, trade) in world.truth.items():
        fill = delivered[place]
        final = revised.get(fill.event_id, fill)
        assert (fill.fill_qty, fill.trade_id, final.fee) == (quantity, trade, fee)
    in_order(world)
    states = [event for event in world.delivered if isinstance(event, OrderState)]
    over = {(event.symbol, event.order_id) for event in states if event.status in ("CANCELED", "FILLED")}
    assert over == {(row["symbol"], str(row["orderId"])) for row in world.orders} - {
        (row["symbol"], str(row["orderId"])) for row in world.running()
    }
    funding = [event for event in world.delivered if isinstance(event, FundingFee) and not event.provisional]
    paid = Counter(row["symbol"] for row in world.income if row["incomeType"] == "FUNDING_FEE")
    assert Counter(event.symbol for event in funding) == paid
    wallets, held = world.last_account()
    assert wallets == world.wallet
    assert held == {symbol: amount for symbol, amount in world.held.items() if amount}
    gaps = [event.kind.value for event in world.delivered if isinstance(event, GapNotice)]
    assert gaps.count("GAP_OPENED") == gaps.count("GAP_CLOSED") > 0
    assert world.connection.health == "LIVE"
    assert {book.asset: book.drift for book in world.connection.books} == {"USDT": 0, "BNB": 0}
