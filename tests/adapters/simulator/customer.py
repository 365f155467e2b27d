"""A client of the simulated venue that knows only its wire: it signs, mints, opens sockets and reads frames."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.parse import quote, urlencode

import aiohttp

from listenkey.adapters.simulator.server import Server

KEYS = "/openApi/user/auth/userDataStream"
Frame = dict[str, Any]


class Customer:
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
    ) -> tuple[int, Any]:
        """Send a call; return its HTTP status and its body, decoded if it is JSON."""
        query = urlencode(params)
        if signed:
            params["timestamp"] = self.server.now()
            plain = "&".join(f"{name}={value}" for name, value in params.items())
            params["signature"] = hmac.new(b"simulated", plain.encode(), hashlib.sha256).hexdigest()
            query = urlencode(params, quote_via=quote)
        headers = {} if key is None else {"X-BX-APIKEY": key}
        async with self.http.request(method, f"{self.server.rest_url}{path}?{query}", headers=headers) as response:
            body = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, json.loads(body) if is_json else body

    async def get(self, path: str, **params: Any) -> Any:
        """Return the body of a signed read."""
        return (await self.call("GET", path, **params))[1]

    async def mint(self) -> str:
        """Mint a listen key."""
        _, body = await self.call("POST", KEYS, signed=False)
        key: str = body["listenKey"]
        return key

    async def open(self, key: str) -> aiohttp.ClientWebSocketResponse:
        """Open a socket with a key."""
        return await self.http.ws_connect(f"{self.server.ws_url}?listenKey={key}")

    async def raw(self, ws: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
        """Receive the next message, unchanged."""
        return await asyncio.wait_for(ws.receive(), self._patience)

    async def text(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        """Receive the next frame, inflated; each frame of the server is binary and gzipped."""
        message = await self.raw(ws)
        assert message.type is aiohttp.WSMsgType.BINARY, message
        return gzip.decompress(message.data).decode()

    async def frame(self, ws: aiohttp.ClientWebSocketResponse) -> Frame:
        """Receive the next frame that is JSON, answering the pings before it."""
        while (text := await self.text(ws)) == "Ping":
            await ws.send_str("Pong")
        frame: Frame = json.loads(text)
        return frame

    async def frames(self, ws: aiohttp.ClientWebSocketResponse, count: int) -> list[Frame]:
        """Receive `count` frames."""
        return [await self.frame(ws) for _ in range(count)]

    async def nothing(self, ws: aiohttp.ClientWebSocketResponse, *, within: float = 0.08) -> bool:
        """True if the socket brings nothing within so many seconds."""
        try:
            await asyncio.wait_for(ws.receive(), within)
        except TimeoutError:
            return True
        return False


def visit(server: Server, story: Callable[[Customer], Awaitable[None]]) -> None:
    """Run a story with a server, in an event loop of their own."""

    async def run() -> None:
        async with server, Customer(server) as customer:
            await story(customer)

    asyncio.run(run())
