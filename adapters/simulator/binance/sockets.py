"""The sockets that follow an account: the keys and events that each has subscribed to, and its answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web

from ..log import Log
from ..sockets import Hub
from .client import Client
from .readings import Readings
from .wire import event_of


class Subscription(NamedTuple):
    """A key, and the names of the wanted events; None is the URL's default."""

    key: str
    events: tuple[str, ...] | None = None

    def wants(self, event: str, readings: Readings) -> bool:
        """True if the subscription includes the event."""
        return event in self.events if self.events is not None else readings.no_events == "all"

    def names(self) -> list[str]:
        """The names under which the venue lists it."""
        return [self.key] if self.events is None else [f"{self.key}@{event}" for event in sorted(set(self.events))]


class Stream(Client):
    """One client's socket. `delivers` is False if no event comes on its path."""

    def __init__(
        self,
        serial: int,
        key: str,
        ws: web.WebSocketResponse,
        request: web.Request,
        log: Log,
        readings: Readings,
        is_alive: Callable[[str], bool],
    ) -> None:
        super().__init__(serial, key, ws, request, log, readings)
        self.subscriptions = asked_for(request)
        self.deaf_until = -math.inf
        self.enveloped = "/stream" in request.path
        self._is_alive = is_alive
        in_path = request.path.rpartition("/")[2] not in {"ws", "stream"}
        routed = request.path.startswith("/private/")
        self.delivers = (
            (not in_path or readings.path_keys == "delivered") if routed else readings.unrouted == "delivered"
        )

    def has(self, key: str) -> bool:
        """True if the socket has subscribed to this key."""
        return any(each.key == key for each in self.subscriptions)

    def tell(self, key: str, frame: bytes, ready_at: float) -> None:
        """Send an event of a key to each subscription that wants it, so that it may come twice."""
        if not self.delivers or self._log.clock() < self.deaf_until:
            return
        event = event_of(frame)
        for each in self.subscriptions:
            if each.key == key and each.wants(event, self.readings):
                name = key if each.events is None else f"{key}@{event}"
                self.send(b'{"stream":"%s","data":%s}' % (name.encode(), frame) if self.enveloped else frame, ready_at)

    def answer(self, method: str, params: Any, id: int | str) -> dict[str, Any] | None:
        """The answer to a request; None if it has none. Any name can be subscribed to."""
        match method:
            case "LIST_SUBSCRIPTIONS" if self.readings.subscriptions == "none":
                return None
            case "LIST_SUBSCRIPTIONS":
                alive = self.readings.subscriptions == "alive"
                shown = [each for each in self.subscriptions if not alive or self._is_alive(each.key)]
                return {"result": [name for each in shown for name in each.names()], "id": id}
            case "SUBSCRIBE" | "UNSUBSCRIBE" if _is_list_of_names(params):
                asked = [_subscription(name) for name in params]
                kept = [each for each in self.subscriptions if each not in asked]
                self.subscriptions = kept if method == "UNSUBSCRIBE" else [*kept, *asked]
                return {"result": None, "id": id}
        return super().answer(method, params, id)


class AccountHub(Hub[Stream]):
    """All sockets that follow the account: each one on a key gets each frame of it."""

    unanswered_pings = 600 / 180

    def __init__(self, log: Log, readings: Readings, is_alive: Callable[[str], bool], *, ping_interval: float) -> None:
        super().__init__(log, ping_interval=ping_interval, repeats={})
        self._readings = readings
        self._is_alive = is_alive

    def made(self, serial: int, key: str, ws: web.WebSocketResponse, request: web.Request) -> Stream:
        """The state of a new socket."""
        return Stream(serial, key, ws, request, self._log, self._readings, self._is_alive)

    def on(self, key: str) -> list[Stream]:
        """The sockets of one key."""
        return [stream for stream in self if stream.has(key)]

    def heard(self, now: float, valid: Callable[[str], bool]) -> bool:
        """True if a frame that is sent now would reach a client."""
        return any(
            stream.delivers
            and now >= max(stream.silent_until, stream.deaf_until)
            and any(valid(each.key) for each in stream.subscriptions)
            for stream in self
        )

    def deliver(self, frame: bytes, *, ready_at: float, valid: Callable[[str], bool], shared: set[str]) -> None:
        """Send to all sockets on a valid key."""
        for stream in self:
            for key in {each.key: None for each in stream.subscriptions}:
                if valid(key):
                    stream.tell(key, frame, ready_at)

    def tell(self, key: str, frame: bytes, ready_at: float) -> None:
        """Send to all sockets of a key that want the event."""
        for stream in self.on(key):
            stream.tell(key, frame, ready_at)


def asked_for(request: web.Request) -> list[Subscription]:
    """The subscriptions in a URL: keys in the query, each with the events after it, or a name in the path."""
    found: list[Subscription] = []
    for name, value in request.query.items():
        if name == "listenKey":
            found.append(Subscription(value))
        elif name == "events" and found:
            found[-1] = Subscription(found[-1].key, tuple(filter(None, value.split("/"))))
        elif name == "streams":
            found += map(_subscription, filter(None, value.split("/")))
    events = request.query.get("events")
    if len(found) == 1 and events is not None and found[0].events is None:
        found = [Subscription(found[0].key, tuple(filter(None, events.split("/"))))]
    last = request.path.rpartition("/")[2]
    return found if last in {"ws", "stream"} else [*found, _subscription(last)]


def _subscription(name: str) -> Subscription:
    key, at, event = name.partition("@")
    return Subscription(key, (event,) if at else None)


def _is_list_of_names(params: Any) -> bool:
    return isinstance(params, list) and all(isinstance(each, str) for each in params)
