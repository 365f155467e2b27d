"""Our process: a real connection, the driver's rules, the real services over a fake network, a journal, a consumer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from listenkey.adapters.driver.backlog import Backlog
from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording.recorder import Recorder
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent
from listenkey.ports.errors import StreamStopped

from .agenda import Agenda
from .consumer import Consumer
from .disk import Disk
from .journal import Crash, Fate, WatchedJournal
from .network import Control, Network
from .services import Services
from .setup import Setup
from .sockets import Held, Sockets
from .venues import adapter_of, dialect_of
from .violation import Violation
from .watcher import Watcher


class Process:
    """A process from its start to its death or orderly end; `died` is called at its death."""

    def __init__(
        self,
        agenda: Agenda,
        network: Network,
        setup: Setup,
        watcher: Watcher,
        random: Random,
        *,
        number: int,
        fate: Fate,
        died: Callable[[], None],
        journal: SqliteJournal | None,
        recorder: Recorder | None = None,
    ) -> None:
        self.agenda = agenda
        self.number = number
        self.fate = fate
        self.over = False
        self.finished = False
        self.failed = False
        self._watcher = watcher
        self._random = random
        self._died = died
        self._recorder = recorder
        self._origin = random.uniform(0, 1e6) - agenda.now
        self._drift = 1.0 + setup.drift
        self._clock = float("-inf")
        self._stopped_until = float("-inf")
        self._queues: dict[object, deque[Callable[[], None]]] = {}
        self._ran_at = float("-inf")
        self._woken_at = float("inf")
        self.journal: WatchedJournal | None = None
        if journal is not None:
            disk = Disk(journal.path, random)
            stored = partial(watcher.stored, self)
            self.journal = WatchedJournal(journal, disk, fate, stored, cramped=setup.cramped)
        dialect, policy, seed = dialect_of(setup.venue), setup.policy, random.getrandbits(64)
        if recorder is not None:
            recorder.begin(dialect, policy, seed, setup.mode)
        self.connection = Connection(dialect, policy, seed=seed, mode=setup.mode)
        self.backlog = Backlog(setup.pending, self.journal)
        self.backlog.redeliver()
        self.consumer = Consumer(self, self.backlog, watcher, random)
        adapter = adapter_of(setup.venue, number=number, store=self.journal, page=setup.page)
        self._wires = Sockets(self, network, adapter.handshake, lingering=setup.lingering)
        self.services = Services(self, network, adapter, drift=self._drift, validity=setup.validity)

    @property
    def sockets(self) -> dict[int, Held]:
        """The sockets that are to be opened, open or being closed, by number."""
        return self._wires.held

    def monotonic(self) -> float:
        self._clock = max(self._clock, self._origin + self.agenda.now * self._drift)
        return self._clock

    # Life and death

    def start(self) -> None:
        """Start the connection."""
        self.gate(None, self._start)

    def _start(self) -> None:
        checkpoint = self.journal.resume() if self.journal is not None else None
        self.feed(inputs.Start(checkpoint))

    def gate(self, lane: object, what: Callable[[], None]) -> None:
        """Make a call now or, if the process is stopped, when it goes on; the calls of a lane keep their order."""
        if self.over:
            return
        if self._stopped_until > self.agenda.now:
            self._queues.setdefault(lane, deque()).append(what)
            return
        try:
            what()
        except Crash:
            self.die()
        except StreamStopped as error:
            self._stop_loudly(error)

    def soon(self, what: Callable[[], object]) -> None:
        """Do this after the current step."""

        def run() -> None:
            what()

        self.agenda.after(0.0, self.gate, self, run)

    def stand_still(self, seconds: float) -> None:
        """Stop the process for so many seconds, as SIGSTOP does."""
        self._stopped_until = max(self._stopped_until, self.agenda.now + seconds)
        self.agenda.at(self._stopped_until, self._go_on)

    @property
    def stands_still(self) -> bool:
        """True while the process is stopped."""
        return self._stopped_until > self.agenda.now

    def _go_on(self) -> None:
        if self.over or self.stands_still:
            return
        self._stopped_until = float("-inf")
        self._ran_at = self.agenda.now
        if self._random.random() < 0.5:
            self.gate(None, self._look)
        while self._queues:
            lane = self._random.choice(list(self._queues))
            queue = self._queues[lane]
            what = queue.popleft()
            if not queue:
                del self._queues[lane]
            self.gate(lane, what)
        self.gate(None, self._look)
        self.consumer.soon()

    def silent_for(self) -> float:
        """Seconds for which an open socket has brought nothing while this process was running."""
        now = self.agenda.now
        heard = [held.heard_at for held in self.sockets.values() if held.closing_at is None]
        since = [max(at, self._ran_at) for at in heard if at is not None]
        return 0.0 if self.over or self.failed or self._stopped_until > now or not since else now - min(since)

    def die(self) -> None:
        """Die as by `kill -9` or with the machine: only what is safe on the disk is left."""
        if self.over:
            return
        self._vanish()
        if self.journal is not None:
            self.journal.dies()
        self._died()

    def leave(self) -> None:
        """End in order."""
        if self.over:
            return
        self._vanish()
        if self.journal is not None:
            self.journal.close()

    def _vanish(self) -> None:
        self.over = True
        self._queues.clear()
        self._wires.vanish()

    def _stop_loudly(self, error: StreamStopped) -> None:
        """The journal cannot store: the consumer gets what is pending, then the error; later a new process starts."""
        if not self.fate.full():
            raise Violation("never-gives-up", str(error)) from error
        if not self.failed:
            self.failed = True
            self.backlog.end(error)
            self.consumer.soon()
            self.agenda.after(self._random.uniform(0.0, 3.0), self._left_for_good)

    def _left_for_good(self) -> None:
        if not self.over:
            self.leave()
            self._died()

    # The driver's rules

    def feed(self, received: inputs.Input) -> None:
        """Hand an input to the connection and carry out its actions."""
        if self.over or self.finished or self.failed:
            return
        self.fate.point()
        now = self.monotonic()
        try:
            ordered = self.connection.handle(received, now=now)
        except Exception as error:
            raise Violation("never-raises", f"{type(received).__name__}: {type(error).__name__}: {error}") from error
        if self._recorder is not None:
            self._recorder(now, received, ordered)
        self._watcher.handled(self, now, received, ordered)
        self.fate.point()
        self._perform(ordered)
        self._wake()
        if self.connection.finished:
            self.finished = True
            self.gate(None, self.consumer.go)

    def _perform(self, ordered: Sequence[actions.Action]) -> None:
        events: list[ExchangeEvent] = []
        began: int | None = None
        proven_until: int | None = None
        for action in ordered:
            match action:
                case actions.Deliver(event):
                    events.append(event)
                case actions.SendFrame(socket, data):
                    self._wires.say(socket, data)
                case actions.SendPing(socket):
                    self._wires.say(socket, Control.PING)
                case actions.MarkProven(until):
                    proven_until = until
                case actions.Begin(exchange_ms):
                    began = exchange_ms
                case actions.OpenSocket(socket, key):
                    self._wires.hold(socket, key)
                case actions.CloseSocket(socket):
                    self._wires.close(socket)
                case _:
                    self.services.perform(action)
        if self.journal is not None and began is not None:
            self.journal.begin(began)
        if events or proven_until is not None:
            self.backlog.put(events, proven_until)
            if self.journal is None:
                self._watcher.stored(self, events, proven_until)
            self.fate.point()
            self.consumer.soon()

    def _wake(self) -> None:
        at = (self.connection.deadline - self._origin) / self._drift
        if at < self._woken_at:
            self._woken_at = at
            self.agenda.at(at, self.gate, self, self._look)

    def _look(self) -> None:
        if self.agenda.now >= self._woken_at:
            self._woken_at = float("inf")
        deadline = self.connection.deadline
        if deadline <= self.monotonic() + 1e-6:
            self._clock = max(self._clock, deadline)
            self.feed(inputs.Tick())
        else:
            self._wake()
