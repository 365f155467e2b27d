"""One socket of the venue: text frames, protocol pings, requests in JSON, and the limit of messages."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeGuard

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from ..log import Log, SocketEvent
from ..sockets import Stream
from .errors import ABSENT
from .readings import Readings

MOST_A_SECOND = 10
"""The most text messages per second that a client may send; pings and pongs do not count."""
LONGEST_ID = 1 << 64
LONGEST_TEXT = 36
_encode = msgspec.json.Encoder().encode


class _Ping(bytes):
    """The payload of a protocol ping."""


class _Pong(bytes):
    """The payload of a pong."""


class Binary(bytes):
    """A binary frame, which the real venue never sends."""


class Client(Stream):
    """A `Stream` of this wire."""

    def __init__(
        self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request, log: Log, readings: Readings
    ) -> None:
        super().__init__(serial, key, ws, request, log)
        self.readings = readings
        self._said: deque[float] = deque()

    def ping(self, ready_at: float) -> None:
        """Queue a protocol ping."""
        self.send(_Ping(str(int(self._log.clock() * 1000)).encode()), ready_at)

    async def put(self, data: bytes) -> None:
        """Write a frame, or a ping or a pong."""
        match data:
            case _Ping():
                await self._ws.ping(bytes(data))
            case _Pong():
                await self._ws.pong(bytes(data))
            case Binary():
                await self._ws.send_bytes(data)
            case _:
                await self._ws.send_frame(data, WSMsgType.TEXT)

    def receive(self, message: WSMessage) -> None:
        """Handle a message of the client; a pong without a ping counts too."""
        match message.type:
            case WSMsgType.TEXT:
                self._count()
                self.hear(message.data)
            case WSMsgType.PING if self.readings.client_pings == "answered":
                self.send(_Pong(message.data))
            case WSMsgType.PONG:
                self.unanswered_since = None
                self._log.pongs.append(SocketEvent(self._log.clock(), self.serial, self.key))

    def hear(self, text: str) -> None:
        """Handle a request: an object with a method and an id."""
        try:
            asked = msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            self.send(_encode({"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}))
            return
        method, id = asked.get("method"), asked.get("id")
        if not self._is_id(id):
            self.send(_encode({"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}))
        elif not isinstance(method, str):
            self.send(_encode({"error": {"code": 2, "msg": "Invalid request: missing field `method`"}, "id": id}))
        elif (answer := self.answer(method, asked.get("params"), id)) is not None:
            self.send(_encode(answer))

    def _is_id(self, id: Any) -> TypeGuard[int | str]:
        if isinstance(id, str):
            return self.readings.request_ids == "text" and 0 < len(id) <= LONGEST_TEXT
        return isinstance(id, int) and not isinstance(id, bool) and 0 <= id < LONGEST_ID

    def answer(self, method: str, params: Any, id: int | str) -> dict[str, Any] | None:
        """The answer to a request; here the refusal of one that is not modelled."""
        return {"error": {"code": 2, "msg": f"Invalid request: {method}: {ABSENT}"}, "id": id}

    def end(self, reason: str, code: int) -> None:
        """End the socket; the reading `age_cut` decides if one that is too old gets a close frame."""
        if reason == "age" and self.readings.age_cut == "abrupt":
            self.drop(reason)
        else:
            super().end(reason, code)

    def _count(self) -> None:
        now = self._log.clock()
        self._said.append(now)
        while self._said[0] <= now - 1:
            self._said.popleft()
        if len(self._said) > MOST_A_SECOND:
            self.drop("more than 10 messages in a second")
