"""A journal: delivered events survive the process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from ..core.events import ExchangeEvent
from ..core.inputs import Checkpoint
from ..core.reports import OrderRef


class Entry(NamedTuple):
    """A stored event and its place in the journal."""

    serial: int
    event: ExchangeEvent


class Journal(Protocol):
    """Raises `StreamStopped` from any method when it cannot store: a full disk must stop the stream loudly."""

    def resume(self) -> Checkpoint | None:
        """Where the run before ended, or None for a new journal."""

    def begin(self, exchange_ms: int) -> None:
        """The stream begins at this exchange time: from then on fills are due. Only the first call ever counts."""

    def unmarked(self) -> Sequence[Entry]:
        """Stored events that no consumer came back from, oldest first, each `redelivered`."""

    def append(self, events: Sequence[ExchangeEvent], proven_until: int | None) -> Sequence[Entry]:
        """Store the events and, in the same transaction, what they prove. Durable against the death of the process."""

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """At most `limit` events with a serial above `after`, none of them marked: how what was spilled comes back."""

    def mark(self, serial: int) -> None:
        """The consumer is done with every event up to this one."""

    def close(self) -> None:
        """Flush and close; idempotent."""


@runtime_checkable
class OwnedJournal(Journal, Protocol):
    """A journal that knows its owner, and shows no other account its content.

    Its stream is claimed when the venue is opened. Until the journal is `recognised` as the claimant's, nothing of it
    may be delivered; `recognise` is called with every answer of the venue that shows whose API key it is.
    """

    def claim(self, venue: str, host: str, api_key: str) -> None:
        """This account is going to write; `host` is where its REST lives. Raises `JournalRefused` for another's."""

    @property
    def recognised(self) -> bool:
        """True if nothing is left to be shown."""

    def witnesses(self, account_id: str | None) -> Sequence[OrderRef]:
        """Orders of which one must be known at the venue, where the id that it names, or None, proves nothing."""

    def recognise(self, account_id: str | None, found: Collection[OrderRef] = ()) -> None:
        """The venue has answered this API key, has named the account, if it does, and knows the orders `found`.

        Raises `JournalRefused` if that does not show that the journal is this account's, and `StreamStopped` if it was
        recognised and is another's.
        """
