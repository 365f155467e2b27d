"""The simulated exchange in the world: its account, its sockets, and what faults do to what it pushes.

What is a venue's own is in `swap` and `usdm`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from listenkey.adapters.simulator.flow import Action
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.pushes import ACCOUNT_LATENCY_MS, ORDER_LATENCY_MS, AccountPush, OrderPush, Push
from listenkey.adapters.simulator.seeds import seeded
from listenkey.ports.http import HttpResponse

from .activity import Activity
from .agenda import Agenda
from .crowds import Crowds
from .door import Door
from .faults import Fault
from .forms import Forms, Sent
from .network import Conn, Control, Network
from .setup import EPOCH, Setup
from .weather import Weather

PING_EVERY = 5.0
LATE = (0.05, 0.3, 1.0, 4.0)
"""Seconds by which a push may be late."""
UNTIL_READ = 40.0
"""Seconds within which a process that comes back has read the account."""
GHOSTS = 12


def ms_of(agenda: Agenda) -> int:
    """Return the exchange time now, ms."""
    return EPOCH + math.floor(agenda.now * 1000 + 1e-6)


class Frame(NamedTuple):
    """A message of this event, text or binary, as a socket brings it."""

    event: str
    data: bytes | str


class Market(ABC):
    """`changed` is called after each change of the account. `exact`: a frame has the figures of its own fill alone."""

    symbol: str
    """A symbol that is traded at this venue."""
    forms: Forms
    unanswered: float
    """Seconds without a pong after which a socket is cut."""

    def __init__(self, network: Network, weather: Weather, setup: Setup, door: Door, *, exact: bool) -> None:
        self.agenda = network.agenda
        self.exact = exact
        self.door, self.exchange, self.keys, self.ended_keys = door, door.exchange, door.keys, door.ended_keys
        self._network = network
        self._weather = weather
        self._setup = setup
        self._random = seeded(setup.seed, "venue")
        self.conns: dict[str, list[Conn]] = {}
        self.changed: list[Any] = []
        self.odd = Sent(set(self.forms.garbage), {})
        self.crowds = Crowds(door.exchange, setup)
        self._losing = 0
        self._lose_account = self._losing_account = False
        self._swapped: Frame | None = None
        self.flow = self._activity()
        weather.begins.append(self._begin)
        self._tick()

    # What is a venue's own

    @abstractmethod
    def lives(self, keys: Iterable[str]) -> bool:
        """True if all of these keys live, so that nobody can say that one is gone."""

    def died(self, keys: Iterable[str]) -> int | None:
        """Exchange time, ms, at which the first of these keys died, if sockets do not show that; else None."""
        return None

    @abstractmethod
    def _activity(self) -> Activity:
        """The activity of this venue's account."""

    @abstractmethod
    def _opened(self, url: str) -> Conn | HttpResponse:
        """Return the socket opened at this address, or the answer that refuses it."""

    @abstractmethod
    def _welcome(self, conn: Conn) -> None:
        """Push the frames that a newly opened socket gets unasked."""

    @abstractmethod
    def _written(self, push: Push) -> list[Frame]:
        """Return the frames of a push: its own, and those that go with it."""

    @abstractmethod
    def _receivers(self, key: str, event: str) -> list[Conn]:
        """Return the sockets of a living key on which an event is sent."""

    @abstractmethod
    def _ask(self, conn: Conn) -> None:
        """Send a ping on a socket."""

    @abstractmethod
    def _ping(self, conn: Conn) -> None:
        """Ping a socket from now on, and cut it when it does not answer."""

    @abstractmethod
    def _expiry(self, conn: Conn) -> list[Frame]:
        """The frames that are pushed to a socket whose key has ended."""

    @abstractmethod
    def _none(self) -> list[Frame]:
        """Return frames that no client can read."""

    @abstractmethod
    def _giant(self) -> Frame:
        """Return a frame that is too large."""

    @abstractmethod
    def _foreign(self, random: Random) -> Frame:
        """Return a notice that a key of somebody else has ended."""

    def _suffers(self, fault: Fault) -> None:
        """A fault of this venue alone begins; by default there are none."""
        return

    def _arranged(self, leaving: Sequence[Push]) -> Iterable[Push]:
        """Return the pushes of one moment in the order in which the venue sends them."""
        return leaving

    # The account

    @property
    def ms(self) -> int:
        """Exchange time, ms."""
        return ms_of(self.agenda)

    def act(self, action: Action) -> None:
        """Do something to the account, if the exchange allows it, and push what follows."""
        with suppress(OrderRefused):
            action(self.ms)
        self.note()
        for latency in (ORDER_LATENCY_MS, ACCOUNT_LATENCY_MS):
            self.agenda.after((latency + 0.01) / 1000, self._pump)

    def note(self) -> None:
        """The account has changed: call everything in `changed`."""
        for each in self.changed:
            each()

    def force_fill(self) -> None:
        """Make one fill."""
        self.act(
            lambda now: self.exchange.trade(  # type: ignore[arg-type]
                self.symbol, "BUY", Decimal("0.05"), now=now, position_side="LONG" if self._setup.hedge else None
            )
        )

    def answer(self, method: str, url: str) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        return self.door.answer(method, url, self.ms)

    # Sockets

    def accept(self, url: str) -> Conn | HttpResponse:
        """A handshake: return the socket, or the answer that refuses it."""
        if self._weather.on("outage"):
            return HttpResponse(503, {}, b"")
        fault = self._weather.on("refuse")
        if fault is not None:
            return HttpResponse(int(fault.variant), {}, b"")
        conn = self._opened(url)
        if isinstance(conn, Conn):
            self.conns.setdefault(conn.key, []).append(conn)
            self.agenda.after(0.0, self._begins, conn)
        return conn

    def heard(self, conn: Conn, said: str | Control) -> None:
        """A text, a ping or a pong comes on a socket."""
        conn.unanswered_since = None

    def _begins(self, conn: Conn) -> None:
        closing = self._weather.on("accept_close")
        if closing is not None:
            if closing.variant:
                self._ask(conn)
            self.end(conn, 1000)
            return
        if self._weather.on("accept_hang"):
            conn.silent = conn.mute = True
        self._welcome(conn)
        self._ping(conn)

    def _is_cut(self, conn: Conn) -> bool:
        """True if the socket has sent no pong for too long; it is then closed."""
        now = self.agenda.now
        if conn.unanswered_since is not None and now - conn.unanswered_since >= self.unanswered:
            self.end(conn, None)
            return True
        if not conn.mute:
            self._ask(conn)
            if conn.unanswered_since is None:
                conn.unanswered_since = now
        return False

    def end(self, conn: Conn, code: int | None) -> None:
        """The server ends a socket: with a close code, or by a reset."""
        if conn.server_open:
            self.left(conn)
            conn.server_ends(code)

    def left(self, conn: Conn) -> None:
        """The server knows that a socket has ended."""
        conn.server_open = False
        together = self.conns[conn.key]
        together.remove(conn)
        if not together:
            del self.conns[conn.key]

    def _all(self) -> list[Conn]:
        return [conn for together in self.conns.values() for conn in together]

    def _pump(self) -> None:
        for push in self._arranged(self.exchange.due(self.ms)):
            first, *besides = self._written(push)
            for frame in (*self._tampered(push, self._dressed(push, first)), *besides):
                self._deliver(frame)

    def _dressed(self, push: Push, frame: Frame) -> Frame:
        forms = self.forms
        for kind, among in (("unreadable", forms.unreadable), ("odd_frames", forms.readable)):
            fault = self._weather.on(kind)
            if fault is not None and self._random.random() < 0.7:
                form = self._random.choice(list(among)) if fault.variant == "any" else fault.variant
                if form not in among:
                    continue
                odd = among[form](forms.text(frame.data))
                if among is forms.unreadable:
                    self.odd.unreadable.add(odd)
                elif isinstance(push, OrderPush) and push.fill is not None:
                    self.odd.fills[odd] = push.fill
                return Frame(frame.event, odd)
        return frame

    def _deliver(self, frame: Frame) -> None:
        for key in self.conns:
            if self.keys.valid(key, self.ms):
                for conn in self._receivers(key, frame.event):
                    if not conn.silent:
                        conn.send(frame.data)

    def _tampered(self, push: Push, frame: Frame) -> Iterable[Frame]:
        weather, random = self._weather, self._random
        if isinstance(push, AccountPush) and self._lose_account:
            self._lose_account = False
            return ()
        if isinstance(push, AccountPush) and weather.on("shuffle") and random.random() < 0.6:
            self.agenda.after(random.choice(LATE), self._deliver, frame)
            return ()
        if isinstance(push, OrderPush) and push.order.id in self.door.spoiling.ghosts:
            return ()
        filled = isinstance(push, OrderPush) and push.fill is not None
        if filled and self._losing and weather.on("lose"):
            self._losing -= 1
            self._lose_account = self._losing_account
            return ()
        if weather.on("truncate") and random.random() < 0.6:
            cut = frame.data[: random.randrange(len(frame.data))]
            self.odd.unreadable.add(cut)
            return (Frame(frame.event, cut),)
        if weather.on("repeat") and random.random() < 0.7:
            return (frame, frame)
        if self._swapped is not None and isinstance(push, OrderPush):
            earlier, self._swapped = self._swapped, None
            return (frame, earlier)
        if filled and weather.on("swap") and random.random() < 0.7:
            self._swapped = frame
            self.agenda.after(random.choice((0.05, 0.2, 0.6)), self._unswap, frame)
            return ()
        return (frame,)

    def _unswap(self, frame: Frame) -> None:
        if self._swapped is frame:
            self._swapped = None
            self._deliver(frame)

    def _tick(self) -> None:
        for key in self.keys.expired(self.ms):
            self._push_end(key)
        self.agenda.after(PING_EVERY, self._tick)

    def _push_end(self, key: str) -> None:
        self.ended_keys.add(key)
        for conn in self.conns.get(key, ()):
            if not conn.mute:
                for frame in self._expiry(conn):
                    conn.send(frame.data)

    # Faults

    def _begin(self, fault: Fault, random: Random) -> None:
        match fault.kind:
            case "drop" | "stale_reconnect":
                self._end_all(None)
            case "torn_reads":
                self._execute(fault.seconds, random)
                for part in range(3):
                    self.agenda.after(fault.seconds * (part + random.random()) / 3, self._end_all, None)
            case "restart":
                self._execute(fault.seconds + UNTIL_READ, random)
            case "close":
                self._end_all(int(fault.variant))
            case "outage" | "refuse" | "accept_close" | "accept_hang":
                self._end_all(random.choice((None, 1001)))
            case "half_open":
                for conn in self._all():
                    conn.dead = True
            case "silent":
                for conn in self._all():
                    conn.silent = True
            case "lose":
                self._losing = 3 if "three" in fault.variant else 1
                self._losing_account = "account" in fault.variant
            case "garbage":
                for conn in self._all():
                    for frame in self._none():
                        conn.send(frame.data)
            case "oversized":
                for conn in self._all():
                    conn.send(self._giant().data)
            case "expire" | "expire_silently":
                self._revoke(silently=fault.kind == "expire_silently")
            case "revoked":
                self.agenda.after(
                    random.choice((0.0, 0.02, random.random())), self._revoke, fault.variant == "silently"
                )
            case "flap":
                self._flap(self.agenda.now + fault.seconds, random)
            case "ghosts":
                self._haunt()
            case "foreign":
                for conn in self._all():
                    conn.send(self._foreign(random).data)
            case _:
                self._suffers(fault)

    def _execute(self, seconds: float, random: Random) -> None:
        """Place an order and fill it in tenths over the next `seconds`."""
        side = "BUY" if not self._setup.hedge else random.choice(("BUY", "SELL"))
        towards = "LONG" if side == "BUY" else "SHORT"
        price = self.exchange.market.price(self.symbol, self.ms)
        with suppress(OrderRefused):
            order = self.exchange.place(
                self.symbol,
                side,
                Decimal(1),
                now=self.ms,
                type="LIMIT",
                price=price,
                position_side=towards if self._setup.hedge else None,
            )
            for part in range(1, 10):
                self.agenda.after(
                    seconds * part / 10, self.act, lambda now: self.exchange.fill(order.id, Decimal("0.1"), now=now)
                )

    def _flap(self, until: float, random: Random) -> None:
        if self.agenda.now < until:
            self._end_all(None)
            self.agenda.after(random.uniform(2, 5), self._flap, until, random)

    def _haunt(self) -> None:
        """Place a dozen orders, whose frames are pushed; then the venue loses them, and no frame says so."""
        placed: list[int] = []
        for _ in range(GHOSTS):
            with suppress(OrderRefused):
                order = self.exchange.place(
                    self.symbol,
                    "BUY",
                    Decimal("0.05"),
                    now=self.ms,
                    type="LIMIT",
                    price=Decimal(100),
                    position_side="LONG" if self._setup.hedge else None,
                )
                placed.append(order.id)
        self.agenda.after((ORDER_LATENCY_MS + 0.01) / 1000, self._pump)
        self.agenda.after(1.0, self._vanish, placed)

    def _vanish(self, placed: list[int]) -> None:
        for order_id in placed:
            order = self.exchange.orders[order_id]
            if order.open and not order.executed:
                self.door.spoiling.ghosts.add(order_id)
                self.exchange.cancel(order_id, now=self.ms)
        self.agenda.after((ORDER_LATENCY_MS + 0.01) / 1000, self._pump)

    def _revoke(self, silently: bool) -> None:
        self._ended(self.keys.expire(self.ms, silently=silently))
        if not silently:
            for key in self.keys.expired(self.ms):
                self._push_end(key)

    def _ended(self, keys: Iterable[str]) -> None:
        self.ended_keys.update(keys)

    def _end_all(self, code: int | None) -> None:
        for conn in self._all():
            self.end(conn, code)
