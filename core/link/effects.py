"""The effects of the lifecycle's moves: the methods that its table refers to.

The old link of a rotation is closed only after its successor is proven and the drain has passed.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..actions import Finish
from ..backoff import Backoff, SpacedLimit
from ..context import Context
from ..events import GapReason
from ..refusal import Refusal, RefusalKind
from ..timers import Timer
from .key import Key
from .keyring import FREE, Keyring
from .link import Link
from .pair import LinkPair, Successor


class LinkObserver(Protocol):
    """Who must know when a stretch may have been missed (`continuity.py`)."""

    def interrupted(self, reason: GapReason, heard_at: float, blind: bool) -> None:
        """Something may be missed since the last frame was heard and until `connected`; `blind`: no link is proven."""

    def connected(self) -> None:
        """A link is proven after an interruption, or for the first time."""

    def handed_over(self) -> None:
        """A planned rotation is complete, nothing was missed."""

    def stop(self) -> None:
        """The stream ends: deliver what is held, and request nothing more."""


class Cause(NamedTuple):
    """Details of a trigger that an effect may need."""

    reason: GapReason = GapReason.LOST_SOCKET
    refusal: Refusal | None = None
    key: Key | None = None


class Effects:
    """A method for each effect in the table of the lifecycle, and what they share: the backoff, and who leads."""

    def __init__(self, context: Context, pair: LinkPair, keyring: Keyring, observer: LinkObserver) -> None:
        policy = context.policy
        self._context = context
        self._pair = pair
        self._keyring = keyring
        self._observer = observer
        self._backoff = Backoff(policy.backoff_initial, policy.backoff_max, context.rng)
        self._rotation_backoff = Backoff(policy.backoff_initial, policy.backoff_max, context.rng)
        self._was_healthy = False
        """True if the stream has been proven for long enough since it last waited."""
        self._failed_openings = SpacedLimit(context.failing_calls, FREE)
        self.successor_refused = False
        """The venue has refused a successor for good."""
        self.heard_at = float("-inf")
        """Until when what was lost last was known to bring everything."""
        self.finish: Finish | None = None
        """How the stream has ended."""

    def reset_backoff(self) -> None:
        """A link has been proven for long enough."""
        self._backoff.reset()
        self._was_healthy = True

    def mint(self, _cause: Cause) -> None:
        self._keyring.mint(self._floor)

    def open_link(self, cause: Cause) -> None:
        assert cause.key is not None
        self._pair.open(cause.key)

    def open_successor(self, cause: Cause) -> None:
        assert cause.key is not None
        self._pair.open_successor(cause.key)

    def wait(self, _cause: Cause) -> None:
        if self._was_healthy:
            policy = self._context.policy
            delay = min(policy.backoff_first, policy.backoff_max) * self._context.rng.random()
        else:
            delay = self._backoff.delay()
        self._was_healthy = False
        self._context.arm((Timer.DELAY, 0), max(delay, self._floor))

    def drop_and_wait(self, cause: Cause) -> None:
        self._failed_openings.failed(self._context.now, cause.refusal)
        self._drop_leader()
        self.wait(cause)

    def go_live(self, _cause: Cause) -> None:
        self._context.arm((Timer.HEALTHY, 0), self._context.policy.healthy_after)
        self._arm_rotation()
        self._observer.connected()

    def open_gap(self, cause: Cause) -> None:
        self._observer.interrupted(cause.reason, self.heard_at, not self._pair.proven)
        if self._pair.progress is Successor.PROVEN:
            self._observer.connected()

    def open_gap_and_mint(self, cause: Cause) -> None:
        self.open_gap(cause)
        self.mint(cause)

    def open_gap_and_wait(self, cause: Cause) -> None:
        self._drop_leader()
        self.open_gap(cause)
        self.wait(cause)

    def open_gap_and_promote(self, cause: Cause) -> None:
        self._drop_leader()
        self.open_gap(cause)

    def open_gap_and_hand_over(self, cause: Cause) -> None:
        self._drop_leader()
        self.open_gap(cause)
        self._arm_rotation()
        self._observer.connected()

    def drain(self, _cause: Cause) -> None:
        leader = self._leader
        leader.drain()
        self._context.arm((Timer.DRAIN, 0), self._context.policy.drain)
        if leader.distrusted is not None:
            self._observer.connected()

    def stay(self, cause: Cause) -> None:
        self._context.timers.cancel((Timer.DRAIN, 0))
        leader = self._leader
        trusted_last = self._pair.successor or leader
        if self._pair.drop_successor():
            self._failed_openings.failed(self._context.now, cause.refusal)
        self._context.arm((Timer.ROTATE, 0), max(self._rotation_backoff.delay(), self._floor))
        self.successor_refused = cause.refusal is not None and cause.refusal.kind is RefusalKind.FATAL
        if leader.distrusted is not None:
            self.heard_at = trusted_last.trusted_until
            self.open_gap(Cause(leader.distrusted))

    def hand_over(self, _cause: Cause) -> None:
        self._drop_leader()
        self._arm_rotation()
        self._observer.handed_over()

    def end(self, cause: Cause) -> None:
        self.finish = Finish(cause.refusal)
        self._observer.stop()
        self._keyring.stop()
        for timer in (Timer.DELAY, Timer.ROTATE, Timer.DRAIN, Timer.HEALTHY):
            self._context.timers.cancel((timer, 0))
        self._pair.drop_all()

    @property
    def _leader(self) -> Link:
        leader = self._pair.leader
        assert leader is not None
        return leader

    @property
    def _floor(self) -> float:
        return max(self._keyring.floor, self._failed_openings.wait(self._context.now))

    def _arm_rotation(self) -> None:
        self._rotation_backoff.reset()
        self.successor_refused = False
        policy = self._context.policy
        self._context.timers.cancel((Timer.ROTATE, 0))
        if policy.rotate_after > 0:
            share = self._context.rng.random() * min(policy.rotate_jitter, policy.rotate_after / 10)
            self._context.timers.arm((Timer.ROTATE, 0), self._leader.opened_at + policy.rotate_after - share)

    def _drop_leader(self) -> None:
        healthy = self._pair.progress is Successor.PROVEN
        for timer in (Timer.DRAIN, Timer.ROTATE) if healthy else (Timer.DRAIN, Timer.ROTATE, Timer.HEALTHY):
            self._context.timers.cancel((timer, 0))
        self.heard_at = self._pair.drop_leader().trusted_until
