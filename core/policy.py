"""The numbers, with their units and where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, Self, get_args

Mode = Literal["ws", "poll"]
"""How the account is followed: by a socket, or by reading it every `poll_interval`."""
MODES: tuple[Mode, ...] = get_args(Mode)
WAYS = " or ".join(f'"{mode}"' for mode in MODES)
"""The modes, as a message names them."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All times are seconds. What is given wins over the dialect's defaults, and those over the ones below.

    Raises `ValueError` for what is not a number from 0.001 to 1e9, nor 0 where that means something.
    """

    renew_interval: float = 1800
    """Between renewals of a key, capped by half its validity."""
    renew_retry: float = 5
    """First delay after a failed renewal; it doubles up to 60."""
    delete_keys: float = 1
    """1: keys are deleted when nothing of ours uses them any more. 0: never, since others may use the same key."""
    request_timeout: float = 10
    """For one REST request; a read of the account is several."""
    connect_timeout: float = 10
    """From asking for a socket until it is open, subscribed and proven."""
    probe_after: float = 0
    """After so much silence the venue is asked for life; 0 is never, for a venue that shows it by itself."""
    silence_timeout: float = 15
    """Without a frame, or an answer where it is asked, a link is dead: three pings of a venue that pings every 5 s."""
    rotate_after: float = 85800
    """Age at which a link is replaced; 0 is off. Some venues cut at 24 h."""
    rotate_jitter: float = 300
    """A seeded share of at most this, and of a tenth of `rotate_after`, is taken off the age."""
    drain: float = 10
    """How long the old link is read on after its successor is proven."""
    backoff_first: float = 0.25
    """The first attempt after a loss waits a random part of this, if the stream was healthy; 0 is at once."""
    backoff_initial: float = 1
    """From the second attempt on, doubling up to `backoff_max`; half of each is drawn."""
    backoff_max: float = 30
    healthy_after: float = 30
    """Proven life, since the last wait, after which the backoff starts from the beginning again."""
    audit_interval: float = 120
    """Between reads of the account while all is well; 0 is off."""
    poll_interval: float = 5
    """Between reads while there is no proven link, and in `mode="poll"`."""
    backfill_overlap: float = 5
    """How far behind a read's own time it proves: a venue may show a fill that much late."""
    reorder_window: float = 0.25
    """How long a frame that came too early waits for the one before it."""
    hold_limit: float = 3
    """How long frames are held for a read before they flow with the gap open."""
    max_frame_bytes: int = 1048576
    """Size of a frame after inflating."""
    max_pending: int = 100000
    """Events that may wait for the consumer."""

    def __new__(cls, **given: float) -> Self:
        policy = super().__new__(cls)
        object.__setattr__(policy, "_given", frozenset(given))
        return policy

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
                raise ValueError(f"{field.name} must be a number, not {value!r}")
            most = 1 if field.name in _SWITCHES else _MOST
            if not _LEAST <= value <= most and (value != 0 or field.name not in _MAY_BE_ZERO):
                raise ValueError(f"{field.name} must be {_allowed(field.name)}, not {value!r}")
            if field.name in _WHOLE:
                if value != int(value):
                    raise ValueError(f"{field.name} must be a whole number, not {value!r}")
                object.__setattr__(self, field.name, int(value))

    def over(self, defaults: Mapping[str, float]) -> Policy:
        """This policy with a dialect's `defaults` for whatever was not given."""
        given: frozenset[str] = object.__getattribute__(self, "_given")
        chosen = {name: getattr(self, name) for name in given}
        return Policy(**{**defaults, **chosen})


_LEAST, _MOST = 0.001, 1e9
"""A millisecond and thirty years: between them a clock's float always separates a deadline from now."""
_WHOLE = {"max_frame_bytes", "max_pending", "delete_keys"}
_MAY_BE_ZERO = {
    "probe_after",
    "delete_keys",
    "rotate_after",
    "rotate_jitter",
    "drain",
    "backoff_first",
    "audit_interval",
    "backfill_overlap",
    "reorder_window",
    "hold_limit",
}


_SWITCHES = {"delete_keys"}


def _allowed(name: str) -> str:
    if name in _SWITCHES:
        return "0 or 1"
    return f"{'0 or ' if name in _MAY_BE_ZERO else ''}from {_LEAST:g} to {_MOST:g}"
