"""A stream may be left in any way: the caller gets its own exception, and no socket or key stays at the exchange."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio
import uvloop

from listenkey import ListenKeyError, StreamStopped
from listenkey.adapters.driver.venue import Venue
from listenkey.core.events import ExchangeEvent

from ..examples import TIMES
from .harness import PATIENCE, fresh_key, venue_at
from .threaded import Threaded, threaded

pytestmark = pytest.mark.loopback

Story = Callable[[], Awaitable[None]]
TRANSPORTS = ("aiohttp", "websockets")


class Caught(Exception):
    """The error that a story raises, and that must come out of it."""


class Place:
    """An exchange for a story, which checks that nothing stayed there.

    Each venue has its own API key: cancelled requests count as failed, and a key may have fifteen of them.
    """

    def __init__(self, keys: Iterator[str], server: Threaded) -> None:
        self.keys, self.server = keys, server

    def venue(self, transport: str = "websockets", **options: Any) -> Venue:
        return venue_at(self.server, transport, key=next(self.keys), policy={}, **options)

    def is_left(self) -> bool:
        """True if no socket is open and each key was deleted."""
        log = self.server.log
        return log.sockets_open == 0 and {each.key for each in log.mints} == {each.key for each in log.deletions}

    def check(self) -> None:
        """Wait, without running the event loop, until nothing is left. Raises `AssertionError` if something stays: a
        stream that was closed in order needs no further turn of its caller's event loop.
        """
        patience = time.monotonic() + PATIENCE
        while not self.is_left():
            assert time.monotonic() < patience, self.server.log
            time.sleep(0.01)


@pytest.fixture(scope="module", name="exchange")
def fixture_exchange() -> Iterator[Place]:
    """One exchange for all stories, since each leaves nothing behind."""
    keys = [fresh_key() for _ in range(50 + 50 * TIMES)]
    with threaded(
        keys[0], fills_per_second=3, ping_interval=0.3, credentials={key: key[::-1] for key in keys}
    ) as server:
        server.quiet(False)
        place = Place(iter(keys), server)
        for (
            transport,
            run,
        ) in LOOPS.values():  # modules that are imported at first use must be there before an interruption
            run(partial(followed, place.venue(transport)))
        yield place


@pytest.fixture
def place(exchange: Place) -> Iterator[Place]:
    yield exchange
    exchange.check()


async def events(venue: Venue) -> AsyncGenerator[ExchangeEvent, None]:
    """A generator of a user over the stream's events."""
    async with venue.subscribe() as stream:
        async for event in stream:
            yield event


async def followed(venue: Venue) -> None:
    """Follow the stream up to its first event, without an error."""
    async with venue, venue.subscribe() as stream:
        async for _ in stream:
            break


def on_uvloop(story: Story) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_coroutine(story))


def on_asyncio(story: Story) -> None:
    asyncio.run(_coroutine(story))


async def _coroutine(story: Story) -> None:
    await story()


LOOPS: dict[str, tuple[str, Callable[[Story], None]]] = {
    "asyncio": ("aiohttp", on_asyncio),
    "uvloop": ("aiohttp", on_uvloop),
    "trio": ("websockets", trio.run),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["Ctrl-C", "sys.exit", "cancelled", "raised"])
def test_what_ends_a_stream_comes_out_as_it_is(place: Place, loop: str, how: str) -> None:
    """An exception at any moment comes out as it is, without a group; sockets are closed and keys deleted."""
    transport, run = LOOPS[loop]
    chance = random.Random(f"{loop} {how}")
    for _ in range(2 * TIMES):
        signal.signal(signal.SIGINT, signal.default_int_handler)  # uvloop does not always put it back
        moment = chance.random() ** 2 * 0.6
        ended: list[BaseException] = []

        async def story(moment: float = moment, ended: list[BaseException] = ended) -> None:
            try:
                with anyio.CancelScope() as scope:
                    if how == "Ctrl-C":
                        threading.Timer(moment, signal.raise_signal, (signal.SIGINT,)).start()
                    if how == "cancelled":
                        scope.deadline = anyio.current_time() + moment
                    until = anyio.current_time() + moment
                    async with place.venue(transport) as venue, venue.subscribe() as stream:
                        async for _ in stream:
                            if how == "sys.exit" and anyio.current_time() >= until:
                                sys.exit(3)
                            if how == "raised" and anyio.current_time() >= until:
                                raise Caught
            except BaseException as error:
                ended.append(error)
                raise
            assert scope.cancelled_caught
            ended.append(Caught())

        seen: BaseException | None = None
        try:
            run(story)
        except BaseException as error:
            seen = error
        (inside,) = ended
        match how:
            case "Ctrl-C":
                assert isinstance(seen, KeyboardInterrupt)
            case "sys.exit":
                assert isinstance(seen, SystemExit)
                assert seen.code == 3
            case "raised":
                assert isinstance(seen, Caught)
            case _:
                assert seen is None
        assert not isinstance(inside, BaseExceptionGroup)
        place.check()


@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")  # trio warns of each one that is just dropped
@pytest.mark.parametrize("closing", [True, False], ids=["aclosing", "break alone"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_generator_of_the_users_own_is_left(place: Place, loop: str, closing: bool) -> None:
    """`break` in a user's generator ends the stream in order, and the caller continues."""
    transport, run = LOOPS[loop]

    async def story() -> None:
        async with place.venue(transport) as venue:
            if closing:
                async with aclosing(events(venue)) as mine:
                    async for _ in mine:
                        break
                place.check()
            else:
                async for _ in events(venue):
                    break
            with anyio.move_on_after(1):  # the caller's next wait is not cancelled
                await anyio.sleep_forever()

    run(story)


@pytest.mark.parametrize("loop", LOOPS)
def test_it_is_entered_in_one_task_and_left_in_another(place: Place, loop: str) -> None:
    """A stream may be left in another task, as by fixtures of a test framework, and by cells of a notebook."""
    transport, run = LOOPS[loop]

    async def story() -> None:
        async with place.venue(transport) as venue:
            subscription = venue.subscribe()

            async def enter() -> None:
                stream = await subscription.__aenter__()
                await anext(stream)

            async def leave() -> None:
                await subscription.__aexit__(None, None, None)

            for step in (enter, leave):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(step)
            place.check()

    run(story)


def test_it_is_not_left_in_another_event_loop(place: Place) -> None:
    """Leaving in another event loop is refused, and the stream continues; it can still be left in its own."""
    venue = place.venue()
    subscription = venue.subscribe()

    async def enter() -> None:
        await anext(await subscription.__aenter__())

    async def leave() -> None:
        await subscription.__aexit__(None, None, None)

    with asyncio.Runner() as one:
        one.run(enter())
        with pytest.raises(ListenKeyError, match="event loop"):
            asyncio.run(leave())
        one.run(leave())
        one.run(venue.close())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_journal_that_is_removed_ends_it_in_order(place: Place, loop: str, tmp_path: Path) -> None:
    """If the journal is removed, the consumer gets the error, and nothing stays at the exchange."""
    transport, run = LOOPS[loop]
    path = tmp_path / "account.journal"

    async def story() -> None:
        async with place.venue(transport, journal=path) as venue, venue.subscribe() as stream:
            while stream.proven_until is None:
                await anext(stream)
            path.unlink()
            stream.resync()
            with pytest.raises(StreamStopped, match="removed"):
                async for _ in stream:
                    pass

    run(story)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_task_that_is_cancelled_from_outside_is_no_end_in_order(place: Place, loop: str) -> None:
    """If a program cancels all tasks, a consumer that continues gets an error: the stream has not ended in order."""
    transport, run = LOOPS[loop]

    async def story() -> None:
        async with place.venue(transport) as venue, venue.subscribe() as stream:
            await anext(stream)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            with pytest.raises(StreamStopped, match="cancelled"):
                async for _ in stream:
                    pass
        place.server.log.deletions.extend(place.server.log.mints[-1:])

    run(story)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_venue_is_closed_while_a_task_iterates(place: Place, loop: str) -> None:
    """The iteration ends in order, and calls of the closed venue raise an error at once."""
    transport, run = LOOPS[loop]

    async def story() -> None:
        venue = place.venue(transport)
        began, ended = anyio.Event(), anyio.Event()

        async def consume() -> None:
            async with venue.subscribe() as stream:
                async for _ in stream:
                    began.set()
            ended.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(consume)
            await began.wait()
            await venue.close()
            await ended.wait()
        place.check()
        with pytest.raises(ListenKeyError, match="closed"):
            async with venue.subscribe():
                pass
        with pytest.raises(ListenKeyError, match="closed"):
            await venue.account_snapshot()
        await venue.close()

    run(story)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_second_reader_gets_an_error(place: Place, loop: str) -> None:
    """A second reader gets an error and the first continues; a cancelled reader does not count."""
    transport, run = LOOPS[loop]

    async def story() -> None:
        async with place.venue(transport) as venue, venue.subscribe() as stream:
            for _ in range(3):
                with anyio.move_on_after(0):
                    await anext(stream)
            got: list[ExchangeEvent] = []
            reading, refused = anyio.Event(), anyio.Event()

            async def first() -> None:
                reading.set()
                async for event in stream:
                    if refused.is_set():
                        got.append(event)
                        break

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(first)
                await reading.wait()  # it continues until it has to wait for an event, and then for the next one
                with pytest.raises(ListenKeyError, match="one reader"):
                    await anext(stream)
                refused.set()
                stream.rotate()
            assert len(got) == 1

    run(story)


def test_a_subscription_is_entered_once(place: Place) -> None:
    """A subscription is entered once; another stream needs another one."""

    async def story() -> None:
        async with place.venue() as venue:
            subscription = venue.subscribe()
            async with subscription:
                with pytest.raises(ListenKeyError, match="once"):
                    await subscription.__aenter__()

    asyncio.run(story())


def test_a_transport_of_asyncio_is_refused_on_trio(place: Place) -> None:
    """It is refused at once, and the error names the transport that runs on trio."""

    async def story() -> None:
        async with place.venue("aiohttp") as venue:
            with pytest.raises(ListenKeyError, match='transport="websockets"'):
                async with venue.subscribe():
                    pass
            with pytest.raises(ListenKeyError, match='transport="websockets"'):
                await venue.account_snapshot()

    trio.run(story)
