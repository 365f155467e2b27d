"""When the account is read: one read at a time, the most urgent first, and after a failure not too soon again.

While a link is proven an audit looks after it; while none is, the account is polled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..account.orders import Orders
from ..actions import ReadAccount
from ..backoff import Backoff, SpacedLimit
from ..context import Context
from ..kinds import Purpose
from ..refusal import PUT_OFF, Refusal
from ..reports import Account, OrderRef
from ..timers import Timer
from .denials import Denials
from .lapse import Lapse

FOLLOW_UP = 1.0
"""An audit looks at an interruption or a rotation so long after the overlap has passed."""
RETRY_INITIAL, RETRY_MAX = 5.0, 60.0
CALLS_IN_A_READ = 6
"""A read is several requests; this many time-outs of one request is when it is given up."""
SAME_TIME = 1.0
"""Seconds by which two moments up to which reads are held back may differ and be reported once."""
PATIENCE_MAX = 3600.0
"""Seconds. After a read that took too long the next is given twice the time: its window is no smaller."""


class Asked(NamedTuple):
    """A read under way."""

    request: int
    purpose: Purpose
    asked_at: float
    since: int | None
    account: Account | None = None
    """The whole read that single orders are now read for."""

    def is_reached_by(self, account: Account) -> bool:
        """True if the venue's history goes back as far as was asked for."""
        return self.since is None or account.since is None or account.since <= self.since


class ReadSchedule:
    """At most one read is under way, and one is wanted after it, for the most urgent of the purposes."""

    def __init__(self, context: Context, orders: Orders, denials: Denials, lapse: Lapse) -> None:
        self._context = context
        self._orders = orders
        self._denials = denials
        self._lapse = lapse
        self._requested: Purpose | None = None
        self._asked: Asked | None = None
        self._retry = Backoff(RETRY_INITIAL, RETRY_MAX)
        self._patience = CALLS_IN_A_READ * context.policy.request_timeout
        self._failures = SpacedLimit(context.failing_calls)
        self._not_before = float("-inf")
        self._floor = float("-inf")
        self._held_until = float("-inf")
        self._urgent_at = float("-inf")
        self._look_at = math.inf
        """When the account is to be read once more, whatever else is read until then."""
        self._stopped = False
        self.linked = False
        """True while a link brings frames."""
        self.linked_ts: int | None = None
        """Exchange time at which the last one was proven."""
        context.alarms |= {
            Timer.AUDIT: lambda _id, _late: self.request(Purpose.AUDIT),
            Timer.POLL: lambda _id, _late: self.poll(),
            Timer.READ: lambda _id, _late: self.ask(),
        }

    @property
    def window_start(self) -> int | None:
        """Exchange time, ms, from which on the account has to be read; None while it is unknown what is due."""
        return self._orders.proven_until if self._orders.proven_until is not None else self._orders.began

    def link_proven(self) -> None:
        """A link is proven: what was missed until now is due a read, and one that was under way is given up.

        The venue may count that as a failure. So it is not done where the next one would be held back for it.
        """
        self._overtake()
        self.linked = True
        self.linked_ts = self._context.exchange_time()
        self._context.timers.cancel((Timer.POLL, 0))
        self.request(Purpose.SYNC, now=True)

    def link_lost(self) -> None:
        """No link brings all that happens."""
        self.linked = False
        self._context.timers.cancel((Timer.AUDIT, 0))
        self._context.arm((Timer.POLL, 0), self._context.policy.poll_interval)

    def await_link(self) -> None:
        """A link is on its way: poll until it is proven."""
        if not self.linked and not self._context.timers.armed((Timer.POLL, 0)):
            self._context.arm((Timer.POLL, 0), self._context.policy.poll_interval)

    def poll(self) -> None:
        """Read now and then."""
        self._context.arm((Timer.POLL, 0), self._context.policy.poll_interval)
        self.request(Purpose.POLL)

    def audit_soon(self) -> None:
        """Look at what has just been, as soon as the venue must have shown it."""
        policy = self._context.policy
        if policy.audit_interval > 0:
            self._context.arm((Timer.AUDIT, 0), min(policy.audit_interval, policy.backfill_overlap + FOLLOW_UP))
        self._arm_look()

    def look_again(self, after: float) -> None:
        """Read once more in so many seconds or sooner, audits or none; a later request does not postpone it."""
        due = self._context.now + after
        if not self._context.now < self._look_at <= due:
            self._look_at = due
        self._arm_look()

    def look_soon(self) -> None:
        """Look again when the venue must have shown all that has been until now."""
        policy = self._context.policy
        after = policy.backfill_overlap + FOLLOW_UP
        self.look_again(min(policy.audit_interval or after, after))

    def plan_next(self, asked: Asked) -> None:
        """This read has passed; what comes after it."""
        policy = self._context.policy
        if asked.asked_at >= self._look_at:
            self._look_at = math.inf
        if self.linked and asked.purpose is Purpose.SYNC:
            self.audit_soon()
        elif self.linked and policy.audit_interval > 0:
            self._context.arm((Timer.AUDIT, 0), policy.audit_interval)
        self._arm_look()
        self.ask()

    def request(self, purpose: Purpose, *, now: bool = False) -> None:
        """Read as soon as it is allowed; `now` does not wait for the delay after a failure, only for the venue's."""
        self._requested = purpose if self._requested is None else max(self._requested, purpose)
        if now:
            self._not_before = float("-inf")
            self._urgent_at = self._context.now
        self.ask()

    def ask(self) -> None:
        """Ask for what is wanted, if nothing is under way and it is not too soon."""
        if self._asked is not None or self._requested is None or self._stopped:
            return
        context = self._context
        held_until = max(self._floor, context.now + self._failures.wait(context.now))
        if held_until > context.now:
            self._hold_back(held_until)
        soonest = max(self._not_before, held_until)
        if soonest > context.now:
            context.timers.arm((Timer.READ, 0), soonest)
            return
        context.timers.cancel((Timer.READ, 0))
        purpose, self._requested = self._requested, None
        start = self.window_start
        since = None if start is None else start - context.grain  # a list may show it that much too early
        orders = self._denials.last(self._orders.open_orders()) if since is not None else ()
        self._ask(Asked(context.number(), purpose, context.now, since), since, orders)

    def ask_alone(self, asked: Asked, account: Account, orders: tuple[OrderRef, ...]) -> None:
        """The whole read is in hand; read these orders alone for it."""
        self._ask(asked._replace(request=self._context.number(), account=account), None, orders)

    def answered(self, request: int) -> Asked | None:
        """The read that this answers, which is under way no more; None if it no longer matters."""
        asked = self._asked
        if asked is None or asked.request != request:
            return None
        self._asked = None
        self._context.timers.cancel((Timer.READING, request))
        return asked

    def passed(self) -> None:
        """A read passed."""
        self._lapse.passed()
        self._retry.reset()
        self._patience = CALLS_IN_A_READ * self._context.policy.request_timeout
        self._not_before = float("-inf")

    def failed(self, asked: Asked, refusal: Refusal | None) -> None:
        """A read failed, or did not add up: try again later, unless something urgent has come up since."""
        now = self._context.now
        self._lapse.missed(asked.asked_at)
        self._failures.failed(now, refusal)
        if refusal is not None and refusal.retry_after is not None:
            self._floor = max(self._floor, now + refusal.retry_after)
        if asked.asked_at >= self._urgent_at:
            self._not_before = now + self._retry.delay()
        self.request(asked.purpose)

    def put_off(self, asked: Asked, refusal: Refusal) -> bool:
        """True if what is urgent may need the limit: nothing has failed, the interval is longer, and that is said."""
        if refusal.code != PUT_OFF or refusal.retry_after is None or asked.purpose is Purpose.SYNC:
            return False
        wait = min(max(FOLLOW_UP, refusal.retry_after), PATIENCE_MAX)
        self._context.arm((Timer.AUDIT if asked.purpose is Purpose.AUDIT else Timer.POLL, 0), wait)
        self._lapse.stretch(wait)
        self._context.report("read put off", f"for {wait:.0f} s: {refusal.message}")
        self.ask()
        return True

    def overdue(self) -> None:
        """The read under way takes longer than it should."""
        self._patience = max(self._patience, min(2 * self._patience, PATIENCE_MAX))

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._stopped = True
        self._context.timers.cancel((Timer.READ, 0))
        if self._asked is not None:
            self.answered(self._asked.request)

    def _overtake(self) -> None:
        asked, now = self._asked, self._context.now
        if asked is not None and self._failures.bears(now):
            self._failures.failed(now, None)
            self._lapse.missed(asked.asked_at)
            self.answered(asked.request)
        elif asked is not None:
            self._asked = asked._replace(asked_at=min(asked.asked_at, math.nextafter(now, -math.inf)))

    def _arm_look(self) -> None:
        if self.linked and self._context.now < self._look_at < math.inf:
            self._context.timers.arm_by((Timer.AUDIT, 0), self._look_at)

    def _hold_back(self, until: float) -> None:
        """The venue, or the limit on failing calls, lets no read through before then: say so, once for each time."""
        context = self._context
        self._lapse.missed(context.now)
        if until <= self._held_until + SAME_TIME:
            return
        self._held_until = until
        wait = until - context.now
        now = context.exchange_time()
        named = "" if now is None or wait > PATIENCE_MAX else f", until {now + int(wait * 1000)} ms of exchange time"
        context.report("reads held back", f"for {wait:.0f} s{named}")

    def _ask(self, asked: Asked, since: int | None, orders: tuple[OrderRef, ...]) -> None:
        self._asked = asked
        self._context.arm((Timer.READING, asked.request), self._patience)
        self._context.emit(ReadAccount(asked.request, since, orders, asked.purpose))
