"""Many accounts in one process: a driver and a connection each, over services in memory.

The sockets are in memory too: they return a frame that is there, or wait for one; the cost of such sockets is
subtracted. `python -m benchmarks.crowd` measures one crowd in its own process and prints the figures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.driver.driver import Driver
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.connection import Connection
from listenkey.core.events import Health
from listenkey.core.inputs import Resync
from listenkey.core.kinds import Purpose
from listenkey.core.policy import Policy
from listenkey.core.refusal import Refusal
from listenkey.core.reports import Account, OrderRef
from listenkey.ports.errors import SocketEnded, StreamStopped
from listenkey.ports.http import HttpResponse
from listenkey.ports.keys import Grant
from listenkey.ports.service import Service, clock

from .desk import Desk
from .frames import PING
from .measure import resident

PING_EVERY = 5.0
AHEAD_MS = 60_000
"""The time of frames ahead of now, ms: they are newer than any read, as usual."""


class Wire:
    """A socket without a network: it returns the frames that were put in, and counts those that are sent."""

    def __init__(self) -> None:
        self.sent = 0
        self._frames: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, frames: Sequence[bytes]) -> None:
        """Let these frames arrive."""
        self._frames.extend(frames)
        self._wake()

    def drain(self) -> None:
        """Drop the frames that have arrived and were not received."""
        self._frames.clear()

    def attend(self, heard: Callable[[], None]) -> None:
        """Ignore `heard`: there are no protocol pings."""

    async def ping(self) -> None:
        """Do nothing: there is no answer."""

    async def receive(self) -> bytes | str:
        while not self._frames:
            if self._closed:
                raise SocketEnded
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._frames.popleft()

    async def send(self, text: str) -> None:
        self.sent += 1

    async def close(self, code: int = 1000) -> None:
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Venue:
    """The services of one account, answered at once from its desk."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.desk = Desk()
        self.reads = 0

    def create(self) -> Service[Grant]:
        yield from clock()
        return Grant("key", 3600.0, int(time.time() * 1000))

    def renew(self, key: str) -> Service[None]:
        yield from clock()

    def delete(self, key: str) -> Service[None]:
        yield from clock()

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def open(self, key: str) -> Wire:
        self.wire.put([PING])
        return self.wire

    def read(
        self, since: int | None, orders: Sequence[OrderRef] = (), *, purpose: Purpose = Purpose.SYNC
    ) -> Service[Account]:
        yield from clock()
        self.reads += 1
        return self.desk.read(since, orders, int(time.time() * 1000))


class Member:
    """One account: venue, driver, and a consumer that counts events. Audits run only when they are measured."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.delivered = 0
        connection = Connection(SwapDialect(), Policy(audit_interval=0), seed=seed)
        executor = TaskExecutor(venue, SystemClock())
        self.driver = Driver(connection, executor, venue, venue, venue, clock=SystemClock(), failure=_failure)
        self.tasks = [asyncio.create_task(self.driver.run()), asyncio.create_task(self._consume())]

    async def _consume(self) -> None:
        get = self.driver.backlog.get
        try:
            while True:
                await get()
                self.delivered += 1
        except StopAsyncIteration:
            pass

    async def leave(self) -> None:
        await self.driver.stop()
        await asyncio.gather(*self.tasks)


def _failure(refusal: Refusal) -> Exception:
    return StreamStopped(refusal.message)


async def gathered(venues: Sequence[Venue]) -> list[Member]:
    """Return members that are all LIVE at once; meanwhile they get pings, since it may take long on a busy machine."""
    members = [Member(venue, seed) for seed, venue in enumerate(venues)]
    pinged = time.monotonic()
    while not all(member.driver.connection.health is Health.LIVE for member in members):
        await asyncio.sleep(0.05)
        if time.monotonic() - pinged > PING_EVERY / 2:
            pinged = time.monotonic()
            for venue in venues:
                venue.wire.put([PING])
    await asyncio.sleep(0.1)
    return members


async def measured(accounts: int, idle: float, busy: float, frames: list[bytes]) -> dict[str, float]:
    """Measure memory, idle CPU, throughput and fairness."""
    venues = [Venue() for _ in range(accounts)]
    warm = await gathered([Venue()])
    gc.collect()
    before = resident()
    members = await gathered(venues)
    gc.collect()
    found: dict[str, float] = {"resident": (resident() - before) / accounts}
    found |= await _idle(members, idle)
    found |= await _audited(members)
    found |= await _busy(members, busy, frames)
    await asyncio.gather(*(member.leave() for member in members + warm))
    return found


async def traced(accounts: int) -> dict[str, float]:
    """Return the bytes per account, as Python counts them."""
    venues = [Venue() for _ in range(accounts)]
    warm = await gathered([Venue()])
    gc.collect()
    tracemalloc.start()
    members = await gathered(venues)
    gc.collect()
    bytes_held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await asyncio.gather(*(member.leave() for member in members + warm))
    return {"traced": bytes_held / accounts}


async def _idle(members: list[Member], seconds: float) -> dict[str, float]:
    """Measure the CPU share while each account gets a ping every five seconds, and that of the pinging itself."""
    own = await _pinged([Wire() for _ in members], seconds / 2, receive=True)
    reads = sum(member.venue.reads for member in members)
    pongs = sum(member.venue.wire.sent for member in members)
    share = await _pinged([member.venue.wire for member in members], seconds)
    return {
        "idle": share,
        "pinging": own,
        "pongs": sum(member.venue.wire.sent for member in members) - pongs,
        "reads": sum(member.venue.reads for member in members) - reads,
    }


async def _pinged(wires: list[Wire], seconds: float, *, receive: bool = False) -> float:
    async def listen(wire: Wire) -> None:
        while True:
            await wire.receive()

    tasks = [asyncio.create_task(listen(wire)) for wire in wires] if receive else []
    await asyncio.sleep(0)
    began, before = time.monotonic(), time.process_time()
    number = 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = int(elapsed * len(wires) / PING_EVERY)
        while number < due:
            wires[number % len(wires)].put([PING])
            number += 1
        await asyncio.sleep(0.01)
    share = (time.process_time() - before) / (time.monotonic() - began)
    for task in tasks:
        task.cancel()
    return share


async def _audited(members: list[Member]) -> dict[str, float]:
    """Measure the CPU seconds of one read per account, as in an audit."""
    reads = sum(member.venue.reads for member in members)
    before = time.process_time()
    for member in members:
        member.driver.feed(Resync())
    while sum(member.venue.reads for member in members) < reads + len(members):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return {"audit": (time.process_time() - before) / len(members)}


async def _busy(members: list[Member], seconds: float, frames: list[bytes]) -> dict[str, float]:
    """Measure events per CPU second, and the fewest and most of one account, while each always has a frame ready."""
    before = [member.delivered for member in members]
    for member in members:
        member.venue.wire.put(frames)
    began = time.process_time()
    while time.process_time() - began < seconds and members[0].delivered - before[0] < len(frames):  # noqa: ASYNC110
        await asyncio.sleep(0)
    spent = time.process_time() - began
    delivered = [member.delivered - old for member, old in zip(members, before, strict=True)]
    for member in members:
        member.venue.wire.drain()
    return {"events": sum(delivered) / spent, "least": min(delivered), "most": max(delivered)}


def main(mode: str, accounts: int, idle: float, busy: float) -> dict[str, float]:
    """Measure or trace one crowd."""
    if mode == "trace":
        return asyncio.run(traced(accounts))
    fills = max(1000, int(20_000 * busy) // accounts)
    frames = Desk().frames(fills, since=int(time.time() * 1000) + AHEAD_MS)
    return asyncio.run(measured(accounts, idle, busy, frames))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))))
