"""The objects that a user holds: a venue, and the stream of one account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..core.book import Book
from ..core.events import AccountUpdate, ExchangeEvent, Health
from ..core.link.lifecycle import State
from ..core.link.view import LinkView


class EventStream(Protocol):
    """Iterates events until the stream is closed.

    The iteration raises `CredentialsRefused`, `StreamStopped`, or `JournalRefused` for a journal of another account.
    """

    @property
    def health(self) -> Health:
        """How far the stream can be trusted now."""

    @property
    def state(self) -> State:
        """The state of the lifecycle."""

    @property
    def links(self) -> tuple[LinkView, ...]:
        """The link that leads and its successor, as they are now."""

    @property
    def books(self) -> tuple[Book, ...]:
        """The ledger: one book for each asset, with its reconciliation."""

    @property
    def began(self) -> int | None:
        """Exchange time, ms, from which on fills are due; None before the venue has named a time."""

    @property
    def proven_until(self) -> int | None:
        """Exchange time, ms, up to which everything has been delivered; None before a read has passed."""

    def __aiter__(self) -> AsyncIterator[ExchangeEvent]:
        """The events, each once; one iterator at a time."""

    async def __anext__(self) -> ExchangeEvent:
        """The next event. Asking for it says that the one before has been dealt with."""

    def rotate(self) -> None:
        """Move over to a fresh key and socket, without a gap."""

    def resync(self) -> None:
        """Read the account now and settle what does not add up."""


class VenueAdapter(Protocol):
    """One account at one venue."""

    def subscribe(self) -> AbstractAsyncContextManager[EventStream]:
        """The account's stream; leaving the context closes sockets and deletes the keys.

        Where a journal or a recording is kept there is one at a time: raises `ListenKeyError` for a second one.
        """

    async def account_snapshot(self) -> AccountUpdate:
        """A complete account, read now. Raises `ReadFailed`; never an empty account in place of a failure."""

    async def close(self) -> None:
        """Close whatever is open; idempotent."""
