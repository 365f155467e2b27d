"""The stream of one account for its user, and the context manager that begins and ends it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, NoReturn, Self

from anyio.lowlevel import EventLoopToken, current_token

from ...core import inputs
from ...core.book import Book
from ...core.events import ExchangeEvent, Health
from ...core.link.lifecycle import State
from ...core.link.view import LinkView
from ...ports.errors import ListenKeyError
from . import background
from .driver import Driver

ENTER = "a subscription is entered: write `async with venue.subscribe() as stream:`, then `async for event in stream:`"


class Stream:
    """The events of one account, each once, until the stream or its venue is closed; one reader at a time.

    The iteration raises `CredentialsRefused`, `JournalRefused` or `StreamStopped`, and a plain `ListenKeyError` if
    another task waits for the next event already. An event counts as dealt with when the next one is asked for, or when
    the context is left without an exception.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __repr__(self) -> str:
        return f"<Stream: {self.state}, {self.health}, proven until {self.proven_until}>"

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, ExchangeEvent]:
        return self._driver.backlog.get()

    @property
    def health(self) -> Health:
        """How far the stream can be trusted now."""
        return self._driver.connection.health

    @property
    def state(self) -> State:
        """The state of the lifecycle."""
        return self._driver.connection.state

    @property
    def links(self) -> tuple[LinkView, ...]:
        """The leader and its successor as they are now."""
        return self._driver.connection.links

    @property
    def books(self) -> tuple[Book, ...]:
        """The ledger: one book for each asset, with its reconciliation."""
        return self._driver.connection.books

    @property
    def began(self) -> int | None:
        """Exchange time, ms, from which on fills are due; None before the venue's clock is known."""
        return self._driver.connection.began

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, up to which everything has been delivered; None before a read has passed."""
        return self._driver.connection.proven_until

    def rotate(self) -> None:
        """Move to a new key and socket, without a gap."""
        self._driver.feed(inputs.Rotate())

    def resync(self) -> None:
        """Read the account now, and deliver what it shows."""
        self._driver.feed(inputs.Resync())


class Subscription(AbstractAsyncContextManager[Stream]):
    """Begins a stream on entering, and closes it in order on leaving, which may be in another task of the event loop.

    An exception of the body is raised as it is. `opened` makes the driver, and raises if no stream may begin now;
    `closed` is called after its end.
    """

    def __init__(self, opened: Callable[[], Driver], closed: Callable[[Driver], None]) -> None:
        self._opened, self._closed = opened, closed
        self._driver: Driver | None = None
        self._loop: EventLoopToken | None = None

    def __aiter__(self) -> NoReturn:
        """Raise `TypeError`, whose message shows the right statement."""
        raise TypeError(ENTER)

    def __await__(self) -> NoReturn:
        """Raise `TypeError`, whose message shows the right statement."""
        raise TypeError(ENTER)

    async def __aenter__(self) -> Stream:
        if self._loop is not None:
            raise ListenKeyError("a subscription is entered once: call subscribe() again for another stream")
        driver = self._driver = self._opened()
        try:
            self._loop = background.start(driver.run)
            return Stream(driver)
        except BaseException:  # Ctrl-C on trio: whoever has not entered does not leave
            try:
                await driver.stop()
            finally:
                self._closed(driver)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        driver = self._driver
        if driver is None:
            return
        if current_token() != self._loop:
            raise ListenKeyError("a stream is left in the event loop in which it was entered: there it runs on")
        self._driver = None
        try:
            if kind is None:
                driver.backlog.mark()
        finally:
            driver.backlog.close()
            try:
                await driver.stop()
            finally:
                self._closed(driver)
