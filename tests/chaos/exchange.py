"""The simulated exchange in a process of its own, as `listenkey simulate` runs it, and access from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from .process import Process, running

PATIENCE = 300.0
PINGS = 0.3


class Exchange:
    """Access to its truth and its flow, at its own endpoints and not through a proxy."""

    def __init__(self, process: Process, url: str, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.port = urlsplit(url).port or 0
        self._url = url
        self._session = session
        self._ahead = 0.0

    def now(self) -> int:
        """Exchange time, ms: it runs with this host's monotonic clock, also while a process is stopped."""
        return int(time.monotonic() * 1000 + self._ahead)

    async def truth(self) -> dict[str, Any]:
        """Return the truth now."""
        async with self._session.get(f"{self._url}/simulator/truth") as response:
            found: dict[str, Any] = msgspec.json.decode(await response.read())
        self._ahead = found["now"] - found["log"]["now"] * 1000
        return found

    async def quiet(self, on: bool = True) -> int:
        """Stop the flow, or start it again; return the number of fills so far."""
        return int((await self._post("quiet", {"on": on}))["fills"])

    async def fault(self, name: str, **params: Any) -> None:
        """Order one of the exchange's own faults."""
        await self._post("fault", {"name": name, **params})

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(f"{self._url}/simulator/{what}", data=msgspec.json.encode(body)) as response:
            found: dict[str, Any] = msgspec.json.decode(await response.read())
        assert response.status == 200, found
        return found


@asynccontextmanager
async def exchange(
    key: str, *, seed: int, rate: float, wire: str = "modern", others: Iterable[str] = ()
) -> AsyncIterator[Exchange]:
    """Run an exchange for this key and others of the same account; nothing happens before `quiet(False)`."""
    where: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    arguments = ["-m", "listenkey", "simulate", "--port", "0", "--seed", f"{seed}", "--wire", wire]
    arguments += ["--fills-per-second", f"{rate}", "--ping-interval", f"{PINGS}"]
    for other in others:
        arguments += ["--credentials", f"{other}:{other[::-1]}"]
    names = {"LISTENKEY_API_KEY": key, "LISTENKEY_API_SECRET": key[::-1]}

    def take(line: bytes) -> None:
        if not where.done():
            where.set_result(line)

    async with running(arguments, take, names) as process:
        async with asyncio.timeout(PATIENCE):
            url = msgspec.json.decode(await where)["rest_url"]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            found = Exchange(process, url, session)
            await found.quiet()
            await found.truth()
            yield found
