"""So many accounts in one process: a driver and a connection each, over services that live in memory.

Sockets do not count: these hand out frames that are there already, or wait for one. What their like costs is taken
off. `python -m benchmarks.crowd` measures one crowd in a process of its own and prints what it found.
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
"""The frames speak of what is newer than any read, as it would be."""


class Wire:
    """A socket without a network: what is put in comes out, and what is sent is counted."""

    def __init__(self) -> None:
        self.sent = 0
        self._frames: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def put(self, frames: Sequence[bytes]) -> None:
        """These frames have arrived."""
        self._frames.extend(frames)
        self._wake()

    def drain(self) -> None:
        """Drop the frames that have arrived and were not received."""
        self._frames.clear()

    def attend(self, heard: Callable[[], None]) -> None:
        """Nobody pings."""

    async def ping(self) -> None:
        """Nobody answers."""

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
    """One account: its venue, its driver and its consumer, who counts. Audits come only when they are measured."""

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
    """All of them LIVE at one moment; on a busy machine that takes longer than a silence may last: they are pinged."""
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
    """Memory, idle CPU, throughput and fairness."""
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
    """Python's own count of the bytes that each account holds."""
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
    """The CPU share while each account is pinged every five seconds, spread evenly, less the pinging itself."""
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
    """CPU seconds of one read for everybody, as an audit is one."""
    reads = sum(member.venue.reads for member in members)
    before = time.process_time()
    for member in members:
        member.driver.feed(Resync())
    while sum(member.venue.reads for member in members) < reads + len(members):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return {"audit": (time.process_time() - before) / len(members)}


async def _busy(members: list[Member], seconds: float, frames: list[bytes]) -> dict[str, float]:
    """Events a second of CPU, and the least and the most that one account got, while each has a frame ready."""
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
    """One crowd, measured or traced."""
    if mode == "trace":
        return asyncio.run(traced(accounts))
    fills = max(1000, int(20_000 * busy) // accounts)
    frames = Desk().frames(fills, since=int(time.time() * 1000) + AHEAD_MS)
    return asyncio.run(measured(accounts, idle, busy, frames))


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))))
