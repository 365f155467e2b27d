"""Carries out the faults that act at once: on sockets and listen keys, and by garbage and oversized frames."""

from __future__ import annotations

import math

from .faults import Fault
from .feeds import Feeds
from .garbage import bomb, garbage
from .listenkeys import ListenKeys
from .log import FaultEvent, Log
from .sockets import AccountHub


class Accidents:
    """Begins faults on sockets and keys; logs every fault that begins, also one that other parts carry out."""

    def __init__(self, hub: AccountHub, feeds: Feeds, keys: ListenKeys, log: Log) -> None:
        self._hub, self._feeds, self._keys, self._log = hub, feeds, keys, log

    def begin(self, fault: Fault, elapsed: float, wall: int) -> None:
        """Begin the fault; `elapsed` is seconds since the start, `wall` real time in ms."""
        self._log.faults.append(FaultEvent(self._log.clock(), fault.name, "begins"))
        match fault.name:
            case "drop_tcp":
                for stream in (*self._hub, *self._feeds):
                    stream.drop("drop_tcp", hard=True)
            case "silent":
                until = math.inf if fault.seconds is None else self._log.clock() + fault.ends - elapsed
                for stream in (*self._hub, *self._feeds):
                    stream.silent_until = until
                    stream.unanswered_since = None
            case "expire_key" | "expire_silently":
                self._keys.expire(wall, silently=fault.name == "expire_silently")
            case "garbage":
                kinds = garbage()
                chosen = kinds.values() if not fault["kind"] else [kinds[fault["kind"]]]
                for stream in self._hub:
                    for frame in chosen:
                        stream.send(frame)
            case "oversized":
                for stream in self._hub:
                    stream.send(bomb(fault["mebibytes"]))
