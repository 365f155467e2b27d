"""Sockets without a key, on which the market is followed: each hears of what it has subscribed to."""

from __future__ import annotations

import msgspec
from aiohttp import web

from .family import Crowd
from .log import Log
from .sockets import Stream
from .topics import Topic, Topics
from .wire import packed, refusal

MOST_TOPICS = 200
"""Subscriptions of one socket; the venue closes no socket for more, and refuses them."""


class _Request(msgspec.Struct):
    id: str = ""
    reqType: str = ""
    dataType: str = ""


class Feed(Stream):
    """One socket, and the move of the price of which it was told last, by topic."""

    def __init__(
        self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request, log: Log, topics: Topics
    ) -> None:
        super().__init__(serial, key, ws, request, log)
        self._topics = topics
        self._subscribed: dict[Topic, int] = {}

    def hear(self, text: str) -> None:
        """A pong, or what the client wants to hear, or hear no more."""
        if text == "Pong":
            super().hear(text)
            return
        try:
            asked = msgspec.json.decode(text, type=_Request)
        except msgspec.MsgspecError:
            self.send(packed(refusal(80014, "invalid params")))
            return
        self.send(packed(self._answer(asked)))

    def tell(self, now: int, ready_at: float) -> None:
        """Send what is new of each subscription."""
        for topic, since in self._subscribed.items():
            message = self._topics.message(topic, since, now)
            if message is not None:
                self._subscribed[topic] = self._topics.moves(topic, now)
                self.send(packed(message), ready_at)

    def _answer(self, asked: _Request) -> dict[str, object]:
        topic = self._topics.topic(asked.dataType)
        if asked.reqType not in {"sub", "unsub"}:
            return refusal(80014, "invalid params", asked.id)
        if topic is None:
            return refusal(80015, "dataType not support", asked.id)
        if asked.reqType == "unsub":
            self._subscribed.pop(topic, None)
        elif len(self._subscribed) >= MOST_TOPICS:
            return refusal(80403, f"more than {MOST_TOPICS} topics", asked.id)
        else:
            self._subscribed.setdefault(topic, -1)
        return refusal(0, "", asked.id)


class Feeds(Crowd[Feed]):
    """All of them."""

    def __init__(self, log: Log, topics: Topics, *, ping_interval: float) -> None:
        super().__init__(log, ping_interval=ping_interval, repeats={})
        self._topics = topics

    def step(self, clock: float, now: int, ready_at: float) -> None:
        """Ping whom it is time to ping, and tell everybody what is new; `clock` is in seconds, `now` in exchange ms."""
        self.heartbeat(clock, ready_at=ready_at)
        for stream in self:
            stream.tell(now, ready_at)

    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> Feed:
        """The state of a new socket."""
        return Feed(serial, key, ws, request, self._log, self._topics)
