"""One key and its one socket: opening, subscribing, proving, live, draining, gone, and never back.

*Connected* is not *subscribed*: a link counts only once it is proven, by the acknowledgement of every opening frame or,
where the venue asks for none, by its first readable frame; where it opens sockets for dead keys, by a sign of life and
by a renewal that names the key. From then on silence is death, whatever TCP says, unless it was we who slept: a silence
timer that is handled late is armed once more, so that what waits in the socket is read. Where `probe_after` is set, the
venue is asked for life first, and the silence that counts begins with the question.
"""

from __future__ import annotations

from enum import IntEnum

from ..actions import CloseSocket, OpenSocket, SendFrame
from ..context import Context
from ..dialect import Opening
from ..events import GapReason
from ..timers import Name, Timer
from .key import Key

GRACE = 1.0


class Phase(IntEnum):
    """How far a link is; only ever forward."""

    OPENING = 0
    SUBSCRIBING = 1
    PROVING = 2
    LIVE = 3
    DRAINING = 4
    GONE = 5


class Link:
    """A key and its socket. Its phase says how far it is; after the proof it must bring frames to be alive."""

    __slots__ = (
        "_answered",
        "_asked",
        "_context",
        "_graced",
        "_half",
        "_idle",
        "_quiet",
        "_quiet_at",
        "_timers",
        "_unacknowledged",
        "_vouched",
        "alive",
        "distrusted",
        "heard_at",
        "key",
        "opened_at",
        "phase",
        "proven",
        "quiet",
        "socket",
        "vouches",
    )

    def __init__(self, context: Context, key: Key, *, vouches: bool = False) -> None:
        self._context = context
        self._unacknowledged: set[str] = set()
        self.vouches = vouches
        """True if its key has to be named by a renewal, too, before it is proven."""
        self._answered = self._vouched = False
        self._asked = self._graced = False
        self._timers = context.timers
        self._half = context.policy.silence_timeout / 2
        self._idle = context.policy.probe_after or self._half
        """Seconds without a frame after which something is done."""
        self._quiet_at = float("-inf")
        """When the timer for that is due, or for half of the silence after the question."""
        self.key = key
        self.socket = context.number()
        self._quiet: Name = (Timer.QUIET, self.socket)
        self.phase = Phase.OPENING
        self.alive = True
        """True while the socket is, as far as we know, open or being opened."""
        self.proven = False
        """True while the venue is known to push to this link."""
        self.opened_at = context.now
        self.heard_at = context.now
        self.distrusted: GapReason | None = None
        """Why its frames, if any come, prove nothing: its key was gone, or a read has shown what it missed."""
        self.quiet = False
        """No frame, or no answer, for half of `silence_timeout`."""
        context.arm((Timer.CONNECT, self.socket), context.policy.connect_timeout)
        context.emit(OpenSocket(self.socket, key.value))

    @property
    def trusted_until(self) -> float:
        """Until when it was known to bring everything: until it was heard last, or, where only a renewal shows that a
        key lives and this one is gone, until the last renewal.
        """
        gone = self.vouches and self.distrusted is GapReason.KEY_GONE
        return self.key.proven_at if gone else self.heard_at

    def opened(self, openings: tuple[Opening, ...]) -> bool:
        """The handshake is complete: subscribe, where the venue asks for it. Said again, it changes nothing: False."""
        if self.phase is not Phase.OPENING:
            return False
        self.opened_at = self._context.now
        self.phase = Phase.SUBSCRIBING if openings and not self.vouches else Phase.PROVING
        for opening in openings:
            self._unacknowledged.add(opening.id)
            self._context.emit(SendFrame(self.socket, opening.text))
        return True

    def heard(self) -> None:
        """A frame came, whatever is in it, or a ping or pong. The timer is moved only when half of its time is gone."""
        self.heard_at = now = self._context.now
        if self.proven:
            if self._asked or self.quiet:
                self._timers.cancel((Timer.SILENT, self.socket))
                self._asked = self.quiet = self._graced = False
                self._context.health_dirty = True
                self._await_quiet()
            elif self._quiet_at - now <= self._idle / 2:
                self._await_quiet()

    def acknowledged(self, opening: str) -> bool:
        """The venue accepted an opening frame; True when that proves the link."""
        self._unacknowledged.discard(opening)
        return self.phase is Phase.SUBSCRIBING and not self._unacknowledged

    def answered(self) -> bool:
        """The venue's end shows life; True when that proves the link."""
        self._answered = True
        return self._vouched or not self.vouches

    def vouched(self) -> bool:
        """A renewal has named its key; True when that proves the link."""
        self._vouched = self.phase is Phase.PROVING
        return self._vouched and self._answered

    def owns(self, opening: str | None) -> bool:
        """True if an opening frame of this id waits for its acknowledgement."""
        return opening in self._unacknowledged

    def prove(self) -> None:
        """The venue pushes to this link."""
        self.phase = Phase.LIVE
        self.proven = True
        self._timers.cancel((Timer.CONNECT, self.socket))
        self.heard()

    def drain(self) -> None:
        """Read on, but a successor is proven."""
        self.phase = Phase.DRAINING

    def fell_quiet(self, lateness: float) -> bool:
        """Nothing was heard for so long, unless a frame came since the timer was armed; True if it must be asked.

        Else half of the silence that makes a link dead has passed.
        """
        if self.heard_at + self._idle > self._quiet_at and not self._asked:
            self._await_quiet()
            return False
        if self._context.policy.probe_after and not self._asked:
            self._asked = True
            self._quiet_at = self._context.now + self._half
            self._context.arm(self._quiet, self._half)
            return True
        self.quiet = True
        silence = self._context.policy.silence_timeout
        dead_at = self._quiet_at + self._half if self._asked else self.heard_at + silence
        if lateness > GRACE:
            self._graced = True
            dead_at = max(dead_at, self._context.now + GRACE)
        self._timers.arm((Timer.SILENT, self.socket), dead_at)
        return False

    def is_dead(self, lateness: float) -> bool:
        """All of it has passed; False when it was we who slept, once."""
        if lateness > GRACE and not self._graced:
            self._graced = True
            self._context.arm((Timer.SILENT, self.socket), GRACE)
            return False
        return True

    def close(self) -> None:
        """Ask for the socket to be closed; what it still brings is ignored."""
        self.end()
        self._context.emit(CloseSocket(self.socket))

    def end(self) -> None:
        """The socket is closed, or will be."""
        self.phase = Phase.GONE
        self.alive = self.proven = False
        for name in ((Timer.CONNECT, self.socket), self._quiet, (Timer.SILENT, self.socket)):
            self._timers.cancel(name)

    def _await_quiet(self) -> None:
        self._quiet_at = at = self.heard_at + self._idle
        self._timers.arm(self._quiet, at)
