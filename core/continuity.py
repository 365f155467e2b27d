"""Nothing lost, nothing twice: what is told when, what must wait, and what a read of the account proves.

After an interruption the order is: a link is proven and its frames are held; the account is read; what the read shows
is told; the gap closes; the held frames go through the same check as any other. Only a read moves `proven_until`, to
its own time less `backfill_overlap`, because a venue may show a fill that much late; a frame proves only itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from . import narration, recovery
from .actions import MarkProven
from .anteroom import Anteroom
from .dialect import Dialect
from .events import BalanceChange, Fill, FundingFee, GapReason, OrderState
from .fold import execution
from .gap import Gap
from .ground import Ground
from .income import Income
from .inputs import Checkpoint
from .ledger import Ledger
from .narration import Frame
from .reads import Asked, Purpose, Reads
from .refusal import Refusal, RefusalKind
from .reports import Account, AccountReport, ConfigReport, OrderReport, Unrecognised
from .standing import Standing
from .turn import Turn
from .witness import Witness

Mode = Literal["ws", "poll"]
WINDOW_OVERLAP_MS = 1000
"""Windows start this much before what is proven: BingX's list of fills knows only whole seconds."""
FOLLOW_UP = 1.0
"""An audit looks at an interruption or a rotation so long after the overlap has passed."""


class Keeper(Protocol):
    """What continuity may ask of whoever keeps the link."""

    def distrust(self) -> None:
        """The link that leads has missed something: move over to another."""

    def stop(self, refusal: Refusal | None = None) -> None:
        """End the stream."""


class Continuity:
    """Timers: "audit" and "poll" for reads, "stuck" for holes, and those of its parts."""

    def __init__(self, turn: Turn, dialect: Dialect, mode: Mode) -> None:
        self._turn = turn
        self._mode = mode
        self._ground = Ground(turn, dialect.cumulative_costs)
        self._standing = Standing(turn)
        self._income = Income(turn, self._standing)
        self._gap = Gap(turn)
        self._witness = Witness(turn, self._disbelieve)
        self.ledger = Ledger()
        turn.listen(Fill, self._remember)
        turn.listen(FundingFee, self.ledger.apply)
        turn.listen(BalanceChange, self.ledger.apply)
        self._reads = Reads(turn, self._window, self._ground.open_orders)
        self._linked = False
        self._anteroom = Anteroom(
            turn,
            {
                OrderReport: self._tell_order,
                AccountReport: self._tell_account,
                ConfigReport: self._standing.configure,
                Unrecognised: self._tell_unknown,
            },
        )
        self.take = self._anteroom.take
        self._read_at: float | None = None
        self._rotated_at = float("-inf")
        self._linked_ts: int | None = None
        self.keeper: Keeper | None = None
        self.timers: dict[str, Callable[[int, float], None]] = {
            "hold": lambda _id, _late: self._give_up_holding(),
            "copies": lambda _id, _late: self._anteroom.release_copies(),
            "reorder": lambda _id, _late: self._find_holes(),
            "witness": lambda _id, _late: self._witness.overdue(),
            "stuck": lambda _id, _late: self._ground.let_go(),
            "audit": lambda _id, _late: self._reads.want(Purpose.AUDIT),
            "poll": lambda _id, _late: self._poll(),
            "read": lambda _id, _late: self._reads.ask(),
            "reading": self._overdue,
        }

    @property
    def gap_open(self) -> bool:
        """Whether a stretch is not proven."""
        return self._gap.open

    @property
    def began(self) -> int | None:
        """Exchange time, ms, from which on fills are owed."""
        return self._ground.began

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, up to which everything has been delivered; None before the first read has passed."""
        return self._ground.proven_until

    @property
    def polled(self) -> bool:
        """Whether the last read that passed is younger than two poll intervals."""
        return self._read_at is not None and self._turn.now - self._read_at < 2 * self._turn.policy.poll_interval

    # From the door

    def start(self, checkpoint: Checkpoint | None) -> None:
        """Begin, where the run before ended or from now on."""
        if checkpoint is not None:
            self._resume(checkpoint)
        if self._mode == "poll":
            self._poll()

    def stop(self) -> None:
        """Tell what is held and what waits, and want nothing more."""
        self._reads.stop()
        self._anteroom.release()
        self._anteroom.release_copies(all_of_them=True)
        if self._ground.stuck or self._ground.unfounded:
            self._gap.trouble(GapReason.HOLE, self._turn.exchange_time())
            self._ground.let_go(all_of_it=True)
        for name in self.timers:
            self._turn.timers.cancel((name, 0))

    def resync(self) -> None:
        """Read the account now."""
        self._reads.want(Purpose.SYNC, now=True)

    def read(self, request: int, account: Account) -> None:
        """A read was answered."""
        asked = self._reads.answered(request)
        if asked is None:
            return
        self._turn.set_exchange_time(account.exchange_ms)
        alone = None
        if asked.account is not None:
            alone, account = account, recovery.merge(asked.account, account)
        if self._ground.began is None:
            self._begin(account.as_of)
        shown_until = account.as_of - self._overlap_ms
        cautious = asked.purpose is Purpose.AUDIT
        scope = recovery.Scope(account, alone, shown_until, cautious, asked.is_reached_by(account))
        findings, troubled = recovery.examine(scope, self._ground)
        if troubled and asked.account is None:
            self._reads.ask_alone(asked, account, troubled)
            return
        self._settle(asked, account, findings, bool(troubled))

    def refused(self, request: int, refusal: Refusal | None) -> None:
        """A read was refused, or, with None, never answered."""
        asked = self._reads.answered(request)
        if asked is None:
            return
        never_passed = self._ground.proven_until is None
        fatal = refusal is not None and refusal.kind is RefusalKind.FATAL
        if fatal and refusal is not None and self.keeper is not None and (never_passed or self._mode == "poll"):
            self.keeper.stop(refusal)
        else:
            self._not_proven(asked, refusal, doubt=self._anteroom.holding or never_passed or self._mode == "poll")

    # From the upkeep of links

    def begin(self, exchange_ms: int | None) -> None:
        """The venue's clock, at the first key or a later one: what happens from the first one on is owed."""
        if exchange_ms is not None:
            self._turn.set_exchange_time(exchange_ms)
            if self._ground.began is None:
                self._begin(exchange_ms)
        if not self._linked and not self._turn.timers.armed(("poll", 0)):
            self._turn.arm(("poll", 0), self._turn.policy.poll_interval)

    def interrupted(self, reason: GapReason, heard_at: float, blind: bool) -> None:
        """Something may be missed since the last frame was heard and until `connected`; `blind`: no link is proven."""
        self._linked = False
        self._turn.timers.cancel(("audit", 0))
        self._anteroom.release_copies(all_of_them=True)
        now = self._turn.exchange_time()
        since = None if now is None else now - int(max(0.0, self._turn.now - heard_at) * 1000)
        self._gap.trouble(reason, since, blind=blind)
        if self._anteroom.holding:
            self._anteroom.release()
        self._turn.arm(("poll", 0), self._turn.policy.poll_interval)

    def connected(self) -> None:
        """A link is proven after an interruption, or for the first time."""
        self._linked = True
        self._linked_ts = self._turn.exchange_time()
        self._gap.require_read()
        self._turn.timers.cancel(("poll", 0))
        self._anteroom.hold()
        self._reads.want(Purpose.SYNC, now=True)

    def handed_over(self) -> None:
        """A planned rotation is complete, nothing was missed; an audit will say whether that is so."""
        self._anteroom.release_copies(all_of_them=True)
        self._audit_soon()

    # What is told

    def _remember(self, fill: Fill) -> None:
        remembered = execution(fill)
        self._witness.told(remembered)
        self.ledger.estimate(remembered)

    def _tell_order(self, report: OrderReport, frame: Frame) -> None:
        if self._ground.take(report, frame) and self._ground.complete:
            self._gap.trouble(GapReason.HOLE, report.exchange_ts)
            self._reads.want(Purpose.SYNC)

    def _tell_account(self, report: AccountReport, frame: Frame) -> None:
        if self._standing.push(report, frame) and self._ground.complete:
            self._witness.pushed(report)

    def _tell_unknown(self, report: Unrecognised, frame: Frame) -> None:
        self._turn.deliver(narration.unknown(report.exchange_ts, report.content, frame))
        if report.doubtful:
            self._gap.trouble(GapReason.HOLE, report.exchange_ts)
            self._reads.want(Purpose.SYNC)

    def _give_up_holding(self) -> None:
        self._doubt()
        self._anteroom.release()

    def _find_holes(self) -> None:
        if self._ground.overdue():
            self._gap.trouble(GapReason.HOLE, self._turn.exchange_time())
            self._reads.want(Purpose.SYNC)
            if not self._turn.timers.armed(("stuck", 0)):
                self._turn.arm(("stuck", 0), self._turn.policy.hold_limit)

    def _disbelieve(self) -> None:
        self._gap.trouble(GapReason.BALANCE, self._ground.proven_until)
        self._reads.want(Purpose.SYNC)

    # What is read

    @property
    def _overlap_ms(self) -> int:
        return int(self._turn.policy.backfill_overlap * 1000)

    @property
    def _window_start(self) -> int | None:
        return self._ground.proven_until if self._ground.proven_until is not None else self._ground.began

    def _window(self) -> int | None:
        return None if self._window_start is None else self._window_start - WINDOW_OVERLAP_MS

    def _poll(self) -> None:
        self._turn.arm(("poll", 0), self._turn.policy.poll_interval)
        self._reads.want(Purpose.POLL)

    def _audit_soon(self) -> None:
        policy = self._turn.policy
        if policy.audit_interval > 0:
            self._turn.arm(("audit", 0), min(policy.audit_interval, policy.backfill_overlap + FOLLOW_UP))

    def _settle(self, asked: Asked, account: Account, findings: list[recovery.Finding], troubled: bool) -> None:
        """Tell what the read shows, then what it proves."""
        ground, turn = self._ground, self._turn
        mark = len(turn.actions)
        self._standing.read(account)
        told = recovery.tell(findings, ground, turn)
        if told.out_of_order or (asked.purpose is Purpose.AUDIT and told.recovered):
            self._explain(asked, told, mark)
        self._gap.recovered(told.recovered)
        self._income.read(account, ground.began)
        if troubled:
            self._not_proven(asked, None, doubt=True)
            return
        ground.complete = True
        for ref in sorted({*ground.unfounded, *ground.stuck}):
            ground.resume(ground.orders[ref])
        self._reads.passed()
        self._read_at = turn.now
        settled = account.settled and ground.has_told(account) and not self._witness.is_unsure_of(account)
        self._witness.read(account, told.recovered, settled)
        self.ledger.settle(account, settled)
        if self._linked or self._mode == "poll":
            self._gap.close(asked.asked_at, proven=asked.is_reached_by(account))
        until = max(account.as_of - self._overlap_ms, ground.proven_until or ground.began or 0)
        ground.prove(until)
        self._income.forget(until)
        turn.emit(MarkProven(until))
        if self._anteroom.holding and asked.purpose is Purpose.SYNC:
            self._anteroom.release()
        if self._linked:
            if asked.purpose is Purpose.SYNC:
                self._audit_soon()
            elif turn.policy.audit_interval > 0:
                turn.arm(("audit", 0), turn.policy.audit_interval)
        self._reads.ask()

    def _explain(self, asked: Asked, told: recovery.Told, mark: int) -> None:
        """An audit found fills that no frame had brought: a gap that nobody saw is opened before they are told."""
        turn = self._turn
        late = self._linked_ts is not None and told.latest_ts is not None and told.latest_ts < self._linked_ts
        tail = turn.actions[mark:]
        del turn.actions[mark:]
        if late:
            self._gap.trouble(GapReason.LATE, self._ground.proven_until, proven_by=asked.asked_at)
        else:
            self._gap.trouble(GapReason.HOLE, self._ground.proven_until)
        turn.actions.extend(tail)
        if late:
            return
        if self.keeper is not None and turn.now - self._rotated_at >= turn.policy.audit_interval:
            self._rotated_at = turn.now
            self.keeper.distrust()
        if self._linked:
            self._reads.want(Purpose.SYNC)

    def _not_proven(self, asked: Asked, refusal: Refusal | None, *, doubt: bool) -> None:
        """A read failed or did not add up; with `doubt` that leaves a stretch unproven which no gap speaks of yet."""
        if doubt:
            self._doubt()
        self._reads.failed(asked, refusal)
        if self._anteroom.holding and asked.purpose is Purpose.SYNC:
            self._anteroom.release()

    def _overdue(self, request: int, _lateness: float) -> None:
        self._reads.overdue()
        self.refused(request, None)

    def _doubt(self) -> None:
        self._gap.trouble(GapReason.READ_FAILED, self._window_start, proven_by=float("-inf"))

    def _begin(self, exchange_ms: int) -> None:
        self._ground.began = exchange_ms
        self.ledger.begin(exchange_ms)

    def _resume(self, checkpoint: Checkpoint) -> None:
        ground = self._ground
        ground.began = checkpoint.began
        books_from = checkpoint.began if checkpoint.proven_until is None else checkpoint.proven_until
        self.ledger.begin(books_from)
        for event in checkpoint.events:
            if (event.exchange_ts or 0) >= books_from // 1000 * 1000:
                self.ledger.apply(event)
            if isinstance(event, OrderState):
                ground.recall(event)
            elif isinstance(event, (FundingFee, BalanceChange)):
                self._income.recall(event)
        if checkpoint.proven_until is not None:
            ground.complete = True
            ground.proven_until = checkpoint.proven_until
        self._gap.trouble(GapReason.START, self._window_start)
