"""Sockets without a key, which follow the market: each gets the streams that it has subscribed to."""

from __future__ import annotations

import msgspec
from aiohttp import web

from .family import Crowd
from .log import Log
from .sockets import Stream
from .topics import Topic, Topics
from .wire import packed, refusal

MOST_TOPICS = 200
"""The most subscriptions of one socket; the venue refuses further ones, and the socket stays open."""


class _Request(msgspec.Struct):
    id: str = ""
    reqType: str = ""
    dataType: str = ""


class Feed(Stream):
    """One socket, with the number of the last price move that it was sent, by topic."""

    def __init__(
        self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request, log: Log, topics: Topics
    ) -> None:
        super().__init__(serial, key, ws, request, log)
        self._topics = topics
        self._subscribed: dict[Topic, int] = {}

    def hear(self, text: str) -> None:
        """Handle a text of the client: a pong, a subscription, or the end of one."""
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
        """Send the new message of each subscription, if there is one."""
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
    """All sockets that follow the market."""

    def __init__(self, log: Log, topics: Topics, *, ping_interval: float) -> None:
        super().__init__(log, ping_interval=ping_interval, repeats={})
        self._topics = topics

    def step(self, clock: float, now: int, ready_at: float) -> None:
        """Send the pings that are due and the subscribed news; `clock` is in seconds, `now` in exchange ms."""
        self.heartbeat(clock, ready_at=ready_at)
        for stream in self:
            stream.tell(now, ready_at)

    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> Feed:
        """The state of a new socket."""
        return Feed(serial, key, ws, request, self._log, self._topics)
