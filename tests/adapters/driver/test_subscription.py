"""A stream that was cancelled, or could not begin, does not block the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from listenkey import StreamStopped, open_venue
from listenkey.adapters.driver import background, driver
from listenkey.adapters.driver.venue import Venue
from listenkey.adapters.journal import SqliteJournal

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.journal"


def lonely(journal: Any) -> Venue:
    """A venue that cannot be reached."""
    return open_venue(
        "bingx-swap",
        api_key="k",
        api_secret="s",
        rest_url="http://127.0.0.1:1",
        ws_url="ws://127.0.0.1:1/x",
        transport="websockets",
        journal=journal,
    )


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_stream_whose_leaving_is_cancelled_once_more_is_left(path: Path) -> None:
    """A stream whose leaving is cancelled again ends at once, and the journal is free for the next stream."""
    async with lonely(path) as venue:
        entered = anyio.Event()

        async def consume() -> None:
            async with venue.subscribe():
                entered.set()
                await anyio.sleep_forever()

        task = asyncio.create_task(consume())
        await entered.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        async with venue.subscribe():
            pass


async def test_a_venue_whose_closing_is_cancelled_is_closed(path: Path) -> None:
    """A venue whose closing is cancelled still frees its journal."""
    venue = lonely(path)
    subscription = venue.subscribe()
    await subscription.__aenter__()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await venue.close()
    with closing(SqliteJournal(path)):
        await subscription.__aexit__(None, None, None)


async def test_a_subscription_is_no_stream(path: Path) -> None:
    """A subscription that is iterated or awaited raises an error that asks for `async with`."""
    async with lonely(path) as venue:
        with pytest.raises(TypeError, match="async with"):
            async for _ in venue.subscribe():
                pass
        with pytest.raises(TypeError, match="async with"):
            await venue.subscribe()


def test_a_policy_is_a_policy() -> None:
    """A mapping of the fields is refused as a policy."""
    policy: Any = {"audit_interval": 3}
    with pytest.raises(ValueError, match=r"policy must be a listenkey\.Policy"):
        open_venue("bingx-swap", api_key="k", api_secret="s", policy=policy)


async def test_whoever_has_not_entered_has_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If Ctrl-C on trio comes before the stream's task has started, the next stream may begin without a wait."""
    monkeypatch.setattr(driver, "CLOSING_TIME", 0.01)

    def struck(work: Callable[[], Awaitable[None]]) -> None:
        raise KeyboardInterrupt

    async with lonely(path) as venue:
        with monkeypatch.context() as now:
            now.setattr(background, "start", struck)
            with pytest.raises(KeyboardInterrupt):
                await venue.subscribe().__aenter__()
        async with venue.subscribe():
            pass


class Damaged(SqliteJournal):
    """A journal whose first reading fails."""

    failed = False

    def unmarked(self) -> Any:
        if not self.failed:
            self.failed = True
            raise StreamStopped("damaged")
        return super().unmarked()


async def test_a_stream_that_could_not_begin_has_nothing(path: Path) -> None:
    """A stream that could not begin does not block the next one, even while its error is handled."""
    async with lonely(Damaged(path)) as venue:
        try:
            await venue.subscribe().__aenter__()
        except StreamStopped:
            async with venue.subscribe():
                pass


async def test_a_stream_is_left_before_it_has_begun(path: Path) -> None:
    """A stream may be left, or its venue closed, before the stream's task has run."""
    async with lonely(path) as venue:
        async with venue.subscribe() as stream:
            stream.rotate()
            stream.resync()
        async with venue.subscribe() as stream:
            await venue.close()
            assert [event async for event in stream] == []


async def test_a_stream_that_is_printed_says_how_it_stands() -> None:
    """The `repr` of a stream shows its state, its health, and `proven_until`."""
    async with lonely(None) as venue, venue.subscribe() as stream:
        assert repr(stream) == "<Stream: IDLE, BLIND, proven until None>"
