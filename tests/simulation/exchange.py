"""The simulated exchange in the world: its account, its keys, its sockets, and what faults do to what it pushes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.flow import Action
from listenkey.adapters.simulator.garbage import bomb, garbage
from listenkey.adapters.simulator.listenkeys import ListenKeys
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.pushes import (
    ACCOUNT_LATENCY_MS,
    ORDER_LATENCY_MS,
    AccountPush,
    ConfigPush,
    OrderPush,
    Push,
    config_of,
)
from listenkey.adapters.simulator.seeds import seeded
from listenkey.adapters.simulator.wire import PING, Wire, key_expired, packed
from listenkey.ports.http import HttpResponse

from .activity import Activity
from .agenda import Agenda
from .door import Door
from .faults import Fault
from .forms import GARBAGE, READABLE, UNREADABLE, Sent, dressed
from .network import Conn, Network
from .setup import EPOCH, Setup
from .weather import Weather

PING_EVERY = 5.0
UNANSWERED = 30.5
STALE = 0.4
"""Seconds by which a stale snapshot is late."""
LATE = (0.05, 0.3, 1.0, 4.0)
"""Seconds by which a push may be late."""
UNTIL_READ = 40.0
"""Seconds within which a process that comes back has read the account."""
GHOSTS = 12
_encode = msgspec.json.encode


class Market:
    """`changed` is called after everything that happens to the account."""

    def __init__(self, agenda: Agenda, network: Network, weather: Weather, setup: Setup) -> None:
        self.agenda = agenda
        self._network = network
        self._weather = weather
        self._setup = setup
        seed = setup.seed
        self._random = seeded(seed, "venue")
        self.exchange = Exchange(now=self.ms, seed=seed, hedge=setup.hedge, triggered=setup.triggered)
        self.keys = ListenKeys(seed=seed, validity_ms=int(setup.validity * 1000))
        self.conns: dict[str, list[Conn]] = {}
        self.changed: list[Any] = []
        self.ended_keys: set[str] = set()
        self.odd = Sent(set(GARBAGE), {})
        self._turns: dict[str, int] = {}
        self.wire = Wire(setup.wire, seed=seed, event_name=setup.event_name)
        self.door = Door(agenda, weather, setup, self.exchange, self.keys, self.ended_keys)
        self._losing = 0
        self._lose_account = self._losing_account = False
        self._swapped: bytes | None = None
        self.flow = Activity(self, setup.rate, seed)
        weather.begins.append(self._begin)
        self._tick()

    @property
    def ms(self) -> int:
        """Exchange time."""
        return EPOCH + math.floor(self.agenda.now * 1000 + 1e-6)

    def ends_of(self, keys: Iterable[str]) -> list[int]:
        """When these keys end, exchange ms."""
        return [self.keys._ends.get(key, 0) for key in keys] or [0]

    def act(self, action: Action) -> None:
        """Something happens to the account, if the exchange allows it."""
        with suppress(OrderRefused):
            action(self.ms)
        for each in self.changed:
            each()
        for latency in (ORDER_LATENCY_MS, ACCOUNT_LATENCY_MS):
            self.agenda.after((latency + 0.01) / 1000, self._pump)

    def force_fill(self) -> None:
        """A fill, whatever else happens."""
        self.act(
            lambda now: self.exchange.trade(  # type: ignore[arg-type]
                "ETH-USDT", "BUY", Decimal("0.05"), now=now, position_side="LONG" if self._setup.hedge else None
            )
        )

    def answer(self, method: str, url: str) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        return self.door.answer(method, url, self.ms)

    # Sockets

    def accept(self, key: str) -> Conn | HttpResponse:
        """A handshake: a socket, or the answer that it gets instead."""
        if self._weather.on("outage"):
            return HttpResponse(503, {}, b"")
        fault = self._weather.on("refuse")
        if fault is not None:
            return HttpResponse(int(fault.variant), {}, b"")
        if not self.keys.valid(key, self.ms):
            return HttpResponse(401, {}, b'{"code": 100401, "msg": "listen key expired"}')
        conn = Conn(self._network, key)
        self.conns.setdefault(key, []).append(conn)
        self.agenda.after(0.0, self._welcome, conn)
        return conn

    def _welcome(self, conn: Conn) -> None:
        closing = self._weather.on("accept_close")
        if closing is not None:
            if closing.variant:
                conn.send(PING)
            self.end(conn, 1000)
            return
        if self._weather.on("accept_hang"):
            conn.deaf = conn.mute = True
        if (self._weather.on("stale_snapshot") or self._weather.on("stale_reconnect")) and not conn.deaf:
            self._greet_late(conn)
        elif self._setup.greets and not conn.deaf:
            self._greet(conn)
        self._ping(conn)

    def _greet(self, conn: Conn) -> None:
        for frame in self._snapshot():
            conn.send(frame)

    def _snapshot(self) -> list[bytes]:
        account, now = self.exchange.account, self.ms
        balances = [account.balance(asset) for asset in account.book.wallets]
        frames = self.wire.snapshot(balances, self.exchange.positions(now), self._configs(), now)
        return [packed(frame) for frame in frames]

    def _greet_late(self, conn: Conn) -> None:
        """The account as it is now, told after a fill that comes first."""
        frames = self._snapshot()
        self.force_fill()
        for frame in frames:
            self.agenda.after(STALE, self._send, conn, frame)

    def _send(self, conn: Conn, frame: bytes) -> None:
        if conn.server_open and not conn.deaf:
            conn.send(frame)

    def _configs(self) -> list[ConfigPush]:
        account, now = self.exchange.account, self.ms
        return [config_of(account, symbol, now, now) for symbol in account.leverage]

    def _ping(self, conn: Conn) -> None:
        if not conn.server_open:
            return
        now = self.agenda.now
        if conn.unanswered_since is not None and now - conn.unanswered_since >= UNANSWERED:
            self.end(conn, None)
            return
        if not conn.mute:
            conn.send(PING)
            if conn.unanswered_since is None:
                conn.unanswered_since = now
        if not conn.deaf and self.keys.valid(conn.key, self.ms):
            snapshots, configs = self._setup.snapshots, self._setup.configs
            if snapshots and now % snapshots < PING_EVERY:
                self._greet(conn)
            if configs and now % configs < PING_EVERY:
                for config in self._configs():
                    conn.send(packed(self.wire.frame(config)))
        self.agenda.after(PING_EVERY, self._ping, conn)

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
        for push in self.exchange.due(self.ms):
            for data in self._tampered(push, self._dressed(push, packed(self.wire.frame(push)))):
                self._deliver(data)

    def _dressed(self, push: Push, data: bytes) -> bytes:
        for kind, forms in (("unreadable", UNREADABLE), ("odd_frames", READABLE)):
            fault = self._weather.on(kind)
            if fault is not None and self._random.random() < 0.7:
                form = self._random.choice(list(forms)) if fault.variant == "any" else fault.variant
                odd = dressed(form, data)
                if forms is UNREADABLE:
                    self.odd.unreadable.add(odd)
                elif isinstance(push, OrderPush) and push.fill is not None:
                    self.odd.fills[odd] = push.fill
                return odd
        return data

    def _deliver(self, data: bytes) -> None:
        for key, together in self.conns.items():
            if not self.keys.valid(key, self.ms):
                continue
            if key in self.keys.shared:
                chosen = list(together)
            else:
                turn = self._turns[key] = self._turns.get(key, -1) + 1
                chosen = [together[turn % len(together)]]
            for conn in chosen:
                if not conn.deaf:
                    conn.send(data)

    def _tampered(self, push: Push, data: bytes) -> Iterable[bytes]:
        weather, random = self._weather, self._random
        if isinstance(push, AccountPush) and self._lose_account:
            self._lose_account = False
            return ()
        if isinstance(push, AccountPush) and weather.on("shuffle") and random.random() < 0.6:
            self.agenda.after(random.choice(LATE), self._deliver, data)
            return ()
        if isinstance(push, OrderPush) and push.order.id in self.door.spoiling.ghosts:
            return ()
        filled = isinstance(push, OrderPush) and push.fill is not None
        if filled and self._losing and weather.on("lose"):
            self._losing -= 1
            self._lose_account = self._losing_account
            return ()
        if weather.on("truncate") and random.random() < 0.6:
            cut = data[: random.randrange(len(data))]
            self.odd.unreadable.add(cut)
            return (cut,)
        if weather.on("repeat") and random.random() < 0.7:
            return (data, data)
        if self._swapped is not None and isinstance(push, OrderPush):
            earlier, self._swapped = self._swapped, None
            return (data, earlier)
        if filled and weather.on("swap") and random.random() < 0.7:
            self._swapped = data
            self.agenda.after(random.choice((0.05, 0.2, 0.6)), self._unswap, data)
            return ()
        return (data,)

    def _unswap(self, data: bytes) -> None:
        if self._swapped is data:
            self._swapped = None
            self._deliver(data)

    def _tick(self) -> None:
        for key in self.keys.expired(self.ms):
            self._announce(key)
        self.agenda.after(PING_EVERY, self._tick)

    def _announce(self, key: str, named: str | None = None) -> None:
        self.ended_keys.add(key)
        for conn in self.conns.get(key, ()):
            if not conn.mute:
                conn.send(packed(key_expired(named or key, self.ms)))

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
            case "deaf":
                for conn in self._all():
                    conn.deaf = True
            case "lose":
                self._losing = 3 if "three" in fault.variant else 1
                self._losing_account = "account" in fault.variant
            case "garbage":
                for conn in self._all():
                    for data in garbage().values():
                        conn.send(data)
            case "oversized":
                for conn in self._all():
                    conn.send(bomb(2))
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
                    conn.send(packed(key_expired(f"{random.getrandbits(256):064x}", self.ms)))

    def _execute(self, seconds: float, random: Random) -> None:
        """From now on, for so long, an order is executed bit by bit."""
        side = "BUY" if not self._setup.hedge else random.choice(("BUY", "SELL"))
        towards = "LONG" if side == "BUY" else "SHORT"
        price = self.exchange.market.price("ETH-USDT", self.ms)
        with suppress(OrderRefused):
            order = self.exchange.place(
                "ETH-USDT",
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
        """A dozen orders, told of as they are placed; then they are gone and no frame says so."""
        placed: list[int] = []
        for _ in range(GHOSTS):
            with suppress(OrderRefused):
                order = self.exchange.place(
                    "ETH-USDT",
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
        self.ended_keys.update(self.keys.expire(self.ms, silently=silently))
        if not silently:
            for key in self.keys.expired(self.ms):
                self._announce(key)

    def _end_all(self, code: int | None) -> None:
        for conn in self._all():
            self.end(conn, code)
