"""Watches a life from the outside and knows the truth: raises a `Violation` at the first promise that is not kept."""

from __future__ import annotations

from collections.abc import Sequence

from listenkey.adapters.journal import Summary
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import (
    AccountUpdate,
    ExchangeEvent,
    Fill,
    FillRevised,
    GapNotice,
    GapReason,
    Health,
    HealthChange,
    OrderState,
)
from listenkey.core.inflate import NotInflatable, Oversized, inflate
from listenkey.core.reports import AccountReport, ConfigReport, OrderReport

from .agenda import Agenda
from .attempts import REQUEST_TIMEOUT, Attempts, Denied
from .deliveries import Deliveries
from .exchange import Market
from .heard import Heard
from .polls import Polls
from .process import Process
from .setup import EPOCH, Setup
from .truth import Truth
from .venues import USDM, dialect_of
from .violation import Violation

HOLD = 2.99
HIDDEN = 10.0
"""Seconds after lists have been behind: a read that began before takes as long."""
CLOCK = 2500
"""Tolerance, ms: the exchange's clock may be off by a second, and we asked for it some time ago."""
_WS_KINDS = (OrderState, AccountUpdate)
_PROOFS = (inputs.FrameReceived, inputs.Heard, inputs.KeyRenewed)


class Judge:
    """Judges one stream over all processes that carry it; without a journal each process begins a new stream."""

    def __init__(self, agenda: Agenda, market: Market, truth: Truth, setup: Setup) -> None:
        self._agenda = agenda
        self._setup = setup
        self._unexact = setup.grain if setup.grain > 1 else 0
        self._polls = Polls(self, agenda, 2 * setup.policy.poll_interval) if setup.mode == "poll" else None
        self._market = market
        self._keeps = setup.venue == USDM
        self._decode = dialect_of(setup.venue).decode
        self.truth = truth
        self.began: int | None = None
        self.gap_open = False
        self.health = Health.BLIND
        self.gaps: list[tuple[float, GapReason]] = []
        self.blind_since = 0.0
        self.blind_times: list[float] = []
        self.healed_at: list[float] = []
        self.latencies: list[float] = []
        self.delivered = 0
        self.digest: list[str] = []
        self._forgot_at = 0
        self._proven_at = float("-inf")
        self.new_stream()
        self.new_process()

    def new_stream(self) -> None:
        """Begin a new stream: nothing of the one before is remembered."""
        self.truth.new_stream()
        self.began = None
        self.deliveries = Deliveries()
        self.denied = Denied()

    def new_process(self) -> None:
        """A process has ended, and another begins."""
        self.gap_open = False
        self.truth.money.new_process()
        self.deliveries.new_process()
        self.attempts = Attempts()
        self._heard = Heard(self._market.odd, self.truth.is_delivered)
        self._reads: dict[int, float] = {}
        self._whole_asked = self._agenda.now
        self._under_way = False
        self._connected = False
        self._proven_at = float("inf") if self._polls is None else float("-inf")
        self._holding: tuple[float, float] | None = None
        self._kept_since: float | None = None
        """When the first frame with news of the account came on a link that is not proven; it is held from then on."""
        self.moved_at = self._agenda.now
        if self.health is not Health.BLIND:
            self.blind_since = self._agenda.now
        self.health = Health.BLIND

    # What the core does

    def handled(self, process: Process, now: float, received: inputs.Input, ordered: list[actions.Action]) -> None:
        """One step of the process is done: judge it."""
        connection = process.connection
        if not connection.deadline > now:
            raise Violation("deadline-ahead", f"deadline {connection.deadline} at {now} after {received!r:.200}")
        if self.began is None and connection.began is not None:
            self.began = connection.began
            self.truth.owed_from(self.began)
        was_proven_at = self._proven_at
        closed: set[int] = set()
        self._note(process, received)
        for action in ordered:
            match action:
                case actions.CreateKey() | actions.RenewKey() if self._polls is not None:
                    raise Violation("reads-only", f"{action!r:.60}")
                case actions.CreateKey(request):
                    self.attempts.minted(request, self._agenda.now)
                case actions.CloseSocket(socket):
                    closed.add(socket)
                case actions.OpenSocket():
                    used = {socket for socket, held in process.sockets.items() if held.closing_at is None}
                    if len(used - closed) >= 2:
                        raise Violation("two-sockets", "a third is opened")
                case actions.DeleteKey() if not connection.policy.delete_keys:
                    raise Violation("shared-key-kept", "the account's key is to be deleted")
                case actions.DeleteKey(_, key):
                    self._deleted(process, key, received, ordered)
                case actions.ReadAccount(request, since, orders):
                    if since is not None or not orders:
                        self._whole_asked = self._agenda.now
                        if self._holding is not None and self._holding[1] < 0:
                            self._holding = (self._holding[0], float(request))
                    self._under_way = True
                    self._reads[request] = self._whole_asked
                case actions.Deliver(event):
                    if isinstance(event, GapNotice) and event.kind == "GAP_CLOSED":
                        self._closed(received, was_proven_at)
                    if isinstance(event, GapNotice) and event.kind == "GAP_OPENED":
                        self._opened(process, event)
                    if event.source == "ws" and isinstance(event, _WS_KINDS) and self._is_held(event):
                        raise Violation("read-before-frames", f"{event.event_id} from the socket before the read")
                case actions.Finish(error):
                    if error is not None:
                        raise Violation("never-gives-up", f"{error}")
        if self._polls is not None:
            self._polls.handled(process, received, ordered)
        self._heard.handled(process, self._agenda.now, received, ordered, unsure=self.gap_open)
        if isinstance(received, inputs.AccountRead) and not self.gap_open and not self._hides():
            self.truth.money.check_drift(connection)
        if isinstance(received, inputs.KeyGranted):
            kept = not connection.policy.delete_keys or connection._supervisor._keyring.get(received.key) is not None
            if not kept and not any(isinstance(each, actions.DeleteKey) for each in ordered):
                raise Violation("no-key-left", "a key that is not used was not deleted")

    def _hides(self) -> bool:
        """True if what has moved a wallet may be in no list yet, neither of fills nor of income."""
        lags = (fault for fault in self._setup.faults if fault.kind == "lag" and fault.variant == "fills+income")
        return any(fault.at <= self._agenda.now <= fault.at + fault.seconds + HIDDEN for fault in lags)

    def _is_held(self, event: ExchangeEvent) -> bool:
        """True if the event should wait for the read; those from before the interruption wait for other reasons."""
        since = self._holding[0] if self._holding is not None else None if self._connected else self._kept_since
        if since is None or event.exchange_ts is None or self._agenda.now >= since + HOLD:
            return False
        return event.exchange_ts >= EPOCH + since * 1000

    def _note(self, process: Process, received: inputs.Input) -> None:
        connection, now = process.connection, self._agenda.now
        connected = connection.state.value in ("CONNECTED", "ROTATING")
        if isinstance(received, (inputs.KeyGranted, inputs.Refused)):
            self.attempts.answered(received.request)
        if isinstance(received, (inputs.Refused, inputs.AccountRead)) and received.request in self._reads:
            self._under_way = False
        if isinstance(received, (inputs.Refused, inputs.AccountRead)):
            self._holding = None
        if (
            self._keeps
            and isinstance(received, inputs.FrameReceived)
            and _waits(connection, received.socket)
            and self._is_news(received.data)
            and (self._kept_since is None or now >= self._kept_since + HOLD)
        ):
            self._kept_since = now
        if connected and not self._connected:
            self._proven_at = now
            since = now if self._kept_since is None else self._kept_since
            self._holding = (since, -1.0) if isinstance(received, _PROOFS) else None
            self._kept_since = None
        if connection.state.value != "CONNECTED" or (self._holding and now >= self._holding[0] + HOLD):
            self._holding = None
        self._connected = connected
        if connection.state.value == "IDLE":
            self._kept_since = None
        for link in connection.links[:1]:
            if link.proven and link.distrusted:
                self._holding = None

    def _is_news(self, data: bytes | bytearray | memoryview | str) -> bool:
        """True if a frame has something that waits for the proof of its link."""
        try:
            text = data if isinstance(data, str) else inflate(bytes(data), self._setup.policy.max_frame_bytes)
        except (NotInflatable, Oversized):
            return False
        return any(isinstance(report, (OrderReport, AccountReport, ConfigReport)) for report in self._decode(text))

    def _deleted(self, process: Process, key: str, received: inputs.Input, ordered: Sequence[actions.Action]) -> None:
        for held in process.sockets.values():
            if held.key == key:
                if held.closing_at is None:
                    raise Violation("live-key-kept", "the key of an open socket is deleted")
                if self._agenda.now < held.closing_at + REQUEST_TIMEOUT - 0.1:
                    raise Violation("live-key-kept", "a key is deleted before its socket is known to be closed")

    def _opened(self, process: Process, event: GapNotice) -> None:
        if self._polls is not None:  # a read asked for before the gap may not close it
            self._proven_at = self._agenda.now
        if event.reason is GapReason.KEY_GONE and self._market.lives(held.key for held in process.sockets.values()):
            raise Violation("key-gone-is-true", "the venue still knows every key")
        if event.reason is GapReason.KEY_GONE and event.since is not None:
            died = self._market.died(held.key for held in process.sockets.values())
            if died is not None and event.since > died + CLOCK:
                raise Violation("gap-said", f"the key died at {died}, and the gap begins at {event.since}")

    def _closed(self, received: inputs.Input, was_proven_at: float) -> None:
        if isinstance(received, inputs.AccountRead):
            asked = self._reads.get(received.request, float("-inf"))
            if asked < max(was_proven_at, self._proven_at) - 1e-9:
                raise Violation(
                    "gap-closed-by-read", f"read asked at {asked:.3f}, link proven at {self._proven_at:.3f}"
                )
        else:
            raise Violation("gap-closed-by-read", f"closed by {type(received).__name__}")

    # What becomes of the events

    def stored(self, process: Process, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """Events are stored: the consumer must get them from now on."""
        now = self._agenda.now
        whole = self.whole
        for event in events:
            self.truth.money.deliver(event)
            self.deliveries.events.append((event, process.number))
            self.digest.append(event.event_id)
            if isinstance(event, Fill):
                self.truth.filled(event, self.gap_open)
                self.delivered += 1
            elif isinstance(event, FillRevised):
                self.truth.amounts.revised(event)
            elif isinstance(event, OrderState):
                self.truth.shown(event, self.gap_open)
            elif isinstance(event, AccountUpdate):
                self.truth.money.account(event)
            elif isinstance(event, GapNotice):
                self._gap(event, now)
            elif isinstance(event, HealthChange):
                self._health(event.health, now)
        if self.whole and not whole:
            self.healed_at.append(now)
        if proven_until is not None:
            self.moved_at = now
        self.deliveries.committed(proven_until)
        if proven_until is not None:
            self.truth.proven(proven_until - self._unexact)

    def _gap(self, event: GapNotice, now: float) -> None:
        if event.kind == "GAP_OPENED":
            self.gap_open = True
            self.gaps.append((now, event.reason))
        elif event.kind == "GAP_CLOSED":
            self.gap_open = False
            if not event.proven:
                self.truth.unproven()

    def _health(self, health: Health, now: float) -> None:
        if self.health is Health.BLIND and health is not Health.BLIND:
            self.blind_times.append(now - self.blind_since)
        if health is Health.BLIND and self.health is not Health.BLIND:
            self.blind_since = now
        self.health = health

    def consumed(self, process: Process, event: ExchangeEvent) -> None:
        """The consumer has an event: in the stored order, and flagged if an earlier process stored it."""
        if self.deliveries.took(event, process.number) and isinstance(event, Fill):
            self.truth.consumed(event)
            if event.exchange_ts is not None and event.exchange_ts > self._forgot_at:
                self.latencies.append(self._agenda.now - (event.exchange_ts - EPOCH) / 1000)

    def marked(self, process: Process) -> None:
        """The consumer has dealt with its last event."""
        self.deliveries.marked()

    def survived(self, process: Process, found: Summary, *, may_forget: bool) -> None:
        """A process has ended, and `found` is its journal. The batch in flight may be in it, but only as a whole."""
        journal, deliveries = process.journal, self.deliveries
        assert journal is not None
        if found.began is None:
            if journal.begun and not may_forget:
                raise Violation("stored-whole", "the journal has lost its beginning")
            self.new_stream()
            self.deliveries = deliveries  # a gap may be stored before the stream begins
        if journal.in_flight is not None and deliveries.was_committed(found, journal.in_flight):
            self.stored(process, *journal.in_flight)
        if deliveries.survived(found, may_forget=may_forget) and found.began is not None:
            self.denied = Denied()
            self._forgot_at = self._market.ms  # older fills may have been consumed before the loss
            events = [event for event, _ in deliveries.events]
            proven = None if deliveries.proven < 0 else deliveries.proven - self._unexact
            self.truth.forget(events, events[: deliveries.consumed], proven)

    @property
    def asked_at(self) -> float:
        """When the last whole read was asked for; the present time while one is under way."""
        return self._agenda.now if self._under_way else self._whole_asked

    @property
    def whole(self) -> bool:
        """True if the stream is `LIVE` and no gap is open."""
        return self.health is Health.LIVE and not self.gap_open


def _waits(connection: Connection, socket: int) -> bool:
    """True if frames of this socket's link wait for its proof, since no link that is trusted brings the same."""
    links = connection.links
    trusted = any(link.proven and not link.distrusted for link in links)
    return not trusted and any(link.socket == socket and not link.proven for link in links)
