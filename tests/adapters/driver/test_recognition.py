"""A journal with an API key that is new to it; and one stream at a time for each journal and each venue with one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from listenkey.adapters.driver import recognition
from listenkey.adapters.driver.venue import Venue
from listenkey.adapters.journal import SqliteJournal, verify
from listenkey.core.inputs import AccountRead
from listenkey.core.kinds import Purpose
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import (
    CredentialsRefused,
    JournalRefused,
    ListenKeyError,
    RequestRefused,
    StreamStopped,
)
from listenkey.ports.service import Service as Asked

from ...surroundings.account import Customer, Place, Service
from ...surroundings.life import Consumer, Life, venue_of

pytestmark = pytest.mark.anyio

REAL = Place("bingx-swap", "open-api.bingx.com")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def customer() -> Customer:
    return Customer("A", REAL, "user-1", 1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.journal"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "RETRY_INITIAL", 0.01)


class Reluctant(Service):
    """Refuses reads with these refusals, last first, and then answers."""

    def __init__(self, customer: Customer, api_key: str, refusals: list[Refusal]) -> None:
        super().__init__(customer, api_key)
        self.refusals = refusals
        self.asked = 0

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Asked[Account]:
        self.asked += 1
        if self.refusals:
            raise RequestRefused(self.refusals.pop())
        return (yield from super().read(since, orders))


async def owe_a_fill(customer: Customer, path: Path) -> None:
    """Run a first stream whose consumer fails on its first fill, so that the fill is not marked."""
    life = Life(Consumer(customer), customer.api_keys[-1], path, hangs_after=0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(life.run)
        await life.until(lambda: life.live)
        customer.trade()
        await life.until(lambda: False)
        await life.stop()


def claimed(path: Path, customer: Customer) -> SqliteJournal:
    journal = SqliteJournal(path)
    journal.claim(*customer.place, customer.api_keys[-1])
    return journal


async def test_the_venue_is_asked_until_it_answers(customer: Customer, path: Path) -> None:
    """A refused read is repeated until the account is known, and then the unmarked event is delivered first."""
    await owe_a_fill(customer, path)
    customer.new_api_key()
    again = Refusal(RefusalKind.RETRY, None, "busy")
    service = Reluctant(customer, customer.api_keys[-1], [again, again, again])
    async with venue_of(service, journal=claimed(path, customer)) as venue, venue.subscribe() as stream:
        stream.rotate()
        stream.resync()
        with anyio.fail_after(60):
            event = await anext(stream)
    assert (event.kind.value, event.redelivered) == ("FULL_FILL", True)
    assert service.asked >= 4
    assert verify(path) == []


@pytest.mark.parametrize(("code", "error"), [("100413", CredentialsRefused), ("100004", StreamStopped)])
async def test_a_refusal_for_good_ends_it(customer: Customer, path: Path, code: str, error: type[Exception]) -> None:
    """A fatal refusal while the account is unknown ends the stream, after one request."""
    await owe_a_fill(customer, path)
    customer.new_api_key()
    service = Reluctant(customer, customer.api_keys[-1], [Refusal(RefusalKind.FATAL, code, "no")])
    async with venue_of(service, journal=claimed(path, customer)) as venue, venue.subscribe() as stream:
        with pytest.raises(error), anyio.fail_after(60):
            await anext(stream)
    assert service.asked == 1


async def test_another_account_is_refused_before_anything_is_delivered(customer: Customer, path: Path) -> None:
    """A journal of another account raises in the iteration, opens no socket, and stays as it was."""
    await owe_a_fill(customer, path)
    other = Customer("B", REAL, "user-2", 2000)
    before = entries(path)
    async with venue_of(Service(other, other.api_keys[0]), journal=claimed(path, other)) as venue:
        async with venue.subscribe() as stream:
            with pytest.raises(JournalRefused, match="another account"), anyio.fail_after(60):
                await anext(stream)
        assert other.sockets == []
    assert entries(path) == before


def entries(path: Path) -> list[int]:
    with closing(SqliteJournal(path)) as journal:
        return [entry.serial for entry in journal.unmarked()]


async def test_leaving_while_the_venue_is_asked(customer: Customer, path: Path) -> None:
    """A stream may be left while the account is unknown, and its journal's unmarked events stay."""
    await owe_a_fill(customer, path)
    before = entries(path)
    customer.new_api_key()
    later = Refusal(RefusalKind.RETRY, None, "busy", 3600.0)
    service = Reluctant(customer, customer.api_keys[-1], [later])
    async with venue_of(service, journal=claimed(path, customer)) as venue:
        with anyio.fail_after(60):
            async with venue.subscribe():
                while not service.asked:
                    await anyio.lowlevel.checkpoint()
    assert entries(path) == before


async def test_a_known_api_key_asks_nobody(customer: Customer, path: Path) -> None:
    """With a known API key the unmarked events are delivered at once, before any request."""
    await owe_a_fill(customer, path)
    service = Reluctant(customer, customer.api_keys[-1], [Refusal(RefusalKind.RETRY, None, "busy", 3600.0)] * 9)
    async with venue_of(service, journal=claimed(path, customer)) as venue, venue.subscribe() as stream:
        event = await anext(stream)
        assert service.asked == 0
    assert (event.kind.value, event.redelivered) == ("FULL_FILL", True)


async def test_no_recording_names_the_account(customer: Customer) -> None:
    """The account's id is not in any input that the core or an observer gets."""
    seen: list[object] = []
    venue = venue_of(
        Service(customer, customer.api_keys[0]), observer=lambda now, received, ordered: seen.append(received)
    )
    async with venue, venue.subscribe() as stream:
        with anyio.fail_after(60):
            while not any(isinstance(each, AccountRead) for each in seen):
                await anext(stream)
    assert "user-1" not in repr(seen)


@pytest.fixture
def two(customer: Customer, path: Path) -> Iterator[tuple[Venue, Venue]]:
    """Two venues that share a journal."""
    journal = claimed(path, customer)
    service = Service(customer, customer.api_keys[-1])
    yield venue_of(service, journal=journal), venue_of(service, journal=journal)
    journal.close()


async def test_one_stream_at_a_time(two: tuple[Venue, Venue]) -> None:
    """With a journal, a second stream of the venue or of the journal is refused, until the first has ended."""
    for _ in range(2):
        async with two[0].subscribe():
            for venue in two:
                with pytest.raises(ListenKeyError, match="one stream at a time"):
                    await venue.subscribe().__aenter__()
    async with two[1].subscribe():
        pass


async def test_without_a_journal_there_may_be_many(customer: Customer) -> None:
    """Without a journal a venue may have several streams, and each gets the same first event."""
    venue = venue_of(Service(customer, customer.api_keys[-1]))
    async with venue.subscribe() as one, venue.subscribe() as other:
        with anyio.fail_after(60):
            first = {(await anext(one)).kind, (await anext(other)).kind}
    assert len(first) == 1
