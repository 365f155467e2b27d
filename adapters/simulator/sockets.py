"""The open sockets of the simulated venue: which frames each gets, heartbeats, and all ways to end. Real seconds."""

from __future__ import annotations

import asyncio
import math
import socket as sockets
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from aiohttp import WSMessage, WSMsgType, web

from .log import Log, SocketEvent
from .wire import PING, packed, refusal

UNANSWERED_PINGS = 6.1
LATE = 0.05
"""A turn of the server that begins more than this after the one before is late, seconds."""
CROWD = 100
"""The number of frames that may wait in a queue although they could leave."""
MAX_QUEUED = 200_000
MAX_SOCKETS = 60


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a TCP connection at once with a reset."""
    if isinstance(transport, asyncio.Transport):
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


class Stream:
    """One client's socket: a queue, for which the venue never waits, and the state of its heartbeat."""

    def __init__(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request, log: Log) -> None:
        self.serial = serial
        self.key = key
        self.opened = log.clock()
        self.silent_until = -math.inf
        self.unanswered_since: float | None = None
        self.next_ping = math.inf
        self.next_repeats: dict[str, float] = {}
        self.reason = "client"
        self._ws = ws
        self._transport = request.transport
        self._log = log
        self._queue: deque[tuple[float, bytes]] = deque()
        self._wake = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

    def send(self, data: bytes, ready_at: float = 0.0) -> None:
        """Queue a frame; it leaves at `ready_at` or later, after all frames before it."""
        if len(self._queue) >= MAX_QUEUED:
            self.drop("the client does not read")
            return
        self._queue.append((ready_at, data))
        self._wake.set()

    def crowded(self, now: float) -> bool:
        """True if frames are made faster than they leave."""
        return len(self._queue) > CROWD and self._queue[CROWD][0] <= now

    def drop(self, reason: str, *, hard: bool = False) -> None:
        """End the TCP connection without a close frame; `hard` with a reset."""
        self.reason = reason
        if hard:
            reset(self._transport)
        elif self._transport is not None:
            self._transport.abort()

    async def close(self, reason: str, code: int) -> None:
        """End the socket with a close frame."""
        self.reason = reason
        await self._ws.close(code=code)

    def end(self, reason: str, code: int) -> None:
        """Start to end the socket with a close frame; further calls do nothing."""
        if self._ending is None:
            self._ending = asyncio.create_task(self.close(reason, code))

    async def run(self) -> None:
        """Serve the socket until it ends."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._ws:
                self.receive(message)
        finally:
            writer.cancel()
            await asyncio.gather(*filter(None, (writer, self._ending)), return_exceptions=True)

    def receive(self, message: WSMessage) -> None:
        """Handle a message of the client."""
        if message.type is WSMsgType.TEXT:
            self.hear(message.data)

    def ping(self, ready_at: float) -> None:
        """Queue a ping."""
        self.send(PING, ready_at)

    async def put(self, data: bytes) -> None:
        """Write a frame."""
        await self._ws.send_bytes(data)

    def hear(self, text: str) -> None:
        """Handle a text of the client."""
        if text == "Pong":
            self.unanswered_since = None
            self._log.pongs.append(SocketEvent(self._log.clock(), self.serial, self.key))
        elif '"dataType"' in text:
            self.send(packed(refusal(80015, "dataType not support")))
        else:
            self.send(packed(refusal(80014, "invalid params")))

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                wait = self._queue[0][0] - self._log.clock()
                if wait > 0:
                    await asyncio.sleep(wait)
                    continue
                data = self._queue.popleft()[1]
                if self._log.clock() < self.silent_until:
                    continue
                self._log.frames_sent += 1
                try:
                    await self.put(data)
                except (ConnectionError, RuntimeError):
                    return


_Stream = TypeVar("_Stream", bound=Stream)


class Hub(ABC, Generic[_Stream]):
    """All open sockets of a kind, by key. `repeats` has the seconds between repeats of a push, by name; 0 is never."""

    unanswered_pings = UNANSWERED_PINGS
    """The number of ping intervals after which a socket is dropped if a ping has no answer."""

    def __init__(self, log: Log, *, ping_interval: float, repeats: Mapping[str, float]) -> None:
        self._log = log
        self._ping_interval = ping_interval
        self._repeats = {what: interval for what, interval in repeats.items() if interval > 0}
        self._streams: dict[str, list[_Stream]] = {}
        self._turns: dict[str, int] = {}
        self._serial = 0
        self._looked = math.inf

    def __iter__(self) -> Iterator[_Stream]:
        return (stream for streams in list(self._streams.values()) for stream in list(streams))

    def __len__(self) -> int:
        return sum(len(streams) for streams in self._streams.values())

    @abstractmethod
    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> _Stream:
        """The state of a new socket."""

    def on(self, key: str) -> list[_Stream]:
        """The sockets of one key."""
        return self._streams.get(key, [])

    def tell(self, key: str, frame: bytes, ready_at: float) -> None:
        """Send a frame to all sockets of a key."""
        for stream in self.on(key):
            stream.send(frame, ready_at)

    def heard(self, now: float, valid: Callable[[str], bool]) -> bool:
        """True if a frame that is sent now would reach a client."""
        return any(now >= stream.silent_until and valid(stream.key) for stream in self)

    def crowded(self, now: float) -> bool:
        """True if any socket is crowded."""
        return any(stream.crowded(now) for stream in self)

    def join(self, key: str, ws: web.WebSocketResponse, request: web.Request) -> _Stream:
        """Add a socket whose handshake is complete."""
        self._serial += 1
        stream = self.made(self._serial, key, ws, request)
        if self._ping_interval > 0:
            stream.next_ping = stream.opened + self._ping_interval
        stream.next_repeats = {what: stream.opened + interval for what, interval in self._repeats.items()}
        together = self._streams.setdefault(key, [])
        together.append(stream)
        self._log.opened(stream.serial, key, len(together))
        return stream

    def leave(self, stream: _Stream, code: int | None) -> None:
        """Remove a socket that has ended."""
        together = self._streams[stream.key]
        together.remove(stream)
        if not together:
            del self._streams[stream.key]
        self._log.closed(stream.serial, stream.key, stream.reason, code)

    def deliver(self, frame: bytes, *, ready_at: float, valid: Callable[[str], bool], shared: set[str]) -> None:
        """Send to every valid key. Sockets on one key get the frames in turn, or if it is shared all of them."""
        for key, streams in self._streams.items():
            if not valid(key):
                continue
            if key in shared:
                for stream in streams:
                    stream.send(frame, ready_at)
            else:
                turn = self._turns[key] = self._turns.get(key, -1) + 1
                streams[turn % len(streams)].send(frame, ready_at)

    def heartbeat(self, now: float, *, ready_at: float) -> list[tuple[_Stream, str]]:
        """Send the pings that are due, drop sockets without pong; return those whose repeated pushes are due.

        Time in which this was not called is not counted: a pong may be there and unread.
        """
        due = []
        absent = max(0.0, now - self._looked - LATE)
        self._looked = now
        for stream in self:
            since = stream.unanswered_since
            if since is not None:
                since = stream.unanswered_since = since + absent
            if since is not None and now - since >= self.unanswered_pings * self._ping_interval:
                stream.unanswered_since, stream.next_ping = None, math.inf
                stream.drop("no pong")
                continue
            if now < stream.silent_until:
                continue
            if now >= stream.next_ping:
                stream.next_ping = max(stream.next_ping + self._ping_interval, now)
                stream.unanswered_since = now if since is None else since
                self._log.pings_sent += 1
                stream.ping(ready_at)
            for what, at in stream.next_repeats.items():
                if now >= at:
                    stream.next_repeats[what] = max(at + self._repeats[what], now)
                    due.append((stream, what))
        return due


class AccountHub(Hub[Stream]):
    """The sockets that follow an account."""

    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> Stream:
        """The state of a new socket."""
        return Stream(serial, key, ws, request, self._log)
