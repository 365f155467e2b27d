"""The simulated exchange in the world: its activity, its keys, its sockets, and its door for REST."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.flow import Action, Flow
from listenkey.adapters.simulator.garbage import bomb, garbage
from listenkey.adapters.simulator.limits import KEYS_PATH, Limits, disabled_until
from listenkey.adapters.simulator.listenkeys import ListenKeys
from listenkey.adapters.simulator.orders import OrderRefused
from listenkey.adapters.simulator.pushes import (
    ACCOUNT_LATENCY_MS,
    ORDER_LATENCY_MS,
    AccountPush,
    OrderPush,
    Push,
    config_of,
)
from listenkey.adapters.simulator.rest import Rest, Sight
from listenkey.adapters.simulator.seeds import seeded
from listenkey.adapters.simulator.wire import PING, Wire, key_expired, packed
from listenkey.ports.http import HttpResponse

from .agenda import Agenda
from .faults import Fault
from .network import Conn, Network
from .setup import EPOCH, Setup
from .weather import Weather

PING_EVERY = 5.0
UNANSWERED = 30.5
_encode = msgspec.json.encode


class Activity(Flow):
    """The simulator's flow on the world's agenda."""

    def __init__(self, market: Market, rate: float, seed: int) -> None:
        self._market_ = market
        super().__init__(market.exchange, now=market.exchange.now, fills_per_second=rate, seed=seed, second_ms=1000.0)

    def _at(self, at: int, action: Action) -> None:
        self._market_.agenda.at((at - EPOCH) / 1000, self._do, action)

    def _do(self, action: Action) -> None:
        if not self.quiet:
            self._market_.act(action)

    def trade(self, now: int) -> None:
        """Something is filled: an order at once or in parts."""
        if self._random.random() < 0.5:
            self._simple(now)
        else:
            self._in_parts(now)


class Market:
    """`changed` is called after everything that happens to the account."""

    def __init__(self, agenda: Agenda, network: Network, weather: Weather, setup: Setup) -> None:
        self.agenda = agenda
        self._network = network
        self._weather = weather
        self._setup = setup
        seed = setup.seed
        self._random = seeded(seed, "venue")
        self.exchange = Exchange(now=self.ms, seed=seed, hedge=setup.hedge)
        self.keys = ListenKeys(seed=seed, validity_ms=int(setup.validity * 1000))
        self.limits = Limits()
        self.conns: dict[str, list[Conn]] = {}
        self.changed: list[Any] = []
        self.ended_keys: set[str] = set()
        self.refused: list[tuple[float, str, str]] = []
        self._turns: dict[str, int] = {}
        self._wire = Wire("modern" if setup.wire == "modern" else "captured", seed=seed)
        self._rest = Rest(
            self.exchange,
            fill_shape="newer" if setup.fill_shape == "newer" else "documented",
            symbol_required=setup.by_symbol,
        )
        self._losing = 0
        self._lose_account = self._losing_account = False
        self._swapped: bytes | None = None
        self._skew = 0
        self.flow = Activity(self, setup.rate, seed)
        weather.begins.append(self._begin)
        weather.ends.append(self._end)
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
        configs = [config_of(account, symbol, now, now) for symbol in account.leverage]
        for frame in self._wire.snapshot(balances, self.exchange.positions(now), configs, now):
            conn.send(packed(frame))

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
        snapshots = self._setup.snapshots
        if snapshots and not conn.deaf and now % snapshots < PING_EVERY and self.keys.valid(conn.key, self.ms):
            self._greet(conn)
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
            for data in self._tampered(push, packed(self._wire.frame(push))):
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
                ended = self.keys.expire(self.ms, silently=fault.kind == "expire_silently")
                self.ended_keys.update(ended)
                if fault.kind == "expire":
                    for key in self.keys.expired(self.ms):
                        self._announce(key)
            case "foreign":
                for conn in self._all():
                    conn.send(packed(key_expired(f"{random.getrandbits(256):064x}", self.ms)))
            case "skew":
                self._skew = random.randint(-1000, 1000)

    def _end(self, fault: Fault, random: Random) -> None:
        if fault.kind == "skew":
            self._skew = 0

    def _end_all(self, code: int | None) -> None:
        for conn in self._all():
            self.end(conn, code)

    # REST

    def answer(self, method: str, url: str) -> HttpResponse | None:
        """The answer to a call, None if there is none."""
        parts = urlsplit(url)
        path, now = parts.path, self.ms
        broken = self._broken(method, path)
        if broken is not None:
            self.refused.append((self.agenda.now, method + path, "fault"))
            return None if broken.status == 0 else broken
        try:
            self.limits.admit(method, path, now)
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            if path == KEYS_PATH:
                return self._keys(method, params, now)
            if path.endswith("/server/time"):
                return _json(200, {"code": 0, "msg": "", "data": {"serverTime": now + self._skew}})
            return HttpResponse(200, {}, _encode(self._rest.answer(path, params, now, self._sight(path, now))))
        except OrderRefused as error:
            self.limits.failed(method, path, error.code, now)
            self.refused.append((self.agenda.now, method + path, error.message))
            return _json(200, {"code": error.code, "msg": error.message, "data": {}, "timestamp": now})

    def _broken(self, method: str, path: str) -> HttpResponse | None:
        weather = self._weather
        if weather.on("outage"):
            return HttpResponse(503, {}, b"<html>maintenance</html>")
        fault = weather.on("rest_down")
        if fault is None and path != KEYS_PATH:
            fault = weather.on("reads_down")
        if fault is None and path == KEYS_PATH and method == "PUT":
            fault = weather.on("renew_busy")
        if fault is None or (fault.variant == "empty" and method in ("PUT", "DELETE")):  # there it is a success
            return None
        until = EPOCH + int((fault.at + fault.seconds) * 1000)
        match fault.variant:
            case "timeout":
                return HttpResponse(0, {}, b"")
            case "500":
                return HttpResponse(500, {}, b"")
            case "html":
                return HttpResponse(502, {}, b"<html><body>502 Bad Gateway</body></html>")
            case "empty":
                return HttpResponse(200, {}, b"")
            case "429":
                return HttpResponse(429, {"retry-after": "3"}, b"")
        refusal = disabled_until(until)
        return _json(200, {"code": refusal.code, "msg": refusal.message, "data": {}, "timestamp": self.ms})

    def _keys(self, method: str, params: dict[str, str], now: int) -> HttpResponse:
        weather, key = self._weather, params.get("listenKey", "")
        if method == "POST":
            if weather.on("mint_error"):
                raise OrderRefused(100500, "The current system is busy, please try again later")
            key = self.keys.mint(now, same=weather.on("same_key") is not None)
            bare = {"listenKey": key}
            return _json(200, {"code": 0, "msg": "", "data": bare} if self._setup.wrapped_keys else bare)
        if method == "PUT":
            if weather.on("renew_gone"):
                self.ended_keys.add(key)
                self.keys.delete(key, now)
            done = self.keys.renew(key, now)
        else:
            done = self.keys.delete(key, now)
        if done:
            return HttpResponse(200, {}, b"")
        self.limits.failed(method, KEYS_PATH, 404, now)
        return HttpResponse(404, {}, b"This listenKey does not exist")

    def _sight(self, path: str, now: int) -> Sight:
        lag = self._weather.on("lag")
        return Sight(
            fills_until=None if lag is None else now - 500 - lag.salt % 3000,
            lag_income=lag is not None and "income" in lag.variant,
            empty_amounts=path.endswith("/balance") and self._weather.on("blank") is not None,
        )


def _json(status: int, body: object) -> HttpResponse:
    return HttpResponse(status, {}, _encode(body))
