"""A process that follows an account and prints delivered events as lines; it takes orders on standard input.

    python -m tests.chaos.follower

The first line of input is its `Setting`, the others are orders: `{"do": "status"}`, `{"do": "jump", "seconds": -7200}`
(the wall clock), `{"do": "names", "resolve": false}`, `{"do": "rotate"}`. Each is answered by `{"answer": ...}`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
import time
from typing import Any

import msgspec

from listenkey import open_venue
from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.venues.bingx import facts
from listenkey.core.policy import Policy

from .certificates import HOST
from .wallclock import WallClock, wall_clock


class Setting(msgspec.Struct, frozen=True):
    """The parameters of a follower: exchange, transport, policy and more."""

    transport: str
    rest_url: str
    ws_url: str
    key: str
    policy: dict[str, float]
    seed: int
    trusted: str | None = None
    resolve: bool = True
    failure_window: float = 480.0
    """The seconds in which 15 calls may fail: 480 at the venue, fewer in tests with shorter times."""


class Names:
    """A resolver that also resolves the exchange's name while `resolve` is True."""

    def __init__(self, resolve: bool) -> None:
        self.resolve = resolve
        self.refused = 0
        self._real = socket.getaddrinfo

    def getaddrinfo(self, host: Any, *rest: Any, **options: Any) -> Any:
        """Resolve as `socket.getaddrinfo` does."""
        if host not in (HOST, HOST.encode()):
            return self._real(host, *rest, **options)
        if self.resolve:
            return self._real("127.0.0.1", *rest, **options)
        self.refused += 1
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def say(line: bytes) -> None:
    """Write the whole line, in parts if the process was stopped during a write."""
    rest = memoryview(line + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]


def obey(order: dict[str, Any], stream: Stream, clock: WallClock, names: Names) -> dict[str, Any]:
    """Carry out an order and return its answer."""
    match order["do"]:
        case "jump":
            clock.jump(order["seconds"])
        case "names":
            names.resolve = order["resolve"]
        case "rotate":
            stream.rotate()
    return {
        "health": stream.health.value,
        "state": stream.state.value,
        "began": stream.began,
        "proven_until": stream.proven_until,
        "books": [msgspec.to_builtins(book, str_keys=True) for book in stream.books],
        "names_refused": names.refused,
        "wall": time.time(),
    }


async def follow() -> None:
    """Follow the account and print every event."""
    orders = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(orders)
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, orders.feed_eof)
    setting = msgspec.json.decode(await orders.readline(), type=Setting)
    names = Names(setting.resolve)
    socket.getaddrinfo = names.getaddrinfo
    facts.FAILING_CALLS = facts.FAILING_CALLS._replace(window=setting.failure_window)
    venue = open_venue(
        "bingx-swap",
        api_key=setting.key,
        api_secret=setting.key[::-1],
        rest_url=setting.rest_url,
        ws_url=setting.ws_url,
        transport=setting.transport,
        policy=Policy().over(setting.policy),
        ssl_context=ssl.create_default_context(cafile=setting.trusted) if setting.trusted else None,
        seed=setting.seed,
    )
    with wall_clock() as clock:
        async with venue, venue.subscribe() as stream:

            async def listen() -> None:
                while line := await orders.readline():
                    say(msgspec.json.encode({"answer": obey(msgspec.json.decode(line), stream, clock, names)}))

            listening = asyncio.create_task(listen())
            relaying = asyncio.create_task(relay(stream))
            await asyncio.wait((listening, relaying), return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, relaying):
                if task.done():
                    task.result()
                task.cancel()
            await asyncio.gather(listening, relaying, return_exceptions=True)
    pipe.close()


async def relay(stream: Stream) -> None:
    """Print every event as it comes."""
    async for event in stream:
        say(event.to_json())


if __name__ == "__main__":
    asyncio.run(follow())
