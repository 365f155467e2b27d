"""What a read of the account proves.

Only a read moves `proven_until`, to its own time less `backfill_overlap`, because a venue may show a fill that much
late; a frame proves only itself. What a read shows is told first; then the gap closes, and the books are settled.
"""

from __future__ import annotations

import math

import msgspec

from ..account.ground import Ground
from ..account.income import Income
from ..account.standing import Standing
from ..actions import Begin, MarkProven
from ..books.fold import Fold
from ..books.ledger import Ledger
from ..books.witness import Witness
from ..events import BalanceChange, ExchangeEvent, Fill, FillRevised, FundingFee, GapReason, OrderState
from ..execution import Execution, execution
from ..grain import floor
from ..inputs import Checkpoint
from ..policy import Mode
from ..refusal import Refusal, RefusalKind
from ..reports import Account, AccountReport
from ..timers import Alarms, Timer
from ..turn import Turn
from . import recovery
from .anteroom import Anteroom
from .denials import Denials
from .doubts import Doubts
from .gap import Gap
from .keeper import Keeper
from .lapse import Lapse
from .odd import OddRows
from .position_mode import PositionMode
from .reads import FOLLOW_UP, Asked, Purpose, Reads
from .revisions import Revisions
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
        keeper: Keeper,
    ) -> None:
        self._turn = turn
        self._mode = mode
        self._overlap_ms = int(turn.policy.backfill_overlap * 1000)
        self._ground = ground
        self._standing = standing
        self._gap = gap
        self._anteroom = anteroom
        self._keeper = keeper
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
        self._fresh_until = float("-inf")
        self._rotated_at = float("-inf")
        self.ledger = Ledger(turn.grain)
        ground.remember = self._remember
        turn.listen(FillRevised, self.ledger.apply)
        turn.listen(FundingFee, self.ledger.apply)
        turn.listen(BalanceChange, self.ledger.apply)
        self.timers: Alarms = {
            Timer.WITNESS: lambda _id, _late: self._witness.overdue(),
            Timer.DOUBT: lambda _id, _late: self.doubts.overdue(),
            Timer.READING: self._overdue,
            Timer.STALE: lambda _id, _late: None,  # health is judged after every timer
            **self.reads.timers,
            **self._lapse.timers,
        }

    @property
    def polled(self) -> bool:
        """Whether the last read that passed is younger than two poll intervals."""
        return self._turn.now < self._fresh_until

    # Where it begins

    def begin(self, exchange_ms: int) -> None:
        """What happens from this exchange time on is owed."""
        self._ground.began = exchange_ms
        self.ledger.begin(exchange_ms)
        self._turn.emit(Begin(exchange_ms))

    def resume(self, checkpoint: Checkpoint) -> None:
        """What the run before proved, and what it told since."""
        ground = self._ground
        ground.began = checkpoint.began
        books_from = checkpoint.began if checkpoint.proven_until is None else checkpoint.proven_until
        self.ledger.begin(books_from)
        for event in checkpoint.events:
            self._recall(event, floor(books_from, self._turn.grain))
        if checkpoint.proven_until is not None:
            ground.complete = True
            ground.proven_until = checkpoint.proven_until
        self._gap.trouble(GapReason.START, self.reads.window_start)

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
            alone, account = account, recovery.merge(asked.account, account)
        if self._ground.began is None:
            self.begin(account.as_of)
        shown_until = account.as_of - self._overlap_ms
        self._denials.note(account, shown_until, alone=alone is not None)
        unclear = self._odd.look(account)
        cautious = asked.purpose is Purpose.AUDIT
        reaches, aside = asked.is_reached_by(account), self._odd.is_aside
        scope = recovery.Scope(account, alone, shown_until, cautious, reaches, aside, self._turn.grain)
        findings, troubled = recovery.examine(scope, self._ground)
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
        if asked is None:
            return
        never_passed = self._ground.proven_until is None
        fatal = refusal if refusal is not None and refusal.kind is RefusalKind.FATAL else None
        if fatal is not None and (never_passed or self._mode == "poll"):
            self._keeper.stop(fatal)
        else:
            self._not_proven(asked, refusal, doubt=self._is_told_of_failures)

    def pushed(self, report: AccountReport) -> None:
        """An account push came, which says what the fills must add up to."""
        if self._ground.complete:
            self._witness.pushed(report)

    def doubt(self) -> None:
        """What the read under way was to prove is not proven for now."""
        self._gap.trouble(GapReason.READ_FAILED, self.reads.window_start, proven_by=float("-inf"))

    # How

    @property
    def _is_told_of_failures(self) -> bool:
        """Whether one read that fails leaves something unproven that no link brings."""
        return self._anteroom.holding or self._ground.proven_until is None or self._mode == "poll"

    def _settle(
        self, asked: Asked, scope: recovery.Scope, answer: Answer, findings: list[recovery.Finding], troubled: bool
    ) -> None:
        """Tell what the read shows, then what it proves."""
        ground, turn, account = self._ground, self._turn, answer.account
        mark = len(turn.actions)
        if self._odd.any_left:
            account = msgspec.structs.replace(account, settled=False)
        self.position_mode.read(account)
        standing = self._standing.read(account, whole=answer.whole)
        sure_until = scope.shown_until if self._mode == "poll" else math.inf
        told = recovery.tell(findings, ground, turn, sure_until)
        if told.out_of_order or (asked.purpose is Purpose.AUDIT and told.recovered):
            self._explain(asked, told, mark)
        self._gap.recovered(told.recovered)
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
        if self._mode == "poll":
            self._fresh_until = turn.now + 2 * turn.policy.poll_interval
            turn.timers.arm((Timer.STALE, 0), self._fresh_until)
        self.doubts.read(asked.asked_at, told.recovered)
        if pending:
            self.ledger.settle(account, settled=False)
            self._set_aside(asked)
            return
        settled = (
            account.settled
            and not (standing.overtaken or standing.disputed)
            and ground.has_told(account)
            and not self._witness.is_unsure_of(account)
        )
        self._witness.read(account, told.recovered, settled)
        self.ledger.settle(account, settled)
        if self.reads.linked or self._mode == "poll":
            self._gap.close(asked.asked_at, proven=scope.reaches)
        ground.prove(until)
        self._income.forget(until)
        turn.emit(MarkProven(until))
        if self._anteroom.holding and asked.purpose is Purpose.SYNC:
            self._anteroom.release()
        self.reads.follow(asked)
        if answer.doubted:
            self.reads.look_again(turn.policy.backfill_overlap + FOLLOW_UP)
        bare = ground.bare_at > asked.asked_at - turn.policy.backfill_overlap
        if standing.disputed or bare or not all(finding.sure for finding in findings):
            self.reads.look_soon()

    def _set_aside(self, asked: Asked) -> None:
        """Some rows cannot be read: what they are about is not proven, and everything else goes on."""
        self._gap.trouble(GapReason.HOLE, self.reads.window_start)
        if self._anteroom.holding and asked.purpose is Purpose.SYNC:
            self._anteroom.release()
        self.reads.follow(asked)
        self.reads.look_again(self._lapse.interval)

    def _explain(self, asked: Asked, told: recovery.Told, mark: int) -> None:
        """An audit found fills that no frame had brought: a gap that nobody saw is opened before they are told."""
        turn = self._turn
        late = self.reads.linked_ts is not None and told.latest_ts is not None and told.latest_ts < self.reads.linked_ts
        tail = turn.actions[mark:]
        del turn.actions[mark:]
        if late:
            self._gap.trouble(GapReason.LATE, self._ground.proven_until, proven_by=asked.asked_at)
        else:
            self._gap.trouble(GapReason.HOLE, self._ground.proven_until)
            self._ground.doubt()
        turn.actions.extend(tail)
        if late:
            return
        if turn.now - self._rotated_at >= turn.policy.audit_interval:
            self._rotated_at = turn.now
            self._keeper.distrust()
        if self.reads.linked:
            self.reads.want(Purpose.SYNC)

    def _not_proven(self, asked: Asked, refusal: Refusal | None, *, doubt: bool) -> None:
        """A read failed or did not add up; with `doubt` that leaves a stretch unproven which no gap speaks of yet."""
        if doubt:
            self.doubt()
        self.reads.failed(asked, refusal)
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

    def _remember(self, fill: Execution) -> None:
        """A fill was delivered: what it moved is folded, checked by the witness and booked."""
        if fill.fee is None and self._ground.bare_at == self._turn.now:
            self.reads.look_soon()
        self._fold.apply(fill)
        if self._witness.waits:
            self._witness.check()
        self._revisions.told(fill)
        self.ledger.estimate(fill)

    def _recall(self, event: ExchangeEvent, books_from: int) -> None:
        if (event.exchange_ts or 0) >= books_from:
            if isinstance(event, Fill):
                fill = execution(event)
                self._revisions.told(fill)
                self.ledger.estimate(fill)
            else:
                self.ledger.apply(event)
        if isinstance(event, FillRevised):
            self._revisions.recall(event)
        elif isinstance(event, OrderState):
            self._ground.recall(event)
        elif isinstance(event, (FundingFee, BalanceChange)):
            self._income.recall(event)
