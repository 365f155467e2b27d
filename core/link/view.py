"""A link as it is shown outside: how far it is, and how its key is. It holds no secret, and nothing moves in it."""

from __future__ import annotations

from typing import NamedTuple

from ..events import GapReason
from .link import Link, Phase


class KeyView(NamedTuple):
    """A listen key, by its number: two links with the same number share it. Times are the caller's seconds."""

    number: int
    asked_at: float
    """When the grant or extension that was asked for last was asked for."""
    valid_for: float
    failing: bool
    """A renewal has failed and none has passed since."""
    gone: bool
    """The venue does not know it any more."""


class LinkView(NamedTuple):
    """A key and its socket, as they were when they were looked at. Times are the caller's seconds."""

    socket: int
    phase: Phase
    proven: bool
    """True if the venue is known to push to this link."""
    quiet: bool
    """Half of the silence that makes it dead has passed."""
    distrusted: GapReason | None
    """Why its frames, if any come, prove nothing."""
    opened_at: float
    heard_at: float
    key: KeyView


def view(link: Link) -> LinkView:
    """The link as it is now."""
    key = link.key
    shown = KeyView(key.id, key.asked_at, key.valid_for, key.failing, key.gone)
    return LinkView(
        link.socket, link.phase, link.proven, link.quiet, link.distrusted, link.opened_at, link.heard_at, shown
    )
