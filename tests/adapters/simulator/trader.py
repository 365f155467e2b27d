"""A client of the simulated exchange that knows only Binance's wire: it signs, asks for the key, and reads frames."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from listenkey.adapters.simulator.server import Server

KEYS = "/fapi/v1/listenKey"
Frame = dict[str, Any]


class Answer(NamedTuple):
    """The answer to a call; its body is decoded if it is JSON."""

    status: int
    body: Any
    headers: dict[str, str]


class Trader:
    """Uses a server as an account holder would; `patience` seconds is how long a frame may take."""

    def __init__(self, server: Server, *, patience: float = 20.0) -> None:
        self.server = server
        self._patience = patience

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def call(
        self, method: str, path: str, *, key: str | None = "simulated", signed: bool = True, **params: Any
    ) -> Answer:
        """Send a call with its parameters in the query."""
        if signed:
            params["timestamp"] = self.server.wall()
        query = urlencode(params)
        if signed:
            query += "&signature=" + hmac.new(b"simulated", query.encode(), hashlib.sha256).hexdigest()
        headers = {} if key is None else {"X-MBX-APIKEY": key}
        url = URL(f"{self.server.rest_url}{path}?{query}", encoded=True)  # as it was signed
        async with self.http.request(method, url, headers=headers) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            named = {name.upper(): value for name, value in response.headers.items()}
            return Answer(response.status, json.loads(text) if is_json else text, named)

    async def get(self, path: str, **params: Any) -> Any:
        """Return the body of a signed read."""
        return (await self.call("GET", path, **params)).body

    async def key(self, method: str = "POST", key: str = "simulated") -> Answer:
        """Send a call about the listen key, without naming the key and without a signature."""
        return await self.call(method, KEYS, key=key, signed=False)

    async def minted(self) -> str:
        """Obtain the account's listen key."""
        key: str = (await self.key()).body["listenKey"]
        return key

    async def open(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """Open a socket on a path with its query."""
        root = self.server.ws_url.removesuffix("/private/ws")
        return await self.http.ws_connect(root + path, autoping=False)

    async def raw(self, ws: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        """Receive the next message, unchanged."""
        return await asyncio.wait_for(ws.receive(), self._patience)

    async def frame(self, ws: aiohttp.ClientWebSocketResponse) -> Frame:
        """Receive the next message, which must be text."""
        message = await self.raw(ws)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        frame: Frame = json.loads(message.data)
        return frame

    async def events(self, ws: aiohttp.ClientWebSocketResponse) -> list[str]:
        """Return the events of all frames so far: those before the answer to a request."""
        await ws.send_str('{"method":"LIST_SUBSCRIPTIONS","id":77}')
        found = []
        while (frame := await self.frame(ws)).get("id") != 77:
            found.append(frame.get("data", frame)["e"])
        return found


def visit(server: Server, story: Callable[[Trader], Awaitable[None]]) -> None:
    """Run a story with a server, in an event loop of their own."""

    async def run() -> None:
        async with server, Trader(server) as trader:
            await story(trader)

    asyncio.run(run())
