"""The order of streams that want the same at once: those that recover before new ones, else by lot."""

from __future__ import annotations

from bisect import bisect_left, insort
from random import Random

Ticket = tuple[bool, float]
"""A stream's place in the queue: True if it is new, and its lot; the lowest ticket goes first."""


class Queue:
    """The tickets of waiting streams. A stream calls `leave` when it goes or gives up."""

    __slots__ = ("_lots", "_tickets")

    def __init__(self, lots: Random) -> None:
        self._lots = lots
        self._tickets: list[Ticket] = []

    def join(self, *, new: bool) -> Ticket:
        """Draw a ticket."""
        ticket = (new, self._lots.random())
        insort(self._tickets, ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Remove a ticket."""
        del self._tickets[bisect_left(self._tickets, ticket)]

    def ahead(self, ticket: Ticket) -> int:
        """The number of tickets that go before this one."""
        return bisect_left(self._tickets, ticket)
