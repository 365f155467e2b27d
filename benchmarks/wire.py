"""Over real sockets on loopback, from the simulated exchange in another process to the consumer.

A burst shows how many events a second come through, a paced load how long each takes. The floor is a bare loop over the
same transport and the same dialer, which only receives, inflates and parses.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

import listenkey
from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.transports.names import open_transport
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.core.events import AccountUpdate, Fill, Health, HealthChange

from . import floor, peer
from .desk import KEY as KEY
from .desk import SECRET as SECRET
from .measure import ROOT, Absent, Row, Target, Watch, figure, ratios

SUBJECT = "wire"
RATE = 500.0
QUIET = 0.3
"""Seconds between the connection and the load, so that the first frames have passed."""


class Heard(NamedTuple):
    """The times, monotonic ns, at which each event was delivered and sent; CPU and real seconds of the whole."""

    stamps: list[int]
    cpu: float
    real: float
    sent: list[int]


class Load(NamedTuple):
    """A load: the number of frames, and their rate per second; None is all at once."""

    frames: int
    rate: float | None = None


Client = Callable[["Sender", str, Sequence[Load]], Coroutine[Any, Any, list[Heard]]]


def run(quick: bool = False) -> list[Row]:
    """Measure each transport in turn, the floor and listenkey one after the other in each round."""
    loads = (Load(60), Load(40, RATE)) if quick else (Load(10_000), Load(500, RATE))
    rounds = 1 if quick else 5
    rows: list[Row] = []
    with Sender(sum(load.frames for load in loads) // 2) as sender:
        for transport in ("aiohttp", "websockets"):
            if not quick:  # not counted
                _round(sender, transport, loads[:1])
            rows += _transport(transport, [_round(sender, transport, loads) for _ in range(rounds)])
        if peer.installed():
            rows += _peer(sender, Load(loads[0].frames // 4), rounds)
        else:
            rows.append(Absent(SUBJECT, "ccxt pro", peer.MISSING))
    return rows


class Sender:
    """The other process, which sends."""

    def __init__(self, fills: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sender", str(fills)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.rest_url = self.ws_url = ""

    def __enter__(self) -> Sender:
        urls = self._heard()
        self.rest_url, self.ws_url = urls["rest_url"], urls["ws_url"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with self._process:
            self._process.stdin.close()

    async def send(self, load: Load) -> list[int]:
        """Let frames be sent; return the monotonic times, ns."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(load._asdict()).encode() + b"\n")
        self._process.stdin.flush()
        sent: list[int] = await asyncio.to_thread(self._heard)
        return sent

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the sender has ended")
        return json.loads(line)


def _round(sender: Sender, transport: str, loads: Sequence[Load]) -> dict[str, list[Heard]]:
    contenders: dict[str, Client] = {"bare loop": bare, "listenkey": ours}
    return {name: asyncio.run(client(sender, transport, loads)) for name, client in contenders.items()}


def _transport(name: str, rounds: Sequence[dict[str, list[Heard]]]) -> list[Row]:
    contenders = tuple(rounds[0])
    speed = {each: [len(one[each][0].stamps) / one[each][0].real for one in rounds] for each in contenders}
    thrift = {each: [len(one[each][0].stamps) / one[each][0].cpu for one in rounds] for each in contenders}
    rows: list[Row] = [figure(SUBJECT, f"{name}, {each}", "events/s", speed[each]) for each in contenders]
    percent = [100 * ratio for ratio in ratios(speed["listenkey"], speed["bare loop"])]
    by_cpu = 100 * statistics.median(ratios(thrift["listenkey"], thrift["bare loop"]))
    busy = 100 * statistics.median(ratios(speed["listenkey"], thrift["listenkey"]))
    note = f"by CPU time {by_cpu:.0f} %; the receiving thread was busy for {busy:.0f} % of the time"
    rows.append(figure(SUBJECT, f"{name}, listenkey / bare loop", "%", percent, target=Target(least=60), note=note))
    for each in contenders:
        for rank in (50, 99):
            values = [_percentile(_delays(one[each][1]), rank) for one in rounds]
            rows.append(figure(SUBJECT, f"{name}, {each}, p{rank} at {RATE:g}/s", "us", values))
    return rows


def _peer(sender: Sender, load: Load, rounds: int) -> list[Row]:
    heard = [asyncio.run(theirs(sender, "aiohttp", (load,)))[0] for _ in range(rounds)]
    note = "frames handled; over aiohttp, its own transport"
    return [figure(SUBJECT, "ccxt pro", "events/s", [load.frames / each.real for each in heard], note=note)]


async def ours(sender: Sender, name: str, loads: Sequence[Load]) -> list[Heard]:
    """Measure the whole of listenkey; audits are off, since the frames are not the exchange's own."""
    venue = listenkey.open_venue(
        "bingx-swap",
        api_key=KEY,
        api_secret=SECRET,
        rest_url=sender.rest_url,
        ws_url=sender.ws_url,
        transport=name,
        policy=listenkey.Policy(audit_interval=0),
        seed=1,
    )
    heard = []
    async with venue, venue.subscribe() as stream:
        async for event in stream:
            if isinstance(event, HealthChange) and event.health is Health.LIVE:
                break
        await asyncio.sleep(QUIET)
        for load in loads:
            sending = asyncio.create_task(sender.send(load))
            meter = _Meter()
            async for event in stream:
                if isinstance(event, (Fill, AccountUpdate)) and event.source == "ws" and meter.stamp() == load.frames:
                    break
            meter.stop()
            heard.append(meter.read(await sending))
        if stream.health is not Health.LIVE:
            raise AssertionError(f"the stream is {stream.health}")
    return heard


async def bare(sender: Sender, name: str, loads: Sequence[Load]) -> list[Heard]:
    """Measure a loop that only receives, inflates and parses."""
    wires = open_transport(name)
    key = await _key(sender, wires.http)
    socket = await wires.dialer.dial(_url(sender, key), timeout=10, max_bytes=1 << 20)
    await asyncio.sleep(QUIET)
    heard = []
    for load in loads:
        sending = asyncio.create_task(sender.send(load))
        meter = _Meter()
        stamped = 0
        while stamped < load.frames:
            frame = await socket.receive()
            assert isinstance(frame, bytes)
            try:
                floor.parsed(frame)
            except msgspec.MsgspecError:  # a snapshot or a ping
                continue
            stamped = meter.stamp()
        meter.stop()
        heard.append(meter.read(await sending))
    await socket.close()
    await wires.close()
    return heard


async def theirs(sender: Sender, name: str, loads: Sequence[Load]) -> list[Heard]:
    """Measure ccxt pro's client and handlers, until they have stored a frame's content."""
    (load,) = loads
    made = peer.exchange()
    made.open()
    wires = open_transport(name)
    client = made.client(_url(sender, await _key(sender, wires.http)))
    done = asyncio.Event()
    meter = _Meter()

    def handle(its: Any, message: Any) -> None:
        made.handle_message(its, message)
        own = isinstance(message, dict) and message.get("e") in ("ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE")
        if own and meter.stamp() == load.frames:
            done.set()

    client.on_message_callback = handle
    await client.connect(made.session)
    await asyncio.sleep(QUIET)
    sending = asyncio.create_task(sender.send(load))
    await done.wait()
    meter.stop()
    heard = meter.read(await sending)
    await made.close()
    await wires.close()
    return [heard]


class _Meter:
    """Measures from the first event to the last."""

    def __init__(self) -> None:
        self._stamps: list[int] = []
        self._watch: Watch | None = None
        self._began = self._cpu = self._real = 0.0

    def stamp(self) -> int:
        """Note an event; return the number so far."""
        if self._watch is None:
            self._watch, self._began = Watch(), time.thread_time()
        self._stamps.append(time.monotonic_ns())
        return len(self._stamps)

    def stop(self) -> None:
        """Stop after the last event."""
        assert self._watch is not None
        self._cpu, self._real = time.thread_time() - self._began, self._watch.seconds()

    def read(self, sent: list[int]) -> Heard:
        return Heard(self._stamps, self._cpu, self._real, sent)


async def _key(sender: Sender, http: Any) -> str:
    rest = Rest(sender.rest_url, KEY, SECRET)
    return (await TaskExecutor(http, SystemClock()).run(Keys(rest).create())).key


def _url(sender: Sender, key: str) -> str:
    return f"{sender.ws_url}?listenKey={quote(key, safe='')}"


def _delays(heard: Heard) -> list[float]:
    return [(there - here) / 1000 for here, there in zip(heard.sent, heard.stamps, strict=True)]


def _percentile(values: list[float], rank: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]
