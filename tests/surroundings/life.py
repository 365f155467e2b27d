"""One stream on one journal, put together as by `open_venue`, from its start to its end or its death."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio

from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.driver.venue import Venue
from listenkey.adapters.journal import SqliteJournal
from listenkey.adapters.recording.recorder import Recorder
from listenkey.adapters.transports.names import Transport
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.adapters.venues.family import Services
from listenkey.core import events
from listenkey.core.connection import Connection
from listenkey.core.policy import Policy
from listenkey.ports.http import HttpResponse
from listenkey.ports.journal import Journal
from listenkey.ports.observer import Observer

from .account import Customer, Service

PATIENCE = 120.0
"""Seconds after which a stream counts as hanging."""


class Nowhere:
    """An HTTP client that gets no requests, since the services are in memory."""

    async def request(self, method: str, url: str, *, headers: Mapping[str, str], timeout: float) -> HttpResponse:
        raise NotImplementedError

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def venue_of(
    service: Service,
    journal: Journal | None = None,
    observer: Observer | None = None,
    recorder: Recorder | None = None,
) -> Venue:
    """Return a venue with services in memory."""
    venue = service.customer.place.venue
    return Venue(
        lambda: Connection(SwapDialect(venue), Policy(audit_interval=0), seed=1),
        Transport(Nowhere(), service),
        Services(service, service, service, frozenset({"100413"})),
        journal=journal,
        observer=observer,
        recorder=recorder,
    )


class Consumer:
    """The consumer of one account, with the orders that it has dealt with; it must not get another account's."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.done: set[str] = set()

    def take(self, event: events.ExchangeEvent) -> None:
        """Take an event. Raises `AssertionError` for one of another account."""
        if isinstance(event, events.OrderState):
            assert event.order_id.startswith(self.customer.name), f"{self.customer.name} got {event.order_id}"
        if isinstance(event, events.AccountUpdate):
            for balance in event.balances:
                assert balance.wallet_balance == self.customer.wealth, f"{self.customer.name} got another's wallet"


class Fails(Exception):
    """The consumer's code fails on its current event."""


class Life:
    """A consumer that follows a stream; it hangs in the fill after `hangs_after` fills, if that is given."""

    def __init__(
        self, consumer: Consumer, api_key: str, path: Path, *, adopt: bool = False, hangs_after: int | None = None
    ) -> None:
        """Open the journal and claim it. Raises `JournalRefused` if that is refused at once."""
        customer = consumer.customer
        self.consumer = consumer
        self.path = path
        self.error: Exception | None = None
        self.live = False
        """True while health is LIVE."""
        self.hangs = False
        self.delivered = 0
        """The number of delivered events of orders."""
        self._left = math.inf if hangs_after is None else hangs_after
        self._journal = SqliteJournal(path, adopt=adopt)
        try:
            self._journal.claim(*customer.place, api_key)
        except BaseException:
            self._journal.close()
            raise
        self.venue = venue_of(Service(customer, api_key), journal=self._journal)
        self._stream: Stream | None = None
        self._news = anyio.Event()
        self._killed, self._leaving = anyio.CancelScope(), anyio.CancelScope()
        self._release = anyio.Event()
        self._over = anyio.Event()

    async def run(self) -> None:
        """Run the stream from its start to any end."""
        try:
            with self._killed:
                async with self.venue.subscribe() as self._stream:
                    with self._leaving:
                        await self._follow(self._stream)
        except Fails:
            pass
        except Exception as error:
            self.error = error
        await self.venue.close()
        self._over.set()
        self._notify()

    @property
    def over(self) -> bool:
        """True if the stream has ended."""
        return self._over.is_set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when `holds` returns True, the consumer hangs, or the stream has ended."""
        with anyio.move_on_after(PATIENCE):
            while not (holds() or self.hangs or self.over):
                await self._news.wait()

    def resync(self) -> None:
        """Ask for a read, after which something is stored."""
        if self._stream is not None:
            self._stream.resync()

    async def stop(self) -> None:
        """Leave in order. A hanging consumer fails instead: it has not dealt with its current event."""
        if self.hangs:
            self._release.set()
        else:
            self._leaving.cancel()
        await self._over.wait()

    async def kill(self) -> None:
        """Act as if the process died: descriptors are closed, committed data stays, and nothing more is stored."""
        self._journal.close()
        self._killed.cancel()
        await self._over.wait()

    async def _follow(self, stream: Stream) -> None:
        async for event in stream:
            self.consumer.take(event)
            if isinstance(event, events.OrderState):
                self.delivered += 1
            if isinstance(event, events.Fill):
                self._left -= 1
                if self._left < 0:
                    self.hangs = True
                    self._notify()
                    await self._release.wait()
                    raise Fails
                self.consumer.done.add(event.order_id)
            if isinstance(event, events.HealthChange):
                self.live = event.health is events.Health.LIVE
            self._notify()

    def _notify(self) -> None:
        self._news.set()
        self._news = anyio.Event()
