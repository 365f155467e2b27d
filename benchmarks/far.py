"""Simulated exchanges in a process of their own, each behind a delay, whose sockets are cut or silenced on command.

`python -m benchmarks.far VENUE [ROUND_TRIP, …]` prints two addresses of each. Commands are lines of JSON on standard
input, each answered with the monotonic time, s, at which it was done: `["cut", place, fills]` resets the sockets of an
exchange and makes fills without frames; `["silence", place, 0]` leaves the sockets open, but sends nothing any more.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from listenkey.adapters.simulator.server import Server

from .desk import KEY, SECRET
from .measure import ROOT
from .relay import Relay
from .wires import BINGX, WIRES, Wire

PUSHED_BY = 60_000
"""Exchange time, ms, after which all frames of a fill would have left."""


class Place(NamedTuple):
    """One exchange and its addresses; `round_trip` is in seconds."""

    number: int
    round_trip: float
    rest_url: str
    ws_url: str


class Far:
    """The other process: it has an exchange for each round trip, all with one wire."""

    def __init__(self, round_trips: Sequence[float], wire: Wire = BINGX) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.far", wire.venue, json.dumps(round_trips)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.places: list[Place] = []

    def __enter__(self) -> Self:
        self.places = [Place(*words) for words in self._heard()]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with self._process:
            self._process.stdin.close()

    async def cut(self, place: Place, fills: int) -> float:
        """Reset the sockets of this exchange and make `fills` fills; return the monotonic time, s, after that."""
        return await self._done(["cut", place.number, fills])

    async def silence(self, place: Place) -> float:
        """Silence the sockets of this exchange; return the monotonic time, s, from which on."""
        return await self._done(["silence", place.number, 0])

    async def _done(self, command: list[Any]) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        done: float = await asyncio.to_thread(self._heard)
        return done

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the exchanges have ended")
        return json.loads(line)


async def serve(wire: Wire, round_trips: Sequence[float]) -> None:
    """Print the places, then do as commanded until standard input ends."""
    async with AsyncExitStack() as stack:
        servers: list[Server] = []
        places: list[Place] = []
        for number, round_trip in enumerate(round_trips):
            made = Server(venue=wire.venue, api_key=KEY, api_secret=SECRET, seed=number)
            server = await stack.enter_async_context(made)
            server.quiet()
            port = urlsplit(server.rest_url).port or 0
            if round_trip:
                port = (await stack.enter_async_context(Relay(port, round_trip))).port
            servers.append(server)
            socket_path = urlsplit(server.ws_url).path
            places.append(Place(number, round_trip, f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}{socket_path}"))
        _say(places)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, number, fills = json.loads(line)
            _cut(servers[number], wire.symbol, fills) if name == "cut" else servers[number].fault("silent")
            _say(time.monotonic())


def _cut(server: Server, symbol: str, fills: int) -> None:
    server.fault("drop_tcp")
    now = server.now()
    for _ in range(fills):
        server.exchange.trade(symbol, "BUY", Decimal("0.001"), now=now)
    server.exchange.due(now + PUSHED_BY)  # no socket gets them, even one that opens at once


def _say(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    (chosen,) = (wire for wire in WIRES if wire.venue == sys.argv[1])
    asyncio.run(serve(chosen, json.loads(sys.argv[2])))
