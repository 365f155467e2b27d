"""A simulated exchange in its own process, which sends prepared frames on command.

Commands are lines of JSON on standard input, `{"frames": n, "rate": r}`; with a rate of null they are sent at once.
Each is answered with the monotonic times, ns, at which the frames were sent. Frames go to the newest socket, which
gets each one once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiohttp import web

from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.sockets import AccountHub, Stream

from .desk import KEY, SECRET, Desk

AHEAD_MS = 3_600_000
"""The time of frames ahead of now, ms: they are newer than any read, as usual."""


class Tap(AccountHub):
    """Keeps the newest socket."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, ping_interval=5.0, repeats={})
        self.youngest: Stream | None = None

    def join(self, key: str, ws: web.WebSocketResponse, request: web.Request) -> Stream:
        stream = super().join(key, ws, request)
        self.youngest = stream
        return stream


async def serve(fills: int) -> None:
    """Print the URLs, and carry out commands until standard input ends."""
    frames = Desk().frames(fills, since=int(time.time() * 1000) + AHEAD_MS)
    server = Server(rate_limits=False, api_key=KEY, api_secret=SECRET)
    tap = server.hub = Tap(server.log)
    async with server:
        _say({"rest_url": server.rest_url, "ws_url": server.ws_url})
        stream, used = None, 0
        while line := await asyncio.to_thread(sys.stdin.readline):
            command = json.loads(line)
            if stream is not tap.youngest:
                stream, used = tap.youngest, 0
            assert stream is not None
            begin, used = used, used + command["frames"]
            chosen = frames[begin:used]
            _say(_burst(stream, chosen) if command["rate"] is None else await _paced(stream, chosen, command["rate"]))


def _burst(stream: Stream, frames: list[bytes]) -> list[int]:
    """Put all frames at once into the exchange's own queue, which writes them one by one."""
    sent = []
    for frame in frames:
        sent.append(time.monotonic_ns())
        stream.send(frame)
    return sent


async def _paced(stream: Stream, frames: list[bytes], rate: float) -> list[int]:
    """Send the frames one by one through the exchange's own queue, evenly spread."""
    began = time.monotonic()
    sent = []
    for number, frame in enumerate(frames):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        sent.append(time.monotonic_ns())
        stream.send(frame)
    return sent


def _say(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
