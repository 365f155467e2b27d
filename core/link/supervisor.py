"""Keeps one proven link alive: which trigger of the lifecycle an input, a timer or an answer about keys is."""

from __future__ import annotations

from ..actions import Finish, SendFrame, SendPing
from ..context import Context
from ..dialect import Dialect, SilentDialect
from ..events import GapReason
from ..refusal import Refusal, RefusalKind
from ..timers import Timer
from .effects import Cause, Effects, LinkObserver
from .key import Key
from .keyring import Keyring
from .lifecycle import Lifecycle, State, Trigger
from .link import Link
from .pair import LinkPair

TOO_BIG = 1009
"""The code with which a socket ends for a frame that was too large."""


class Supervisor:
    """Finds the trigger that an input is, and makes the move."""

    def __init__(self, context: Context, dialect: Dialect, observer: LinkObserver) -> None:
        self._context = context
        self._dialect = dialect
        self._asked = dialect if isinstance(dialect, SilentDialect) else None
        self._lifecycle = Lifecycle()
        self._keyring = Keyring(context, self)
        self.pair = LinkPair(context, self._keyring, vouches=self._asked is not None)
        self._effects = Effects(context, self.pair, self._keyring, observer)
        context.alarms |= {
            Timer.DELAY: lambda _id, _late: self._move(Trigger.DELAY_OVER),
            Timer.ROTATE: lambda _id, _late: self._move(Trigger.AGED),
            Timer.DRAIN: lambda _id, _late: self._move(Trigger.DRAINED),
            Timer.HEALTHY: lambda _id, _late: self._effects.reset_backoff(),
            Timer.CONNECT: lambda socket, _late: self._lost(socket, Cause()),
            Timer.QUIET: self._quiet,
            Timer.SILENT: self._silent,
            Timer.CLOSING: self._closed,
        }

    @property
    def state(self) -> State:
        """The lifecycle's state."""
        return self._lifecycle.state

    @property
    def stopped(self) -> bool:
        """True if the stream has ended."""
        return self._effects.finish is not None

    @property
    def finish(self) -> Finish | None:
        """How it has ended; it is for the door to say so, after all that the end brings about."""
        return self._effects.finish

    @property
    def suspect(self) -> bool:
        """True if the link is quieter than it should be, its key is not being renewed, or its successor is refused."""
        leader = self.pair.leader
        return leader is not None and (leader.quiet or leader.key.failing or self._effects.successor_refused)

    @property
    def finished(self) -> bool:
        """Stopped, and no mint, no deletion and no socket is left to hear of."""
        keyring = self._keyring
        return self.stopped and not (keyring.minting or keyring.deleting or self.pair.closing)

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
        leader = self.pair.leader
        if self.state is State.CONNECTED and leader is not None:
            leader.distrusted = GapReason.HOLE
            self._effects.heard_at = leader.heard_at
            self._effects.open_gap(Cause(GapReason.HOLE))
            self._move(Trigger.ASKED)

    def granted(self, request: int, value: str, valid_for: float) -> bool:
        """A mint was answered; True if the key is wanted."""
        key = self._keyring.granted(request, value, valid_for, wanted=not self.stopped)
        if key is not None:
            self._move(Trigger.KEY_GRANTED, Cause(key=key))
        return key is not None

    def renewed(self, request: int, value: str | None) -> None:
        """A renewal was granted, of the key that it names."""
        key = self._keyring.renewed(request, value)
        for link in () if key is None else self.pair.with_key(key):
            if link.vouched():
                self._prove(link)

    def deleted(self, request: int) -> None:
        """A deletion was answered."""
        self._keyring.deleted(request)

    def refused(self, request: int, refusal: Refusal) -> None:
        """A request was refused; if it is none of the keyring's, nothing happens."""
        self._keyring.refused(request, refusal)

    def opened(self, socket: int) -> None:
        """A handshake is complete."""
        link = self.pair.get(socket)
        if link is not None and link.opened(self._dialect.opening(socket)) and link.vouches:
            self._context.emit(SendPing(socket))
            self._keyring.vouch(link.key)

    def closed(self, socket: int, code: int | None, refusal: Refusal | None) -> None:
        """A socket ended, or could not be opened; the code says where a transport ended it for the size of a frame."""
        if not self.pair.closed(socket) and (link := self.pair.get(socket)) is not None:
            link.end()
            reason = GapReason.OVERSIZED if code == TOO_BIG else GapReason.LOST_SOCKET
            self._lost(socket, Cause(reason, refusal))

    def lost(self, link: Link, reason: GapReason, refusal: Refusal | None = None) -> None:
        """The link is of no use any more, though its socket may be open."""
        self._lost(link.socket, Cause(reason, refusal))

    def prove(self, link: Link) -> None:
        """The venue shows life on this link, which proves it, unless its key must be vouched for first."""
        if link.answered():
            self._prove(link)

    def doubt_key(self, link: Link) -> None:
        """The venue has said something that leaves in doubt whether the link's key lives: ask now."""
        self._keyring.vouch(link.key)

    def closing_soon(self, link: Link) -> None:
        """The venue is about to close the link's socket: move over before it does."""
        if link is self.pair.leader:
            self.rotate()

    def key_expired(self, value: str | None) -> None:
        """The venue reports that a key has expired; one that is not in use is ignored. None means the leader's."""
        leader = self.pair.leader.key if self.pair.leader is not None else None
        key = leader if value is None else self._keyring.get(value)
        if key is None:
            self._context.report("expiry of a foreign key")
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

    def key_found(self, key: Key) -> None:
        """A key is there without a mint."""
        self._move(Trigger.KEY_GRANTED, Cause(key=key))

    def key_gone(self, key: Key) -> None:
        """The venue does not know this key any more."""
        pair = self.pair
        pair.distrust(key)
        if pair.successor is not None and pair.successor.key is key:
            self._move(Trigger.SUCCESSOR_FAILED, Cause(GapReason.KEY_GONE))
        if pair.leader is not None and pair.leader.key is key:
            self._effects.heard_at = pair.leader.trusted_until
            self._move(Trigger.KEY_GONE, Cause(GapReason.KEY_GONE))

    # How

    def _move(self, trigger: Trigger, cause: Cause | None = None) -> None:
        self._context.health_dirty = True
        effect = self._lifecycle.move(trigger, self.pair.progress)
        if effect is not None:
            effect(self._effects, cause or Cause())

    def _prove(self, link: Link) -> None:
        link.prove()
        self._move(Trigger.PROVEN if link is self.pair.leader else Trigger.SUCCESSOR_PROVEN)

    def _quiet(self, socket: int, lateness: float) -> None:
        if self.pair.of(socket).fell_quiet(lateness):
            self._context.emit(SendPing(socket))
            for request in () if self._asked is None else self._asked.probe(socket):
                self._context.emit(SendFrame(socket, request.text))

    def _lost(self, socket: int, cause: Cause) -> None:
        link = self.pair.of(socket)
        kind = cause.refusal.kind if cause.refusal is not None else None
        self._keyring.note_retry_after(cause.refusal)
        if kind is RefusalKind.GONE:
            link.key.lose()
            self.pair.distrust(link.key)
        if link is self.pair.successor:
            self._move(Trigger.SUCCESSOR_FAILED, cause)
        elif self.state is State.KEYED and kind is RefusalKind.FATAL:
            self._move(Trigger.REFUSED_FOR_GOOD, cause)
        else:
            self._move(Trigger.LOST, cause)

    def _closed(self, socket: int, _lateness: float) -> None:
        self.pair.closed(socket)

    def _silent(self, socket: int, lateness: float) -> None:
        if self.pair.of(socket).is_dead(lateness):
            self._lost(socket, Cause(GapReason.SILENT))
