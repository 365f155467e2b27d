"""Listen keys of limited validity: every minting makes a new key, a renewal extends it, deletion or expiry ends it."""

from __future__ import annotations

from .seeds import seeded

VALIDITY_MS = 3_600_000


class ListenKeys:
    """The keys of one account, by the real time, ms, at which each ends."""

    def __init__(self, *, seed: int = 0, validity_ms: int = VALIDITY_MS) -> None:
        self.validity_ms = validity_ms
        self.shared: set[str] = set()
        self._random = seeded(seed, "keys")
        self._ends: dict[str, int] = {}
        self._unannounced: dict[str, None] = {}

    def mint(self, now: int, *, same: bool = False) -> str:
        """Return a new key of 64 hex digits; with `same` the newest valid one, extended, and shared from now on."""
        if same and (valid := [key for key in self._ends if self.valid(key, now)]):
            key = valid[-1]
            self.shared.add(key)
        else:
            key = f"{self._random.getrandbits(256):064x}"
        self._ends[key] = now + self.validity_ms
        self._unannounced[key] = None
        return key

    def renew(self, key: str, now: int) -> bool:
        """Extend the key by its full validity from now; return False if it does not exist any more."""
        if not self.valid(key, now):
            return False
        self._ends[key] = now + self.validity_ms
        return True

    def delete(self, key: str, now: int) -> bool:
        """Delete the key; return False if it does not exist any more."""
        existed = self.valid(key, now)
        self._ends.pop(key, None)
        self._unannounced.pop(key, None)
        return existed

    def valid(self, key: str, now: int) -> bool:
        """True while the key opens sockets and carries frames."""
        return self._ends.get(key, now) > now

    def expire(self, now: int, *, silently: bool = False) -> list[str]:
        """End every key now, and return those that were valid; with `silently`, `expired` does not return them."""
        ended = [key for key in self._ends if self.valid(key, now)]
        for key in ended:
            self._ends[key] = now
            if silently:
                self._unannounced.pop(key, None)
        return ended

    def expired(self, now: int) -> list[str]:
        """The keys that have ended by now, each returned once, in the order of their minting."""
        ended = [key for key in self._unannounced if not self.valid(key, now)]
        for key in ended:
            del self._unannounced[key]
        return ended
