"""The measurements of a comparison in one checkout: the costs of short passes, so that both sides have the same noise.

A comparison runs this text, not the module, in the folder of each checkout, so that both sides are measured alike and
each with its own benchmarks: it may use only names that both have, and a wire that one of them does not measure is left
out there. `python -c TEXT SUBJECT full|quick` prints a line of JSON with the folders of its packages, the names that
are missing to measure the subject, and the costs of its preparation. Each line on standard input is answered with the
costs of one pass, `[[row, unit, cost], …]`. All rows are costs: less is better.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

Costs = list[tuple[str, str, float]]
"""Rows of name, unit and cost, which is above 0."""
Ready = tuple[Costs, Callable[[], Awaitable[Costs]]]
"""The costs of the preparation, and a function that measures one pass."""
FORMER = {"delivered": "told"}
"""Names of today with the names in earlier checkouts."""


class Subject(NamedTuple):
    """A subject: its preparation, full or quick, and the number of passes in a round."""

    prepared: Callable[[bool], AbstractAsyncContextManager[Ready]]
    passes: int


def _other_wires() -> list[Any]:
    """The wires besides BingX's that this folder's benchmarks measure."""
    try:
        from benchmarks.wires import USDM
    except ImportError:
        return []
    return [USDM]


@asynccontextmanager
async def _decode(quick: bool) -> AsyncIterator[Ready]:
    """Measure the thread's CPU time for frames through a connection."""
    from benchmarks.decode import ours
    from benchmarks.desk import EPOCH, Desk

    fills = 20 if quick else 250
    frames = Desk().frames(fills, since=EPOCH + 1)
    others = [(wire, Desk(wire=wire).frames(fills, since=EPOCH + 1)) for wire in _other_wires()]

    async def one() -> Costs:
        costs: Costs = [("gzip frame to delivered event", "us", ours(frames) / len(frames) / 1000)]
        for wire, texts in others:
            costs.append((f"{wire.venue}, frame to delivered event", "us", ours(texts, wire) / len(texts) / 1000))
        return costs

    yield [], one


@asynccontextmanager
async def _wire(quick: bool) -> AsyncIterator[Ready]:
    """Measure the CPU time of the receiving thread, from the command to send a burst to its last event."""
    from benchmarks.wire import KEY, SECRET, Load, Sender
    from listenkey import Policy, open_venue
    from listenkey.core.events import AccountUpdate, Fill, Health, HealthChange

    load = Load(20 if quick else 300)
    streams: dict[str, tuple[Sender, Any]] = {}

    async def burst(sender: Sender, stream: Any) -> float:
        began, delivered = time.thread_time(), 0
        sending = asyncio.create_task(sender.send(load))
        async for event in stream:
            delivered += isinstance(event, (Fill, AccountUpdate)) and event.source == "ws"
            if delivered == load.frames:
                break
        spent = time.thread_time() - began
        await sending
        return spent / load.frames * 1e6

    async def one() -> Costs:
        return [(f"{name}, a frame to the consumer", "us", await burst(*each)) for name, each in streams.items()]

    async with AsyncExitStack() as stack:
        for name in ("aiohttp", "websockets"):
            sender = stack.enter_context(Sender((SUBJECTS["wire"].passes + 1) * load.frames // 2))
            venue = open_venue(
                "bingx-swap",
                api_key=KEY,
                api_secret=SECRET,
                rest_url=sender.rest_url,
                ws_url=sender.ws_url,
                transport=name,
                policy=Policy(audit_interval=0),
            )
            await stack.enter_async_context(venue)
            stream = await stack.enter_async_context(venue.subscribe())
            async for event in stream:
                if isinstance(event, HealthChange) and event.health is Health.LIVE:
                    break
            streams[name] = sender, stream
        await one()
        yield [], one


@asynccontextmanager
async def _scale(quick: bool) -> AsyncIterator[Ready]:
    """Measure the CPU time of this process, with a crowd that is audited and one that always has frames ready."""
    from benchmarks.crowd import AHEAD_MS, PING_EVERY, Venue, gathered
    from benchmarks.desk import Desk
    from benchmarks.frames import PING
    from benchmarks.measure import resident
    from listenkey.core.inputs import Resync

    accounts, fills = (3, 10) if quick else (30, 20)
    venues = [Venue() for _ in range(2 * accounts)]
    desk, since = Desk(), int(time.time() * 1000) + AHEAD_MS

    async def ping() -> None:
        while True:
            await asyncio.sleep(PING_EVERY / 2)
            for venue in venues:
                venue.wire.put([PING])

    async def until(count: Callable[[], int], least: int) -> float:
        began = time.process_time()
        while count() < least:  # noqa: ASYNC110
            await asyncio.sleep(0)
        return (time.process_time() - began) * 1e6

    def delivered() -> int:
        return sum(_named(member, "delivered") for member in busy)

    def reads() -> int:
        return sum(member.venue.reads for member in audited)

    async def one() -> Costs:
        frames = desk.frames(fills, since=since + delivered())
        for member in busy:
            member.venue.wire.put(frames)
        events = len(frames) * accounts
        event = await until(delivered, delivered() + events) / events
        for member in audited:
            member.driver.feed(Resync())
        audit = await until(reads, reads() + accounts) / accounts
        return [(f"an event of {accounts} accounts", "us", event), (f"an audit of {accounts}", "us", audit)]

    warm = await gathered([Venue()])
    gc.collect()
    before = resident()
    members = await gathered(venues)
    pinging = asyncio.create_task(ping())
    gc.collect()
    memory = max(resident() - before, 4096) / len(members) / 1024
    audited, busy = members[:accounts], members[accounts:]
    await one()
    yield [(f"memory an account, of {len(members)}", "KiB", memory)], one
    pinging.cancel()
    await asyncio.gather(*(member.leave() for member in members + warm))


@asynccontextmanager
async def _growth(quick: bool) -> AsyncIterator[Ready]:
    """Measure the thread's CPU time for fills among few and many open orders, and the memory after virtual hours."""
    from benchmarks.measure import apart
    from benchmarks.orders import Crowd

    hours, fills = (1, 10) if quick else (24, 200)
    held = apart("month", str(hours / 24), "1440")["resident"] / 2**20
    crowds = {size: Crowd(size) for size in ((10, 100) if quick else (10, 10_000))}

    async def one() -> Costs:
        spent = {size: crowd.fills(fills) for size, crowd in crowds.items()}
        return [(f"a fill among {size:,} open orders", "us", ns / fills / 1000) for size, ns in spent.items()]

    yield [(f"memory after {hours} virtual hours", "MiB", held)], one


@asynccontextmanager
async def _start(quick: bool) -> AsyncIterator[Ready]:
    """Measure CPU time and memory of a statement in a new process with this folder's package, one in each pass."""
    from benchmarks.start import PROGRAMS

    def ran(program: str) -> list[float]:
        text = f"{_HELD}\nbefore, began = held(), time.process_time()\n{program}\n{_TOOK}"
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        return [float(word) for word in done.stdout.split()]

    programs = cycle((name, program) for name, program in PROGRAMS.items() if name != "bare")

    async def one() -> Costs:
        name, program = next(programs)
        ms, mib = ran(program)
        return [(name, "ms", ms), (f"{name}, memory", "MiB", mib)]

    yield [], one


def _named(owner: object, name: str) -> Any:
    """Return the attribute of this name or, in an older checkout, of the name that it had there."""
    return getattr(owner, name) if hasattr(owner, name) else getattr(owner, FORMER[name])


@asynccontextmanager
async def _journal(quick: bool) -> AsyncIterator[Ready]:
    """Measure the CPU time of this process, and real time without the thread's waits for a busy CPU."""
    from benchmarks import journal

    events = _named(journal, "delivered")(20 if quick else 100)

    async def one() -> Costs:
        costs: Costs = []
        for row, at_once in (("stored and marked singly", 1), ("stored 100 at once, marked singly", 100)):
            before = time.process_time()
            real = await asyncio.to_thread(journal.passed, events, at_once)
            spent = time.process_time() - before
            costs += [
                (f"{row}, CPU", "us", spent / len(events) * 1e6),
                (f"{row}, real", "us", real / len(events) * 1e6),
            ]
        return costs

    await one()
    yield [], one


@asynccontextmanager
async def _travel(quick: bool) -> AsyncIterator[Ready]:
    """Measure the thread's CPU time for a part of a virtual day."""
    from benchmarks.stage import Stage
    from benchmarks.travel import DAY, live

    days = 0.01 if quick else 0.1

    async def one() -> Costs:
        stage, before = Stage(), time.thread_time()
        live(stage, DAY * days)
        return [("a virtual stream-day", "ms", (time.thread_time() - before) / days * 1000)]

    yield [], one


@asynccontextmanager
async def _recovery(quick: bool) -> AsyncIterator[Ready]:
    """Measure real time from the grant of a key to the end of the gap, and from the cut, at a round trip of 20 ms."""
    from benchmarks.far import Far
    from benchmarks.recovery import APART, FILLS, HEALTHY, TRANSPORT, Ours

    async with AsyncExitStack() as stack:
        streams: list[tuple[str, Far, Ours]] = []
        for name, wire in [("", []), *((f"{wire.venue}, ", [wire]) for wire in _other_wires())]:
            far = stack.enter_context(Far([0.02], *wire))
            ours = Ours(far.places[0], TRANSPORT, *wire, **{**HEALTHY, "audit_interval": 0, "backoff_first": 0})
            streams.append((name, far, await stack.enter_async_context(ours)))

        async def one() -> Costs:
            await asyncio.sleep(APART)
            costs: Costs = []
            for name, far, ours in streams:
                recovered = await ours.recover(far, FILLS)
                costs += [
                    (f"{name}key to closed gap at 20 ms", "ms", recovered.from_key * 1000),
                    (f"{name}cut to closed gap at 20 ms", "ms", recovered.closed * 1000),
                ]
            return costs

        await one()
        yield [], one


@asynccontextmanager
async def _exchange(quick: bool) -> AsyncIterator[Ready]:
    """Measure the thread's CPU time for operations on a simulated exchange."""
    from benchmarks.exchange import market, mix

    number = 80 if quick else 800

    async def one() -> Costs:
        return [
            (f"{name}, an operation", "us", spent(number) / number / 1000)
            for name, spent in (("a bot on the model", mix), ("market orders on the model", market))
        ]

    yield [], one


SUBJECTS = {
    "recovery": Subject(_recovery, 4),
    "decode": Subject(_decode, 60),
    "wire": Subject(_wire, 10),
    "scale": Subject(_scale, 12),
    "growth": Subject(_growth, 12),
    "start": Subject(_start, 8),
    "journal": Subject(_journal, 12),
    "travel": Subject(_travel, 20),
    "exchange": Subject(_exchange, 20),
}
_HELD = """import os, time
def held():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")"""
_TOOK = "print((time.process_time() - began) * 1000, (held() - before) / 2**20)"


async def _answer(subject: str, quick: bool) -> None:
    async with AsyncExitStack() as stack:
        try:
            costs, one = await stack.enter_async_context(SUBJECTS[subject].prepared(quick))
        except (ImportError, AttributeError) as error:
            _say({"packages": _packages(), "missing": f"{type(error).__name__}: {error}", "costs": []})
            return
        _say({"packages": _packages(), "missing": "", "costs": costs})
        while await asyncio.to_thread(sys.stdin.readline):
            gc.collect()
            _say(await one())


def _packages() -> list[str]:
    import benchmarks
    import listenkey

    return [str(Path(str(package.__file__)).resolve().parent) for package in (benchmarks, listenkey)]


def _say(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    asyncio.run(_answer(sys.argv[1], sys.argv[2] == "quick"))
