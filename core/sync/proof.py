"""What a read of the account proves.

Only a read moves `proven_until`, to its own time less `backfill_overlap`, because a venue may show a fill that much
late; a frame proves only itself. What a read shows is told first; then the gap closes, and the books are settled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from ..account.ground import Ground
from ..account.income import Income
from ..account.standing import Standing
from ..actions import MarkProven
from ..books.fold import Fold
from ..books.witness import Witness
from ..events import GapReason
from ..kinds import Purpose
from ..policy import Mode
from ..refusal import Refusal, RefusalKind
from ..reports import Account, AccountReport
from ..timers import Alarms, Timer
from ..turn import Turn
from .anteroom import Anteroom
from .denials import Denials
from .doubts import Doubts
from .gap import Gap
from .lapse import Lapse
from .memory import Memory
from .odd import OddRows
from .position_mode import PositionMode
from .reads import FOLLOW_UP, Asked, Reads
from .recovery import Finding, cover, examine
from .revisions import Revisions
from .scope import Scope, merge
from .vanishing import Answer, Vanishing


class Proof:
    """Takes the answers to reads, delivers what they show, and moves what is proven."""

    def __init__(
        self,
        turn: Turn,
        mode: Mode,
        cumulative_costs: bool,
        ground: Ground,
        standing: Standing,
        gap: Gap,
        anteroom: Anteroom,
        *,
        distrust: Callable[[], None],
        stop: Callable[[Refusal], None],
    ) -> None:
        self._turn = turn
        self._mode = mode
        self._overlap_ms = int(turn.policy.backfill_overlap * 1000)
        self._ground = ground
        self._standing = standing
        self._gap = gap
        self._anteroom = anteroom
        self._distrust, self._stop = distrust, stop
        self._income = Income(turn, standing.funding)
        self._fold = Fold()
        self._witness = Witness(turn, self._fold, self._disbelieve)
        self._denials = Denials(turn, ground, gap)
        self.doubts = Doubts(turn, self._wonder)
        self.position_mode = PositionMode(turn, self.doubts)
        self._revisions = Revisions(turn, ground, cumulative_costs)
        self._lapse = Lapse(turn, mode, self.doubt)
        self.reads = Reads(turn, ground, self._denials, self._lapse)
        self._odd = OddRows(turn, ground, self._lapse, gap)
        self._vanishing = Vanishing(ground, standing, self._witness)
        self._rotated_at = float("-inf")
        self.memory = Memory(turn, ground, self._income, self._fold, self._witness, self._revisions, self.reads, gap)
        self.ledger = self.memory.ledger
        self.timers: Alarms = {
            Timer.WITNESS: lambda _id, late: self._witness.overdue(late),
            Timer.DOUBT: lambda _id, _late: self.doubts.overdue(),
            Timer.READING: self._overdue,
            **self.reads.timers,
            **self._lapse.timers,
        }

    @property
    def polled(self) -> bool:
        """Whether the last read that passed is younger than two poll intervals."""
        return self._lapse.fresh

    # What a read says

    def read(self, request: int, account: Account) -> None:
        """A read was answered."""
        asked = self.reads.answered(request)
        if asked is None:
            return
        self._turn.set_exchange_time(account.exchange_ms)
        account = self._odd.mend(self._denials.shown_by_fills(account))
        alone = None
        if asked.account is not None:
            alone, account = account, merge(asked.account, account)
        if self._ground.began is None:
            self.memory.begin(account.as_of)
        shown_until = account.as_of - self._overlap_ms
        self._denials.note(account, shown_until, alone=alone is not None)
        unclear = self._odd.look(account)
        cautious, reaches = asked.purpose is Purpose.AUDIT, asked.is_reached_by(account)
        scope = Scope(account, alone, shown_until, cautious, reaches, self._odd.is_aside, self._turn.grain)
        findings, troubled = examine(scope, self._ground)
        if asked.account is None and (alone_too := {*troubled, *unclear, *self._revisions.unclear(scope)}):
            self.reads.ask_alone(asked, account, tuple(sorted(alone_too)))
            return
        answer = self._vanishing.judge(account, findings)
        if answer is None:
            self._turn.report("hollow answer", "no list of positions, where some are held")
            self._not_proven(asked, None, doubt=self._is_told_of_failures)
        else:
            unsaid = bool(account.unasked) and not account.unasked.isdisjoint(self._revisions.unclear(scope))
            self._settle(asked, scope, answer, findings, unsaid or not all(map(self._odd.excuses, troubled)))

    def refused(self, request: int, refusal: Refusal | None) -> None:
        """A read was refused, or, with None, never answered."""
        asked = self.reads.answered(request)
        if asked is None or (refusal is not None and self.reads.put_off(asked, refusal)):
            return
        never_passed = self._ground.proven_until is None
        fatal = refusal if refusal is not None and refusal.kind is RefusalKind.FATAL else None
        if fatal is not None and (never_passed or self._mode == "poll"):
            self._stop(fatal)
        else:
            self._not_proven(asked, refusal, doubt=self._is_told_of_failures)

    def pushed(self, report: AccountReport) -> None:
        """An account push came, which says what the fills must add up to."""
        if self._ground.complete:
            self._witness.pushed(report)

    def doubt(self) -> None:
        """What the read under way was to prove is not proven for now."""
        self._gap.trouble(GapReason.READ_FAILED, self.reads.window_start, proven_by=float("-inf"))

    @property
    def _is_told_of_failures(self) -> bool:
        """Whether one read that fails leaves something unproven that no link brings."""
        return self._anteroom.holding or self._ground.proven_until is None or self._mode == "poll"

    def _settle(self, asked: Asked, scope: Scope, answer: Answer, findings: list[Finding], troubled: bool) -> None:
        """Tell what the read shows, then what it proves."""
        ground, turn, account = self._ground, self._turn, answer.account
        if self._odd.any_left:
            account = msgspec.structs.replace(account, settled=False)
        found = cover(findings, ground, turn, scope.shown_until if self._mode == "poll" else math.inf)
        unseen = found.out_of_order or (asked.purpose is Purpose.AUDIT and bool(found.fills))
        missed = unseen and self._open_unseen(asked, found.latest_ts)
        self.position_mode.read(account)
        standing = self._standing.read(account, whole=answer.whole)
        found.deliver(ground, turn)
        if missed:
            self._distrust_link()
        recovered = len(found.fills)
        self._gap.recovered(recovered)
        self._income.read(account, ground.began)
        if troubled:
            self._not_proven(asked, None, doubt=True)
            return
        pending = self._odd.pending()
        if not ground.complete:
            ground.complete = self._odd.named or not pending
        until = max(scope.shown_until, ground.proven_until or ground.began or 0)
        if not pending:
            self._revisions.compare(scope, until)
            ground.settle_doubts(asked.asked_at - turn.policy.backfill_overlap, self._odd.aside)
            self._denials.passed(account, scope.shown_until)
        for ref in sorted({*ground.unfounded, *ground.stuck}):
            ground.resume(ground.orders[ref])
        self.reads.passed()
        self.doubts.read(asked.asked_at, recovered)
        if pending:
            self.ledger.settle(account, settled=False)
            self._set_aside(asked)
            return
        self.memory.settle(account, recovered, agreed=not (standing.overtaken or standing.disputed))
        if self.reads.linked or self._mode == "poll":
            self._gap.close(asked.asked_at, proven=scope.reaches)
        ground.prove(until)
        self._income.forget(until)
        turn.emit(MarkProven(until))
        self._release(asked)
        self.reads.follow(asked)
        if answer.doubted:
            self.reads.look_again(turn.policy.backfill_overlap + FOLLOW_UP)
        bare = ground.bare_at > asked.asked_at - turn.policy.backfill_overlap
        if standing.disputed or bare or not all(finding.sure for finding in findings):
            self.reads.look_soon()

    def _set_aside(self, asked: Asked) -> None:
        """Some rows cannot be read: what they are about is not proven, and everything else goes on."""
        self._gap.trouble(GapReason.HOLE, self.reads.window_start)
        self._release(asked)
        self.reads.follow(asked)
        self.reads.look_again(self._lapse.interval)

    def _open_unseen(self, asked: Asked, latest_ts: int | None) -> bool:
        """A read found fills that no frame had brought: open the gap that nobody saw; whether the link missed them."""
        linked_ts, since = self.reads.linked_ts, self._ground.proven_until
        late = linked_ts is not None and latest_ts is not None and latest_ts < linked_ts
        if late:
            self._gap.trouble(GapReason.LATE, since, proven_by=asked.asked_at)
        else:
            self._gap.trouble(GapReason.HOLE, since)
        return not late

    def _distrust_link(self) -> None:
        """The link that leads has missed fills."""
        turn = self._turn
        self._ground.doubt()
        if turn.now - self._rotated_at >= turn.policy.audit_interval:
            self._rotated_at = turn.now
            self._distrust()
        if self.reads.linked:
            self.reads.want(Purpose.SYNC)

    def _not_proven(self, asked: Asked, refusal: Refusal | None, *, doubt: bool) -> None:
        """A read failed or did not add up; with `doubt` that leaves a stretch unproven which no gap speaks of yet."""
        if doubt:
            self.doubt()
        self.reads.failed(asked, refusal)
        self._release(asked)

    def _release(self, asked: Asked) -> None:
        if self._anteroom.holding and asked.purpose is Purpose.SYNC:
            self._anteroom.release()

    def _overdue(self, request: int, _lateness: float) -> None:
        self.reads.overdue()
        self.refused(request, None)

    def _disbelieve(self) -> None:
        self._gap.trouble(GapReason.BALANCE, self._ground.proven_until)
        self._ground.doubt()
        self.reads.want(Purpose.SYNC)

    def _wonder(self, since: int | None, gap: bool) -> None:
        if gap:
            self._gap.trouble(GapReason.HOLE, since)
        self.reads.want(Purpose.SYNC)
