"""The keys in use: one mint at a time, each key renewed, and deleted when the last socket that used it is closed."""

from __future__ import annotations

from typing import Protocol

from ..actions import CreateKey, DeleteKey
from ..backoff import SpacedLimit
from ..context import Context
from ..discreet import Discreet
from ..refusal import Refusal, RefusalKind
from ..timers import Timer
from .key import Key

FREE = 10
"""Failures after which mints, renewals and handshakes are spaced: with the default backoff, those of three minutes."""


class Holder(Protocol):
    """Whose links use the keys."""

    def mint_failed(self, refusal: Refusal | None) -> None:
        """No key was minted; None when no answer came."""

    def key_found(self, key: Key) -> None:
        """A key that is wanted need not be minted: a renewal has named it."""

    def key_gone(self, key: Key) -> None:
        """The venue does not know this key any more; called once."""


class Found(Discreet, frozen=True):
    """A key that a renewal has extended in place of ours: when that was asked for, and for how long it is valid."""

    key: str
    asked_at: float
    valid_for: float


class Keyring:
    """Keys by their value, and the one mint that may be under way."""

    def __init__(self, context: Context, holder: Holder) -> None:
        self._context = context
        self._holder = holder
        self._keys: dict[str, Key] = {}
        self._mint: tuple[int, float] | None = None
        self._found: Found | None = None
        """The key that the next mint would bring."""
        self._deletions: set[int] = set()
        self._not_before = float("-inf")
        self._failed_mints = SpacedLimit(context.failing_calls, FREE)
        self._failed_renewals = SpacedLimit(context.failing_calls, FREE)
        context.alarms |= {
            Timer.MINT: lambda _id, _late: self._mint_now(),
            Timer.MINTING: lambda request, _late: self._mint_failed(request, None),
            Timer.RENEW: lambda key, _late: self._key(key).renew(),
            Timer.RENEWING: lambda key, _late: self._key(key).not_renewed(None),
            Timer.DELETING: lambda request, _late: self.deleted(request),
            Timer.EXPIRY: lambda key, _late: self._gone(self._key(key)),
        }

    @property
    def minting(self) -> bool:
        """True while a mint is unanswered."""
        return self._mint is not None

    @property
    def deleting(self) -> bool:
        """True while a deletion is unanswered."""
        return bool(self._deletions)

    @property
    def floor(self) -> float:
        """Seconds for which the venue wants no other mint."""
        now = self._context.now
        return max(0.0, self._not_before - now, self._failed_mints.wait(now))

    def get(self, value: str) -> Key | None:
        """The key in use of this value."""
        return self._keys.get(value)

    def note_retry_after(self, refusal: Refusal | None) -> None:
        """The venue has named a time before which it wants to hear nothing of us."""
        if refusal is not None and refusal.retry_after is not None:
            self._not_before = max(self._not_before, self._context.now + refusal.retry_after)

    def mint(self, after: float) -> None:
        """Ask for a key, in so many seconds."""
        if after > 0 and self._found is None:
            self._context.arm((Timer.MINT, 0), after)
        else:
            self._mint_now()

    def stop(self) -> None:
        """Ask for nothing more; a key that is on its way will be deleted."""
        self._context.timers.cancel((Timer.MINT, 0))
        found, self._found = self._found, None
        if found is not None and found.key not in self._keys:
            self._delete(found.key)

    def granted(self, request: int, value: str, valid_for: float, *, wanted: bool) -> Key | None:
        """The key, if this answers the mint under way and is wanted; else it is deleted, unless it is in use."""
        mint = self._mint if self._mint is not None and self._mint[0] == request else None
        if mint is not None:
            self._answered(request)
        valid_for = max(0.0, valid_for)  # and 0.0 for what is not a number
        if mint is None or not wanted:
            self._context.secrets.grant(value, now=self._context.now, valid_for=valid_for)
            if value not in self._keys:
                self._delete(value)
            return None
        self._found = None  # the venue's last word
        return self._obtained(value, mint[1], valid_for)

    def renewed(self, request: int, value: str | None) -> Key | None:
        """A renewal was granted: the key in use that it has extended by its name, None where it named none of those.

        Where it named another key, ours is gone, and what was extended is there for whoever needs a key next.
        """
        key = next((key for key in self._keys.values() if key.request == request), None)
        if key is None or value is None or value == key.value:
            if key is not None:
                key.renewed()
            return None if value is None else key
        asked_at, valid_for = key.asked_at, key.valid_for
        other = self._keys.get(value)
        if other is not None and other.kept:
            other.granted_again(asked_at, valid_for)
        else:
            other = None
            self._found = Found(value, asked_at, valid_for)
            self._context.secrets.grant(value, now=self._context.now, valid_for=valid_for)
        self._gone(key)
        return other

    def vouch(self, key: Key) -> None:
        """It must be known now whether the key lives: renew it, unless that is under way."""
        if key.request is None and not key.gone:
            key.renew()

    def deleted(self, request: int) -> None:
        """A key is deleted, or all that can be done has been."""
        if request in self._deletions:
            self._deletions.remove(request)
            self._context.timers.cancel((Timer.DELETING, request))

    def refused(self, request: int, refusal: Refusal) -> None:
        """A mint, a renewal or a deletion was refused; any other request is not ours."""
        self.deleted(request)
        if self._mint is not None and self._mint[0] == request:
            self._mint_failed(request, refusal)
        for key in tuple(self._keys.values()):
            if key.request == request and refusal.kind is RefusalKind.GONE:
                self._gone(key)
            elif key.request == request:
                key.not_renewed(refusal)

    def expired(self, key: Key) -> None:
        """The venue says so."""
        self._gone(key)

    def release(self, key: Key) -> None:
        """No socket uses the key any more."""
        del self._keys[key.value]
        if not key.gone:
            self._delete(key.value)

    def _delete(self, value: str) -> None:
        if not self._context.policy.delete_keys:
            return
        request = self._context.number()
        self._deletions.add(request)
        self._context.arm((Timer.DELETING, request), self._context.policy.request_timeout)
        self._context.emit(DeleteKey(request, value))

    def _mint_now(self) -> None:
        found, self._found = self._found, None
        if found is not None and self._context.now < found.asked_at + found.valid_for:
            self._holder.key_found(self._obtained(found.key, found.asked_at, found.valid_for))
            return
        request = self._context.number()
        self._mint = (request, self._context.now)
        self._context.arm((Timer.MINTING, request), self._context.policy.request_timeout)
        self._context.emit(CreateKey(request))

    def _obtained(self, value: str, asked_at: float, valid_for: float) -> Key:
        key = self._keys.get(value)
        if key is None:
            key = self._keys[value] = Key(self._context, value, valid_for, asked_at, self._failed_renewals)
        else:
            key.granted_again(asked_at, valid_for)
        return key

    def _mint_failed(self, request: int, refusal: Refusal | None) -> None:
        self._answered(request)
        self._failed_mints.failed(self._context.now, refusal)
        self.note_retry_after(refusal)
        self._holder.mint_failed(refusal)

    def _answered(self, request: int) -> None:
        self._context.timers.cancel((Timer.MINTING, request))
        self._mint = None

    def _key(self, identity: int) -> Key:
        return next(key for key in self._keys.values() if key.id == identity)

    def _gone(self, key: Key) -> None:
        if not key.gone:
            key.lose()
            self._holder.key_gone(key)
