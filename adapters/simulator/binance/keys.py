"""Listen keys that are shared: one for each owner, the same for everybody who asks, gone for all once it is deleted."""

from __future__ import annotations

import string

from ..listenkeys import VALIDITY_MS, ListenKeys

LETTERS = string.ascii_letters + string.digits
LENGTH = 64


class SharedKeys(ListenKeys):
    """`owner` is the account, or an API key of it. Times in real ms."""

    def __init__(self, *, seed: int = 0, validity_ms: int = VALIDITY_MS, pushed: bool = True) -> None:
        super().__init__(seed=seed, validity_ms=validity_ms)
        self._pushed = pushed
        self._newest: dict[str, str] = {}

    def current(self, owner: str, now: int) -> str | None:
        """The owner's key, if it lives."""
        key = self._newest.get(owner)
        return key if key is not None and self.valid(key, now) else None

    def obtain(self, owner: str, now: int) -> str:
        """The owner's key, extended; another than before if that one is gone."""
        key = self.extend(owner, now)
        if key is None:
            key = self._newest[owner] = "".join(self._random.choices(LETTERS, k=LENGTH))
            self._ends[key] = now + self.validity_ms
            self._unannounced[key] = None
        return key

    def extend(self, owner: str, now: int) -> str | None:
        """The owner's key, extended to its whole validity; None if there is none."""
        key = self.current(owner, now)
        if key is not None:
            self.renew(key, now)
        return key

    def delete(self, key: str, now: int) -> bool:
        """Delete the key; whoever listens hears of it like of an expiry, if it is pushed at all."""
        if not self._pushed:
            return super().delete(key, now)
        existed = self.valid(key, now)
        if existed:
            self._ends[key] = now
        return existed

    def owners(self) -> list[str]:
        """All that have ever had a key."""
        return list(self._newest)
