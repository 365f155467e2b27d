"""Keeps requests below Binance's limits: the weight per minute and the opened sockets of each address.

Nothing here sleeps or reads a clock. The used weight is that of our own requests of the last minute, and what the
venue's header has beyond those, since other programs may use the same address. A read is admitted at its beginning: one
that recovers always, an audit if it leaves some weight for those, a poll if it leaves more. A read that was admitted is
not stopped. After the venue's "too fast" no request of this address is sent for a time.
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
"""The part of the limit that requests may use: an address that goes on after "too fast" is banned."""
READS: Mapping[Purpose, float] = MappingProxyType({Purpose.SYNC: 0.9, Purpose.AUDIT: 0.6, Purpose.POLL: 0.45})
"""The part of the limit up to which a read of each purpose is admitted."""
HANDSHAKES = Rate(300, 300.0)
"""The connection attempts of one address; only the documents of spot have this limit."""
MINTS = Rate(600, 60.0)
"""The rate of mints: they use at most a quarter of a minute's weight, so that some is left for the reads after them."""
PATIENCE = 0.25
"""The part of a time-out that may be spent waiting for a turn among the streams of a process."""
BRIEF = 1.5
"""The longest lock, s, that is waited for."""


class Address:
    """The weight that all accounts of a process use at one host, from any thread."""

    def __init__(self, lock: threading.Lock, *, limited: bool) -> None:
        self._lock = lock
        self._limit = LIMIT if limited else UNLIMITED.calls
        self._spent: list[tuple[float, int]] = []
        """Time, s, and weight of each request; oldest first."""
        self._others = 0
        self._others_until = float("-inf")
        self._locked_until = float("-inf")

    def turn(self, weight: int) -> Service[float]:
        """Wait until a request of this weight may be sent; return the time, s.

        Raises `RequestRefused` (RETRY), which is no failing call, if the address is locked for longer than `BRIEF`.
        """
        now = yield from clock()
        while (place := self._take(weight, now)) > now:
            if self._locked_until - now > BRIEF:
                raise self._locked(now)
            now = yield from wait(place)
        return now

    def admit(self, weight: int, purpose: Purpose) -> Service[None]:
        """Admit a read of this weight and purpose.

        Raises `RequestRefused` with `PUT_OFF` and the time to wait if there is too little weight, or as `turn` does.
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
        """Note the weight that the venue gives as used in the minute, in the answer to a request."""
        with self._lock:
            ours = sum(weight for at, weight in self._spent if heard - MINUTE < at <= sent)
            self._others, self._others_until = max(0, used - ours), heard + MINUTE

    def lock(self, until: float) -> None:
        """Note that no request of this address may be sent before `until`, s."""
        with self._lock:
            self._locked_until = max(self._locked_until, until)

    def check(self, now: float) -> None:
        """Raise `RequestRefused` (RETRY) if the address is locked for longer than `BRIEF`."""
        if self._locked_until - now > BRIEF:
            raise self._locked(now)

    def _take(self, weight: int, now: float) -> float:
        """Use the weight if it is free, and return `now`; else return the time, s, to try again."""
        with self._lock:
            free = max(self._locked_until, self._frees(REQUESTS * self._limit - weight, now))
            if free > now:
                return free
            del self._spent[: bisect_right(self._spent, (now - MINUTE, self._limit))]
            insort(self._spent, (now, weight))
            return now

    def _frees(self, most: float, now: float) -> float:
        """The first time, s, at which no more than `most` is used of the last minute."""
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
        return now  # a request that weighs more than the limit is sent when nothing else is used

    def _locked(self, now: float) -> RequestRefused:
        left = self._locked_until - now
        return RequestRefused(unanswered(False, f"the venue wants no request for another {left:.1f} s", left))


class Door:
    """Lets the streams of a process go one after the other: those that recover go first, the others by lot."""

    def __init__(self, name: str, rate: Rate, lots: Random, lock: threading.Lock) -> None:
        self._name = name
        self._budget = Budget(rate)
        self._queue = Queue(lots)
        self._lock = lock

    def turn(self, patience: float, *, new: bool) -> Service[float]:
        """Wait for the turn; return its time, s. Raises `RequestRefused` (RETRY), which is no failing call, if it is
        later than in `patience` seconds.
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
        """The time, s, of the turn of this ticket; if that is now, the turn is used."""
        with self._lock:
            place = self._budget.next(now, self._queue.ahead(ticket))
            if place <= now:
                self._budget.take(place, now)
            return place


class Pace:
    """The limits of all hosts for a process; if not `limited`, everything passes at once. `lots` draws the order of
    streams.
    """

    def __init__(self, *, limited: bool = True, lots: Random | None = None) -> None:
        self._limited = limited
        self._lots = SystemRandom() if lots is None else lots
        self._addresses: dict[str, Address] = {}
        self._doors: dict[tuple[str, str], Door] = {}
        self._lock = threading.Lock()

    def address(self, host: str) -> Address:
        """The weight that is used at this host."""
        with self._lock:
            return self._addresses.setdefault(host, Address(threading.Lock(), limited=self._limited))

    def mints(self, host: str) -> Door:
        """The queue of streams for keys at this host."""
        return self._door(host, "mint", MINTS)

    def handshakes(self, host: str) -> Door:
        """The queue of streams for sockets at this host."""
        return self._door(host, "handshake", HANDSHAKES)

    def _door(self, host: str, name: str, rate: Rate) -> Door:
        with self._lock:
            chosen = rate if self._limited else UNLIMITED
            return self._doors.setdefault((host, name), Door(name, chosen, self._lots, threading.Lock()))


SHARED = Pace()
"""The limits of this process: the venue counts by address."""
