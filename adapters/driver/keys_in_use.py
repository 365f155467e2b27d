"""The listen keys that the streams of this process use. A venue may hand out one to all streams of an account.

Such a key is deleted when the last stream that uses it is done with it. The keys of other processes are not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from threading import Lock

_lock = Lock()
_users: dict[bytes, set[KeysInUse]] = {}
"""The streams that use a key, by its digest."""
_dying: Counter[bytes] = Counter()
"""The number of deletions under way, by the key's digest."""
_mints: list[set[bytes]] = []
"""For each mint under way, the keys that were being deleted at any time since it began."""


class KeysInUse:
    """The keys of one stream at the venue with this address. Streams may run in several threads."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._mine: set[bytes] = set()

    def use(self, key: str) -> None:
        """Note that the stream uses this key from now on."""
        digest = self._digest(key)
        with _lock:
            self._mine.add(digest)
            _users.setdefault(digest, set()).add(self)

    @contextmanager
    def minting(self) -> Iterator[set[bytes]]:
        """Enclose a mint; yields the set of keys that were being deleted meanwhile, which the mint may return."""
        with _lock:
            doubtful = set(_dying)
            _mints.append(doubtful)
        try:
            yield doubtful
        finally:
            with _lock:
                _mints[:] = [each for each in _mints if each is not doubtful]

    def minted(self, key: str, doubtful: set[bytes]) -> bool:
        """Use the key of a mint; return False, and do not use it, if it may have been deleted meanwhile."""
        self.use(key)
        digest = self._digest(key)
        with _lock:
            if digest in doubtful:
                self._forget(digest)
        return digest in self._mine

    @contextmanager
    def letting_go(self, key: str) -> Iterator[bool]:
        """Note that the stream uses this key no more; yields True if no other does, so that it may be deleted."""
        digest = self._digest(key)
        with _lock:
            self._forget(digest)
            alone = digest not in _users
            if alone:
                _dying[digest] += 1
                for doubtful in _mints:
                    doubtful.add(digest)
        try:
            yield alone
        finally:
            with _lock:
                if alone:
                    _dying[digest] -= 1
                    if not _dying[digest]:
                        del _dying[digest]

    def leave(self) -> None:
        """Note that the stream has ended and uses no key."""
        with _lock:
            for digest in tuple(self._mine):
                self._forget(digest)

    def _digest(self, key: str) -> bytes:
        return blake2b(f"{self._address} {key}".encode()).digest()

    def _forget(self, digest: bytes) -> None:
        self._mine.discard(digest)
        users = _users.get(digest, set())
        users.discard(self)
        if not users:
            _users.pop(digest, None)
