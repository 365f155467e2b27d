"""A client in a process of its own: its delivered events, its status, and orders to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from listenkey.core.book import Book
from listenkey.core.events import Health, from_json

from ..loopback.delivered import Delivered
from .process import Process, running

PATIENCE = 300.0
BRISK: Mapping[str, float] = {
    "silence_timeout": 1.0,
    "healthy_after": 0.5,
    "backoff_initial": 0.3,
    "backoff_max": 0.5,
    "audit_interval": 3.0,
    "backfill_overlap": 1.0,
    "poll_interval": 1.0,
    "drain": 0.5,
    "renew_interval": 5.0,
    "request_timeout": 4.0,
    "connect_timeout": 3.0,
}
"""A policy with which everything happens within seconds."""


class Status(msgspec.Struct, frozen=True):
    """The status that a follower reports of its stream."""

    health: str
    state: str
    began: int | None
    proven_until: int | None
    books: tuple[Book, ...]
    names_refused: int
    wall: float

    @property
    def live(self) -> bool:
        """True if a link is proven, no gap is open, and a read has shown the base of every open order."""
        return self.health == Health.LIVE.value and self.proven_until is not None


class Client(Delivered):
    """A follower process, which takes orders as lines."""

    def __init__(self) -> None:
        super().__init__()
        self.process: Process
        self._answers: asyncio.Queue[Status] = asyncio.Queue()

    def hear(self, line: bytes) -> None:
        """Take a line that it wrote."""
        if line.startswith(b'{"answer":'):
            self._answers.put_nowait(msgspec.convert(msgspec.json.decode(line)["answer"], Status))
        else:
            self.take(from_json(line))

    async def order(self, do: str, **details: Any) -> Status:
        """Let it do something; return its status after that. Raises `AssertionError` if it has died."""
        self.process.order(msgspec.json.encode({"do": do, **details}))
        async with asyncio.timeout(PATIENCE):
            while True:
                assert not self.process.ended, f"the client died: {self.process.said[-5:]}"
                try:
                    return await asyncio.wait_for(self._answers.get(), 0.5)
                except TimeoutError:
                    continue

    async def status(self) -> Status:
        """Return its status now."""
        return await self.order("status")


@asynccontextmanager
async def client(setting: Mapping[str, Any]) -> AsyncIterator[Client]:
    """Run a follower with this `Setting`; its policy is the brisk one with the given changes."""
    found = Client()
    settled = {**setting, "policy": {**BRISK, **setting.get("policy", {})}}
    async with running(["-m", "tests.chaos.follower"], found.hear) as process:
        found.process = process
        process.order(msgspec.json.encode(settled))
        yield found
