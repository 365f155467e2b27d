"""Deadlines on the caller's own clock: armed, cancelled, and handed out in the order in which they fall due."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum


class Timer(StrEnum):
    """The kinds of timer: of each socket, key or request, by its number, or else one of a kind."""

    # Of keys

    MINT = "mint"
    """The next key may be asked for."""
    MINTING = "minting"
    """The answer to the request for a key is overdue."""
    RENEW = "renew"
    """A key should be extended."""
    RENEWING = "renewing"
    """The answer to the request to extend a key is overdue."""
    DELETING = "deleting"
    """A key counts as deleted."""
    EXPIRY = "expiry"
    """A key's validity ends."""

    # Of links

    CONNECT = "connect"
    """A socket should have been proven by its first frame."""
    QUIET = "quiet"
    """A socket has brought nothing for so long that it is asked for life, or for half of what is too long."""
    SILENT = "silent"
    """A socket has brought nothing for too long: it is dead."""
    CLOSING = "closing"
    """A socket that we close counts as closed."""
    DELAY = "delay"
    """The backoff before the next link is over."""
    HEALTHY = "healthy"
    """A link has lived so long that the backoff begins anew."""
    ROTATE = "rotate"
    """A link is old enough to be replaced."""
    DRAIN = "drain"
    """The link that was replaced is closed."""

    # Of what is delivered

    HOLD = "hold"
    """Frames have been held long enough while the account is read."""
    COPIES = "copies"
    """The oldest frame that waits for its copy by the other link has waited long enough."""
    REORDER = "reorder"
    """The oldest report that waits for what lies below it has waited long enough: there is a hole."""
    STUCK = "stuck"
    """Reports above a hole are delivered though no read has filled it."""
    UNKNOWN = "unknown"
    """Frames that nobody understands, and that were left out, are counted."""

    # Of reads

    READ = "read"
    """The next read may be asked for."""
    READING = "reading"
    """The answer to a read is overdue."""
    AUDIT = "audit"
    """The account is read beside a proven link."""
    POLL = "poll"
    """The account is read where there is no proven link."""
    STALE = "stale"
    """The last poll has become too old for LIVE."""
    LAPSE = "lapse"
    """A read should have passed since the first one that did not."""
    CROSS_CHECK = "cross_check"
    """A push's positions and wallets should be explained by fills."""
    DOUBT = "doubt"
    """A frame that nobody understands causes its read."""


OF_ACCOUNT = (
    *(Timer.HOLD, Timer.COPIES, Timer.REORDER, Timer.STUCK, Timer.UNKNOWN, Timer.READ, Timer.READING, Timer.AUDIT),
    *(Timer.POLL, Timer.STALE, Timer.LAPSE, Timer.CROSS_CHECK, Timer.DOUBT),
)
"""The timers of what is delivered and of reads: all but those of keys and links."""
Name = tuple[Timer, int]
"""A timer, and the request, socket or key that it is for; 0 where there is only one."""
Alarms = dict[Timer, Callable[[int, float], None]]
"""The handler of each timer, called with the number it is for and how late it is, in seconds."""


class Timers:
    """At most a few dozen names; a name has one deadline. Asking whether anything is due costs one comparison."""

    __slots__ = ("_deadlines", "_exact", "not_before")

    def __init__(self) -> None:
        self._deadlines: dict[Name, float] = {}
        self._exact = True
        self.not_before = math.inf
        """No deadline is earlier than this; one that was moved away may leave it too early, until `deadline` looks."""

    @property
    def deadline(self) -> float:
        """The earliest deadline, `math.inf` if nothing is armed."""
        if not self._exact:
            self.not_before = min(self._deadlines.values(), default=math.inf)
            self._exact = True
        return self.not_before

    def arm(self, name: Name, at: float) -> None:
        """Fall due at this time, whatever was armed under the name before."""
        if self._deadlines.get(name) == self.not_before:
            self._exact = False
        self._deadlines[name] = at
        if at < self.not_before:
            self.not_before, self._exact = at, True

    def arm_by(self, name: Name, at: float) -> None:
        """Fall due at this time, or sooner if that is when it was armed for."""
        if self._deadlines.get(name, math.inf) > at:
            self.arm(name, at)

    def cancel(self, name: Name) -> None:
        """Forget the name, if it is armed."""
        if self._deadlines.pop(name, None) == self.not_before:
            self._exact = False

    def armed(self, name: Name) -> bool:
        """True if the name is armed."""
        return name in self._deadlines

    def pop_due(self, now: float) -> tuple[Name, float] | None:
        """Disarm the earliest name due by `now` and return it with its deadline; None if nothing is due."""
        if self.not_before > now or self.deadline > now:
            return None
        self._exact = False
        name = min(self._deadlines, key=self._deadlines.__getitem__)
        return name, self._deadlines.pop(name)
