"""The log of the simulated venue's doors, for test authors. Times are seconds of the host's monotonic clock."""

from __future__ import annotations

import time
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True):
    """One REST call: its HTTP status and the `code` of the answer; status 0 if there was no answer."""

    at: float
    method: str
    path: str
    status: int
    code: int


class KeyEvent(msgspec.Struct, frozen=True):
    """A key was minted, renewed or deleted; `ok` is True if that worked, `in_use` if a socket was open on it."""

    at: float
    key: str
    ok: bool = True
    in_use: bool = False


class SocketEvent(msgspec.Struct, frozen=True):
    """A socket opened, closed or answered a ping; `serial` is its number, `reason` the cause of its end."""

    at: float
    serial: int
    key: str
    reason: str = ""
    code: int | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A handshake that was refused."""

    at: float
    key: str
    reason: str


class FaultEvent(msgspec.Struct, frozen=True):
    """A fault began, or was carried out."""

    at: float
    name: str
    detail: str = ""


class Log:
    """Lists of what happened, oldest first, and counters."""

    def __init__(self) -> None:
        self.mints: list[KeyEvent] = []
        self.renewals: list[KeyEvent] = []
        self.deletions: list[KeyEvent] = []
        self.openings: list[SocketEvent] = []
        self.closings: list[SocketEvent] = []
        self.pongs: list[SocketEvent] = []
        self.refused: list[Refusal] = []
        self.calls: list[Call] = []
        self.faults: list[FaultEvent] = []
        self.keys_deleted_in_use: list[str] = []
        self.sockets_open = 0
        self.max_sockets_together = 0
        self.max_sockets_on_one_key = 0
        self.frames_sent = 0
        self.pings_sent = 0

    @staticmethod
    def clock() -> float:
        """The host's monotonic clock, seconds."""
        return time.monotonic()

    def opened(self, serial: int, key: str, on_this_key: int) -> None:
        """Log a completed handshake; `on_this_key` is the number of sockets now open on its key."""
        self.openings.append(SocketEvent(self.clock(), serial, key))
        self.sockets_open += 1
        self.max_sockets_together = max(self.max_sockets_together, self.sockets_open)
        self.max_sockets_on_one_key = max(self.max_sockets_on_one_key, on_this_key)

    def closed(self, serial: int, key: str, reason: str, code: int | None) -> None:
        """Log the end of a socket."""
        self.closings.append(SocketEvent(self.clock(), serial, key, reason, code))
        self.sockets_open -= 1

    def deleted(self, key: str, *, ok: bool, in_use: bool) -> None:
        """Log that a client deleted a key."""
        self.deletions.append(KeyEvent(self.clock(), key, ok, in_use))
        if ok and in_use:
            self.keys_deleted_in_use.append(key)

    def carried_out(self, fault: str, detail: str) -> None:
        """Log that a fault was carried out; `detail` is its object."""
        self.faults.append(FaultEvent(self.clock(), fault, detail))

    def to_dict(self) -> dict[str, Any]:
        """The whole log as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(vars(self))
        counters = {
            "mints": len(self.mints),
            "renewals": len(self.renewals),
            "deletions": len(self.deletions),
            "openings": len(self.openings),
            "closings": len(self.closings),
            "pongs": len(self.pongs),
            "refused": len(self.refused),
            "calls": len(self.calls),
        }
        return plain | {"now": self.clock(), "counters": counters}
