"""Sockets that follow the market: each gets the streams that its URL names and those that it subscribes to."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from ..family import Crowd
from ..log import Log
from .client import Client
from .errors import ABSENT
from .readings import Readings
from .topics import Book, Topic, Topics

_encode = msgspec.json.Encoder().encode


class Feed(Client):
    """One socket, with the number of the last price move that it was sent, by topic."""

    def __init__(
        self,
        serial: int,
        key: str,
        ws: web.WebSocketResponse,
        request: web.Request,
        log: Log,
        readings: Readings,
        topics: Topics,
    ) -> None:
        super().__init__(serial, key, ws, request, log, readings)
        self._topics = topics
        self._enveloped = "/stream" in request.path
        self._subscribed: dict[Topic, int] = {}
        self._books: dict[Topic, Book] = {}
        last = request.path.rpartition("/")[2]
        names = request.query.get("streams", "").split("/") + ([] if last in {"ws", "stream"} else [last])
        for name in filter(None, names):
            if (topic := topics.topic(name)) is not None:
                self._subscribed[topic] = -1

    def answer(self, method: str, params: Any, id: int | str) -> dict[str, Any] | None:
        """The answer to a request; a stream that is not modelled is refused."""
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": [each.name for each in self._subscribed], "id": id}
        if method not in {"SUBSCRIBE", "UNSUBSCRIBE"} or not isinstance(params, list):
            return super().answer(method, params, id)
        for name in params:
            topic = self._topics.topic(str(name))
            if topic is None:
                return {"error": {"code": 2, "msg": f"Invalid request: stream {name}: {ABSENT}"}, "id": id}
            if method == "UNSUBSCRIBE":
                self._subscribed.pop(topic, None)
            else:
                self._subscribed.setdefault(topic, -1)
        return {"result": None, "id": id}

    def tell(self, now: int, ready_at: float) -> None:
        """Send the new messages of each subscription."""
        for topic, since in self._subscribed.items():
            moves = self._topics.moves(topic, now)
            if moves == since:
                continue
            self._subscribed[topic] = moves
            for message in self._messages(topic, since, now):
                told = {"stream": topic.name, "data": message} if self._enveloped else message
                self.send(_encode(told), ready_at)

    def _messages(self, topic: Topic, since: int, now: int) -> list[Any]:
        if topic.kind != "depth" or topic.levels:
            return self._topics.messages(topic, max(since, 0), now)
        before = self._books.get(topic)
        self._books[topic] = self._topics.book(topic, now)
        return [] if before is None else [self._topics.changes(topic, before, since, now)]


class Feeds(Crowd[Feed]):
    """All sockets that follow the market."""

    unanswered_pings = 600 / 180

    def __init__(self, log: Log, readings: Readings, topics: Topics, *, ping_interval: float) -> None:
        super().__init__(log, ping_interval=ping_interval, repeats={})
        self._readings = readings
        self._topics = topics

    def step(self, clock: float, now: int, ready_at: float) -> None:
        """Send the pings that are due and the subscribed news; `clock` is in seconds, `now` in exchange ms."""
        self.heartbeat(clock, ready_at=ready_at)
        for stream in self:
            stream.tell(now, ready_at)

    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> Feed:
        """The state of a new socket."""
        return Feed(serial, key, ws, request, self._log, self._readings, self._topics)
