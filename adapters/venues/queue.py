"""Who of many streams goes first when all want the same at once: those that recover before new ones, else by lot."""

from __future__ import annotations

from bisect import bisect_left, insort
from random import Random

Ticket = tuple[bool, float]
"""True if its stream is new, and its lot; the lower goes first."""


class Queue:
    """Tickets of those who wait. Whoever holds one says so when it goes, or gives up."""

    __slots__ = ("_lots", "_tickets")

    def __init__(self, lots: Random) -> None:
        self._lots = lots
        self._tickets: list[Ticket] = []

    def join(self, *, new: bool) -> Ticket:
        """A ticket."""
        ticket = (new, self._lots.random())
        insort(self._tickets, ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """It is used up."""
        del self._tickets[bisect_left(self._tickets, ticket)]

    def ahead(self, ticket: Ticket) -> int:
        """How many go before it."""
        return bisect_left(self._tickets, ticket)
