"""The real services of a venue over the simulated network: keys and reads, signed, paced and classified as always."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from listenkey.adapters.driver import backlog as backlog_module
from listenkey.adapters.venues.bingx import lists as lists_module
from listenkey.core import actions, inputs
from listenkey.ports.errors import RequestRefused
from listenkey.ports.http import HttpResponse
from listenkey.ports.keys import Grant
from listenkey.ports.service import NoAnswer, Request, Service

from .bans import Bans
from .network import Network
from .tasks import Once, Task, spawn
from .venues import Adapter

if TYPE_CHECKING:
    from .process import Process

Refusable = actions.CreateKey | actions.RenewKey | actions.ReadAccount


@contextmanager
def adapted(most_fills: int | None) -> Iterator[None]:
    """Change the package for one life: its consumer makes no pauses for other tasks.

    A list of fills has at most `most_fills` rows, and the venue's reader knows that as it knows the real number.
    """
    with pytest.MonkeyPatch.context() as patch:
        if most_fills is not None:
            patch.setattr(lists_module, "MOST_FILLS", most_fills)
        patch.setattr(backlog_module, "PAUSE_EVERY", 1 << 60)
        yield


class Services:
    """Carries out the actions that need REST; `validity` is that of a key, seconds."""

    def __init__(self, process: Process, network: Network, adapter: Adapter, *, drift: float, validity: float) -> None:
        self._process = process
        self._agenda = process.agenda
        self._network = network
        self._drift = drift
        self._validity = validity
        self._reading: Task | None = None
        self._keys, self._reader = adapter.keys, adapter.reader
        self._bans = Bans()

    def perform(self, action: actions.Action) -> None:
        """Begin to carry out an action, and hand its answer to the connection; actions without REST are ignored."""
        match action:
            case actions.CreateKey():
                self._ask(action, self._keys.create(), partial(self._granted, action))
            case actions.RenewKey():
                self._ask(action, self._keys.renew(action.key), action.renewed)
            case actions.ReadAccount(_, since, orders, purpose):
                self._ask(action, self._reader.read(since, orders, purpose=purpose), action.read, read=True)
            case actions.DeleteKey():
                self._process.soon(lambda: spawn(self._keys.delete(action.key), self, partial(self._deleted, action)))

    # The world of the services

    def monotonic(self) -> float:
        return self._process.monotonic()

    def sleep(self, until: float, over: Once) -> None:
        seconds = until - self._process.monotonic()
        self._agenda.after(seconds / self._drift, self._process.gate, self._process, over)

    def request(self, request: Request, answered: Once) -> None:
        gate = self._process.gate
        self._bans.asked(self._agenda.now, request.url)
        self._process.fate.point()
        if request.method != "POST" or not self._network.trickles:
            too_late = partial(answered, NoAnswer("no answer in time"))
            self._agenda.after(request.timeout, gate, answered, too_late)

        def arrives(response: HttpResponse) -> None:
            self._bans.answered(self._agenda.now, response)
            answered(response)

        self._network.call(request.method, request.url, lambda response: gate(answered, partial(arrives, response)))

    # What they are asked

    def _ask(
        self, action: Refusable, service: Service[Any], answer: Callable[[Any], inputs.Input], *, read: bool = False
    ) -> None:
        """Run a service for an action. A `read` ends the read before it, which the connection has given up."""
        process = self._process

        def done(result: Any, error: Exception | None) -> None:
            if isinstance(error, RequestRefused):
                process.soon(partial(process.feed, action.refused(error.refusal)))
            elif error is not None:
                raise error
            else:
                process.soon(partial(process.feed, answer(result)))

        def begin() -> None:
            if read and self._reading is not None:
                self._reading.close()
            task = Task(service, self, done)
            if read:
                self._reading = task
            task.go()

        process.soon(begin)

    def _granted(self, action: actions.CreateKey, grant: Grant) -> inputs.Input:
        return action.granted(grant.key, self._validity, grant.exchange_ms)

    def _deleted(self, action: actions.DeleteKey, _result: object, error: Exception | None) -> None:
        """A deletion is over; a refusal counts as done."""
        if error is not None and not isinstance(error, RequestRefused):
            raise error
        self._process.soon(partial(self._process.feed, action.deleted()))
