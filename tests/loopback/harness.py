"""One stream against one simulated exchange: the consumer that watches it, and the waiting and judging around both."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.venue import Stream, Venue, open_venue
from listenkey.core.events import GapNotice, Health
from listenkey.core.policy import Policy

from .told import Told
from .truth import Verdict, judge

BRISK = {
    "silence_timeout": 3.0,
    "healthy_after": 0.5,
    "backoff_initial": 0.3,
    "backoff_max": 0.5,
    "audit_interval": 2.0,
    "backfill_overlap": 1.0,
    "poll_interval": 1.0,
    "drain": 0.5,
    "request_timeout": 4.0,
    "connect_timeout": 4.0,
}
"""A policy under which everything happens within seconds."""
RATE = 20.0
PINGS = 0.3
PATIENCE = 25.0
"""Seconds that anything may take on a busy machine; nothing waits that long when all is well."""


class Exchangelike(Protocol):
    """What a test needs of a simulated exchange, in this thread or another."""

    exchange: Exchange
    log: Log
    rest_url: str
    ws_url: str

    def truth(self) -> dict[str, Any]: ...
    def quiet(self, on: bool = True) -> None: ...
    def now(self) -> int: ...


class Consumer(Told):
    """Takes every event of a stream; pauses when told to."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.stream = stream
        self.error: Exception | None = None
        self.ended = False
        self._may_read = anyio.Event()
        self._may_read.set()

    def pause(self) -> None:
        """Stop asking for events."""
        self._may_read = anyio.Event()

    def go_on(self) -> None:
        """Ask for events again."""
        self._may_read.set()

    async def run(self) -> None:
        """Take events until the stream ends."""
        try:
            async for event in self.stream:
                self.take(event)
                await self._may_read.wait()
        except Exception as error:
            self.error = error
        self.ended = True


class Run:
    """A server, the venue that talks to it, and one stream with its consumer."""

    def __init__(self, server: Exchangelike, venue: Venue, stream: Stream, *, exact: bool = True) -> None:
        self.server = server
        self.venue = venue
        self.stream = stream
        self.consumer = Consumer(stream)
        self.log = server.log
        self._exact = exact
        self._flowing = False

    @property
    def began(self) -> int:
        """Exchange time, ms, from which on fills are owed."""
        began = self.stream.began
        assert began is not None
        return began

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait until something is so. Raises `AssertionError` when it never is."""
        with anyio.move_on_after(seconds):
            while not holds():
                if self.consumer.error is not None:
                    raise self.consumer.error
                await anyio.sleep(0.02)
            return
        raise AssertionError(f"never {what}: {self.stream.state} {self.stream.health}, {self._gaps()}")

    async def live(self) -> None:
        """Wait until the stream says that it is, and a read has shown where every running order began."""
        await self.until(
            lambda: self.stream.health is Health.LIVE and self.stream.proven_until is not None, "live with a read"
        )
        if not self._flowing:
            self._flowing = True
            self.server.quiet(False)

    async def passes(self, seconds: float) -> None:
        """Let time pass."""
        await anyio.sleep(seconds)

    async def fills_made(self, more: int) -> None:
        """Wait until the exchange has made so many more fills."""
        goal = len(self.server.exchange.fills) + more
        await self.until(lambda: len(self.server.exchange.fills) >= goal, f"{more} more fills")

    async def settle(self, seconds: float = PATIENCE) -> Verdict:
        """Let nothing new happen, wait until the stream has found everything by itself, and judge."""
        self.server.quiet()
        verdict = self.verdict()
        with anyio.move_on_after(seconds):
            while verdict.wrong or self.consumer.gap_open or self.stream.health is not Health.LIVE:
                if self.consumer.error is not None:
                    raise self.consumer.error
                await anyio.sleep(0.25)
                verdict = self.verdict()
        return verdict

    def verdict(self) -> Verdict:
        """How it stands now."""
        return judge(
            self.consumer.events, self.server.truth(), since=self.began, exact=self._exact, books=self.stream.books
        )

    async def check(self, seconds: float = PATIENCE) -> None:
        """All that must hold at the end of any run. Raises `AssertionError`."""
        verdict = await self.settle(seconds)
        assert not verdict.wrong, f"{verdict}\n  {self._gaps()}"
        assert not self.consumer.wrong, self.consumer.wrong
        assert self.stream.health is Health.LIVE
        assert not self.consumer.gap_open
        assert verdict.made
        self.check_log()

    def check_log(self) -> None:
        """What must hold at the server's doors. Raises `AssertionError`."""
        assert not self.log.keys_deleted_in_use
        assert self.log.max_sockets_together <= 2
        assert not [closing for closing in self.log.closings if closing.reason == "no pong"]
        assert len(self.log.mints) <= len(self.log.openings) + len(self.log.refused) + 1

    def _gaps(self) -> list[str]:
        told = self.consumer.events
        return [f"{event.kind} {event.reason} {event.recovered}" for event in told if isinstance(event, GapNotice)]


def venue_at(server: Exchangelike, transport: str, *, key: str, policy: Mapping[str, float], **options: Any) -> Venue:
    """A venue that talks to this server."""
    settings: dict[str, Any] = {**BRISK, **policy}
    return open_venue(
        "bingx-swap",
        api_key=key,
        api_secret=key[::-1],
        rest_url=options.pop("rest_url", server.rest_url),
        ws_url=options.pop("ws_url", server.ws_url),
        transport=transport,
        policy=Policy(**settings),
        seed=1,
        **options,
    )


@asynccontextmanager
async def served(key: str, **settings: Any) -> AsyncIterator[Server]:
    """A server for this key; nothing happens there before the first stream is live, unless it is `busy`.

    Keys are many, since a process has one budget of failing calls for each.
    """
    settings = {"fills_per_second": RATE, "ping_interval": PINGS, **settings}
    busy = settings.pop("busy", False)
    server = Server(api_key=key, api_secret=key[::-1], **settings)
    server.quiet(not busy)
    async with server:
        yield server


@asynccontextmanager
async def streaming(
    server: Exchangelike, transport: str, *, key: str, policy: Mapping[str, float], exact: bool = True, **options: Any
) -> AsyncIterator[Run]:
    """A stream of this server's account, watched."""
    async with venue_at(server, transport, key=key, policy=policy, **options) as venue, venue.subscribe() as stream:
        run = Run(server, venue, stream, exact=exact)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.consumer.run)
            yield run
            tasks.cancel_scope.cancel()


def fresh_key() -> str:
    """An API key that nobody has used."""
    return f"key-{secrets.token_hex(12)}"
