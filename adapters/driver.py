"""The one loop: hand what happens to the connection, and do what it says.

Inputs are handed over where they arise, in the one thread of the event loop; the loop itself only sleeps until the
connection's deadline. Actions for one socket keep their order, all others overlap, and nothing waits for the consumer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from ..core import actions, inputs
from ..core.connection import Connection
from ..core.events import ExchangeEvent
from ..core.refusal import Refusal, RefusalKind
from ..core.reports import OrderRef
from ..ports.clock import Clock
from ..ports.errors import RequestRefused, SocketEnded
from ..ports.journal import Journal
from ..ports.keys import KeyService
from ..ports.reader import AccountReader
from ..ports.socket import Socket, SocketOpener
from .backlog import Backlog
from .complaints import Complaints
from .wire import Wire

Observer = Callable[[float, inputs.Input, Sequence[actions.Action]], None]
"""Told of every input with its time and of what came of it."""

OPENING, READING = "opening a socket", "reading the account"
OVERDUE = Refusal(RefusalKind.RETRY, None, "given up, it took too long")
CLOSING_TIME = 3.0
"""Seconds for closing sockets and deleting keys once the stream is left."""
PAUSE_EVERY = 64
"""A socket that always has a frame ready lets others run once in so many."""

_log = logging.getLogger("listenkey")


class Driver:
    """Runs one connection; `failure` makes of the refusal that ended it the exception that the consumer sees."""

    def __init__(
        self,
        connection: Connection,
        keys: KeyService,
        reader: AccountReader,
        opener: SocketOpener,
        *,
        clock: Clock,
        failure: Callable[[Refusal], Exception],
        journal: Journal | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.connection = connection
        self.backlog = Backlog(connection.policy.max_pending, journal)
        self._keys, self._reader, self._opener = keys, reader, opener
        self._clock = clock
        self._failure = failure
        self._journal = journal
        self._begun = False
        self._observer = observer
        self._complaints = Complaints()
        self._reading = anyio.CancelScope()
        self._sockets: dict[int, Wire] = {}
        self._deletions = 0
        self._wake = anyio.Event()
        self._asleep_until = float("-inf")
        self._failed = False
        self._done = anyio.Event()
        self._scope = anyio.CancelScope(shield=True)

    async def run(self) -> None:
        """Start the connection and see it through to its end, which only `stop` may hasten."""
        with self._scope:
            await self._run()
        self.backlog.end()
        self._done.set()

    async def _run(self) -> None:
        checkpoint = self._journal.resume() if self._journal is not None else None
        async with anyio.create_task_group() as tasks:
            self._tasks: TaskGroup = tasks
            self.feed(inputs.Start(checkpoint))
            while not (self._failed or (self.connection.finished and not self._deletions)):
                self._wake = anyio.Event()
                self._asleep_until = self.connection.deadline
                with anyio.move_on_after(max(0.0, self._asleep_until - self._clock.monotonic())):
                    await self._wake.wait()
                if self.connection.deadline <= self._clock.monotonic():
                    self.feed(inputs.Tick())
            tasks.cancel_scope.cancel()

    async def stop(self) -> None:
        """Close in order; whatever has not ended in `CLOSING_TIME` is cut off."""
        with anyio.move_on_after(CLOSING_TIME, shield=True):
            self.feed(inputs.Stop())
            await self._done.wait()
        self._scope.cancel()

    def feed(self, received: inputs.Input) -> None:
        """Hand an input to the connection and do what it says."""
        if self._failed:
            return
        connection, now = self.connection, self._clock.monotonic()
        try:
            ordered = connection.handle(received, now=now)
            if self._observer is not None:
                self._observer(now, received, ordered)
            if ordered:
                self._perform(ordered)
        except Exception as error:
            self._fail(error)
        if connection.deadline < self._asleep_until or connection.finished or self._failed:
            self._wake.set()

    def _perform(self, ordered: Sequence[actions.Action]) -> None:
        events: list[ExchangeEvent] = []
        proven_until: int | None = None
        finish: actions.Finish | None = None
        for action in ordered:
            if isinstance(action, actions.Deliver):
                events.append(action.event)
            elif isinstance(action, actions.MarkProven):
                proven_until = action.until
            elif isinstance(action, actions.Finish):
                finish = action
            else:
                self._do(action)
        if self._journal is not None and not self._begun and self.connection.began is not None:
            self._begun = True
            self._journal.begin(self.connection.began)
        if events or proven_until is not None:
            self.backlog.put(events, proven_until)
        if finish is not None:
            self.backlog.end(None if finish.error is None else self._failure(finish.error))
        elif self.backlog.ended:
            self.feed(inputs.Stop())

    def _do(self, action: actions.Action) -> None:
        match action:
            case actions.SendFrame(socket, data):
                self._sockets[socket].send(data)
            case actions.OpenSocket():
                self._sockets[action.socket] = Wire()
                self._start(self._socket, action)
            case actions.CloseSocket(socket, code):
                self._start(self._sockets[socket].close, code)
            case actions.CreateKey(request):
                self._start(self._answer, "minting a key", self._create, request)
            case actions.RenewKey(request, key):
                self._start(self._answer, "renewing a key", self._renew, request, key)
            case actions.ReadAccount(request, since, orders):
                self._reading.cancel()  # one that is still under way has been given up
                self._reading = anyio.CancelScope()
                self._start(self._read_account, self._reading, request, since, orders)
            case actions.DeleteKey(key):
                self._deletions += 1
                self._start(self._delete, key)
            case actions.Report(anomaly):
                self._complaints.anomaly(anomaly)

    def _start(self, work: Callable[..., Awaitable[None]], *details: Any) -> None:
        self._tasks.start_soon(self._work, work, details)

    async def _work(self, work: Callable[..., Awaitable[None]], details: tuple[Any, ...]) -> None:
        try:
            await work(*details)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """A full journal, or a mistake of ours: either way the consumer must see it."""
        self._failed = True
        self.backlog.end(error)
        self._wake.set()

    async def _answer(
        self, what: str, ask: Callable[..., Awaitable[inputs.Input]], request: int, *details: Any
    ) -> None:
        refusal: Refusal | None = None
        try:
            received = await ask(request, *details)
        except RequestRefused as error:
            refusal = error.refusal
            received = inputs.Refused(request, refusal)
        self.feed(received)
        self._note(what, refusal)

    async def _create(self, request: int) -> inputs.Input:
        return inputs.KeyGranted(request, *await self._keys.create())

    async def _renew(self, request: int, key: str) -> inputs.Input:
        await self._keys.renew(key)
        return inputs.KeyRenewed(request)

    async def _read_account(self, scope: anyio.CancelScope, *details: Any) -> None:
        with scope:
            await self._answer(READING, self._read, *details)
        if scope.cancelled_caught:
            self._note(READING, OVERDUE)

    async def _read(self, request: int, since: int | None, orders: Sequence[OrderRef]) -> inputs.Input:
        return inputs.AccountRead(request, await self._reader.read(since, orders))

    async def _delete(self, key: str) -> None:
        try:
            await self._keys.delete(key)
        except RequestRefused as error:
            _log.info("a listen key could not be deleted: %s", error)
        finally:
            self._deletions -= 1
            self._wake.set()

    async def _socket(self, action: actions.OpenSocket) -> None:
        wire, number = self._sockets[action.socket], action.socket
        closed = inputs.SocketClosed(number)
        try:
            with wire.opening:
                wire.socket = await self._opener.open(action.key)
            if wire.socket is not None:
                self.feed(inputs.SocketOpened(number))
                self._note(OPENING)
                closed = inputs.SocketClosed(number, await self._pump(number, wire, wire.socket))
        except RequestRefused as error:
            closed = inputs.SocketClosed(number, None, error.refusal)
        finally:
            with anyio.CancelScope(shield=True):
                await wire.close(1000)
            wire.unread.close()
        self.feed(closed)
        if closed.refusal is not None:
            self._note(OPENING, closed.refusal)
        del self._sockets[number]

    def _note(self, what: str, refusal: Refusal | None = None) -> None:
        if refusal is None:
            self._complaints.granted(what)
        elif not self.backlog.ended:  # else it is what the consumer is told
            self._complaints.refused(what, refusal)

    async def _pump(self, number: int, wire: Wire, socket: Socket) -> int | None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wire.write, socket)
            frames = 0
            try:
                while True:
                    self.feed(inputs.FrameReceived(number, await socket.receive()))
                    frames += 1
                    if frames % PAUSE_EVERY == 0:
                        await anyio.lowlevel.checkpoint()
            except SocketEnded as ended:
                code = ended.code
            tasks.cancel_scope.cancel()
        return code
