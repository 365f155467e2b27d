"""At most two links: the leader and, in a rotation, its successor; and the sockets that are being closed.

A socket that we close keeps its key until it is known to be closed. A key that neither a link nor such a socket uses is
released.
"""

from __future__ import annotations

from enum import StrEnum

from ..context import Context
from ..events import GapReason
from ..timers import Timer
from .key import Key
from .keyring import Keyring
from .link import Link


class Successor(StrEnum):
    """How far the successor of a link is."""

    WITHOUT_KEY = "successor without key"
    UNPROVEN = "successor unproven"
    PROVEN = "successor proven"


class LinkPair:
    """The leader, whose frames are delivered, and the successor that is to replace it; and sockets that close."""

    def __init__(self, context: Context, keyring: Keyring, *, vouches: bool) -> None:
        self._context = context
        self._vouches = vouches
        self._keyring = keyring
        self._closing: dict[int, Key] = {}
        self.leader: Link | None = None
        self.successor: Link | None = None

    @property
    def proven(self) -> bool:
        """True if any link is proven."""
        leader, successor = self.leader, self.successor
        return (leader is not None and leader.proven) or (successor is not None and successor.proven)

    @property
    def progress(self) -> Successor:
        """How far the successor is."""
        if self.successor is None:
            return Successor.WITHOUT_KEY
        return Successor.PROVEN if self.successor.proven else Successor.UNPROVEN

    @property
    def closing(self) -> bool:
        """True while a socket is being closed."""
        return bool(self._closing)

    def get(self, socket: int) -> Link | None:
        """The link of this socket, unless it is gone."""
        leader, successor = self.leader, self.successor
        if leader is not None and leader.socket == socket:
            return leader
        return successor if successor is not None and successor.socket == socket else None

    def of(self, socket: int) -> Link:
        """The link of a socket whose timer has fired: one that is gone has none."""
        link = self.get(socket)
        assert link is not None
        return link

    def leads(self, link: Link) -> bool:
        """True if this link's frames go first; a distrusted one gives way to a proven successor."""
        leader, successor = self.leader, self.successor
        if leader is None or leader.distrusted is None or successor is None or not successor.proven:
            return link is leader
        return link is successor

    def awaits_proof(self, link: Link) -> bool:
        """True if word of this link waits for its proof: no link that is trusted brings the same."""
        leader = self.leader
        return not (link.proven or (leader is not None and leader.proven and leader.distrusted is None))

    def with_key(self, key: Key) -> tuple[Link, ...]:
        """Those of this key: two where they share it."""
        return tuple(link for link in (self.leader, self.successor) if link is not None and link.key is key)

    def distrust(self, key: Key) -> None:
        """The key is gone: what its sockets still bring proves nothing."""
        for link in self.with_key(key):
            link.distrusted = GapReason.KEY_GONE

    def open(self, key: Key) -> None:
        """A link that leads."""
        self.leader = Link(self._context, key, vouches=self._vouches)

    def open_successor(self, key: Key) -> None:
        """A link beside the one that leads."""
        self.successor = Link(self._context, key, vouches=self._vouches)

    def drop_leader(self) -> Link:
        """Close the leader; its successor, if there is one, takes its place."""
        assert self.leader is not None
        leader, self.leader, self.successor = self.leader, self.successor, None
        self._discard(leader)
        return leader

    def drop_successor(self) -> bool:
        """Close the successor; False if there is none."""
        successor, self.successor = self.successor, None
        if successor is not None:
            self._discard(successor)
        return successor is not None

    def drop_all(self) -> None:
        """Close both, the less proven one first."""
        links = [link for link in (self.leader, self.successor) if link is not None]
        self.leader = self.successor = None
        for link in sorted(links, key=lambda link: link.phase):
            self._discard(link)

    def closed(self, socket: int) -> bool:
        """A socket is closed that we were closing, or has been long enough; False if it is none of those."""
        key = self._closing.pop(socket, None)
        if key is None:
            return False
        self._context.timers.cancel((Timer.CLOSING, socket))
        self._release(key)
        return True

    def _discard(self, link: Link) -> None:
        if not self._uses(link.key):
            link.key.forget()
        if link.alive:
            self._closing[link.socket] = link.key
            self._context.arm((Timer.CLOSING, link.socket), self._context.policy.request_timeout)
            link.close()
        else:
            self._release(link.key)

    def _release(self, key: Key) -> None:
        if key not in self._closing.values() and not self._uses(key):
            self._keyring.release(key)

    def _uses(self, key: Key) -> bool:
        return any(link is not None and link.key is key for link in (self.leader, self.successor))
