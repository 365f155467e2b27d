"""The loop that hands inputs to the connection, and carries out its actions.

Inputs are handed over where they arise, in the one thread of the event loop; the loop itself only sleeps until the
connection's deadline. Actions for one socket keep their order, all others overlap, and nothing waits for the consumer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from ...core import actions, inputs
from ...core.connection import Connection
from ...core.events import ExchangeEvent
from ...core.refusal import Refusal
from ...ports.clock import Clock
from ...ports.errors import RequestRefused, StreamStopped
from ...ports.journal import Journal, OwnedJournal
from ...ports.keys import KeyService
from ...ports.observer import Observer
from ...ports.reader import AccountReader
from ...ports.socket import SocketOpener
from ..executors.tasks import TaskExecutor
from . import background
from .backlog import Backlog
from .keys_in_use import KeysInUse
from .recognition import recognition
from .requests import Requests
from .socket import SocketPump
from .warnings import Warnings

CLOSING_TIME = 3.0
"""Seconds for closing sockets and deleting keys once the stream is left."""


class Driver:
    """Runs one connection; `failure` turns the refusal that ended it into the exception that the consumer gets.

    `address` is the venue's: with it, listen keys are known to all drivers of this process.
    """

    def __init__(
        self,
        connection: Connection,
        executor: TaskExecutor,
        keys: KeyService,
        reader: AccountReader,
        opener: SocketOpener,
        *,
        clock: Clock,
        failure: Callable[[Refusal], Exception],
        journal: Journal | None = None,
        observers: Sequence[Observer] = (),
        address: str = "",
    ) -> None:
        self.connection = connection
        self.backlog = Backlog(connection.policy.max_pending, journal)
        self._opener = opener
        self._clock = clock
        self._failure = failure
        self._journal = journal
        self._observers = observers
        self._warnings = Warnings(lambda: self.backlog.ended, connection.secrets)
        self._owned = journal if isinstance(journal, OwnedJournal) else None
        self._in_use = KeysInUse(address)
        self._requests = Requests(executor, keys, reader, self.feed, self._warnings, self._recognised, self._in_use)
        self._executor = executor
        self._reader = reader
        self._recognising = anyio.CancelScope()
        self._sockets: dict[int, SocketPump] = {}
        self._wake = anyio.Event()
        self._asleep_until = float("-inf")
        self._failed = False
        """True if an error ended it, which the consumer gets: nothing more is delivered or stored, and sockets are
        closed in order.
        """
        self._lost = False
        """True if that failed too: then sockets are cut off."""
        self._running = False
        self._over = False
        self._done = anyio.Event()
        self._scope = anyio.CancelScope()
        self._may_deliver = self._owned is None or self._owned.recognised
        """True if the journal's content may be delivered to this consumer; until then the stream does not start."""
        if self._may_deliver:
            self.backlog.redeliver()

    async def run(self) -> None:
        """Run the connection from its start to its end. Errors are raised at the consumer and not here, also if this
        is cancelled by the end of the event loop.
        """
        self._running = True
        try:
            with self._scope:
                await self._run()
        except Exception as error:
            self._fail(error)
        except BaseException:
            self._fail(StreamStopped("the stream's own task was cancelled, as when the event loop ends"))
            raise
        finally:
            self._over = True
            self._in_use.leave()
            self.backlog.end()
            self._done.set()

    async def _run(self) -> None:
        if not self._may_deliver and self._owned is not None:
            with self._recognising:
                await self._recognise(self._owned)
            if not self._may_deliver:
                return
        checkpoint = self._journal.resume() if self._journal is not None else None
        async with anyio.create_task_group() as tasks:
            self._tasks: TaskGroup = tasks
            self._protected = background.protected(self._work)
            self.feed(inputs.Start(checkpoint))
            await self._loop_until(lambda: self._failed or self._closed())
            if self._failed:
                with anyio.move_on_after(CLOSING_TIME):
                    self.feed(inputs.Stop())
                    await self._loop_until(self._closed)
            tasks.cancel_scope.cancel()

    async def _loop_until(self, over: Callable[[], bool]) -> None:
        while not over():
            self._wake = anyio.Event()
            self._asleep_until = self.connection.deadline
            with anyio.move_on_after(max(0.0, self._asleep_until - self._clock.monotonic())):
                await self._wake.wait()
            if self.connection.deadline <= self._clock.monotonic():
                self.feed(inputs.Tick())

    def _closed(self) -> bool:
        return self._lost or self.connection.finished

    async def stop(self) -> None:
        """Close in order; after `CLOSING_TIME`, or if asyncio cancels this, everything still open is cut off."""
        try:
            with anyio.move_on_after(CLOSING_TIME, shield=True):
                self._recognising.cancel()
                self.feed(inputs.Stop())
                await self._done.wait()
        finally:
            self._scope.cancel()
            if self._running:  # False if Ctrl-C came before its task was started
                with anyio.CancelScope(shield=True):
                    await self._done.wait()

    def feed(self, received: inputs.Input) -> None:
        """Hand an input to the connection and carry out its actions."""
        if self._over or not self._may_deliver:
            return
        connection, now = self.connection, self._clock.monotonic()
        try:
            ordered = connection.handle(received, now=now)
            for observer in self._observers:
                observer(now, received, ordered)
            if ordered:
                self._perform(ordered)
        except Exception as error:
            self._lost = self._failed
            self._fail(error)
        if connection.deadline < self._asleep_until or connection.finished or self._failed:
            self._wake.set()

    async def _recognise(self, journal: OwnedJournal) -> None:
        """Find out if the API key is of the journal's account; then its content may be delivered, else the error is."""
        try:
            await recognition(journal, self._executor, self._reader, self._warnings)
            self.backlog.redeliver()
            self._may_deliver = True
        except RequestRefused as error:
            self._fail(self._failure(error.refusal))
        except Exception as error:
            self._fail(error)

    def _recognised(self, account_id: str | None) -> None:
        if self._owned is not None and not self._failed:
            self._owned.recognise(account_id)

    def _perform(self, ordered: Sequence[actions.Action]) -> None:
        events: list[ExchangeEvent] = []
        begin: actions.Begin | None = None
        proven_until: int | None = None
        finish: actions.Finish | None = None
        for action in ordered:
            if isinstance(action, actions.Deliver):
                events.append(action.event)
            elif isinstance(action, actions.MarkProven):
                proven_until = action.until
            elif isinstance(action, actions.Begin):
                begin = action
            elif isinstance(action, actions.Finish):
                finish = action
            else:
                self._do(action)
        if begin is not None and self._journal is not None and not self._failed:
            self._journal.begin(begin.exchange_ms)
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
            case actions.SendPing(socket):
                self._sockets[socket].ping()
            case actions.OpenSocket():
                self._sockets[action.socket] = SocketPump(action, self.feed, self._warnings)
                self._start(self._hold, action.socket)
            case actions.CloseSocket(socket, code):
                self._start(self._sockets[socket].close, code)
            case actions.CreateKey():
                self._start(self._requests.create, action)
            case actions.RenewKey():
                self._start(self._requests.renew, action)
            case actions.ReadAccount():
                self._start(self._requests.read, action)
            case actions.DeleteKey():
                self._start(self._requests.delete, action)
            case actions.Report(anomaly):
                self._warnings.anomaly(anomaly)

    def _start(self, work: Callable[..., Awaitable[None]], *details: Any) -> None:
        self._tasks.start_soon(self._protected, work, details)

    async def _work(self, work: Callable[..., Awaitable[None]], details: tuple[Any, ...]) -> None:
        try:
            await work(*details)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """End with this error, which the consumer gets: a full journal, or a bug."""
        self._failed = True
        self.backlog.end(error)
        self._wake.set()

    async def _hold(self, socket: int) -> None:
        await self._sockets[socket].run(self._opener)
        del self._sockets[socket]
