"""Reconciles the stream with a read of the account.

Only a read moves `proven_until`, to its own time less `backfill_overlap`, because a venue may show a fill that late; a
frame proves only itself. The read's events are delivered first; then the gap closes, and the books are compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from ..account.income import Income
from ..account.orders import Orders
from ..account.view import AccountView
from ..actions import MarkProven
from ..books.cross_check import CrossCheck
from ..books.projection import Projection
from ..context import Context
from ..events import GapReason
from ..kinds import Purpose
from ..policy import Mode
from ..refusal import Refusal, RefusalKind
from ..reports import Account, AccountReport
from ..timers import Timer
from .backfill import Finding, cover, examine
from .denials import Denials
from .doubts import Doubts
from .gap import Gap
from .holdback import HoldbackQueue
from .lapse import Lapse
from .memory import Memory
from .odd import OddRows
from .position_mode import PositionMode
from .revisions import Revisions
from .schedule import FOLLOW_UP, Asked, ReadSchedule
from .scope import Scope, merge
from .vanishing import Answer, Vanishing


class Reconciler:
    """Takes the answers to reads, delivers what they show, and moves what is proven."""

    def __init__(
        self,
        context: Context,
        mode: Mode,
        cumulative_costs: bool,
        orders: Orders,
        view: AccountView,
        gap: Gap,
        holdback: HoldbackQueue,
        *,
        distrust: Callable[[], None],
        stop: Callable[[Refusal], None],
    ) -> None:
        self._context = context
        self._mode = mode
        self._overlap_ms = int(context.policy.backfill_overlap * 1000)
        self._orders, self._view = orders, view
        self._gap = gap
        self._holdback = holdback
        self._distrust, self._stop = distrust, stop
        self._income = Income(context, view.funding)
        self._projection = Projection()
        self._cross_check = CrossCheck(context, self._projection, self._read_for_alarm)
        self._denials = Denials(context, orders, gap)
        self.doubts = Doubts(context, self._read_for_doubt)
        self.position_mode = PositionMode(context, self.doubts)
        self._revisions = Revisions(context, orders, cumulative_costs)
        self._lapse = Lapse(context, mode, self.doubt)
        self.schedule = ReadSchedule(context, orders, self._denials, self._lapse)
        self._odd = OddRows(context, orders, self._lapse, gap)
        self._vanishing = Vanishing(orders, view, self._cross_check)
        self._rotated_at = float("-inf")
        self.memory = Memory(
            context, orders, self._income, self._projection, self._cross_check, self._revisions, self.schedule, gap
        )
        self.ledger = self.memory.ledger
        context.alarms |= {
            Timer.CROSS_CHECK: lambda _id, late: self._cross_check.overdue(late),
            Timer.DOUBT: lambda _id, _late: self.doubts.overdue(),
            Timer.READING: self._overdue,
        }

    @property
    def polled(self) -> bool:
        """True if the last read that passed is younger than two poll intervals."""
        return self._lapse.fresh

    # What a read says

    def read(self, request: int, account: Account) -> None:
        """A read was answered."""
        asked = self.schedule.answered(request)
        if asked is None:
            return
        self._context.set_exchange_time(account.exchange_ms)
        account = self._odd.mend(self._denials.shown_by_fills(account))
        alone = None
        if asked.account is not None:
            alone, account = account, merge(asked.account, account)
        if self._orders.began is None:
            self.memory.begin(account.as_of)
        shown_until = account.as_of - self._overlap_ms
        self._denials.note(account, shown_until, alone=alone is not None)
        unclear = self._odd.look(account)
        cautious, reaches = asked.purpose is Purpose.AUDIT, asked.is_reached_by(account)
        scope = Scope(account, alone, shown_until, cautious, reaches, self._odd.is_aside, self._context.grain)
        findings, inconsistent = examine(scope, self._orders)
        if asked.account is None and (alone_too := {*inconsistent, *unclear, *self._revisions.unclear(scope)}):
            self.schedule.ask_alone(asked, account, tuple(sorted(alone_too)))
            return
        answer = self._vanishing.judge(account, findings)
        if answer is None:
            self._context.report("hollow answer", "no list of positions, where some are held")
            self._not_proven(asked, None, doubt=self._reports_failures)
        else:
            unsaid = bool(account.unasked) and not account.unasked.isdisjoint(self._revisions.unclear(scope))
            self._apply(asked, scope, answer, findings, unsaid or not all(map(self._odd.excuses, inconsistent)))

    def refused(self, request: int, refusal: Refusal | None) -> None:
        """A read was refused, or, with None, never answered."""
        asked = self.schedule.answered(request)
        if asked is None or (refusal is not None and self.schedule.put_off(asked, refusal)):
            return
        never_passed = self._orders.proven_until is None
        fatal = refusal if refusal is not None and refusal.kind is RefusalKind.FATAL else None
        if fatal is not None and (never_passed or self._mode == "poll"):
            self._stop(fatal)
        else:
            self._not_proven(asked, refusal, doubt=self._reports_failures)

    def pushed(self, report: AccountReport) -> None:
        """An account push came, which says what the fills must add up to."""
        if self._orders.complete:
            self._cross_check.pushed(report)

    def doubt(self) -> None:
        """Open a gap: the stretch that the read under way was to prove is not proven for now."""
        self._gap.open(GapReason.READ_FAILED, self.schedule.window_start, proven_by=float("-inf"))

    @property
    def _reports_failures(self) -> bool:
        """True if one failing read leaves something unproven that no link brings."""
        return self._holdback.holding or self._orders.proven_until is None or self._mode == "poll"

    def _apply(self, asked: Asked, scope: Scope, answer: Answer, findings: list[Finding], inconsistent: bool) -> None:
        """Deliver the read's events, then what they prove."""
        orders, context, account = self._orders, self._context, answer.account
        if self._odd.any_left:
            account = msgspec.structs.replace(account, settled=False)
        found = cover(findings, orders, context, scope.shown_until if self._mode == "poll" else math.inf)
        unseen = found.out_of_order or (asked.purpose is Purpose.AUDIT and bool(found.fills))
        missed = unseen and self._open_unseen(asked, found.latest_ts)
        self.position_mode.read(account)
        outcome = self._view.read(account, whole=answer.whole)
        found.deliver(orders, context)
        if missed:
            self._distrust_link()
        recovered = len(found.fills)
        self._gap.recovered(recovered)
        self._income.read(account, orders.began)
        if inconsistent:
            self._not_proven(asked, None, doubt=True)
            return
        pending = self._odd.pending()
        if not orders.complete:
            orders.complete = self._odd.named or not pending
        until = max(scope.shown_until, orders.proven_until or orders.began or 0)
        if not pending:
            self._revisions.compare(scope, until)
            orders.clear_doubts(asked.asked_at - context.policy.backfill_overlap, self._odd.aside)
            self._denials.passed(account, scope.shown_until)
        for ref in sorted({*orders.without_base, *orders.stuck}):
            orders.resume(orders.by_ref[ref])
        self.schedule.passed()
        self.doubts.read(asked.asked_at, recovered)
        if pending:
            self.ledger.reconcile(account, settled=False)
            self._set_aside(asked)
            return
        self.memory.reconcile(account, recovered, agreed=not (outcome.overtaken or outcome.disputed))
        if self.schedule.linked or self._mode == "poll":
            self._gap.close(asked.asked_at, proven=scope.reaches)
        orders.prove(until)
        self._income.forget(until)
        context.emit(MarkProven(until))
        self._release(asked)
        self.schedule.plan_next(asked)
        if answer.doubted:
            self.schedule.look_again(context.policy.backfill_overlap + FOLLOW_UP)
        bare = orders.bare_at > asked.asked_at - context.policy.backfill_overlap
        if outcome.disputed or bare or not all(finding.sure for finding in findings):
            self.schedule.look_soon()

    def _set_aside(self, asked: Asked) -> None:
        """Some rows cannot be read: what they are about is not proven, and everything else goes on."""
        self._gap.open(GapReason.HOLE, self.schedule.window_start)
        self._release(asked)
        self.schedule.plan_next(asked)
        self.schedule.look_again(self._lapse.interval)

    def _open_unseen(self, asked: Asked, latest_ts: int | None) -> bool:
        """Open the gap that went unnoticed: a read found fills without frames; True if the link missed them."""
        linked_ts, since = self.schedule.linked_ts, self._orders.proven_until
        late = linked_ts is not None and latest_ts is not None and latest_ts < linked_ts
        if late:
            self._gap.open(GapReason.LATE, since, proven_by=asked.asked_at)
        else:
            self._gap.open(GapReason.HOLE, since)
        return not late

    def _distrust_link(self) -> None:
        """The link that leads has missed fills."""
        context = self._context
        self._orders.doubt()
        if context.now - self._rotated_at >= context.policy.audit_interval:
            self._rotated_at = context.now
            self._distrust()
        if self.schedule.linked:
            self.schedule.request(Purpose.SYNC)

    def _not_proven(self, asked: Asked, refusal: Refusal | None, *, doubt: bool) -> None:
        """A read failed or did not add up; with `doubt` that leaves a stretch unproven which no gap speaks of yet."""
        if doubt:
            self.doubt()
        self.schedule.failed(asked, refusal)
        self._release(asked)

    def _release(self, asked: Asked) -> None:
        if self._holdback.holding and asked.purpose is Purpose.SYNC:
            self._holdback.release()

    def _overdue(self, request: int, _lateness: float) -> None:
        self.schedule.overdue()
        self.refused(request, None)

    def _read_for_alarm(self) -> None:
        self._gap.open(GapReason.BALANCE, self._orders.proven_until)
        self._orders.doubt()
        self.schedule.request(Purpose.SYNC)

    def _read_for_doubt(self, since: int | None, gap: bool) -> None:
        if gap:
            self._gap.open(GapReason.HOLE, since)
        self.schedule.request(Purpose.SYNC)
