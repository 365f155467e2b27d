"""BingX in the world: gzipped frames, pings in the text, a key of its own for each stream, snapshots."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from listenkey.adapters.simulator.exchange import Exchange
from listenkey.adapters.simulator.flow import Action
from listenkey.adapters.simulator.garbage import bomb, garbage
from listenkey.adapters.simulator.listenkeys import ListenKeys
from listenkey.adapters.simulator.pushes import ConfigPush, Push, config_of
from listenkey.adapters.simulator.wire import PING, Wire, key_expired, packed
from listenkey.ports.http import HttpResponse

from .activity import Activity
from .exchange import PING_EVERY, Frame, Market, ms_of
from .faults import Fault
from .forms import SWAP_FORMS
from .network import Conn, Network
from .setup import WHOLE_SECOND, Setup
from .swapdoor import SwapDoor
from .weather import Weather

CROWD = 12
"""Fills in a second, for a list that shows eight."""
STALE = 0.4
"""Seconds by which a stale snapshot is late."""


class SwapMarket(Market):
    """BingX's view of the account: its sockets, keys and frames."""

    symbol = "ETH-USDT"
    forms = SWAP_FORMS
    unanswered = 30.5

    def __init__(self, network: Network, weather: Weather, setup: Setup) -> None:
        now, seed = ms_of(network.agenda), setup.seed
        exchange = Exchange(now=now, seed=seed, hedge=setup.hedge, triggered=setup.triggered)
        keys = ListenKeys(seed=seed, validity_ms=int(setup.validity * 1000))
        self.wire = Wire(setup.wire, seed=seed, event_name=setup.event_name)
        self._turns: dict[str, int] = {}
        door = SwapDoor(weather, setup, exchange, keys)
        super().__init__(network, weather, setup, door, exact=self.wire.exact)

    def lives(self, keys: Iterable[str]) -> bool:
        """True if all of these keys live for 2 s more, and no key has ended before its time."""
        ends = [self.keys._ends.get(key, 0) for key in keys]
        return not self.ended_keys and min(ends, default=0) > self.ms + 2000

    def _suffers(self, fault: Fault) -> None:
        if fault.kind == "crowd":
            self._end_all(None)
            symbols = [self.symbol] if fault.variant == "of one" else list(self.exchange.market.instruments)
            until_next = (WHOLE_SECOND - self.ms % WHOLE_SECOND) / WHOLE_SECOND
            for number in range(CROWD):
                self.agenda.after(
                    until_next + 0.001 + 0.9 * number / CROWD,
                    self.act,
                    self._opening(symbols[number % len(symbols)], number),
                )

    def _opening(self, symbol: str, number: int) -> Action:
        """A fill that opens something: of an order that was triggered, which may be in no list, or of another."""

        def opened(now: int) -> None:
            exchange = self.exchange
            towards = "LONG" if exchange.hedge else None
            qty = exchange.market.instruments[symbol].step * 5
            if number % 3:
                exchange.trade(symbol, "BUY", qty, now=now, position_side=towards)
                return
            price = exchange.market.price(symbol, now)
            order = exchange.place(
                symbol, "BUY", qty, now=now, type="TRIGGER_MARKET", position_side=towards, stop_price=price
            )
            exchange.fill(exchange.trigger(order.id, now=now).id, now=now)

        return opened

    def _activity(self) -> Activity:
        return Activity(self, self._setup.rate, self._setup.seed)

    def _opened(self, url: str) -> Conn | HttpResponse:
        key = url.rpartition("=")[2]
        if not self.keys.valid(key, self.ms):
            return HttpResponse(401, {}, b'{"code": 100401, "msg": "listen key expired"}')
        return Conn(self._network, key)

    def _welcome(self, conn: Conn) -> None:
        if (self._weather.on("stale_snapshot") or self._weather.on("stale_reconnect")) and not conn.silent:
            self._greet_late(conn)
        elif self._setup.greets and not conn.silent:
            self._greet(conn)

    def _greet(self, conn: Conn) -> None:
        for frame in self._snapshot():
            conn.send(frame)

    def _snapshot(self) -> list[bytes]:
        account, now = self.exchange.account, self.ms
        balances = [account.balance(asset) for asset in account.book.wallets]
        frames = self.wire.snapshot(balances, self.exchange.positions(now), self._configs(), now)
        return [packed(frame) for frame in frames]

    def _greet_late(self, conn: Conn) -> None:
        """Push a snapshot after a fill that is newer than it."""
        frames = self._snapshot()
        self.force_fill()
        for frame in frames:
            self.agenda.after(STALE, self._send, conn, frame)

    def _send(self, conn: Conn, frame: bytes) -> None:
        if conn.server_open and not conn.silent:
            conn.send(frame)

    def _configs(self) -> list[ConfigPush]:
        account, now = self.exchange.account, self.ms
        return [config_of(account, symbol, now, now) for symbol in account.leverage]

    def _ask(self, conn: Conn) -> None:
        conn.send(PING)

    def _ping(self, conn: Conn) -> None:
        if not conn.server_open or self._is_cut(conn):
            return
        now = self.agenda.now
        if not conn.silent and self.keys.valid(conn.key, self.ms):
            snapshots, configs = self._setup.snapshots, self._setup.configs
            if snapshots and now % snapshots < PING_EVERY:
                self._greet(conn)
            if configs and now % configs < PING_EVERY:
                for config in self._configs():
                    conn.send(packed(self.wire.frame(config)))
        self.agenda.after(PING_EVERY, self._ping, conn)

    def _written(self, push: Push) -> list[Frame]:
        return [Frame("", packed(self.wire.frame(push)))]

    def _receivers(self, key: str, event: str) -> list[Conn]:
        """Two sockets on one key get every other frame each, unless the key is shared: then both get all."""
        together = self.conns[key]
        if key in self.keys.shared:
            return list(together)
        turn = self._turns[key] = self._turns.get(key, -1) + 1
        return [together[turn % len(together)]]

    def _expiry(self, conn: Conn) -> list[Frame]:
        return [Frame("", packed(key_expired(conn.key, self.ms)))]

    def _none(self) -> list[Frame]:
        return [Frame("", data) for data in garbage().values()]

    def _giant(self) -> Frame:
        return Frame("", bomb(2))

    def _foreign(self, random: Random) -> Frame:
        return Frame("", packed(key_expired(f"{random.getrandbits(256):064x}", self.ms)))
