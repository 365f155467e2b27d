"""`MockVenue` delivers the events of its script in order, by the test's clock, with an account that adds up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import anyio
import msgspec
import pytest

import listenkey
from listenkey.adapters.mock import Amount, MockStream, MockVenue
from listenkey.core.events import (
    AccountUpdate,
    Balance,
    ConfigUpdate,
    ExchangeEvent,
    ExchangeEventKind,
    Fill,
    FundingFee,
    GapNotice,
    Health,
    OrderState,
    Position,
)
from listenkey.ports.errors import CredentialsRefused, ListenKeyError, ReadFailed, StreamStopped
from listenkey.ports.venue import VenueAdapter

K = ExchangeEventKind
Scenario = Callable[[], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario on each event loop."""

    def runner(scenario: Scenario) -> None:
        anyio.run(scenario, backend=request.param)

    return runner


def delivered(venue: VenueAdapter) -> list[ExchangeEvent]:
    """Return all events that a stream of the venue delivers until it ends."""

    async def read() -> list[ExchangeEvent]:
        async with venue.subscribe() as stream:
            return [event async for event in stream]

    return anyio.run(read)


def snapshot(venue: VenueAdapter) -> AccountUpdate:
    return anyio.run(venue.account_snapshot)


def test_a_fill_that_was_delivered_without_figures_is_revised() -> None:
    """A fill without fee and PnL, as after an interruption, can be revised, and so is the wallet."""
    venue = MockVenue(balance=1000)
    opened = venue.fill(symbol="BTC-USDT", side="BUY", qty=2, price=100, fee=1)
    closed = venue.fill(symbol="BTC-USDT", side="SELL", qty=2, price=110, unsure=True)
    assert (closed.fee, closed.realized_pnl, closed.trade_id, closed.fee_asset) == (None, None, None, "USDT")
    assert snapshot(venue).balances[0].wallet_balance == 1019
    first = venue.revise(closed, fee="0.5")
    second = venue.revise(first, realized_pnl=19, price="109.5")
    assert snapshot(venue).balances[0].wallet_balance == Decimal("1017.5")
    assert first.event_id == f"revised:BTC-USDT:{closed.order_id}:2:110:0.5:"
    assert second.event_id == f"revised:BTC-USDT:{closed.order_id}:2:109.5:0.5:19"
    assert first.replaces == second.replaces == closed.event_id
    assert (second.fill_qty, second.status, second.source) == (Decimal(2), "FILLED", "poll")
    venue.feed(second, msgspec.structs.replace(second, event_id="of a fill that nobody fed", replaces="fill:other"))
    assert snapshot(venue).balances[0].wallet_balance == Decimal("1017.5")
    venue.end()
    events = delivered(venue)
    assert kinds(events).count("FILL_REVISED") == 4
    sums = listenkey.totals(events)
    assert (sums.fees, sums.realized_pnl) == ({"USDT": Decimal("1.5")}, {"BTC-USDT": Decimal(19)})
    assert opened.realized_pnl == 0


def kinds(events: list[ExchangeEvent]) -> list[str]:
    return [event.kind.value for event in events]


def wallet(venue: MockVenue) -> Decimal:
    [balance] = snapshot(venue).balances
    assert balance.wallet_balance is not None
    return balance.wallet_balance


def test_a_script_is_delivered_in_order() -> None:
    """Events that are fed before the subscription wait, and are delivered in order, unchanged, each once."""
    venue = MockVenue()
    order = venue.order("ETH-USDT", "SELL", 2, "3000", client_order_id="mine")
    venue.advance(0.5)
    venue.fill(order, qty="0.5")
    venue.cancel(order)
    venue.end()
    events = delivered(venue)
    assert events == venue.fed
    assert kinds(events) == ["ORDER_ACK", "PARTIAL_FILL", "ACCOUNT_UPDATE", "CANCEL_ACK"]
    ack, fill, account, cancel = events
    assert isinstance(ack, OrderState)
    assert isinstance(fill, Fill)
    assert isinstance(account, AccountUpdate)
    assert isinstance(cancel, OrderState)
    assert (ack.event_id, ack.status, ack.order_type) == ("order:ETH-USDT:1:NEW:0:2:3000", "NEW", "LIMIT")
    assert (fill.event_id, fill.status, fill.client_order_id) == ("fill:ETH-USDT:1:0.5", "PARTIALLY_FILLED", "mine")
    assert (fill.fill_qty, fill.fill_price, fill.fee) == (Decimal("0.5"), Decimal(3000), Decimal("0.75"))
    assert (cancel.event_id, cancel.cumulative_qty) == ("order:ETH-USDT:1:CANCELED:0.5:2:3000", Decimal("0.5"))
    assert fill.exchange_ts == (ack.exchange_ts or 0) + 500
    assert account.positions[0].side == "SHORT"


def test_a_fill_by_itself() -> None:
    """A fill without an order creates one, with the quantity of the fill or a given larger one."""
    venue = MockVenue()
    first = venue.fill(symbol="BTC-USDT", side="BUY", qty="0.1", price="50000")
    second = venue.fill(symbol="BTC-USDT", side="BUY", qty="0.1", price="50000", order_qty="0.3", fee="-0.01")
    third = venue.fill(second.order_id, price=51000)
    assert kinds(venue.fed[:3]) == ["ORDER_ACK", "FULL_FILL", "ACCOUNT_UPDATE"]
    assert [fill.kind for fill in (first, second, third)] == [K.FULL_FILL, K.PARTIAL_FILL, K.FULL_FILL]
    assert (third.fill_qty, third.cumulative_qty, second.fee) == (Decimal("0.2"), Decimal("0.3"), Decimal("-0.01"))
    assert first.order_id != second.order_id == third.order_id


Trade = tuple[str, str, str, str | None]


@pytest.mark.parametrize(
    ("trades", "profit", "side", "qty", "entry"),
    [
        ([("BUY", "1", "100", None)], "0", "LONG", "1", "100"),
        ([("SELL", "1", "100", None)], "0", "SHORT", "1", "100"),
        ([("BUY", "1", "100", None), ("BUY", "3", "200", None)], "0", "LONG", "4", "175"),
        ([("BUY", "4", "100", None), ("SELL", "1", "130", None)], "30", "LONG", "3", "100"),
        ([("SELL", "4", "100", None), ("BUY", "1", "130", None)], "-30", "SHORT", "3", "100"),
        ([("BUY", "1", "100", None), ("SELL", "3", "90", None)], "-10", "SHORT", "2", "90"),
        ([("BUY", "3", "100", None), ("SELL", "1", "110", None), ("SELL", "2", "120", None)], "50", None, "0", None),
        ([("SELL", "2", "100", "SHORT"), ("BUY", "1", "90", "SHORT")], "10", "SHORT", "1", "100"),
        ([("BUY", "2", "100", "LONG"), ("SELL", "2", "90", "LONG")], "-20", "LONG", "0", None),
    ],
)
def test_the_account_adds_up(trades: list[Trade], profit: str, side: str | None, qty: str, entry: str | None) -> None:
    """Profit, fees, side, quantity and entry price follow from the fills, in one-way and in hedge mode."""
    venue = MockVenue(balance=1000, fee_rate="0.01")
    fills = [venue.fill(side=way, qty=q, price=price, position_side=p) for way, q, price, p in trades]
    fees = sum((Decimal(q) * Decimal(price) for _, q, price, _ in trades), Decimal(0)) / 100
    assert sum(fill.realized_pnl or 0 for fill in fills) == Decimal(profit)
    assert sum(fill.fee or 0 for fill in fills) == fees
    assert wallet(venue) == 1000 + Decimal(profit) - fees
    last = venue.fed[-1]
    assert isinstance(last, AccountUpdate)
    assert last.balances[0].wallet_balance == wallet(venue)
    [position] = last.positions
    assert (position.side, position.qty) == (side, Decimal(qty))
    assert position.entry_price == (None if entry is None else Decimal(entry))
    assert snapshot(venue).positions == (last.positions if Decimal(qty) else ())


def test_long_and_short_at_once() -> None:
    """In hedge mode a symbol has two positions, LONG and SHORT."""
    venue = MockVenue()
    venue.fill(side="BUY", qty=1, price=100, position_side="LONG")
    venue.fill(side="SELL", qty=2, price=110, position_side="SHORT")
    held = {position.side: position.qty for position in snapshot(venue).positions}
    assert held == {"LONG": 1, "SHORT": 2}


def test_money() -> None:
    """Funding and transfers move the wallet; a final funding fee takes the place of a provisional one."""
    venue = MockVenue(balance=100)
    provisional = venue.funding("-1.5", provisional=True)
    assert wallet(venue) == Decimal("98.5")
    final = venue.funding("-1.6", "BTC-USDT", replaces=provisional)
    assert wallet(venue) == Decimal("98.4")
    change = venue.transfer(50)
    assert wallet(venue) == Decimal("148.4")
    assert final.replaces == provisional.event_id
    assert change.reason == "TRANSFER"
    assert kinds(venue.fed) == ["FUNDING_FEE", "ACCOUNT_UPDATE"] * 2 + ["BALANCE_CHANGE", "ACCOUNT_UPDATE"]


def test_the_account_follows_what_is_fed() -> None:
    """Events that the user makes change the account, each id once, and an update replaces its values."""
    donor, venue = MockVenue(balance=100), MockVenue(balance=100)
    fill = donor.fill(qty=1, price=10, order_qty=2)
    venue.feed(fill, msgspec.structs.replace(fill, redelivered=True))
    assert venue.fed[0] == fill
    assert len(venue.fed) == 2
    assert wallet(venue) == wallet(donor)
    assert venue.fill(fill.order_id, price=11).cumulative_qty == 2
    held = Position(symbol="ETH-USDT", side="SHORT", qty=Decimal(3), entry_price=Decimal(7))
    balance = Balance(asset="USDT", wallet_balance=Decimal(5))
    update = msgspec.structs.replace(snapshot(donor), balances=(balance,), positions=(held,))
    venue.feed(update)
    assert wallet(venue) == 5
    [position] = snapshot(venue).positions
    assert (position.symbol, position.side) == ("ETH-USDT", "SHORT")
    assert (position.qty, position.entry_price) == (Decimal(3), Decimal(7))


def test_a_read_says_what_the_account_is_worth_and_a_push_does_not() -> None:
    """A snapshot has equity and margin, a pushed update has none, and neither has liquidation figures."""
    venue = MockVenue()
    venue.fill(symbol="ETH-USDT", side="BUY", qty=2, price=100, fee=0)
    venue.fill(symbol="ETH-USDT", side="SELL", qty=1, price=110, fee=0)
    pushed = [event for event in venue.fed if isinstance(event, AccountUpdate)][-1]
    assert (pushed.balances[0].equity, pushed.balances[0].used_margin) == (None, None)
    whole = snapshot(venue)
    (balance,), (held,) = whole.balances, whole.positions
    assert balance.wallet_balance is not None
    assert balance.equity is not None
    assert balance.used_margin is not None
    assert held.mark_price == 110
    assert held.unrealized_pnl == balance.unrealized_pnl == 10
    assert held.liquidation_price is None
    assert balance.equity == balance.wallet_balance + 10
    assert held.leverage is not None
    assert balance.used_margin == (Decimal(100) / held.leverage).quantize(Decimal("1e-8"))
    assert balance.available == balance.equity - balance.used_margin
    assert balance.maintenance_margin is None


def test_a_gap_that_takes_the_link_away() -> None:
    """Missed events are delivered as by a read: account, fills, the last state of each order, then the closing."""
    venue = MockVenue()
    resting = venue.order(price=100, qty=4)
    venue.gap()
    venue.advance(10)
    venue.fill(resting, qty=1)
    venue.fill(resting, qty=1)
    passing = venue.order(price=90, qty=1)
    venue.cancel(passing)
    venue.funding(-1)
    assert kinds(venue.fed) == ["ORDER_ACK", "GAP_OPENED", "HEALTH"]
    assert snapshot(venue).positions[0].qty == 2
    venue.reconnect()
    assert kinds(venue.fed[3:]) == [
        *("ACCOUNT_UPDATE", "PARTIAL_FILL", "PARTIAL_FILL", "CANCEL_ACK", "FUNDING_FEE"),
        *("GAP_CLOSED", "RECONNECTED", "HEALTH"),
    ]
    account, first, *_ = venue.fed[3:]
    assert isinstance(account, AccountUpdate)
    assert account.complete
    assert (account.source, first.source) == ("poll", "poll")
    closed = venue.fed[-3]
    assert isinstance(closed, GapNotice)
    assert (closed.reason, closed.recovered, closed.proven) == ("lost_socket", 2, True)
    assert closed.since == (closed.exchange_ts or 0) - 10_000


def test_a_gap_on_a_living_link() -> None:
    """During a gap on a living link events are still delivered, and its closing brings no RECONNECTED."""
    venue = MockVenue()
    venue.gap("hole")
    venue.fill(qty=1, price=100)
    venue.reconnect(proven=False)
    assert kinds(venue.fed) == [
        *("GAP_OPENED", "HEALTH", "ORDER_ACK", "FULL_FILL", "ACCOUNT_UPDATE"),
        *("ACCOUNT_UPDATE", "GAP_CLOSED", "HEALTH"),
    ]
    closed = venue.fed[-2]
    assert isinstance(closed, GapNotice)
    assert (closed.recovered, closed.proven) == (0, False)


def test_session() -> None:
    """The same seed gives the same session, in which the fills of each order adjoin and the account adds up."""
    venue, twin = MockVenue(), MockVenue()
    events = venue.session(7, 500)
    assert events == twin.session(7, 500)
    assert events == venue.fed
    assert MockVenue().session(8, 500) != events
    money, covered = Decimal(10_000), dict[str, Decimal]()
    for event in events:
        if isinstance(event, Fill):
            assert event.cumulative_qty - event.fill_qty == covered.get(event.order_id, 0)
            covered[event.order_id] = event.cumulative_qty
            assert (event.kind is K.FULL_FILL) == (event.cumulative_qty == event.qty)
            money += (event.realized_pnl or 0) - (event.fee or 0)
        elif isinstance(event, FundingFee):
            money += event.amount or 0
    assert wallet(venue) == money
    assert {K.PARTIAL_FILL, K.FULL_FILL, K.CANCEL_ACK, K.FUNDING_FEE} <= {event.kind for event in events}
    times = [event.exchange_ts or 0 for event in events]
    assert times == sorted(times)
    assert len({event.event_id for event in events}) == len(events)


def test_a_stream_waits_for_more(run: Callable[[Scenario], None]) -> None:
    """A stream waits at the end of the script, and `handled` returns when the consumer has dealt with everything."""

    async def scenario() -> None:
        venue = MockVenue()
        seen: list[str] = []

        async def consume() -> None:
            async with venue.subscribe() as stream:
                async for event in stream:
                    await anyio.lowlevel.checkpoint()
                    seen.append(event.kind.value)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(consume)
            await venue.handled()
            venue.order()
            await venue.handled()
            assert seen == ["ORDER_ACK"]
            venue.fill(qty=1, price=1)
            await venue.handled()
            assert seen == ["ORDER_ACK", "ORDER_ACK", "FULL_FILL", "ACCOUNT_UPDATE"]
            await venue.close()
        assert venue.calls == ["subscribe", "close", "unsubscribe"]

    run(scenario)


def test_leaving_releases_who_waits(run: Callable[[Scenario], None]) -> None:
    """The iteration in another task ends when the subscription is left."""

    async def scenario() -> None:
        venue = MockVenue()
        ended: list[bool] = []

        async def read(stream: MockStream) -> None:
            async for _ in stream:
                pass
            ended.append(True)

        async with anyio.create_task_group() as tasks, venue.subscribe() as stream:
            tasks.start_soon(read, stream)
            await anyio.wait_all_tasks_blocked()
        assert ended == [True]

    run(scenario)


@pytest.mark.parametrize(
    ("script", "error", "message"),
    [
        (lambda venue: venue.stop("too many events wait"), StreamStopped, "too many events wait"),
        (lambda venue: venue.refuse_credentials(), CredentialsRefused, "refuses the credentials"),
    ],
)
def test_failures_come_in_their_place(
    script: Callable[[MockVenue], None], error: type[ListenKeyError], message: str
) -> None:
    """A failure comes after the events before it and repeats, and the next stream continues after it."""
    venue = MockVenue()
    venue.order()
    script(venue)
    venue.order()
    venue.end()

    async def scenario() -> None:
        async with venue.subscribe() as stream:
            assert (await anext(stream)).kind is K.ORDER_ACK
            for _ in range(2):
                with pytest.raises(error, match=message):
                    await anext(stream)
        async with venue.subscribe() as stream:
            assert [event.kind async for event in stream] == [K.ORDER_ACK]

    anyio.run(scenario)


def test_health_is_delivered_as_the_script_reaches_it() -> None:
    """`stream.health` changes when its event is delivered, and an equal health makes no event."""
    venue = MockVenue()
    venue.health("LIVE")
    venue.health("SUSPECT")
    venue.health(Health.BLIND)

    seen: list[Health] = []

    async def scenario() -> None:
        async with venue.subscribe() as stream:
            seen.append(stream.health)
            for _ in range(2):
                await anext(stream)
                seen.append(stream.health)

    anyio.run(scenario)
    assert seen == [Health.LIVE, Health.SUSPECT, Health.BLIND]


def test_calls_are_noted() -> None:
    """`calls` lists rotations, resyncs and snapshots, and a second stream at once is refused."""
    venue = MockVenue()

    async def scenario() -> None:
        async with venue.subscribe() as stream:
            stream.rotate()
            stream.resync()
            with pytest.raises(RuntimeError, match="a stream already"):
                async with venue.subscribe():
                    pass
            await venue.account_snapshot()

    anyio.run(scenario)
    assert venue.calls == ["subscribe", "rotate", "resync", "snapshot", "unsubscribe"]


def test_snapshots_fail_when_asked_to() -> None:
    """A failed snapshot raises an error."""
    venue = MockVenue()
    venue.fail_snapshot("the venue is busy", times=2)
    for _ in range(2):
        with pytest.raises(ReadFailed, match="the venue is busy"):
            snapshot(venue)
    assert snapshot(venue).complete


def filled(venue: MockVenue) -> OrderState:
    return venue.fill(qty=1, price=1)


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda venue: venue.fill(filled(venue)), "order 1 is FILLED"),
        (lambda venue: venue.cancel("9"), "order 9 is unknown"),
        (lambda venue: venue.fill(venue.order(price=1), qty=2), "1 of order 1 is left"),
        (lambda venue: venue.fill(venue.order()), "a market order needs a price"),
        (lambda venue: venue.fill(qty=1), "needs qty and price"),
        (lambda venue: venue.fill(qty=2, price=1, order_qty=1), "the order is for 1 only"),
        (lambda venue: venue.fill(side="SELL", qty=1, price=1, position_side="LONG"), "only 0 BTC-USDT LONG"),
        (lambda venue: venue.order(side="LONG"), "side is BUY or SELL"),
        (lambda venue: venue.order(qty=0), "qty must be more than 0"),
        (lambda venue: venue.transfer("NaN"), "finite"),
        (lambda venue: venue.advance(-1), "never goes back"),
        (lambda venue: venue.gap("weather"), "one of lost_socket, .*, not 'weather'"),
        (lambda venue: venue.health("live"), "one of LIVE, .*, not 'live'"),
        (lambda venue: venue.order(qty="many"), "finite Decimal, int or str, not 'many'"),
    ],
)
def test_misuse_is_named(misuse: Callable[[MockVenue], Any], message: str) -> None:
    """A script that is impossible on an exchange raises an error that names the mistake."""
    with pytest.raises(ValueError, match=message):
        misuse(MockVenue())


def test_floats_are_refused() -> None:
    """A float is refused as an amount, because 0.1 is not exact; Decimal, int and str are accepted."""
    wrong: Amount = 0.1  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"not 0\.1"):
        MockVenue().order(qty=wrong)


def test_gaps_do_not_nest() -> None:
    """A second gap, and a reconnection without a gap, are refused."""
    venue = MockVenue()
    with pytest.raises(RuntimeError, match="no gap is open"):
        venue.reconnect()
    venue.gap()
    with pytest.raises(RuntimeError, match="a gap is open already"):
        venue.gap("hole")


def test_what_the_library_says_passes_a_gap() -> None:
    """During a gap events of source `ws` are held back, and those of source `local` are delivered."""
    venue = MockVenue()
    config = ConfigUpdate(
        event_id="config:1",
        exchange_ts=None,
        source="ws",
        symbol="BTC-USDT",
        long_leverage=5,
        short_leverage=5,
        margin_mode="cross",
    )
    venue.gap()
    venue.feed(config, msgspec.structs.replace(config, source="local"))
    assert [event.source for event in venue.fed[2:]] == ["local"]
    venue.reconnect()
    assert kinds(venue.fed).count("CONFIG_UPDATE") == 2
