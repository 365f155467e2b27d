"""The events that were stored, taken and marked, in order, across the deaths of processes."""

from __future__ import annotations

from listenkey.adapters.journal import Summary
from listenkey.core.events import ExchangeEvent

from .journal import Batch
from .violation import Violation

State = tuple[int, int]
"""Number of events stored, and the stored `proven_until`, -1 for none: each transaction leads to another state."""


class Deliveries:
    """The deliveries of one stream. The event with serial 1 is the first of `events`."""

    def __init__(self) -> None:
        self.events: list[tuple[ExchangeEvent, int]] = []
        self.consumed = 0
        self._states: list[State] = [(0, -1)]
        self._marked = 0
        self._next = 0
        self._taken: int | None = None

    @property
    def proven(self) -> int:
        """The stored `proven_until`, exchange time, ms; -1 for none."""
        return self._states[-1][1]

    @property
    def caught_up(self) -> bool:
        """True if the consumer has taken every stored event."""
        return self._next == len(self.events)

    def new_process(self) -> None:
        """Another process begins with the first event that is not marked."""
        self._next = self._marked
        self._taken = None

    def committed(self, proven_until: int | None) -> None:
        """The events so far are stored, and so is `proven_until` unless it is None."""
        proven = self.proven if proven_until is None else proven_until
        if proven < self.proven:
            raise Violation("watermark-honest", f"it went back from {self.proven} to {proven}")
        self._states.append((len(self.events), proven))

    def took(self, event: ExchangeEvent, number: int) -> bool:
        """The consumer of this process took an event; True if no consumer had it before."""
        if self._next >= len(self.events):
            raise Violation("sequence-kept", f"{event.event_id} was never stored")
        expected, stored_by = self.events[self._next]
        if event.event_id != expected.event_id:
            raise Violation("sequence-kept", f"{event.event_id} where {expected.event_id} was stored")
        if event.redelivered != (stored_by != number):
            raise Violation("no-fill-twice", f"{event.event_id}: redelivered is {event.redelivered}")
        self._taken = self._next
        self._next += 1
        if self._taken < self.consumed:
            return False
        self.consumed = self._next
        return True

    def marked(self) -> None:
        """The consumer has dealt with the event that it took."""
        if self._taken is not None:
            self._marked = self._taken + 1
            self._taken = None

    def was_committed(self, found: Summary, in_flight: Batch) -> bool:
        """True if the process died only after the transaction in flight had been stored."""
        events, proven_until = in_flight
        proven = self.proven if proven_until is None else proven_until
        state = _state(found)
        return state != self._states[-1] and state == (len(self.events) + len(events), proven)

    def survived(self, found: Summary, *, may_forget: bool) -> bool:
        """Compare the journal after a death with what was stored; True for a loss, which `may_forget` must allow.

        After such a loss the journal is as it was after some earlier transaction.
        """
        state = _state(found)
        forgotten = state != self._states[-1]
        if forgotten:
            if not may_forget or state not in self._states:
                raise Violation("stored-whole", f"{state} was found, {self._states[-1]} was stored")
            del self.events[state[0] :]
            while self._states[-1] != state:
                self._states.pop()
            self.consumed = min(self.consumed, state[0])
        elif not may_forget and found.mark < self._marked:
            raise Violation("stored-whole", f"the mark is {found.mark}, and was {self._marked}")
        if found.mark > self.consumed:
            raise Violation("no-fill-lost", "an event is marked that the consumer never had")
        self._marked = found.mark
        return forgotten


def _state(found: Summary) -> State:
    return max(found.last, found.mark), -1 if found.proven_until is None else found.proven_until
