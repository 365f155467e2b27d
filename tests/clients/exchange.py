"""`listenkey simulate` in a process of its own with its defaults, and access to its own endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import msgspec

from ..chaos.process import running

API_KEY = API_SECRET = "simulated"
PATIENCE = 60.0
POLL = 0.1


class Doors(Protocol):
    """The addresses of an exchange."""

    rest_url: str
    ws_url: str


class Exchange:
    """An exchange: its addresses, its truth, and its control paths."""

    def __init__(self, rest_url: str, ws_url: str, session: aiohttp.ClientSession) -> None:
        self.rest_url = rest_url
        self.ws_url = ws_url
        self.session = session

    async def truth(self) -> dict[str, Any]:
        """Return the truth now."""
        async with self.session.get(f"{self.rest_url}/simulator/truth") as response:
            found: dict[str, Any] = msgspec.json.decode(await response.read())
        return found

    async def act(self, name: str, **body: Any) -> Any:
        """Call a control path. Raises `RuntimeError` if it refuses."""
        async with self.session.post(f"{self.rest_url}/simulator/{name}", data=msgspec.json.encode(body)) as response:
            found = msgspec.json.decode(await response.read())
        if response.status != 200:
            raise RuntimeError(f"{name}: {found}")
        return found

    async def mint(self) -> str:
        """Mint a listen key."""
        path, headers = "/openApi/user/auth/userDataStream", {"X-BX-APIKEY": API_KEY}
        async with self.session.post(self.rest_url + path, headers=headers) as response:
            return str(msgspec.json.decode(await response.read())["listenKey"])


@asynccontextmanager
async def exchange(*, seed: int, rate: float, one_way: bool) -> AsyncIterator[Exchange]:
    """Run an exchange with `rate` fills per second, at rest until `quiet` is turned off.

    Raises `RuntimeError` if it ends before it prints its addresses.
    """
    where: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    arguments = ["-m", "listenkey", "simulate", "--port", "0", "--seed", f"{seed}", "--fills-per-second", f"{rate}"]
    credentials = {"LISTENKEY_API_KEY": API_KEY, "LISTENKEY_API_SECRET": API_SECRET}

    def take(line: bytes) -> None:
        if not where.done():
            where.set_result(line)

    async with running([*arguments, *(["--one-way"] if one_way else [])], take, credentials) as process:
        while not where.done():
            if process.ended:
                raise RuntimeError(f"it does not start: {process.said[-1:]}")
            await asyncio.sleep(POLL)
        urls = msgspec.json.decode(where.result())
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session:
            found = Exchange(urls["rest_url"], urls["ws_url"], session)
            await found.act("quiet", on=True)
            yield found
