"""The reconnect loop: it mints a key, opens the socket, takes its frames, and begins again when the socket ends."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
import time
from decimal import Decimal
from typing import Self

import aiohttp

PAUSE = 0.1
KEY = SECRET = "simulated"


class ReconnectLoop:
    """A follower of about twenty lines, as in most bots: it reconnects for ever, and reads nothing after that."""

    name = "reconnect loop"

    def __init__(self, rest_url: str, ws_url: str) -> None:
        self.fills: list[str] = []
        self.warnings = 0
        self.ready = False
        self._rest_url, self._ws_url = rest_url, ws_url

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"X-BX-APIKEY": KEY})
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._session.close()

    async def _run(self) -> None:
        while True:
            try:
                async with self._session.post(f"{self._rest_url}/openApi/user/auth/userDataStream") as answer:
                    key = (await answer.json())["listenKey"]
                async with self._session.ws_connect(f"{self._ws_url}?listenKey={key}") as socket:
                    await self._take(socket)
            except (aiohttp.ClientError, KeyError):  # KeyError: the key was refused
                pass
            self.warnings += self.ready
            self.ready = False
            await asyncio.sleep(PAUSE)

    async def _take(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.ready = True
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                continue
            text = gzip.decompress(message.data)
            if text == b"Ping":
                await socket.send_str("Pong")
                continue
            order = json.loads(text).get("o") or {}
            if order.get("x") == "TRADE":
                self.fills.append(str(order["i"]))

    async def wallet(self) -> Decimal | str | None:
        """`Decimal(balance or 0)`, as a missing amount is usually read."""
        query = f"timestamp={time.time_ns() // 1_000_000}"
        signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self._rest_url}/openApi/swap/v3/user/balance?{query}&signature={signature}"
        async with self._session.get(url) as answer:
            rows = (await answer.json())["data"]
        return next(Decimal(row["balance"] or 0) for row in rows if row["asset"] == "USDT")
