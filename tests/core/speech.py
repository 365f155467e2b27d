"""A dialect whose frames contain the reports themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from listenkey.core.dialect import Opening
from listenkey.core.reports import (
    AccountReport,
    ConfigReport,
    Heartbeat,
    KeyExpired,
    OrderReport,
    Report,
    Unreadable,
    Unrecognised,
)

from .toy import FAILING

_SPOKEN: dict[str, type] = {
    "order": OrderReport,
    "account": AccountReport,
    "config": ConfigReport,
    "unknown": Unrecognised,
    "ping": Heartbeat,
    "expired": KeyExpired,
    "unreadable": Unreadable,
}
_WORDS = {kind: word for word, kind in _SPOKEN.items()}


def frame(report: Report) -> str:
    """Return the frame that contains this report."""
    return msgspec.json.encode([_WORDS[type(report)], report]).decode()


class Speech:
    """The dialect of these frames."""

    name = "toy"
    policy: Mapping[str, float] = {}
    time_grain_ms = 1000
    failing_calls = FAILING
    counts_available = False

    def __init__(self, cumulative_costs: bool = False) -> None:
        self.cumulative_costs = cumulative_costs

    def decode(self, frame: bytes | str) -> tuple[Report, ...]:
        try:
            word, content = msgspec.json.decode(frame, type=tuple[str, Any])
            return (msgspec.convert(content, _SPOKEN[word]),)
        except (msgspec.MsgspecError, KeyError, UnicodeDecodeError) as error:
            return (Unreadable(str(error)),)

    def opening(self, socket: int) -> tuple[Opening, ...]:
        return ()


class SilentSpeech(Speech):
    """The same for a venue that opens sockets for dead keys and pushes nothing unasked."""

    policy: Mapping[str, float] = {"probe_after": 30, "silence_timeout": 12, "renew_interval": 300, "delete_keys": 0}

    def probe(self, socket: int) -> tuple[Opening, ...]:
        return ()
