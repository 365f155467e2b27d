"""After `kill -9` at any moment the journal and a read together make the stream whole again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from listenkey.adapters.simulator.server import Server
from listenkey.core.events import ExchangeEvent, Fill, from_json

from .harness import PATIENCE, fresh_key, served
from .truth import judge

pytestmark = pytest.mark.loopback

KILLS = int(os.environ.get("LISTENKEY_KILLS", "3"))
"""The number of times that each process is killed."""


async def start(transport: str, server: Server, journal: Path, delay: str) -> Process:
    """Start a survivor in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", str(Path(__file__).with_name("survivor.py"))),
        *(transport, server.rest_url, server.ws_url, str(journal), delay),
        stdin=PIPE,
        stdout=PIPE,
        limit=1 << 24,
    )
    assert process.stdin is not None
    process.stdin.write(server.api_key.encode() + b"\n")
    return process


class Life:
    """One run of a survivor, with the events that it has printed so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.events: list[ExchangeEvent] = []
        self._listening = asyncio.create_task(self._listen())

    async def until(self, kinds: set[str]) -> None:
        """Wait until it has printed an event of one of these kinds."""
        async with asyncio.timeout(PATIENCE):
            while not kinds & {event.kind.value for event in self.events if not event.redelivered}:
                assert not self._listening.done(), "it died by itself"
                await asyncio.sleep(0.02)

    async def end(self) -> list[ExchangeEvent]:
        """Kill it; return all events that it printed."""
        self.process.send_signal(signal.SIGKILL)
        await self._listening
        await self.process.wait()
        return self.events

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.endswith(b"\n"):
                self.events.append(from_json(line))


async def lives(transport: str, journal: Path, seed: int) -> None:
    """Kill it `KILLS` times; then let it run until the gap is closed and everything is delivered."""
    rng = random.Random(seed)
    runs: list[list[ExchangeEvent]] = []
    async with served(fresh_key(), fills_per_second=25, seed=seed) as server:
        for _ in range(KILLS):
            life = Life(await start(transport, server, journal, rng.choice(("0", "0.02"))))
            await life.until({"ACCOUNT_UPDATE", "GAP_OPENED"})
            server.quiet(False)
            await asyncio.sleep(rng.uniform(0.0, 2.0))
            runs.append(await life.end())
        life = Life(await start(transport, server, journal, "0"))
        await life.until({"GAP_CLOSED"})
        server.quiet()
        truth = server.truth()
        ago = server.log.clock() - server.log.mints[0].at
        since = server.now() - int(ago * 1000)
        await found([*runs, life.events], truth, since)
        runs.append(await life.end())
    check(runs, truth, since)


async def found(runs: list[list[ExchangeEvent]], truth: dict[str, object], since: int) -> None:
    """Wait until no fill is missing any more, at most `PATIENCE` seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while True:
                verdict = judge(_said(runs), truth, since=since + 100)
                if not any(line.startswith("lost") for line in verdict.wrong):
                    return
                await asyncio.sleep(0.2)


def _said(runs: list[list[ExchangeEvent]]) -> list[ExchangeEvent]:
    """Return each event of all runs once, not flagged as redelivered: another run may have stored it."""
    known: dict[str, ExchangeEvent] = {}
    for event in itertools.chain(*runs):
        known.setdefault(event.event_id, event)
    return [msgspec.structs.replace(event, redelivered=False) for event in known.values()]


def check(runs: list[list[ExchangeEvent]], truth: dict[str, object], since: int) -> None:
    """Check that every fill came; a repeated event was not marked, has the same id, and is flagged."""
    known: dict[str, ExchangeEvent] = {}
    for number, run in enumerate(runs):
        fresh = [event for event in run if not event.redelivered]
        again = [event for event in run if event.redelivered]
        twice = [event_id for event_id, count in Counter(event.event_id for event in fresh).items() if count > 1]
        assert not twice
        assert run[: len(again)] == again, "what comes again comes first"
        for event in fresh:
            assert event.event_id not in known, f"run {number}: {event.event_id} came again as if for the first time"
        # Of an earlier run's lines only the last can be unmarked: the mark is written before the next line.
        assert len([event for event in again if event.event_id in known]) <= 1
        if number and runs[number - 1] and again and runs[number - 1][-1].event_id in {e.event_id for e in again}:
            assert again[0].event_id == runs[number - 1][-1].event_id
        for event in run:
            known.setdefault(event.event_id, event)
    events = _said(runs)
    assert any(isinstance(event, Fill) for event in events)
    verdict = judge(events, truth, since=since + 100)
    wrong = [line for line in verdict.wrong if not line.startswith("doubled") or not _early(line, truth, since)]
    assert not wrong, verdict


def _early(line: str, truth: dict[str, object], since: int) -> bool:
    """True if the line is about a fill at the beginning of the stream, which may come but is not due."""
    rows = truth["fills"]
    assert isinstance(rows, list)
    return any(since - 1000 <= row["ts"] < since + 100 and repr(row["order_id"]) in line for row in rows)


def test_kill(tmp_path: Path) -> None:
    """After kills at random moments under load, every fill is there once after the last restart; only unmarked events
    come again, before all others, with the same id and `redelivered`.
    """

    async def both() -> None:
        await asyncio.gather(*(lives(name, tmp_path / name, seed=len(name)) for name in ("aiohttp", "websockets")))

    asyncio.run(both())
