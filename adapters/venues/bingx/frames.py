"""The parts that swap and spot frames share: JSON, heartbeats, acknowledgements, errors, expired keys."""

from __future__ import annotations

import json
from typing import Any

from ....core.reports import Acknowledged, Heartbeat, KeyExpired, OrderRef, Rejected, Report, Unreadable, Unrecognised
from ..amounts import identity, moment, text
from ..objects import the_object
from .codes import is_success, refusal

_PINGS = frozenset({"Ping", "ping", b"Ping", b"ping"})
_LONGEST_ECHO = 256


def read(frame: bytes | str) -> dict[str, Any] | Heartbeat | Unreadable:
    """The object in a frame, or the plain-text heartbeat; `Unreadable` if it is neither."""
    return Heartbeat("Pong") if frame in _PINGS else the_object(frame)


def unwrapped(content: dict[str, Any]) -> dict[str, Any]:
    """The event itself, without the `dataType` and `data` in which spot wraps some."""
    inner = content.get("data")
    return inner if isinstance(inner, dict) and "dataType" in content and "e" not in content else content


def control(content: dict[str, Any]) -> Report | None:
    """The report of a frame about the connection; None if the frame is about the account."""
    event = unwrapped(content).get("e")
    if event == "listenKeyExpired":
        key = unwrapped(content).get("listenKey")
        return KeyExpired(key if key == "" else text(key))
    if event is not None:
        return None
    if "ping" in content and "dataType" not in content:
        return _pong(content)
    if content.get("code") is None:
        return None
    ident = identity(content.get("id"))
    if not is_success(content["code"]):
        return Rejected(ident, refusal(content["code"], text(content.get("msg")) or "", about_key=True))
    return Acknowledged(ident) if ident is not None and not content.get("data") else None


def unrecognised(content: dict[str, Any], *, doubtful: bool = False, order: OrderRef | None = None) -> Unrecognised:
    """The frame as it is, with its time; one that looks like news of an order or the account is `doubtful` too."""
    event = unwrapped(content)
    about_account = any(isinstance(event.get(name), dict) for name in ("o", "a"))
    return Unrecognised(content, moment(event.get("T"), event.get("E")), doubtful or about_account, order=order)


def _pong(content: dict[str, Any]) -> Report:
    echo = {"pong": content["ping"]}
    if "time" in content:
        echo["time"] = content["time"]
    if not all(
        type(value) is int or (isinstance(value, str) and len(value) <= _LONGEST_ECHO) for value in echo.values()
    ):
        return Unrecognised(content)
    return Heartbeat(json.dumps(echo, separators=(",", ":"), ensure_ascii=False))
