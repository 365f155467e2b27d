"""The demo's scenarios: steps that are faults of the simulated exchange at their times, with texts for a person."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ...core.policy import Policy


class Step(NamedTuple):
    """A fault some seconds after the beginning; it is shown for `shown` seconds."""

    at: float
    fault: str
    what: str
    shown: float
    seconds: float | None = None
    params: Mapping[str, Any] = MappingProxyType({})


_SUFFERED = (
    Step(12.0, "drop_tcp", "TCP killed, nobody answers for 1.2 s", 1.2, seconds=1.2),
    Step(16.5, "silent", "the socket goes silent: open, but not even a ping", 2.0),
    Step(20.5, "lose_frame", "a fill's frame is lost on its way", 0.8),
    Step(22.0, "repeat_frame", "a fill's frame comes twice", 0.5),
    Step(22.6, "reorder_frames", "two frames of an order change places", 0.5),
    Step(23.6, "expire_key", "the listen key expires, its socket stays open", 0.8),
)
_NOT_GZIP = Step(25.4, "garbage", "a frame that is not gzip", 0.4, params=MappingProxyType({"kind": "not_gzip"}))
_NOT_TEXT = Step(25.4, "garbage", "a frame that is not text", 0.4, params=MappingProxyType({"kind": "binary"}))
_NOT_JSON = Step(25.8, "garbage", "a frame that is not JSON", 0.4, params=MappingProxyType({"kind": "not_json"}))
_DELETED = Step(9.0, "delete_key", "another client of the account deletes the listen key", 0.8)
STEPS: Mapping[str, tuple[Step, ...]] = MappingProxyType(
    {
        "bingx-swap": (*_SUFFERED, _NOT_GZIP, _NOT_JSON),
        "binance-usdm": (_DELETED, *_SUFFERED, _NOT_TEXT, _NOT_JSON),
    }
)
"""The steps by venue."""
QUIET_AT = 27.0
"""The second from which on nothing new happens, so that stream and exchange can be compared."""
PROVING_TIME = 15.0
"""Seconds in which the stream must prove that it is whole."""
FILLS_PER_SECOND = 15.0
PING_INTERVAL = 0.5

_TIMES: dict[str, Any] = {
    "renew_interval": 3,
    "rotate_after": 7,
    "rotate_jitter": 0,
    "drain": 1.5,
    "silence_timeout": 2,
    "backoff_initial": 0.5,
    "backoff_max": 2,
    "backfill_overlap": 1,
    "audit_interval": 20,
}
POLICIES: Mapping[str, Policy] = MappingProxyType(
    {"bingx-swap": Policy(**_TIMES), "binance-usdm": Policy(**_TIMES, probe_after=0.5)}
)
"""Policies with short times, so that half a minute shows what takes hours otherwise."""
