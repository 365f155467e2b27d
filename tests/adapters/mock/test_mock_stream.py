"""The port, the stream of a venue and the stream of the mock have the same public attributes."""

from __future__ import annotations

import inspect
import re
import typing
from decimal import Decimal
from pathlib import Path

import pytest

from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.mock import MockStream, MockVenue
from listenkey.core.book import Book, Reconciliation
from listenkey.core.events import AccountUpdate, Balance, ExchangeEvent, ExchangeEventKind, Health, HealthChange
from listenkey.core.link.lifecycle import State
from listenkey.ports.venue import EventStream

ROOT = Path(__file__).parents[3]
NOON = 1_700_000_000_000


def surface(stream: type) -> dict[str, str]:
    """Return the public attributes, each with its signature or its type."""
    found = {}
    for name in (each for each in dir(stream) if not each.startswith("_")):
        member = inspect.getattr_static(stream, name)
        if isinstance(member, property):
            assert member.fget is not None
            found[name] = f"property {typing.get_type_hints(member.fget)['return']}"
        else:
            found[name] = f"method {inspect.signature(member)}"
    return found


@pytest.mark.parametrize("stream", [Stream, MockStream])
def test_all_streams_have_the_same_surface(stream: type) -> None:
    """Both streams have exactly the port's attributes and types, so a bot can run with either."""
    assert surface(stream) == surface(EventStream)


@pytest.mark.parametrize("page", ["README.md", "docs", "examples"])
def test_pages_show_only_what_all_streams_have(page: str) -> None:
    """Each name after `stream.` in the README, the pages and the examples is an attribute of the port."""
    root = ROOT / page
    texts = [root] if root.is_file() else [*root.glob("*.md"), *root.glob("*.py")]
    shown = {name for text in texts for name in re.findall(r"\bstream\.(?!md\b|py\b)([a-z_]+)", text.read_text())}
    assert shown <= surface(EventStream).keys()


async def delivered(venue: MockVenue) -> list[tuple[ExchangeEvent, MockStream]]:
    """Read a script to its end."""
    venue.end()
    async with venue.subscribe() as stream:
        return [(event, stream) async for event in stream]


@pytest.mark.anyio
async def test_a_mock_stream_is_as_of_the_last_event_that_was_delivered() -> None:
    """Health, state, books and `proven_until` are those of the last delivered event, not of the last written one."""
    venue = MockVenue(balance=100, fee_rate="0.01")
    order = venue.order(qty=2, price=10)
    venue.fill(order, qty=1)
    venue.gap()
    venue.advance(5)
    venue.fill(order)
    venue.reconnect()
    venue.end()
    seen: list[tuple[str, Health, State, int | None, Decimal, str]] = []
    async with venue.subscribe() as stream:
        assert (stream.health, stream.state, stream.links) == (Health.LIVE, State.CONNECTED, ())
        assert (stream.began, stream.proven_until) == (NOON, NOON)
        async for event in stream:
            (book,) = stream.books
            seen.append((event.kind, stream.health, stream.state, stream.proven_until, book.fees, book.status))
    live = (Health.LIVE, State.CONNECTED)
    blind = (Health.BLIND, State.BACKOFF)
    one, two, later = Decimal("0.1"), Decimal("0.2"), NOON + 5000
    assert seen == [
        ("ORDER_ACK", *live, NOON, 0, "MATCHED"),
        ("PARTIAL_FILL", *live, NOON, one, "MATCHED"),
        ("ACCOUNT_UPDATE", *live, NOON, one, "MATCHED"),
        ("GAP_OPENED", *live, NOON, one, "UNPROVEN"),
        ("HEALTH", *blind, NOON, one, "UNPROVEN"),
        ("ACCOUNT_UPDATE", *blind, NOON, one, "UNPROVEN"),
        ("FULL_FILL", *blind, NOON, two, "UNPROVEN"),
        ("GAP_CLOSED", *blind, later, two, "MATCHED"),
        ("RECONNECTED", *blind, later, two, "MATCHED"),
        ("HEALTH", *live, later, two, "MATCHED"),
    ]


@pytest.mark.anyio
async def test_books_of_a_mock_add_up_to_its_wallet() -> None:
    """The books sum up PnL, fees, funding and transfers, with each event once and a revision in place of its fill."""
    venue = MockVenue(balance=1000, fee_rate="0.01")
    venue.fill(qty=1, price=100)
    sold = venue.fill(side="SELL", qty=1, price=110)
    venue.feed(sold)
    venue.revise(sold, fee=2)
    first = venue.funding("-3", provisional=True)
    venue.funding("-4", replaces=first)
    venue.transfer(50)
    events = await delivered(venue)
    (book,) = events[-1][1].books
    assert book == Book(
        asset="USDT",
        status=Reconciliation.MATCHED,
        drift=Decimal(0),
        opening=Decimal(1000),
        realized_pnl=Decimal(10),
        fees=Decimal(3),
        funding=Decimal(-4),
        transfers=Decimal(50),
    )
    assert [book.k_capital] == [each.wallet_balance for each in (await venue.account_snapshot()).balances]


@pytest.mark.anyio
async def test_books_of_a_mock_say_what_does_not_add_up() -> None:
    """An unknown figure makes a book UNPROVEN, an unexplained balance DRIFTED, and a new asset opens a book."""
    venue = MockVenue(balance=1000)
    unsure = venue.fill(qty=1, price=100, unsure=True)
    venue.revise(unsure, fee=1, realized_pnl=0)
    update = AccountUpdate(
        event_id="fed",
        exchange_ts=NOON,
        source="ws",
        reason=None,
        balances=(Balance(asset="USDT", wallet_balance=Decimal(990)), Balance(asset="BNB", wallet_balance=Decimal(7))),
        positions=(),
        complete=False,
    )
    venue.feed(update)
    statuses = []
    venue.end()
    async with venue.subscribe() as stream:
        async for event in stream:
            statuses.append((event.kind, *((book.asset, book.status, book.drift) for book in stream.books)))
    assert statuses[1:] == [
        ("FULL_FILL", ("USDT", "UNPROVEN", None)),
        ("ACCOUNT_UPDATE", ("USDT", "UNPROVEN", None)),
        ("FILL_REVISED", ("USDT", "UNPROVEN", None)),
        ("ACCOUNT_UPDATE", ("USDT", "DRIFTED", -9), ("BNB", "MATCHED", 0)),
    ]
    assert stream.books[1].opening == 7


@pytest.mark.anyio
async def test_a_health_with_a_state_of_no_lifecycle_leaves_the_state() -> None:
    """A health event whose state is no state of the lifecycle changes the health, and leaves the state."""
    venue = MockVenue()
    venue.feed(
        HealthChange(event_id="own", exchange_ts=NOON, source="local", health=Health.SUSPECT, state="somewhere"),
    )
    ((event, stream),) = await delivered(venue)
    assert event.kind is ExchangeEventKind.HEALTH
    assert (stream.health, stream.state) == (Health.SUSPECT, State.CONNECTED)
