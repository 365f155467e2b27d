"""Our process: a real connection, the driver's rules, the real services over a fake network, a journal, a consumer."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Protocol

import pytest

from listenkey.adapters import backlog as backlog_module
from listenkey.adapters.backlog import Backlog
from listenkey.adapters.bingx import reader as reader_module
from listenkey.adapters.bingx import singles as singles_module
from listenkey.adapters.bingx.keys import Keys
from listenkey.adapters.bingx.opener import Opener
from listenkey.adapters.bingx.pace import RATES, Pace
from listenkey.adapters.bingx.reader import Reader
from listenkey.adapters.bingx.rest import Rest
from listenkey.adapters.bingx.swap import SwapDialect
from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording import Recorder
from listenkey.core import actions, inputs
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEvent
from listenkey.ports.errors import HandshakeRefused, RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse
from listenkey.ports.journal import Entry

from .agenda import Agenda
from .network import Conn, Network
from .setup import Setup
from .tasks import Task, Wait, spawn, together_with
from .violation import Violation


@contextmanager
def without_an_event_loop() -> Iterator[None]:
    """What the adapters ask of an event loop is done by the world's own tasks, for as long as a life lasts."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (reader_module, singles_module):
            patch.setattr(module, "together", together_with(RequestRefused))
        patch.setattr(backlog_module, "PAUSE_EVERY", 1 << 60)
        yield


CLOSE_WAIT = 1.0
"""Seconds that the driver waits for a peer's answer to a close frame."""


class Crash(BaseException):
    """The process dies here."""


class Witness(Protocol):
    """Who watches the process."""

    def handled(self, process: Process, now: float, received: inputs.Input, ordered: list[actions.Action]) -> None:
        """The core was told something."""

    def stored(self, process: Process, events: Sequence[ExchangeEvent], proven_until: int | None) -> None:
        """Events and what they prove are safe."""

    def consumed(self, process: Process, event: ExchangeEvent) -> None:
        """The consumer has an event."""

    def marked(self, process: Process) -> None:
        """The consumer came back for the next."""


class Held:
    """A socket as the driver holds it."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.conn: Conn | None = None
        self.opening: Task | None = None
        self.closing_at: float | None = None
        self.heard_at: float | None = None


Stored = Callable[[Sequence[ExchangeEvent], int | None], None]


class WatchedJournal:
    """A journal in which the process may die before and after every call."""

    def __init__(self, inner: SqliteJournal, point: Callable[[], None], stored: Stored) -> None:
        self.inner = inner
        self._point = point
        self._stored = stored

    def _call(self, method: Callable[..., Any], *details: Any) -> Any:
        self._point()
        result = method(*details)
        self._point()
        return result

    def resume(self) -> inputs.Checkpoint | None:
        return self.inner.resume()

    def begin(self, exchange_ms: int) -> None:
        self._call(self.inner.begin, exchange_ms)

    def unmarked(self) -> Sequence[Entry]:
        return self.inner.unmarked()

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        self._point()
        result = self.inner.append(events, proven_until)
        self._stored(events, proven_until)
        self._point()
        return result

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        return self.inner.read(after, limit)

    def mark(self, serial: int) -> None:
        self._call(self.inner.mark, serial)

    def close(self) -> None:
        self.inner.close()


class Process:
    """From its start to its death or its orderly end; `died` is told of the first."""

    def __init__(
        self,
        agenda: Agenda,
        network: Network,
        setup: Setup,
        witness: Witness,
        random: Random,
        *,
        number: int,
        point: Callable[[], None],
        died: Callable[[], None],
        journal: SqliteJournal | None,
        recorder: Recorder | None = None,
    ) -> None:
        self.agenda = agenda
        self.number = number
        self.over = False
        self.finished = False
        self.sockets: dict[int, Held] = {}
        self._network = network
        self._witness = witness
        self._random = random
        self._point = point
        self._died = died
        self._recorder = recorder
        self._origin = random.uniform(0, 1e6) - agenda.now
        self._drift = 1.0 + setup.drift
        self._clock = float("-inf")
        self._stopped_until = float("-inf")
        self._queues: dict[object, deque[Callable[[], None]]] = {}
        self._ran_at = float("-inf")
        self._woken_at = float("inf")
        self._busy_until = float("-inf")
        self._consuming = False
        self._begun = False
        self._setup = setup
        self.journal = journal
        stored = partial(witness.stored, self)
        watched = None if journal is None else WatchedJournal(journal, point, stored)
        self._watched = watched
        dialect, policy, seed = SwapDialect(), setup.policy, random.getrandbits(64)
        if recorder is not None:
            recorder.begin(dialect, policy, seed, "ws")
        self.connection = Connection(dialect, policy, seed=seed)
        self.backlog = Backlog(setup.pending, watched)
        pace = Pace(RATES, monotonic=self.monotonic, sleep=self._sleep)
        rest = Rest(self, "https://venue.test", "key", "secret", clock=self, pace=pace)
        self._keys = Keys(rest)
        self._reader = Reader(rest)
        self._opener = Opener(self, "wss://venue.test/swap", timeout=10)  # type: ignore[arg-type]

    # What the services need

    def monotonic(self) -> float:
        self._clock = max(self._clock, self._origin + self.agenda.now * self._drift)
        return self._clock

    def wall_ms(self) -> int:
        return 0

    def _sleep(self, seconds: float) -> Awaitable[object]:
        wait = Wait()
        self.agenda.after(seconds / self._drift, self.gate, self, wait.set)
        return wait

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        wait = Wait()
        self._point()
        failed = partial(wait.set, None, TransportFailed("no answer in time"))
        if method != "POST" or not self._network.trickles:
            self.agenda.after(timeout, self.gate, wait, failed)
        self._network.call(method, url, lambda response: self.gate(wait, partial(wait.set, response)))
        response: HttpResponse = await wait
        return response

    async def dial(self, url: str, *, timeout: float, max_bytes: int) -> Conn:
        wait = Wait()
        self.agenda.after(timeout, self.gate, wait, partial(wait.set, None, TransportFailed("no answer in time")))

        def answered(response: Conn | HttpResponse) -> None:
            if isinstance(response, HttpResponse):
                error = HandshakeRefused(response.status, response.body)
                self.gate(wait, partial(wait.set, None, error))
                return
            response.client = self
            if self.over or wait.ready:
                response.client_closes()
            self.gate(response, partial(wait.set, response))

        self._network.dial(url.rpartition("=")[2], answered)
        conn: Conn = await wait
        return conn

    async def close(self) -> None:
        """Nothing to release."""

    # What the network tells

    def arrives(self, conn: Conn, data: bytes) -> None:
        self.gate(conn, partial(self._frame, conn, data))

    def ended(self, conn: Conn, code: int | None) -> None:
        self.gate(conn, partial(self._closed_by_peer, conn, code))

    # Life and death

    def start(self) -> None:
        """Begin."""
        self.gate(None, self._start)

    def _start(self) -> None:
        checkpoint = self._watched.resume() if self._watched is not None else None
        self.feed(inputs.Start(checkpoint))

    def gate(self, lane: object, what: Callable[[], None]) -> None:
        """Something reaches the process: now, or once it runs again; what is in one lane keeps its order."""
        if self.over:
            return
        if self._stopped_until > self.agenda.now:
            self._queues.setdefault(lane, deque()).append(what)
            return
        try:
            what()
        except Crash:
            self.die()

    def stand_still(self, seconds: float) -> None:
        """SIGSTOP."""
        self._stopped_until = max(self._stopped_until, self.agenda.now + seconds)
        self.agenda.at(self._stopped_until, self._go_on)

    def _go_on(self) -> None:
        if self.over or self._stopped_until > self.agenda.now:
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
        self._consume_soon()

    def busy(self, seconds: float) -> None:
        """The consumer takes its time."""
        self._busy_until = max(self._busy_until, self.agenda.now + seconds)

    def silent_for(self) -> float:
        """Seconds for which a socket that is in use has brought nothing, as far as it was we who listened."""
        now = self.agenda.now
        heard = [held.heard_at for held in self.sockets.values() if held.closing_at is None]
        since = [max(at, self._ran_at) for at in heard if at is not None]
        return 0.0 if self.over or self._stopped_until > now or not since else now - min(since)

    def die(self) -> None:
        """`kill -9`: what is committed is there, and nothing else."""
        if self.over:
            return
        self._vanish()
        self._died()

    def _vanish(self) -> None:
        self.over = True
        self._queues.clear()
        for held in self.sockets.values():
            if held.conn is not None and held.conn.client_open:
                held.conn.client_closes()
        if self.journal is not None:
            self.journal.close()

    # The driver's rules

    def feed(self, received: inputs.Input) -> None:
        """Hand an input to the connection and do what it says."""
        if self.over or self.finished:
            return
        self._point()
        now = self.monotonic()
        try:
            ordered = self.connection.handle(received, now=now)
        except Exception as error:
            raise Violation("never-raises", f"{type(received).__name__}: {type(error).__name__}: {error}") from error
        if self._recorder is not None:
            self._recorder(now, received, ordered)
        self._witness.handled(self, now, received, ordered)
        self._point()
        self._perform(ordered)
        self._wake()
        if self.connection.finished:
            self.finished = True
            self.gate(None, self._consume)

    def _perform(self, ordered: Sequence[actions.Action]) -> None:
        events: list[ExchangeEvent] = []
        proven_until: int | None = None
        for action in ordered:
            match action:
                case actions.Deliver(event):
                    events.append(event)
                case actions.SendFrame(socket):
                    conn = self.sockets[socket].conn
                    if conn is not None:
                        conn.pong()
                case actions.MarkProven(until):
                    proven_until = until
                case actions.OpenSocket(socket, key):
                    self.sockets[socket] = Held(key)
                    self._soon(partial(self._open, socket, key))
                case actions.CloseSocket(socket):
                    self._soon(partial(self._close, socket, self.sockets[socket]))
                case actions.CreateKey(request):
                    self._ask(request, partial(self._create, request))
                case actions.RenewKey(request, key):
                    self._ask(request, partial(self._renew, request, key))
                case actions.ReadAccount(request, since, orders):
                    self._ask(request, partial(self._read, request, since, orders))
                case actions.DeleteKey(key):
                    self._soon(lambda key=key: spawn(self._keys.delete(key), _ignore, RequestRefused))  # type: ignore[misc]
        if self._watched is not None and not self._begun and self.connection.began is not None:
            self._begun = True
            self._watched.begin(self.connection.began)
        if events or proven_until is not None:
            self.backlog.put(events, proven_until)
            if self._watched is None:
                self._witness.stored(self, events, proven_until)
            self._point()
            self._consume_soon()

    def _ask(self, request: int, work: Callable[[], Coroutine[Wait, None, inputs.Input]]) -> None:
        def done(received: inputs.Input, error: BaseException | None) -> None:
            if isinstance(error, RequestRefused):
                received = inputs.Refused(request, error.refusal)
            self._soon(partial(self.feed, received))

        self._soon(lambda: spawn(work(), done, RequestRefused))

    async def _create(self, request: int) -> inputs.Input:
        grant = await self._keys.create()
        return inputs.KeyGranted(request, grant.key, self._setup.validity, grant.exchange_ms)

    async def _renew(self, request: int, key: str) -> inputs.Input:
        await self._keys.renew(key)
        return inputs.KeyRenewed(request)

    async def _read(self, request: int, since: int | None, orders: Any) -> inputs.Input:
        return inputs.AccountRead(request, await self._reader.read(since, orders))

    def _open(self, socket: int, key: str) -> None:
        held = self.sockets.get(socket)
        if held is None or held.closing_at is not None:
            return

        def done(conn: Conn | None, error: BaseException | None) -> None:
            if held.closing_at is not None:
                if conn is not None:
                    conn.client_closes()
            elif isinstance(error, RequestRefused):
                del self.sockets[socket]
                self._soon(partial(self.feed, inputs.SocketClosed(socket, None, error.refusal)))
            else:
                held.conn = conn
                held.heard_at = self.agenda.now
                self._soon(partial(self.feed, inputs.SocketOpened(socket)))

        held.opening = spawn(self._opener.open(key), done, RequestRefused)

    def _close(self, socket: int, held: Held) -> None:
        if held.closing_at is not None or socket not in self.sockets:
            return
        held.closing_at = self.agenda.now
        wait = 0.0
        if held.conn is not None:
            quick = held.conn.client_open and held.conn.client_closes()
            wait = 2 * self._network.latency() if quick else CLOSE_WAIT
        elif held.opening is not None:
            held.opening.cancel()
        self.agenda.after(wait, self.gate, held, partial(self._is_closed, socket, 1000))

    def _is_closed(self, socket: int, code: int | None) -> None:
        if self.sockets.pop(socket, None) is not None:
            self.feed(inputs.SocketClosed(socket, code))

    def _closed_by_peer(self, conn: Conn, code: int | None) -> None:
        for socket, held in tuple(self.sockets.items()):
            if held.conn is conn and held.closing_at is None:
                self._is_closed(socket, code)

    def _frame(self, conn: Conn, data: bytes) -> None:
        for socket, held in self.sockets.items():
            if held.conn is conn:
                if held.closing_at is None:
                    held.heard_at = self.agenda.now
                    self.feed(inputs.FrameReceived(socket, data))
                return
        if conn.client_open:  # opened, but the driver does not know it yet
            self.agenda.after(0.0, self.gate, conn, partial(self._frame, conn, data))

    def _soon(self, what: Callable[[], object]) -> None:
        def run() -> None:
            what()

        self.agenda.after(0.0, self.gate, self, run)

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

    # The consumer

    def _consume_soon(self) -> None:
        if not self._consuming:
            self._consuming = True
            self.agenda.at(self._busy_until, self.gate, self, self._consume)

    def _consume(self) -> None:
        self._consuming = False
        backlog = self.backlog
        while backlog._pending or backlog._spilled:
            if self._busy_until > self.agenda.now:
                self._consume_soon()
                return
            taken = backlog._taken is not None
            if not backlog._pending:
                if taken:
                    backlog.mark()
                    self._witness.marked(self)
                backlog._refill(backlog._journal)  # type: ignore[arg-type]
                continue
            getting = backlog.get()
            try:
                getting.send(None)
            except StopIteration as got:
                event = got.value
            else:
                raise AssertionError("the backlog waits although there is something")
            if taken:
                self._witness.marked(self)
            self._point()
            self._witness.consumed(self, event)
            self._point()
            if self._random.random() < 0.02:
                self.busy(self._random.random() * 0.5)
        if self._busy_until > self.agenda.now:
            self._consume_soon()
        elif backlog._taken is not None:
            backlog.mark()
            self._witness.marked(self)


def _ignore(_result: object, _error: BaseException | None) -> None:
    """Best effort."""
