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
from .network import Conn, Network
from .setup import EPOCH, Setup
from .weather import Weather

PING_EVERY = 5.0
UNANSWERED = 30.5
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
        if self._setup.greets and not conn.deaf:
            self._greet(conn)
        self._ping(conn)

    def _greet(self, conn: Conn) -> None:
        account, now = self.exchange.account, self.ms
        balances = [account.balance(asset) for asset in account.book.wallets]
        for frame in self.wire.snapshot(balances, self.exchange.positions(now), self._configs(), now):
            conn.send(packed(frame))

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
            for data in self._tampered(push, packed(self.wire.frame(push))):
                self._deliver(data)

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
        if isinstance(push, OrderPush) and push.order.id in self.door.spoiling.ghosts:
            return ()
        filled = isinstance(push, OrderPush) and push.fill is not None
        if filled and self._losing and weather.on("lose"):
            self._losing -= 1
            self._lose_account = self._losing_account
            return ()
        if weather.on("truncate") and random.random() < 0.6:
            return (data[: random.randrange(len(data))],)
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
            case "drop":
                self._end_all(None)
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
