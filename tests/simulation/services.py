"""The real services of BingX over the fake network: keys and reads, signed, paced and classified as ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from listenkey.adapters.driver import backlog as backlog_module
from listenkey.adapters.venues.bingx import lists as lists_module
from listenkey.adapters.venues.bingx import reader as reader_module
from listenkey.adapters.venues.bingx import singles as singles_module
from listenkey.adapters.venues.bingx.keys import Keys
from listenkey.adapters.venues.bingx.pace import RATES, Pace
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.core import actions, inputs
from listenkey.ports.errors import RequestRefused, TransportFailed
from listenkey.ports.http import HttpResponse

from .network import Network
from .tasks import Wait, spawn, together_with

if TYPE_CHECKING:
    from .process import Process


@contextmanager
def adapted(most_fills: int | None) -> Iterator[None]:
    """For as long as a life lasts, what the adapters ask of an event loop is done by the world's own tasks.

    A list of fills holds so many, and the venue's reader knows it, as it knows of the real number.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (reader_module, singles_module):
            patch.setattr(module, "together", together_with(RequestRefused))
        if most_fills is not None:
            patch.setattr(lists_module, "MOST_FILLS", most_fills)
        patch.setattr(backlog_module, "PAUSE_EVERY", 1 << 60)
        yield


class Services:
    """Carries out what concerns REST; `validity` is what a key lasts, seconds."""

    def __init__(self, process: Process, network: Network, *, drift: float, validity: float) -> None:
        self._process = process
        self._agenda = process.agenda
        self._network = network
        self._drift = drift
        self._validity = validity
        pace = Pace(RATES, monotonic=process.monotonic, sleep=self._sleep)
        rest = Rest(self, "https://venue.test", "key", "secret", clock=self, pace=pace)
        self._keys = Keys(rest)
        self._reader = Reader(rest, store=process.journal)

    def perform(self, action: actions.Action) -> None:
        """Do it, soon, and tell the core; other actions are none of ours."""
        match action:
            case actions.CreateKey(request):
                self._ask(request, partial(self._create, request))
            case actions.RenewKey(request, key):
                self._ask(request, partial(self._renew, request, key))
            case actions.ReadAccount(request, since, orders):
                self._ask(request, partial(self._read, request, since, orders))
            case actions.DeleteKey(key):
                self._process.soon(lambda: spawn(self._keys.delete(key), _ignore, RequestRefused))

    # What the services need

    def monotonic(self) -> float:
        return self._process.monotonic()

    def wall_ms(self) -> int:
        return 0

    def _sleep(self, seconds: float) -> Awaitable[object]:
        wait = Wait()
        self._agenda.after(seconds / self._drift, self._process.gate, self._process, wait.set)
        return wait

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        wait, gate = Wait(), self._process.gate
        self._process.fate.point()
        failed = partial(wait.set, None, TransportFailed("no answer in time"))
        if method != "POST" or not self._network.trickles:
            self._agenda.after(timeout, gate, wait, failed)
        self._network.call(method, url, lambda response: gate(wait, partial(wait.set, response)))
        response: HttpResponse = await wait
        return response

    async def close(self) -> None:
        """Nothing to release."""

    # What they are asked

    def _ask(self, request: int, work: Callable[[], Coroutine[Wait, None, inputs.Input]]) -> None:
        process = self._process

        def done(received: inputs.Input, error: BaseException | None) -> None:
            if isinstance(error, RequestRefused):
                received = inputs.Refused(request, error.refusal)
            process.soon(partial(process.feed, received))

        process.soon(lambda: spawn(work(), done, RequestRefused))

    async def _create(self, request: int) -> inputs.Input:
        grant = await self._keys.create()
        return inputs.KeyGranted(request, grant.key, self._validity, grant.exchange_ms)

    async def _renew(self, request: int, key: str) -> inputs.Input:
        await self._keys.renew(key)
        return inputs.KeyRenewed(request)

    async def _read(self, request: int, since: int | None, orders: Any) -> inputs.Input:
        return inputs.AccountRead(request, await self._reader.read(since, orders))


def _ignore(_result: object, _error: BaseException | None) -> None:
    """Best effort."""
