"""Nothing lost, nothing twice: decides when each report is delivered, and what must wait.

After an interruption the order is: a link is proven and its frames are held; the account is read; the read's events are
delivered; the gap closes; the held frames go through the same check as any other.
"""

from __future__ import annotations

from collections.abc import Callable

from ..account import translate
from ..account.orders import Orders
from ..account.unknowns import Unknowns, reason_of, shape_of
from ..account.view import CONTRADICTED, FIRST, AccountView
from ..book import Book
from ..context import Context
from ..dialect import Dialect
from ..events import GapReason
from ..excerpt import Excerpt
from ..frames import Frame
from ..inputs import Checkpoint
from ..kinds import Purpose
from ..policy import Mode
from ..refusal import Refusal
from ..reports import Account, ConfigReport, OrderReport, Unrecognised
from ..timers import OF_ACCOUNT, Timer
from .gap import Gap
from .holdback import HoldbackQueue, Pushed
from .reconciler import Reconciler


class Continuity:
    """Decides what becomes of each report: delivered, held, left to wait, or a reason to read the account.

    A read may show that the leading link has missed something, and ask for another by `distrust`; or that the stream
    cannot go on, and `stop` it for that reason.
    """

    def __init__(
        self,
        context: Context,
        dialect: Dialect,
        mode: Mode,
        *,
        distrust: Callable[[], None],
        stop: Callable[[Refusal], None],
    ) -> None:
        self._context = context
        self._mode = mode
        self._unknowns = Unknowns(context)
        self._orders = Orders(context, dialect.cumulative_costs, self._unknowns)
        self._view = AccountView(context, grain=dialect.time_grain_ms, available=dialect.counts_available)
        self._gap = Gap(context)
        self._holdback = HoldbackQueue(
            context,
            {
                OrderReport: self._deliver_order,
                Pushed: self._deliver_account,
                ConfigReport: self._view.configure,
                Unrecognised: self._deliver_unknown,
                Excerpt: self._deliver_unreadable,
            },
        )
        self.admit, self.keep = self._holdback.admit, self._holdback.keep
        self._reconciler = Reconciler(
            context,
            mode,
            dialect.cumulative_costs,
            self._orders,
            self._view,
            self._gap,
            self._holdback,
            distrust=distrust,
            stop=stop,
        )
        self._position_mode = self._reconciler.position_mode
        context.alarms |= {
            Timer.HOLD: lambda _id, _late: self._give_up_holding(),
            Timer.COPIES: lambda _id, _late: self._holdback.release_copies(),
            Timer.REORDER: lambda _id, _late: self._find_holes(),
            Timer.STUCK: lambda _id, _late: self._orders.flush(),
            Timer.UNKNOWN: lambda _id, _late: self._unknowns.release(),
        }

    @property
    def gap_open(self) -> bool:
        """True while a stretch is not proven."""
        return self._gap.is_open

    @property
    def began(self) -> int | None:
        """Exchange time, ms, from which on fills are due."""
        return self._orders.began

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, up to which everything has been delivered; None before the first read has passed."""
        return self._orders.proven_until

    @property
    def polled(self) -> bool:
        """True if the last read that passed is young enough to show life where there is no link."""
        return self._reconciler.polled

    @property
    def books(self) -> tuple[Book, ...]:
        """The ledger: one book for each asset, unproven while a gap is open."""
        ledger = self._reconciler.ledger
        return tuple(ledger.book(asset, gap_open=self.gap_open) for asset in ledger.assets)

    # From the door

    def start(self, checkpoint: Checkpoint | None) -> None:
        """Begin, where the run before ended or from now on."""
        if checkpoint is not None:
            self._reconciler.memory.resume(checkpoint)
        if self._mode == "poll":
            self._reconciler.schedule.poll()

    def stop(self) -> None:
        """Deliver what is held and what waits, and request nothing more."""
        self._reconciler.schedule.stop()
        self._holdback.release()
        self._holdback.release_copies(all_of_them=True)
        if self._orders.stuck or self._orders.without_base:
            self._gap.open(GapReason.HOLE, self._context.exchange_time())
            self._orders.flush(all_of_it=True)
        self._unknowns.release(all_of_them=True)
        for name in OF_ACCOUNT:
            self._context.timers.cancel((name, 0))

    def resync(self) -> None:
        """Somebody wants the account read now."""
        self._reconciler.schedule.request(Purpose.SYNC, now=True)

    def read(self, request: int, account: Account) -> None:
        """A read was answered."""
        self._reconciler.read(request, account)

    def refused(self, request: int, refusal: Refusal) -> None:
        """A request was refused; if it is no read, nothing happens."""
        self._reconciler.refused(request, refusal)

    # From the supervisor of links

    def begin(self, exchange_ms: int | None) -> None:
        """The venue's clock, at the first key or a later one: what happens from the first one on is due."""
        if exchange_ms is not None:
            self._context.set_exchange_time(exchange_ms)
            if self._orders.began is None:
                self._reconciler.memory.begin(exchange_ms)
        self._reconciler.schedule.await_link()

    def interrupted(self, reason: GapReason, heard_at: float, blind: bool) -> None:
        """Something may be missed since the last frame was heard and until `connected`; `blind`: no link is proven."""
        self._holdback.release_copies(all_of_them=True)
        now = self._context.exchange_time()
        since = None if now is None else now - int(max(0.0, self._context.now - heard_at) * 1000)
        self._gap.open(reason, since, blind=blind)
        if self._holdback.holding:
            self._holdback.release()
        self._orders.doubt()
        self._reconciler.schedule.link_lost()

    def connected(self) -> None:
        """A link is proven after an interruption, or for the first time."""
        self._gap.require_read()
        self._orders.doubt()
        self._holdback.hold()
        self._reconciler.schedule.link_proven()

    def handed_over(self) -> None:
        """A planned rotation is complete, nothing was missed; an audit will say whether that is so."""
        self._holdback.release_copies(all_of_them=True)
        self._reconciler.schedule.audit_soon()

    # Handlers of the holdback queue

    def doubt(self, what: str) -> None:
        """The venue has reported something that leaves the account in doubt, though no frame of it was missed."""
        self._reconciler.doubts.doubt(what, None, gap=False)

    def _deliver_order(self, report: OrderReport, frame: Frame) -> None:
        if (report.position_side is None) is not self._position_mode.sideless:
            self._position_mode.ordered(report)
        if self._orders.take(report, frame) and self._orders.complete:
            self._gap.open(GapReason.HOLE, report.exchange_ts)
            self._reconciler.schedule.request(Purpose.SYNC)

    def _deliver_account(self, pushed: Pushed, frame: Frame) -> None:
        report = pushed.report
        if report.one_way is not self._position_mode.nets:
            report = self._position_mode.pushed(report)
        outcome = self._view.push(report, frame, link=pushed.link, arrived_ts=pushed.arrived_ts)
        if outcome is FIRST:
            self._reconciler.pushed(report)
        elif outcome is CONTRADICTED:
            self._reconciler.schedule.look_soon()

    def _deliver_unknown(self, report: Unrecognised, frame: Frame) -> None:
        event = translate.unknown(report.exchange_ts, report.content, frame, report.place)
        if report.known:
            self._unknowns.deliver(event)
            return
        shape = shape_of(report.content)
        self._unknowns.take(shape, event)
        if report.doubtful:
            self._orders.doubt(report.order)
            self._reconciler.doubts.doubt(shape, report.exchange_ts)

    def _deliver_unreadable(self, found: Excerpt, _frame: Frame) -> None:
        shape = reason_of(found.why)
        self._unknowns.take(shape, translate.unreadable(found, self._context.now))
        if found.doubtful:
            self._orders.doubt()
            self._reconciler.doubts.doubt(shape, self._context.exchange_time())

    def _give_up_holding(self) -> None:
        self._reconciler.doubt()
        self._holdback.release()

    def _find_holes(self) -> None:
        if self._orders.overdue():
            self._gap.open(GapReason.HOLE, self._context.exchange_time())
            self._reconciler.schedule.request(Purpose.SYNC)
            if not self._context.timers.armed((Timer.STUCK, 0)):
                self._context.arm((Timer.STUCK, 0), self._context.policy.hold_limit)
