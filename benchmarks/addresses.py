"""How long a connection takes where the first address of a name is dead: a port whose queue is full answers nobody.

The floor is the delay after which RFC 8305 tries the next address: no transport can be faster.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from urllib.parse import quote, urlsplit

from listenkey.adapters.driver.clock import SystemClock
from listenkey.adapters.executors.tasks import TaskExecutor
from listenkey.adapters.simulator.server import Server
from listenkey.adapters.transports.names import open_transport
from listenkey.adapters.transports.websockets_asyncio import ATTEMPT_SECONDS
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.rest import Rest

from .desk import KEY, SECRET
from .measure import Row, Watch, figure

SUBJECT = "wire"
NAME = "exchange.test"
DEAD, ALIVE = "127.0.0.2", "127.0.0.1"
ROUNDS = 5
NOTE = f"where a name's first address is dead; the floor is the {ATTEMPT_SECONDS} s until the next one is tried"


def run(quick: bool = False) -> list[Row]:
    """Measure each transport in turn: its first request and its first socket at the same time."""
    rounds = 1 if quick else ROUNDS
    rows: list[Row] = []
    for name in ("aiohttp", "websockets"):
        times = [asyncio.run(_round(name)) for _ in range(quick, rounds + 1)][1 - quick :]
        for what, values in zip(("answered", "socket open"), zip(*times, strict=True), strict=True):
            rows.append(figure(SUBJECT, f"{name}, first address dead, {what}", "s", values, note=NOTE))
    return rows


async def _round(name: str) -> tuple[float, float]:
    """Return the seconds until a request is answered, and until a socket is open."""
    async with Server(api_key=KEY, api_secret=SECRET) as server:
        port = urlsplit(server.rest_url).port or 0
        wires = open_transport(name)
        rest = Rest(server.rest_url, KEY, SECRET)
        key = quote((await TaskExecutor(wires.http, SystemClock()).run(Keys(rest).create())).key, safe="")
        rest_url, ws_url = f"http://{NAME}:{port}", f"ws://{NAME}:{port}/swap-market?listenKey={key}"
        with _hole(port), _resolved(port):
            answer = wires.http.request("GET", f"{rest_url}/openApi/swap/v2/server/time", headers={}, timeout=60.0)
            dial = wires.dialer.dial(ws_url, timeout=60.0, max_bytes=1 << 20)
            (answered, _), (opened, held) = await asyncio.gather(_timed(answer), _timed(dial))
        await held.close()
        await wires.close()
    return answered, opened


async def _timed(work: Awaitable[Any]) -> tuple[float, Any]:
    watch = Watch()
    got = await work
    return watch.seconds(), got


@contextmanager
def _hole(port: int) -> Iterator[None]:
    """Let no TCP handshake at this port of `DEAD` finish during the body."""
    with ExitStack() as stack:
        hanging = stack.enter_context(socket.socket())
        hanging.bind((DEAD, port))
        hanging.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(hanging.getsockname())
        yield


@contextmanager
def _resolved(port: int) -> Iterator[None]:
    """Give `NAME` the two addresses during the body, the dead one first; other names are resolved by the system."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        if host not in (NAME, NAME.encode()):
            return real(host, *rest, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port)) for each in (DEAD, ALIVE)]

    with mock.patch.object(socket, "getaddrinfo", resolve):
        yield
