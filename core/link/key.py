"""A listen key: how long it is valid, and the renewals that keep it so."""

from __future__ import annotations

from ..actions import RenewKey
from ..backoff import Backoff, FailureLimit
from ..context import Context
from ..refusal import Refusal
from ..timers import Timer

RENEW_RETRY_MAX = 60.0


class Key:
    """One key in use by one link, or by two where the venue granted the same key again."""

    __slots__ = (
        "_context",
        "_failures",
        "_retry",
        "asked_at",
        "failing",
        "gone",
        "id",
        "proven_at",
        "request",
        "valid_for",
        "value",
    )

    def __init__(self, context: Context, value: str, valid_for: float, asked_at: float, failures: FailureLimit) -> None:
        self._context = context
        self._failures = failures
        self._retry = Backoff(context.policy.renew_retry, RENEW_RETRY_MAX)
        self.asked_at = asked_at
        """When the grant or extension that was asked for last was asked for."""
        self.id = context.number()
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
        """True if it is renewed: a link uses it, and not only a socket that is being closed."""
        return self._context.timers.armed((Timer.EXPIRY, self.id))

    def confirm(self, asked_at: float) -> None:
        """The venue granted the key or extended it, in answer to a request made at this time."""
        self.failing = False
        self.proven_at = asked_at
        self._retry.reset()
        context = self._context
        context.secrets.grant(self.value, now=context.now, valid_for=self.valid_for)
        context.timers.arm((Timer.EXPIRY, self.id), asked_at + self.valid_for)
        context.timers.arm((Timer.RENEW, self.id), asked_at + min(context.policy.renew_interval, self.valid_for / 2))

    def granted_again(self, asked_at: float, valid_for: float) -> None:
        """A mint returned this same key, as some venues do."""
        self.gone = False
        self.valid_for = valid_for
        self.confirm(asked_at)

    def renew(self) -> None:
        """Ask for an extension, as soon as one more failure would be within the limit."""
        context = self._context
        if (wait := self._failures.wait(context.now)) > 0:
            context.arm((Timer.RENEW, self.id), wait)
            return
        context.timers.cancel((Timer.RENEW, self.id))
        self.request = context.number()
        self.asked_at = context.now
        context.arm((Timer.RENEWING, self.id), context.policy.request_timeout)
        context.emit(RenewKey(self.request, self.value))

    def renewed(self) -> None:
        """The extension was granted."""
        self._answered()
        self.confirm(self.asked_at)

    def not_renewed(self, refusal: Refusal | None) -> None:
        """The extension failed; None when no answer came in time. The key stays valid as long as it was."""
        self._answered()
        self.failing = True
        context = self._context
        self._failures.failed(context.now, refusal)
        wait = (refusal and refusal.retry_after) or 0.0
        context.arm((Timer.RENEW, self.id), max(self._retry.delay(), wait))

    def lose(self) -> None:
        """The venue says that it does not know the key."""
        self.gone = True
        self.forget()

    def forget(self) -> None:
        """No renewal any more."""
        self._answered()
        self._context.timers.cancel((Timer.RENEW, self.id))
        self._context.timers.cancel((Timer.EXPIRY, self.id))

    def _answered(self) -> None:
        self.request = None
        self._context.timers.cancel((Timer.RENEWING, self.id))
