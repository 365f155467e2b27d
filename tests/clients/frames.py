"""All sent frames of orders, as a plain socket with its own key gets them, and their tables."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from .activity import is_last
from .exchange import Exchange
from .table import Table

Frame = Mapping[str, Any]


class Witness:
    """Keeps every frame with an order in it, of any event."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.last = asyncio.Event()
        """Set when all frames of orders have come."""

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Collect frames until the socket ends."""
        async for message in socket:
            text = gzip.decompress(message.data)
            if text == b"Ping":
                await socket.send_str("Pong")
                continue
            frame = msgspec.json.decode(text)
            if isinstance(frame.get("o"), dict):
                self.frames.append(frame)
            elif is_last(frame):
                self.last.set()


@asynccontextmanager
async def witness(exchange: Exchange) -> AsyncIterator[Witness]:
    """Run a witness that listens."""
    found = Witness()
    async with exchange.session.ws_connect(f"{exchange.ws_url}?listenKey={await exchange.mint()}") as socket:
        listening = asyncio.create_task(found.listen(socket))
        try:
            yield found
        finally:
            await socket.close()
            await listening


def table(frames: Iterable[Frame]) -> Table:
    """Return frames as a table, by their content; equal ones are counted."""
    rows: dict[str, dict[str, Any]] = {}
    count: Counter[str] = Counter()
    for frame in frames:
        order = frame["o"]
        name = f"{order['i']} {order['x']} {order['X']} {order['z']}"
        count[name] += 1
        text = msgspec.json.encode(frame, order="sorted").decode()
        rows[f"{name} #{count[name]}"] = {"event": frame["e"], "text": text}
    return rows
