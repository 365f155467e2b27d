"""Shared listen keys: each owner has one, all clients get the same, and a deletion ends it for all."""

from __future__ import annotations

import string

from ..listenkeys import VALIDITY_MS, ListenKeys

LETTERS = string.ascii_letters + string.digits
LENGTH = 64


class SharedKeys(ListenKeys):
    """The keys by owner, which is the account or an API key of it. Times are real time, ms."""

    def __init__(self, *, seed: int = 0, validity_ms: int = VALIDITY_MS, pushed: bool = True) -> None:
        super().__init__(seed=seed, validity_ms=validity_ms)
        self._pushed = pushed
        self._newest: dict[str, str] = {}

    def current(self, owner: str, now: int) -> str | None:
        """The owner's key; None if it is not valid."""
        key = self._newest.get(owner)
        return key if key is not None and self.valid(key, now) else None

    def obtain(self, owner: str, now: int) -> str:
        """Return the owner's key, extended; a new one if the last is not valid."""
        key = self.extend(owner, now)
        if key is None:
            key = self._newest[owner] = "".join(self._random.choices(LETTERS, k=LENGTH))
            self._ends[key] = now + self.validity_ms
            self._unannounced[key] = None
        return key

    def extend(self, owner: str, now: int) -> str | None:
        """Extend the owner's key by its full validity and return it; None if it is not valid."""
        key = self.current(owner, now)
        if key is not None:
            self.renew(key, now)
        return key

    def delete(self, key: str, now: int) -> bool:
        """Delete the key, return False if it was not valid; if deletions are pushed, its sockets get an expiry."""
        if not self._pushed:
            return super().delete(key, now)
        existed = self.valid(key, now)
        if existed:
            self._ends[key] = now
        return existed

    def owners(self) -> list[str]:
        """All owners that have ever had a key."""
        return list(self._newest)
