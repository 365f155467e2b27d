"""Keeps requests under Binance's limits: the weight of a minute for each address, and how many sockets it may open.

Nothing here sleeps or knows the time. What is spent is our own requests of the last minute, and what the venue's header
says beyond those, since other programs have the same address. A read is let in at its beginning: one that recovers
while any weight is left, an audit while it leaves some for those, a poll while it leaves more. A read that was let in
is not stopped half way. Once the venue says "too fast" nobody of this address asks for anything.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Mapping
from random import Random, SystemRandom
from types import MappingProxyType

from ....core.kinds import Purpose
from ....core.refusal import PUT_OFF, Refusal, RefusalKind
from ....ports.errors import RequestRefused
from ....ports.service import Service, clock, wait
from ..budget import SLACK, UNLIMITED, Budget, Rate
from ..queue import Queue, Ticket
from ..refusals import unanswered
from .weights import LIMIT

MINUTE = 60.0 * SLACK
REQUESTS = 0.95
"""Of the limit, what requests may use: who goes on after "too fast" is locked out."""
READS: Mapping[Purpose, float] = MappingProxyType({Purpose.SYNC: 0.9, Purpose.AUDIT: 0.6, Purpose.POLL: 0.45})
"""Of the limit, up to where a read of this purpose is let in."""
HANDSHAKES = Rate(300, 300.0)
"""Connection attempts of one address, which only spot documents."""
MINTS = Rate(600, 60.0)
"""A quarter of the weight of a minute, so that the reads that follow find some."""
PATIENCE = 0.25
"""Of a time-out: what may be waited for a turn, where many streams of a process want the same at once."""
BRIEF = 1.5
"""Seconds; a lock no longer than this is waited out."""


class Address:
    """All that is asked of one host from here, by all accounts of a process, in any thread."""

    def __init__(self, lock: threading.Lock, *, limited: bool) -> None:
        self._lock = lock
        self._limit = LIMIT if limited else UNLIMITED.calls
        self._spent: list[tuple[float, int]] = []
        """When, in seconds, and how much; oldest first."""
        self._others = 0
        self._others_until = float("-inf")
        self._locked_until = float("-inf")

    def turn(self, weight: int) -> Service[float]:
        """Wait until a request of this weight may be sent; when that is.

        Raises `RequestRefused` (RETRY), which is no failing call, while the venue wants no request for longer than a
        moment.
        """
        now = yield from clock()
        while (place := self._take(weight, now)) > now:
            if self._locked_until - now > BRIEF:
                raise self._locked(now)
            now = yield from wait(place)
        return now

    def admit(self, weight: int, purpose: Purpose) -> Service[None]:
        """Let a read in that will weigh so much, for this purpose.

        Raises `RequestRefused` with `PUT_OFF`, and when there will be weight for it, or as `turn` does.
        """
        now = yield from clock()
        if self._locked_until - now > BRIEF:
            raise self._locked(now)
        with self._lock:
            most = READS[purpose] * self._limit - weight
            later = self._frees(most, now) - now
        if purpose is not Purpose.SYNC and later > 0:
            message = f"{purpose.name.lower()} put off for {later:.0f} s: what is urgent may need the weight"
            raise RequestRefused(Refusal(RefusalKind.RETRY, PUT_OFF, message, later))

    def note_used(self, used: int, sent: float, heard: float) -> None:
        """The venue says of a request what this address has used in the minute."""
        with self._lock:
            ours = sum(weight for at, weight in self._spent if heard - MINUTE < at <= sent)
            self._others, self._others_until = max(0, used - ours), heard + MINUTE

    def lock(self, until: float) -> None:
        """The venue wants no request from this address before then."""
        with self._lock:
            self._locked_until = max(self._locked_until, until)

    def check(self, now: float) -> None:
        """Raises `RequestRefused` (RETRY) while the venue wants no request for longer than a moment."""
        if self._locked_until - now > BRIEF:
            raise self._locked(now)

    def _take(self, weight: int, now: float) -> float:
        """Spend it now, if it can be spent; else when to look again."""
        with self._lock:
            free = max(self._locked_until, self._frees(REQUESTS * self._limit - weight, now))
            if free > now:
                return free
            del self._spent[: bisect_right(self._spent, (now - MINUTE, self._limit))]
            insort(self._spent, (now, weight))
            return now

    def _frees(self, most: float, now: float) -> float:
        """When no more than this is spent of the minute that ends then."""
        spent = [(at, weight) for at, weight in self._spent if at > now - MINUTE]
        endings = [(at + MINUTE, weight) for at, weight in spent]
        if self._others and self._others_until > now:
            endings.append((self._others_until, self._others))
        left = sum(weight for _, weight in endings)
        if left <= most:
            return now
        for until, weight in sorted(endings):
            left -= weight
            if left <= most:
                return until
        return now  # a request that is heavier than all that there is has the minute for itself

    def _locked(self, now: float) -> RequestRefused:
        left = self._locked_until - now
        return RequestRefused(unanswered(False, f"the venue wants no request for another {left:.1f} s", left))


class Door:
    """Lets the streams of a process through one after the other: those that are not new go first, else by lot."""

    def __init__(self, name: str, rate: Rate, lots: Random, lock: threading.Lock) -> None:
        self._name = name
        self._budget = Budget(rate)
        self._queue = Queue(lots)
        self._lock = lock

    def turn(self, patience: float, *, new: bool) -> Service[float]:
        """Wait for the turn; when that is. Raises `RequestRefused` (RETRY), which is no failing call, when it is
        further off than `patience`, s.
        """
        now = yield from clock()
        with self._lock:
            ticket = self._queue.join(new=new)
        try:
            while (place := self._place_of(ticket, now)) > now:
                if place - now > patience:
                    message = f"{self._name}: other streams of this process go first, for {place - now:.1f} s"
                    raise RequestRefused(unanswered(False, message, place - now))
                now = yield from wait(place)
            return now
        finally:
            with self._lock:
                self._queue.leave(ticket)

    def _place_of(self, ticket: Ticket, now: float) -> float:
        """Where the one with this ticket goes; it is taken if that is now."""
        with self._lock:
            place = self._budget.next(now, self._queue.ahead(ticket))
            if place <= now:
                self._budget.take(place, now)
            return place


class Pace:
    """One for all clients of a process; not `limited`, it lets everything pass at once. `lots` decides who of many
    goes first.
    """

    def __init__(self, *, limited: bool = True, lots: Random | None = None) -> None:
        self._limited = limited
        self._lots = SystemRandom() if lots is None else lots
        self._addresses: dict[str, Address] = {}
        self._doors: dict[tuple[str, str], Door] = {}
        self._lock = threading.Lock()

    def address(self, host: str) -> Address:
        """The weight that is spent at this host."""
        with self._lock:
            return self._addresses.setdefault(host, Address(threading.Lock(), limited=self._limited))

    def mints(self, host: str) -> Door:
        """Where streams queue for keys."""
        return self._door(host, "mint", MINTS)

    def handshakes(self, host: str) -> Door:
        """Where streams queue for sockets."""
        return self._door(host, "handshake", HANDSHAKES)

    def _door(self, host: str, name: str, rate: Rate) -> Door:
        with self._lock:
            chosen = rate if self._limited else UNLIMITED
            return self._doors.setdefault((host, name), Door(name, chosen, self._lots, threading.Lock()))


SHARED = Pace()
"""The budget of this process: the venue counts addresses, not objects."""
