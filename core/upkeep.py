"""Keeps one proven link alive: the effects that the lifecycle's table names, with the rules of rotation and waiting.

The old link of a rotation is closed only after its successor is proven and the drain has passed. A socket that we close
keeps its key until it is known to be closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from .actions import Finish
from .backoff import Backoff, FailureLimit
from .dialect import Dialect
from .events import GapReason
from .key import Key
from .keyring import Keyring
from .lifecycle import Lifecycle, State, Successor, Trigger
from .link import Link
from .refusal import Refusal, RefusalKind
from .turn import Turn


class Witness(Protocol):
    """Who must know when a stretch may have been missed (`continuity.py`)."""

    def interrupted(self, reason: GapReason, heard_at: float, blind: bool) -> None:
        """Something may be missed since the last frame was heard and until `connected`; `blind`: no link is proven."""

    def connected(self) -> None:
        """A link is proven after an interruption, or for the first time."""

    def handed_over(self) -> None:
        """A planned rotation is complete, nothing was missed."""

    def stop(self) -> None:
        """The stream ends: tell what is held, and want nothing more."""


class Cause(NamedTuple):
    """What an effect may need to know of the trigger."""

    reason: GapReason = GapReason.LOST_SOCKET
    refusal: Refusal | None = None
    key: Key | None = None


class Upkeep:
    """Timers: "delay", "rotate", "drain" and "healthy" for the whole, ("closing", socket), the links' and the keys'."""

    def __init__(self, turn: Turn, dialect: Dialect, witness: Witness) -> None:
        policy = turn.policy
        self._turn = turn
        self._dialect = dialect
        self._witness = witness
        self._lifecycle = Lifecycle()
        self._keyring = Keyring(turn, self)
        self._closing: dict[int, Key] = {}
        self._backoff = Backoff(policy.backoff_initial, policy.backoff_max, turn.rng)
        self._rotation_backoff = Backoff(policy.backoff_initial, policy.backoff_max, turn.rng)
        self._failed_openings = FailureLimit()
        self._successor_refused = False
        self._heard_at = float("-inf")
        self.leader: Link | None = None
        self.successor: Link | None = None
        self.stopped = False
        self.timers: dict[str, Callable[[int, float], None]] = {
            "delay": lambda _id, _late: self._move(Trigger.DELAY_OVER),
            "rotate": lambda _id, _late: self._move(Trigger.AGED),
            "drain": lambda _id, _late: self._move(Trigger.DRAINED),
            "healthy": lambda _id, _late: self._backoff.reset(),
            "connect": lambda socket, _late: self._lost(socket, Cause()),
            "quiet": lambda socket, late: self._of(socket).fell_quiet(late),
            "silent": self._silent,
            "closing": lambda socket, _late: self._closed(socket),
            **self._keyring.timers,
        }

    @property
    def state(self) -> State:
        """The lifecycle's state."""
        return self._lifecycle.state

    @property
    def proven(self) -> bool:
        """Whether a link is proven."""
        leader, successor = self.leader, self.successor
        return (leader is not None and leader.proven) or (successor is not None and successor.proven)

    @property
    def suspect(self) -> bool:
        """Whether the link is quieter than it should be, its key is not being renewed, or its successor is refused."""
        leader = self.leader
        return leader is not None and (leader.quiet or leader.key.failing or self._successor_refused)

    @property
    def finished(self) -> bool:
        """Stopped, and no mint and no socket is left to hear of."""
        return self.stopped and not self._keyring.minting and not self._closing

    @property
    def key_values(self) -> tuple[str, ...]:
        """The keys in use: secrets."""
        return self._keyring.values

    def link(self, socket: int) -> Link | None:
        """The link of this socket, unless it is gone."""
        leader, successor = self.leader, self.successor
        if leader is not None and leader.socket == socket:
            return leader
        return successor if successor is not None and successor.socket == socket else None

    def leads(self, link: Link) -> bool:
        """Whether this link's frames go first; a deaf one gives way to a proven successor."""
        leader, successor = self.leader, self.successor
        if leader is None or leader.deaf is None or successor is None or not successor.proven:
            return link is leader
        return link is successor

    # What comes in

    def start(self) -> None:
        """Mint the first key."""
        self._move(Trigger.START)

    def stop(self, refusal: Refusal | None = None) -> None:
        """Close everything, whatever the state; with the refusal that is the reason, if there is one."""
        if not self.stopped:
            self._move(Trigger.STOP, Cause(refusal=refusal))

    def rotate(self) -> None:
        """Move over to a fresh key and socket, if there is a proven link to move from."""
        self._move(Trigger.ASKED)

    def distrust(self) -> None:
        """The link that leads has missed something: move over to another, with a gap open until that one is proven."""
        if self.state is State.CONNECTED and self.leader is not None:
            self.leader.deaf = GapReason.HOLE
            self._heard_at = self.leader.heard_at
            self.open_gap(Cause(GapReason.HOLE))
            self._move(Trigger.ASKED)

    def granted(self, request: int, value: str, valid_for: float) -> bool:
        """A mint was answered; True if the key is wanted."""
        key = self._keyring.granted(request, value, valid_for, wanted=not self.stopped)
        if key is not None:
            self._move(Trigger.KEY_GRANTED, Cause(key=key))
        return key is not None

    def renewed(self, request: int) -> None:
        """A renewal was granted."""
        self._keyring.renewed(request)

    def refused(self, request: int, refusal: Refusal) -> None:
        """A request was refused; if it is none of the keyring's, nothing happens."""
        self._keyring.refused(request, refusal)

    def opened(self, socket: int) -> None:
        """A handshake is complete."""
        link = self.link(socket)
        if link is not None:
            link.opened(self._dialect.opening(socket))

    def closed(self, socket: int, refusal: Refusal | None) -> None:
        """A socket ended, or could not be opened."""
        if socket in self._closing:
            self._closed(socket)
        elif (link := self.link(socket)) is not None:
            link.end()
            self._lost(socket, Cause(refusal=refusal))

    def lost(self, link: Link, reason: GapReason, refusal: Refusal | None = None) -> None:
        """The link is of no use any more, though its socket may be open."""
        self._lost(link.socket, Cause(reason, refusal))

    def prove(self, link: Link) -> None:
        """The venue pushes to this link."""
        link.prove()
        self._move(Trigger.PROVEN if link is self.leader else Trigger.SUCCESSOR_PROVEN)

    def key_expired(self, value: str | None) -> None:
        """The venue says that a key has expired; one that is not in use is none of ours. None means the leader's."""
        leader = self.leader.key if self.leader is not None else None
        key = leader if value is None else self._keyring.get(value)
        if key is None:
            self._turn.report("expiry of a foreign key")
        else:
            self._keyring.expired(key)

    # What the keyring says

    def mint_failed(self, refusal: Refusal | None) -> None:
        """No key was minted."""
        if self.stopped:
            return
        if self.state is State.ROTATING:
            self._move(Trigger.SUCCESSOR_FAILED, Cause(refusal=refusal))
        elif refusal is not None and refusal.kind is RefusalKind.FATAL:
            self._move(Trigger.REFUSED_FOR_GOOD, Cause(refusal=refusal))
        else:
            self._move(Trigger.KEY_REFUSED, Cause(refusal=refusal))

    def key_gone(self, key: Key) -> None:
        """The venue does not know this key any more."""
        self._deafen(key)
        if self.successor is not None and self.successor.key is key:
            self._move(Trigger.SUCCESSOR_FAILED, Cause(GapReason.KEY_GONE))
        if self.leader is not None and self.leader.key is key:
            self._heard_at = self.leader.heard_at
            self._move(Trigger.KEY_GONE, Cause(GapReason.KEY_GONE))

    # Effects, by the names that the table gives them

    def mint(self, _cause: Cause) -> None:
        self._keyring.mint(self._floor)

    def open_link(self, cause: Cause) -> None:
        assert cause.key is not None
        self.leader = Link(self._turn, cause.key)

    def open_successor(self, cause: Cause) -> None:
        assert cause.key is not None
        self.successor = Link(self._turn, cause.key)

    def wait(self, _cause: Cause) -> None:
        self._turn.arm(("delay", 0), max(self._backoff.delay(), self._floor))

    def drop_and_wait(self, cause: Cause) -> None:
        self._failed_openings.failed(self._turn.now, cause.refusal)
        self._drop_leader()
        self.wait(cause)

    def settle_in(self, _cause: Cause) -> None:
        self._turn.arm(("healthy", 0), self._turn.policy.healthy_after)
        self._arm_rotation()
        self._witness.connected()

    def open_gap(self, cause: Cause) -> None:
        self._witness.interrupted(cause.reason, self._heard_at, not self.proven)
        if self.successor is not None and self.successor.proven:
            self._witness.connected()

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
        self._witness.connected()

    def drain(self, _cause: Cause) -> None:
        assert self.leader is not None
        self.leader.drain()
        self._turn.arm(("drain", 0), self._turn.policy.drain)
        if self.leader.deaf is not None:
            self._witness.connected()

    def stay(self, cause: Cause) -> None:
        assert self.leader is not None
        self._turn.timers.cancel(("drain", 0))
        successor, self.successor = self.successor, None
        if successor is not None:
            self._failed_openings.failed(self._turn.now, cause.refusal)
            self._discard(successor)
        self._turn.arm(("rotate", 0), max(self._rotation_backoff.delay(), self._floor))
        self._successor_refused = cause.refusal is not None and cause.refusal.kind is RefusalKind.FATAL
        if self.leader.deaf is not None:
            self._heard_at = self.leader.heard_at
            self.open_gap(Cause(self.leader.deaf))

    def hand_over(self, _cause: Cause) -> None:
        self._drop_leader()
        self._arm_rotation()
        self._witness.handed_over()

    def end(self, cause: Cause) -> None:
        self.stopped = True
        self._witness.stop()
        self._keyring.stop()
        for name in ("delay", "rotate", "drain", "healthy"):
            self._turn.timers.cancel((name, 0))
        links = [link for link in (self.leader, self.successor) if link is not None]
        self.leader = self.successor = None
        for link in sorted(links, key=lambda link: link.phase):
            self._discard(link)
        self._turn.emit(Finish(cause.refusal))

    # How

    def _move(self, trigger: Trigger, cause: Cause | None = None) -> None:
        if self.successor is None:
            progress = Successor.WITHOUT_KEY
        else:
            progress = Successor.PROVEN if self.successor.proven else Successor.UNPROVEN
        effect = self._lifecycle.move(trigger, progress)
        if effect is not None:
            getattr(self, effect)(cause or Cause())

    @property
    def _floor(self) -> float:
        return max(self._keyring.floor, self._failed_openings.wait(self._turn.now))

    def _of(self, socket: int) -> Link:
        link = self.link(socket)
        assert link is not None  # a link that is gone has no timers
        return link

    def _lost(self, socket: int, cause: Cause) -> None:
        link = self._of(socket)
        kind = cause.refusal.kind if cause.refusal is not None else None
        self._keyring.heed(cause.refusal)
        if kind is RefusalKind.GONE:
            link.key.lose()
            self._deafen(link.key)
        if link is self.successor:
            self._move(Trigger.SUCCESSOR_FAILED, cause)
        elif self.state is State.KEYED and kind is RefusalKind.FATAL:
            self._move(Trigger.REFUSED_FOR_GOOD, cause)
        else:
            self._move(Trigger.LOST, cause)

    def _deafen(self, key: Key) -> None:
        for link in (self.leader, self.successor):
            if link is not None and link.key is key:
                link.deaf = GapReason.KEY_GONE

    def _silent(self, socket: int, lateness: float) -> None:
        if self._of(socket).is_dead(lateness):
            self._lost(socket, Cause(GapReason.SILENT))

    def _arm_rotation(self) -> None:
        assert self.leader is not None
        self._rotation_backoff.reset()
        self._successor_refused = False
        policy = self._turn.policy
        self._turn.timers.cancel(("rotate", 0))
        if policy.rotate_after > 0:
            share = self._turn.rng.random() * min(policy.rotate_jitter, policy.rotate_after / 10)
            self._turn.timers.arm(("rotate", 0), self.leader.opened_at + policy.rotate_after - share)

    def _drop_leader(self) -> None:
        """The leader's place is taken by its successor, or by nobody."""
        assert self.leader is not None
        healthy = self.successor is not None and self.successor.proven
        for name in ("drain", "rotate") if healthy else ("drain", "rotate", "healthy"):
            self._turn.timers.cancel((name, 0))
        leader, self.leader, self.successor = self.leader, self.successor, None
        self._heard_at = leader.heard_at
        self._discard(leader)

    def _discard(self, link: Link) -> None:
        if not self._uses(link.key):
            link.key.forget()
        if link.alive:
            self._closing[link.socket] = link.key
            self._turn.arm(("closing", link.socket), self._turn.policy.request_timeout)
            link.close()
        else:
            self._release(link.key)

    def _closed(self, socket: int) -> None:
        self._turn.timers.cancel(("closing", socket))
        self._release(self._closing.pop(socket))

    def _release(self, key: Key) -> None:
        if key not in self._closing.values() and not self._uses(key):
            self._keyring.release(key)

    def _uses(self, key: Key) -> bool:
        return any(link is not None and link.key is key for link in (self.leader, self.successor))
