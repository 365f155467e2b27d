"""Nothing lost, nothing twice: what is told when, and what must wait.

After an interruption the order is: a link is proven and its frames are held; the account is read; what the read shows
is told; the gap closes; the held frames go through the same check as any other.
"""

from __future__ import annotations

from collections.abc import Callable

from ..account import narration
from ..account.ground import Ground
from ..account.standing import CONTRADICTED, FIRST, Standing
from ..account.unknowns import Unknowns, reason_of, shape_of
from ..book import Book
from ..dialect import Dialect
from ..events import GapReason
from ..excerpt import Excerpt
from ..frames import Frame
from ..inputs import Checkpoint
from ..kinds import Purpose
from ..policy import Mode
from ..refusal import Refusal
from ..reports import Account, ConfigReport, OrderReport, Unrecognised
from ..timers import Alarms, Timer
from ..turn import Turn
from .anteroom import Anteroom, Pushed
from .gap import Gap
from .proof import Proof


class Continuity:
    """Decides what becomes of each report: delivered, held, left to wait, or a reason to read the account.

    A read may show that the leading link has missed something, and ask for another by `distrust`; or that the stream
    cannot go on, and `stop` it for that reason.
    """

    def __init__(
        self,
        turn: Turn,
        dialect: Dialect,
        mode: Mode,
        *,
        distrust: Callable[[], None],
        stop: Callable[[Refusal], None],
    ) -> None:
        self._turn = turn
        self._mode = mode
        self._unknowns = Unknowns(turn)
        self._ground = Ground(turn, dialect.cumulative_costs, self._unknowns)
        self._standing = Standing(turn, grain=dialect.time_grain_ms, available=dialect.counts_available)
        self._gap = Gap(turn)
        self._anteroom = Anteroom(
            turn,
            {
                OrderReport: self._tell_order,
                Pushed: self._tell_account,
                ConfigReport: self._standing.configure,
                Unrecognised: self._tell_unknown,
                Excerpt: self._tell_unreadable,
            },
        )
        self.take = self._anteroom.take
        self._proof = Proof(
            turn,
            mode,
            dialect.cumulative_costs,
            self._ground,
            self._standing,
            self._gap,
            self._anteroom,
            distrust=distrust,
            stop=stop,
        )
        self._position_mode = self._proof.position_mode
        self.timers: Alarms = {
            Timer.HOLD: lambda _id, _late: self._give_up_holding(),
            Timer.COPIES: lambda _id, _late: self._anteroom.release_copies(),
            Timer.REORDER: lambda _id, _late: self._find_holes(),
            Timer.STUCK: lambda _id, _late: self._ground.let_go(),
            Timer.UNKNOWN: lambda _id, _late: self._unknowns.release(),
            **self._proof.timers,
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
        """Whether the last read that passed is young enough to show life where there is no link."""
        return self._proof.polled

    @property
    def books(self) -> tuple[Book, ...]:
        """The ledger: one book for each asset, unproven while a gap is open."""
        ledger = self._proof.ledger
        return tuple(ledger.book(asset, gap_open=self.gap_open) for asset in ledger.assets)

    # From the door

    def start(self, checkpoint: Checkpoint | None) -> None:
        """Begin, where the run before ended or from now on."""
        if checkpoint is not None:
            self._proof.memory.resume(checkpoint)
        if self._mode == "poll":
            self._proof.reads.poll()

    def stop(self) -> None:
        """Tell what is held and what waits, and want nothing more."""
        self._proof.reads.stop()
        self._anteroom.release()
        self._anteroom.release_copies(all_of_them=True)
        if self._ground.stuck or self._ground.unfounded:
            self._gap.trouble(GapReason.HOLE, self._turn.exchange_time())
            self._ground.let_go(all_of_it=True)
        self._unknowns.release(all_of_them=True)
        for name in self.timers:
            self._turn.timers.cancel((name, 0))

    def resync(self) -> None:
        """Somebody wants the account read now."""
        self._proof.reads.want(Purpose.SYNC, now=True)

    def read(self, request: int, account: Account) -> None:
        """A read was answered."""
        self._proof.read(request, account)

    def refused(self, request: int, refusal: Refusal) -> None:
        """A request was refused; if it is no read, nothing happens."""
        self._proof.refused(request, refusal)

    # From the upkeep of links

    def begin(self, exchange_ms: int | None) -> None:
        """The venue's clock, at the first key or a later one: what happens from the first one on is owed."""
        if exchange_ms is not None:
            self._turn.set_exchange_time(exchange_ms)
            if self._ground.began is None:
                self._proof.memory.begin(exchange_ms)
        self._proof.reads.await_link()

    def interrupted(self, reason: GapReason, heard_at: float, blind: bool) -> None:
        """Something may be missed since the last frame was heard and until `connected`; `blind`: no link is proven."""
        self._anteroom.release_copies(all_of_them=True)
        now = self._turn.exchange_time()
        since = None if now is None else now - int(max(0.0, self._turn.now - heard_at) * 1000)
        self._gap.trouble(reason, since, blind=blind)
        if self._anteroom.holding:
            self._anteroom.release()
        self._ground.doubt()
        self._proof.reads.link_lost()

    def connected(self) -> None:
        """A link is proven after an interruption, or for the first time."""
        self._gap.require_read()
        self._ground.doubt()
        self._anteroom.hold()
        self._proof.reads.link_proven()

    def handed_over(self) -> None:
        """A planned rotation is complete, nothing was missed; an audit will say whether that is so."""
        self._anteroom.release_copies(all_of_them=True)
        self._proof.reads.audit_soon()

    # What is told

    def doubt(self, what: str) -> None:
        """The venue has said something that leaves the account in doubt, though no frame of it was missed."""
        self._proof.doubts.doubt(what, None, gap=False)

    def _tell_order(self, report: OrderReport, frame: Frame) -> None:
        if (report.position_side is None) is not self._position_mode.sideless:
            self._position_mode.ordered(report)
        if self._ground.take(report, frame) and self._ground.complete:
            self._gap.trouble(GapReason.HOLE, report.exchange_ts)
            self._proof.reads.want(Purpose.SYNC)

    def _tell_account(self, pushed: Pushed, frame: Frame) -> None:
        report = pushed.report
        if report.one_way is not self._position_mode.nets:
            self._position_mode.pushed(report)
        heard = self._standing.push(report, frame, link=pushed.link, arrived_ts=pushed.arrived_ts)
        if heard is FIRST:
            self._proof.pushed(report)
        elif heard is CONTRADICTED:
            self._proof.reads.look_soon()

    def _tell_unknown(self, report: Unrecognised, frame: Frame) -> None:
        event = narration.unknown(report.exchange_ts, report.content, frame, report.place)
        if report.known:
            self._unknowns.tell(event)
            return
        shape = shape_of(report.content)
        self._unknowns.take(shape, event)
        if report.doubtful:
            self._ground.doubt(report.order)
            self._proof.doubts.doubt(shape, report.exchange_ts)

    def _tell_unreadable(self, found: Excerpt, _frame: Frame) -> None:
        shape = reason_of(found.why)
        self._unknowns.take(shape, narration.unreadable(found, self._turn.now))
        if found.doubtful:
            self._ground.doubt()
            self._proof.doubts.doubt(shape, self._turn.exchange_time())

    def _give_up_holding(self) -> None:
        self._proof.doubt()
        self._anteroom.release()

    def _find_holes(self) -> None:
        if self._ground.overdue():
            self._gap.trouble(GapReason.HOLE, self._turn.exchange_time())
            self._proof.reads.want(Purpose.SYNC)
            if not self._turn.timers.armed((Timer.STUCK, 0)):
                self._turn.arm((Timer.STUCK, 0), self._turn.policy.hold_limit)
