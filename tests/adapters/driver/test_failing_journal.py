"""A journal that fails ends the running stream with an error and in order: no key or socket is left."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from listenkey import StreamStopped
from listenkey.adapters.driver import driver
from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.journal import SqliteJournal
from listenkey.core.refusal import Refusal, RefusalKind
from listenkey.ports.errors import RequestRefused
from listenkey.ports.keys import Grant
from listenkey.ports.service import Service as Asked
from listenkey.ports.service import clock, wait

from ...surroundings.account import Customer, Place, Service
from ...surroundings.life import venue_of

pytestmark = pytest.mark.anyio

REAL = Place("bingx-swap", "open-api.bingx.com")
Break = Callable[[SqliteJournal, Path], object]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Counting(Service):
    """Counts the keys that it has granted and not seen deleted, and the open sockets."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(customer, customer.api_keys[0])
        self.keys: list[str] = []
        self.deleted = anyio.Event()

    @property
    def is_left(self) -> bool:
        return not self.keys and not self.customer.sockets

    def create(self) -> Asked[Grant]:
        grant = yield from super().create()
        self.keys.append(grant.key)
        return grant

    def delete(self, key: str) -> Asked[None]:
        yield from clock()
        self.keys.remove(key)
        self.deleted.set()


class Stuck(Counting):
    """Never answers the deletion of a key."""

    def delete(self, key: str) -> Asked[None]:
        yield from wait(math.inf)


class Unwilling(Counting):
    """Refuses to delete a key."""

    def delete(self, key: str) -> Asked[None]:
        yield from clock()
        self.deleted.set()
        raise RequestRefused(Refusal(RefusalKind.RETRY, None, "busy"))


@pytest.fixture
def customer() -> Customer:
    return Customer("A", REAL, "user-1", 1000)


@pytest.fixture
def journal(customer: Customer, tmp_path: Path) -> SqliteJournal:
    made = SqliteJournal(tmp_path / "account.journal", max_bytes=80_000)
    made.claim(*customer.place, customer.api_keys[0])
    return made


async def live(stream: Stream) -> None:
    while stream.proven_until is None:
        await anext(stream)


async def drained(stream: Stream) -> None:
    async for _ in stream:
        pass


BREAKS: dict[str, Break] = {
    "removed": lambda journal, path: path.unlink(),
    "moved": lambda journal, path: path.rename(path.with_name("elsewhere")),
    "its log is removed": lambda journal, path: path.with_name(path.name + "-wal").unlink(),
    "closed": lambda journal, path: journal.close(),
}


@pytest.mark.parametrize("how", BREAKS)
async def test_the_key_is_deleted_and_the_socket_closed(how: str, customer: Customer, journal: SqliteJournal) -> None:
    """If the journal is gone, the next read ends the stream: the key is deleted, and the consumer gets the reason."""
    service = Counting(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            await live(stream)
            assert not service.is_left
            BREAKS[how](journal, journal.path)
            customer.trade()
            stream.resync()
            with pytest.raises(StreamStopped, match="journal"):
                await drained(stream)
        assert service.is_left


async def test_a_full_disk(customer: Customer, journal: SqliteJournal) -> None:
    """If the disk is full, the key is deleted, even if the consumer does not ask for the next event."""
    service = Counting(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            await live(stream)
            while service.keys:
                customer.trade()
                await anyio.lowlevel.checkpoint()
            assert service.is_left
            with pytest.raises(StreamStopped, match="full"):
                await drained(stream)


async def test_it_fails_as_the_first_key_is_granted(customer: Customer, journal: SqliteJournal) -> None:
    """If the journal fails before the first key is granted, that key is deleted although no socket has used it."""
    service = Counting(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            journal.close()
            with pytest.raises(StreamStopped, match="closed"):
                await drained(stream)
            await service.deleted.wait()
        assert service.is_left


async def test_it_fails_where_the_consumer_marks(customer: Customer, journal: SqliteJournal) -> None:
    """If a mark fails, the error is raised in the consumer's task and ends the stream in order."""
    service = Counting(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            await live(stream)
            journal.close()
            with pytest.raises(StreamStopped, match="closed"):
                await anext(stream)
        assert service.is_left


async def test_a_key_that_cannot_be_deleted_holds_nothing_up(customer: Customer, journal: SqliteJournal) -> None:
    """If the deletion is refused, the stream still ends, after one try."""
    service = Unwilling(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            await live(stream)
            journal.close()
            stream.resync()
            with pytest.raises(StreamStopped, match="closed"):
                await drained(stream)
        assert service.deleted.is_set()
    assert not customer.sockets


async def test_it_takes_no_longer_than_any_leaving(
    customer: Customer, journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `CLOSING_TIME` no task of a failed stream is left, even if the consumer does not leave it."""
    monkeypatch.setattr(driver, "CLOSING_TIME", 0.01)
    service = Stuck(customer)
    with anyio.fail_after(600):
        async with venue_of(service, journal=journal) as venue, venue.subscribe() as stream:
            await live(stream)
            journal.close()
            stream.resync()
            with pytest.raises(StreamStopped, match="closed"):
                await drained(stream)
            await stream._driver._done.wait()
    assert not customer.sockets


async def test_a_stream_that_was_left_marks_nothing_more(customer: Customer, journal: SqliteJournal) -> None:
    """A consumer that goes on with a stream it has left gets no event, so it marks nothing in the journal."""
    async with venue_of(Counting(customer), journal=journal) as venue:
        async with venue.subscribe() as left:
            await live(left)
            for _ in range(5):
                customer.trade()
        async with venue.subscribe() as stream:
            first = await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(left)
        async with venue.subscribe() as stream:
            assert (await anext(stream)).event_id != first.event_id  # marked when its consumer left in order
