"""Binance in the world: text frames, protocol pings, one key for all clients, sockets that open for dead ones too."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listenkey.adapters.simulator.binance.client import MOST_A_SECOND
from listenkey.adapters.simulator.binance.family import INSTRUMENTS, PING_INTERVAL, STOCK, WORTH
from listenkey.adapters.simulator.binance.garbage import garbage, giant
from listenkey.adapters.simulator.binance.keys import LENGTH, LETTERS, SharedKeys
from listenkey.adapters.simulator.binance.readings import Readings, readings
from listenkey.adapters.simulator.binance.sockets import Stream, Subscription
from listenkey.adapters.simulator.binance.wire import Wire, event_of
from listenkey.adapters.simulator.binance.words import named
from listenkey.adapters.simulator.book import Wallet
from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.log import Log
from listenkey.adapters.simulator.pushes import Push

from .activity import Activity, UsdmActivity
from .exchange import Frame, Market, ms_of
from .faults import AFTERMATH, Fault
from .forms import BROKEN, USDM_FORMS, as_sent
from .network import Conn, Control, Network
from .setup import Setup
from .usdmdoor import UsdmDoor
from .violation import Violation
from .weather import Weather

UNANSWERED = 600.0
EXPIRED = "listenKeyExpired"
SHARED_WITHIN = (60.0, 400.0)
"""Seconds between two requests of another client for the key that it shares with us."""
OLDEST = 86_400.0
OLDEST_COMPRESSED = 960.0
"""Seconds that a socket may last: longer than until a rotation."""
_encode = msgspec.json.encode


class Listener(Stream):
    """The subscriptions of a socket, and the answers to its requests."""

    def __init__(self, conn: Conn, url: str, readings: Readings, is_alive: Callable[[str], bool]) -> None:
        parts = urlsplit(url)
        request = SimpleNamespace(path=parts.path, query=dict(parse_qsl(parts.query)), transport=None)
        super().__init__(0, conn.key, cast(Any, None), cast(Any, request), Log(), readings, is_alive)
        self.times: deque[float] = deque()
        self._conn = conn

    def send(self, data: bytes, ready_at: float = 0.0) -> None:
        """Send it at once."""
        self._conn.send(as_sent(data))

    def lets(self, event: str) -> bool:
        """True if the event is sent on this socket."""
        return self.delivers and any(each.wants(event, self.readings) for each in self.subscriptions)


class UsdmMarket(Market):
    """Binance's view of the account under the readings of a life: its sockets, keys and frames."""

    symbol = "ETHUSDT"
    forms = USDM_FORMS
    unanswered = UNANSWERED

    def __init__(self, network: Network, weather: Weather, setup: Setup) -> None:
        now, seed = ms_of(network.agenda), setup.seed
        self.readings = chosen = readings(setup.facts)
        exchange = Exchange(
            now=now, seed=seed, hedge=setup.hedge, triggered=setup.triggered, instruments=INSTRUMENTS, naming=named
        )
        if chosen.fees != "USDT":
            exchange.account.fees_in = (chosen.fees, WORTH)
            exchange.account.book.wallets.setdefault(chosen.fees, Wallet(STOCK, STOCK))
        validity = int(setup.validity * 1000)
        self._shared_keys = SharedKeys(seed=seed, validity_ms=validity, pushed=chosen.deletion == "pushed")
        self._wire = Wire(exchange, chosen, seed=seed)
        self._listeners: dict[Conn, Listener] = {}
        self._oldest = OLDEST_COMPRESSED if setup.schedule else OLDEST
        self._usdm_door = UsdmDoor(weather, setup, exchange, self._shared_keys, chosen)
        super().__init__(network, weather, setup, self._usdm_door, exact=True)
        if setup.shared and chosen.key_of == "account":
            self.agenda.after(self._random.uniform(0.0, SHARED_WITHIN[0]), self._another_renews)

    def lives(self, keys: Iterable[str]) -> bool:
        """True if all of these keys live for 2 s more, as far as our own requests alone can know."""
        ends = [self._usdm_door.vouched_until(key) for key in keys]
        return min(ends, default=0) > self.ms + 2000

    def died(self, keys: Iterable[str]) -> int | None:
        """When the first of these keys has died, exchange ms."""
        times = [self._usdm_door.died.get(key, self._shared_keys._ends.get(key, self.ms)) for key in keys]
        return min((at for at in times if at < self.ms), default=None)

    def _ended(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._usdm_door.ends(key, self.ms)

    def heard(self, conn: Conn, said: str | Control) -> None:
        """A text or control frame comes on a socket."""
        if not conn.server_open or conn.mute:
            return
        if said is Control.PONG:
            super().heard(conn, said)
        elif said is Control.PING:
            if self.readings.client_pings == "answered":
                conn.send(Control.PONG)
        else:
            listener = self._listeners[conn]
            listener.times.append(self.agenda.now)
            while listener.times[0] <= self.agenda.now - 1:
                listener.times.popleft()
            if len(listener.times) > MOST_A_SECOND and self._weather.on("stall") is None:
                raise Violation("attempts-bounded", f"{len(listener.times)} messages in a second")
            listener.hear(str(said))

    def left(self, conn: Conn) -> None:
        """The server knows that a socket has ended."""
        super().left(conn)
        del self._listeners[conn]

    def _activity(self) -> Activity:
        return UsdmActivity(self, self._setup.rate, self._setup.seed)

    def _opened(self, url: str) -> Conn:
        """Return a socket; here any key opens one."""
        query = dict(parse_qsl(urlsplit(url).query))
        conn = Conn(self._network, query["listenKey"])
        listener = Listener(conn, url, self.readings, lambda key: self.keys.valid(key, self.ms))
        if self._weather.on("eventless"):
            listener.subscriptions = [Subscription(conn.key)]
        self._listeners[conn] = listener
        self.agenda.after(self._oldest, self._age, conn)
        return conn

    def _welcome(self, conn: Conn) -> None:
        """This venue pushes nothing unasked."""

    def _ask(self, conn: Conn) -> None:
        conn.send(Control.PING)

    def _ping(self, conn: Conn) -> None:
        self.agenda.after(PING_INTERVAL, self._pings, conn)

    def _pings(self, conn: Conn) -> None:
        if conn.server_open and not self._is_cut(conn):
            self._ping(conn)

    def _age(self, conn: Conn) -> None:
        self.end(conn, None if self.readings.age_cut == "abrupt" else 1001)

    def _arranged(self, leaving: Sequence[Push]) -> Iterable[Push]:
        return self._wire.arranged(leaving)

    def _written(self, push: Push) -> list[Frame]:
        return [Frame(event_of(frame), frame.decode()) for frame in self._wire.frames(push)]

    def _receivers(self, key: str, event: str) -> list[Conn]:
        """Each socket of the key gets every event that it asked for."""
        return [conn for conn in self.conns[key] if self._listeners[conn].lets(event)]

    def _expiry(self, conn: Conn) -> list[Frame]:
        if conn.silent or not self._listeners[conn].lets(EXPIRED):
            return []
        return [Frame(EXPIRED, frame.decode()) for frame in self._wire.expiry(conn.key, self.ms)]

    def _none(self) -> list[Frame]:
        return [Frame("", as_sent(frame)) for name, frame in garbage().items() if name != BROKEN]

    def _giant(self) -> Frame:
        return Frame("", giant(2).decode())

    def _foreign(self, random: Random) -> Frame:
        key = "".join(random.choices(LETTERS, k=LENGTH))
        return Frame(EXPIRED, _encode({"e": EXPIRED, "E": self.ms, "listenKey": key}).decode())

    def _suffers(self, fault: Fault) -> None:
        match fault.kind:
            case "another_deletes":
                after = max(0.0, fault.seconds - AFTERMATH) if "late" in fault.variant else 0.0
                self.agenda.after(after, self._another_deletes, "replaced" in fault.variant)
            case "aged":
                for conn in self._all():
                    self._age(conn)

    def _another_deletes(self, replaced: bool) -> None:
        keys, owner = self._shared_keys, self._usdm_door.owner
        current = keys.current(owner, self.ms)
        if current is not None:
            self._ended([current])
            keys.delete(current, self.ms)
        if replaced:
            keys.obtain(owner, self.ms)
        for key in keys.expired(self.ms):
            self._push_end(key)

    def _another_renews(self) -> None:
        """Another client has the account's key extended or, if it is gone, a new one granted."""
        self._shared_keys.obtain(self._usdm_door.owner, self.ms)
        self.agenda.after(self._random.uniform(*SHARED_WITHIN), self._another_renews)
