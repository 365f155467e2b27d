"""A listen key: how long it is valid, and the renewals that keep it so."""

from __future__ import annotations

from ..actions import RenewKey
from ..backoff import Backoff, FailureLimit
from ..refusal import Refusal
from ..timers import Timer
from ..turn import Turn

RENEW_RETRY_MAX = 60.0


class Key:
    """One key in use by one link, or by two where the venue granted the same key again."""

    __slots__ = (
        "_failures",
        "_retry",
        "_turn",
        "asked_at",
        "failing",
        "gone",
        "id",
        "proven_at",
        "request",
        "valid_for",
        "value",
    )

    def __init__(self, turn: Turn, value: str, valid_for: float, asked_at: float, failures: FailureLimit) -> None:
        self._turn = turn
        self._failures = failures
        self._retry = Backoff(turn.policy.renew_retry, RENEW_RETRY_MAX)
        self.asked_at = asked_at
        """When the grant or extension that was asked for last was asked for."""
        self.id = turn.number()
        self.value = value
        self.valid_for = valid_for
        self.request: int | None = None
        self.failing = False
        """A renewal has failed and none has passed since."""
        self.gone = False
        """The venue does not know it any more."""
        self.proven_at = asked_at
        """When what the venue granted or extended last was asked for."""
        self.confirm(asked_at)

    @property
    def kept(self) -> bool:
        """Whether it is renewed: a link uses it, and not only a socket that is being closed."""
        return self._turn.timers.armed((Timer.EXPIRY, self.id))

    def confirm(self, asked_at: float) -> None:
        """The venue granted the key or extended it, in answer to a request made at this time."""
        self.failing = False
        self.proven_at = asked_at
        self._retry.reset()
        turn = self._turn
        turn.secrets.grant(self.value, now=turn.now, valid_for=self.valid_for)
        turn.timers.arm((Timer.EXPIRY, self.id), asked_at + self.valid_for)
        turn.timers.arm((Timer.RENEW, self.id), asked_at + min(turn.policy.renew_interval, self.valid_for / 2))

    def granted_again(self, asked_at: float, valid_for: float) -> None:
        """A mint returned this same key, as some venues do."""
        self.gone = False
        self.valid_for = valid_for
        self.confirm(asked_at)

    def renew(self) -> None:
        """Ask for an extension, as soon as one more failure would be within the limit."""
        turn = self._turn
        if (wait := self._failures.wait(turn.now)) > 0:
            turn.arm((Timer.RENEW, self.id), wait)
            return
        turn.timers.cancel((Timer.RENEW, self.id))
        self.request = turn.number()
        self.asked_at = turn.now
        turn.arm((Timer.RENEWING, self.id), turn.policy.request_timeout)
        turn.emit(RenewKey(self.request, self.value))

    def renewed(self) -> None:
        """The extension was granted."""
        self._answered()
        self.confirm(self.asked_at)

    def not_renewed(self, refusal: Refusal | None) -> None:
        """The extension failed; None when no answer came in time. The key stays valid as long as it was."""
        self._answered()
        self.failing = True
        turn = self._turn
        self._failures.failed(turn.now, refusal)
        wait = (refusal and refusal.retry_after) or 0.0
        turn.arm((Timer.RENEW, self.id), max(self._retry.delay(), wait))

    def lose(self) -> None:
        """The venue says that it does not know the key."""
        self.gone = True
        self.forget()

    def forget(self) -> None:
        """No renewal any more."""
        self._answered()
        self._turn.timers.cancel((Timer.RENEW, self.id))
        self._turn.timers.cancel((Timer.EXPIRY, self.id))

    def _answered(self) -> None:
        self.request = None
        self._turn.timers.cancel((Timer.RENEWING, self.id))
