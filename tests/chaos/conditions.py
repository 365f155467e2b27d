"""The faults that a proxy can put on connections; each counts the times that it took effect."""

from __future__ import annotations

import asyncio
import ssl
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal, get_args

from .conduit import Conduit, Severed

Scope = Literal["all", "rest", "handshake"]
RetryAfter = Literal["none", "seconds", "date"]
RETRY_AFTER: tuple[RetryAfter, ...] = get_args(RetryAfter)


class Condition:
    """A condition without effect, the base of all others. Of those in force, the lowest `rank` goes first."""

    rank = 0

    def __init__(self) -> None:
        self.bitten = 0

    async def accepts(self, conduit: Conduit) -> None:
        """Act on a connection that has just been accepted, before anything is read from it."""

    def answers(self, head: bytes, websocket: bool) -> bytes | None:
        """Return an answer that the proxy gives in place of the exchange, or None to pass the request on."""
        return None

    async def carries(self, conduit: Conduit, data: bytes, down: bool) -> bytes:
        """Return the bytes to pass on, to the client (`down`) or to the exchange. Raises `Severed`."""
        return data

    def end(self) -> None:
        """End the condition: release all that wait."""


class Hang(Condition):
    """New connections are accepted and never answered."""

    def __init__(self) -> None:
        super().__init__()
        self._never = asyncio.Event()

    async def accepts(self, conduit: Conduit) -> None:
        self.bitten += 1
        await self._never.wait()
        conduit.reset()
        raise Severed

    def end(self) -> None:
        """Reset the connections that still wait."""
        self._never.set()


class Reset(Condition):
    """New connections are reset as soon as they are accepted."""

    async def accepts(self, conduit: Conduit) -> None:
        self.bitten += 1
        conduit.reset()
        raise Severed


class Freeze(Condition):
    """Nothing passes, not even the end of a connection; after it everything does."""

    rank = 1

    def __init__(self) -> None:
        super().__init__()
        self._thawed = asyncio.Event()

    async def accepts(self, conduit: Conduit) -> None:
        self.bitten += 1
        await self._thawed.wait()

    async def carries(self, conduit: Conduit, data: bytes, down: bool) -> bytes:
        self.bitten += not self._thawed.is_set()
        await self._thawed.wait()
        return data

    def end(self) -> None:
        """Let everything pass."""
        self._thawed.set()


class CutFrame(Condition):
    """The next frame of each socket is passed on up to its middle, and then the socket is reset."""

    rank = 2

    async def carries(self, conduit: Conduit, data: bytes, down: bool) -> bytes:
        if not (down and conduit.websocket and conduit.cut is not None):
            return data
        self.bitten += 1
        await conduit.write(data[: conduit.cut], down)
        await asyncio.sleep(0.05)  # bytes under way may not be read after a reset
        raise Severed


class Drip(Condition):
    """Bytes pass one at a time; of a long piece only the first ones, and then the rest at once."""

    rank = 3

    def __init__(self, most: int = 1500) -> None:
        super().__init__()
        self._most = most

    async def carries(self, conduit: Conduit, data: bytes, down: bool) -> bytes:
        for at in range(min(len(data), self._most)):
            if conduit.lost:
                return b""
            await conduit.write(data[at : at + 1], down)
            await asyncio.sleep(0)
            self.bitten += 1
        return data[self._most :]


class Status(Condition):
    """The next `count` requests are answered with this status, and with the time of the earliest repeat."""

    def __init__(self, status: int, *, wait: float, retry_after: RetryAfter, scope: Scope, count: int) -> None:
        super().__init__()
        self._status, self._wait, self._retry_after = HTTPStatus(status), wait, retry_after
        self._scope, self._count = scope, count

    def answers(self, head: bytes, websocket: bool) -> bytes | None:
        if self.bitten >= self._count or self._scope == ("rest" if websocket else "handshake"):
            return None
        self.bitten += 1
        loop = asyncio.get_running_loop()
        lines = [f"HTTP/1.1 {self._status.value} {self._status.phrase}", "Content-Length: 0", "Connection: close"]
        if self._retry_after == "seconds":
            lines.append(f"Retry-After: {self._wait:.0f}")
        elif self._retry_after == "date":
            # Any epoch will do: only the difference of the two counts.
            lines += [f"Date: {formatdate(loop.time(), usegmt=True)}"]
            lines += [f"Retry-After: {formatdate(loop.time() + self._wait, usegmt=True)}"]
        return "\r\n".join([*lines, "", ""]).encode()


class Certified(Condition):
    """New TLS connections get another certificate."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    async def accepts(self, conduit: Conduit) -> None:
        if conduit.certificate is not None:
            self.bitten += 1
            conduit.certificate = self._context
