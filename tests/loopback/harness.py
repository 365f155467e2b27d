"""One stream on one simulated exchange: a consumer that watches it, and functions that wait and judge."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio

from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.driver.venue import Venue, open_venue
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.server import Server
from listenkey.core.events import GapNotice, Health
from listenkey.core.policy import Policy

from ..certificates import trusting
from .delivered import Delivered
from .truth import Verdict, judge
from .wires import BRISK, DEFAULT, WIRES, wire_of

UNHURRIED = {"reorder_window": 60.0}
"""The policy of a scenario that expects certain gaps: on a slow machine a late frame is not taken for lost."""
RATE = 10.0
PATIENCE = 600.0
"""Seconds after which a test has hung. On no machine a correct run waits that long."""
LOOK = 0.04
"""Seconds between two checks of a condition."""


class Exchangelike(Protocol):
    """The interface of a simulated exchange that a test needs, in this thread or another."""

    @property
    def exchange(self) -> Exchange: ...
    @property
    def venue(self) -> str: ...
    @property
    def log(self) -> Log: ...
    @property
    def rest_url(self) -> str: ...
    @property
    def ws_url(self) -> str: ...
    def truth(self) -> dict[str, Any]: ...
    def quiet(self, on: bool = True) -> None: ...
    def fault(self, name: str, **params: Any) -> Any: ...
    def now(self) -> int: ...


class Consumer(Delivered):
    """Takes every event of a stream; it can be paused."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.stream = stream
        self.error: Exception | None = None
        self.over = anyio.Event()
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
        self.over.set()


class Run:
    """A server, a venue that is connected to it, and one stream with its consumer."""

    def __init__(self, server: Exchangelike, venue: Venue, stream: Stream, *, exact: bool = True) -> None:
        self.server = server
        self.venue = venue
        self.stream = stream
        self.consumer = Consumer(stream)
        self.log = server.log
        self.named = True
        """True if a renewal names the extended key; otherwise another mint follows it."""
        self._exact = exact
        self._flowing = False

    @property
    def began(self) -> int:
        """Exchange time, ms, from which on fills are due."""
        began = self.stream.began
        assert began is not None
        return began

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until `holds` returns True. Raises `AssertionError` after `PATIENCE`."""
        with anyio.move_on_after(PATIENCE):
            while not holds():
                if self.consumer.error is not None:
                    raise self.consumer.error
                await anyio.sleep(LOOK)
            return
        raise AssertionError(f"never {what}: {self.stream.state} {self.stream.health}, {self._gaps()}")

    async def live(self) -> None:
        """Wait until the stream is LIVE, and a read has shown the base of every open order."""
        await self.until(
            lambda: self.stream.health is Health.LIVE and self.stream.proven_until is not None, "live with a read"
        )
        if not self._flowing:
            self._flowing = True
            self.server.quiet(False)

    async def fills_made(self, more: int) -> None:
        """Wait until the exchange has made `more` fills."""
        goal = len(self.server.exchange.fills) + more
        await self.until(lambda: len(self.server.exchange.fills) >= goal, f"{more} more fills")

    async def settle(self) -> Verdict:
        """Stop the activity, wait until the stream has found everything by itself, and judge."""
        self.server.quiet()
        with anyio.move_on_after(PATIENCE):
            while True:
                await self.until(self._at_rest, "at rest")
                verdict = self.verdict()
                if not verdict.wrong:
                    return verdict
                await anyio.sleep(10 * LOOK)
        return self.verdict()

    def _at_rest(self) -> bool:
        return self.stream.health is Health.LIVE and not self.consumer.gap_open

    def verdict(self) -> Verdict:
        """Judge the events so far."""
        return judge(
            self.consumer.events, self.server.truth(), since=self.began, exact=self._exact, books=self.stream.books
        )

    async def check(self) -> None:
        """Check everything that must hold at the end of each run. Raises `AssertionError`."""
        verdict = await self.settle()
        assert not verdict.wrong, f"{verdict}\n  {self._gaps()}"
        assert not self.consumer.wrong, self.consumer.wrong
        assert self._at_rest()
        assert verdict.made
        self.check_log()

    def check_log(self) -> None:
        """Check what must hold in the log of the server's doors. Raises `AssertionError`."""
        assert not self.log.keys_deleted_in_use
        assert self.log.max_sockets_together <= 2
        assert not [closing for closing in self.log.closings if closing.reason == "no pong"]
        besides = 0 if self.named else len(self.log.renewals)
        assert len(self.log.mints) <= len(self.log.openings) + len(self.log.refused) + 1 + besides
        assert not (wire_of(self.server.venue).shared_keys and self.log.deletions)

    def _gaps(self) -> list[str]:
        delivered = self.consumer.events
        return [f"{event.kind} {event.reason} {event.recovered}" for event in delivered if isinstance(event, GapNotice)]


async def down(run: Run, server: Server, fills: int = 3) -> None:
    """Make the exchange unreachable until it has made `fills` fills, and wait until the stream is back."""
    before = len(run.consumer.gaps("RECONNECTED"))
    server.fault("drop_tcp", seconds=PATIENCE)
    await run.until(lambda: run.consumer.gap_open, "noticed")
    await run.fills_made(fills)
    server.faults.clear("drop_tcp")
    await run.until(lambda: len(run.consumer.gaps("RECONNECTED")) > before, "reconnected")


async def silent(run: Run, server: Exchangelike, fills: int = 5) -> None:
    """Silence the socket for `fills` fills, wait until the stream has noticed, and read the account at rest.

    It needs a policy without audits, which would notice it too, perhaps sooner.
    """
    before = len(run.consumer.gaps("RECONNECTED"))
    server.fault("silent")
    await run.fills_made(fills)
    await run.until(lambda: "silent" in run.consumer.gaps("RECONNECTED")[before:], "reconnected after the silence")
    await run.live()


async def read_at_rest(run: Run, server: Exchangelike) -> None:
    """Read the account as an audit does, when nothing new happens and no fill is too young to be judged."""
    server.quiet()
    rested = server.now() + 2000 * BRISK["backfill_overlap"]
    await run.until(lambda: server.now() > rested, "at rest for a while")
    run.stream.resync()


def venue_at(server: Exchangelike, transport: str, *, key: str, policy: Mapping[str, float], **options: Any) -> Venue:
    """Return a venue that is connected to this server."""
    settings: dict[str, Any] = {**wire_of(server.venue).policy, **policy}
    options.setdefault("ssl_context", trusting())
    return open_venue(
        server.venue,
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
async def served(key: str, *, wire: str = DEFAULT, **settings: Any) -> AsyncIterator[Server]:
    """Run a server for this key; nothing happens there before the first stream is live, unless it is `busy`.

    Each test has a key of its own, since a process limits the failing calls of each key.
    """
    settings = {"fills_per_second": RATE, "venue": WIRES[wire].venue, **WIRES[wire].settings, **settings}
    busy = settings.pop("busy", False)
    server = Server(api_key=key, api_secret=key[::-1], **settings)
    server.quiet(not busy)
    async with server:
        yield server


@asynccontextmanager
async def streaming(
    server: Exchangelike, transport: str, *, key: str, policy: Mapping[str, float], exact: bool = True, **options: Any
) -> AsyncIterator[Run]:
    """Run a stream of this server's account with its consumer."""
    async with venue_at(server, transport, key=key, policy=policy, **options) as venue, venue.subscribe() as stream:
        run = Run(server, venue, stream, exact=exact)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run.consumer.run)
            yield run
            tasks.cancel_scope.cancel()


def fresh_key() -> str:
    """Return an unused API key."""
    return f"key-{secrets.token_hex(12)}"
