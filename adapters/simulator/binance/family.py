"""Binance's USDⓈ-M futures as a `Family`: puts the parts of its wire together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from ..book import Wallet
from ..family import Ground
from ..faults import Fault
from ..log import FaultEvent, KeyEvent
from ..market import Instrument
from ..pushes import Push
from .feeds import Feeds
from .garbage import garbage, giant
from .holdings import Holdings
from .keys import SharedKeys
from .limits import Limits
from .notices import assets_mode, margin_call
from .quotes import Quotes
from .readings import Readings
from .records import Records
from .routes import Route
from .sockets import AccountHub
from .topics import Topics
from .trading import Trading
from .wire import Wire

PING_INTERVAL = 180.0
STOCK, WORTH = Decimal(100), Decimal(600)
"""The opening balance of the other asset in which fees may be paid, and its price in the margin asset."""
INSTRUMENTS = (
    Instrument("BTCUSDT", "USDT", Decimal("0.1"), Decimal("0.001"), Decimal(64000)),
    Instrument("ETHUSDT", "USDT", Decimal("0.01"), Decimal("0.001"), Decimal(3200)),
    Instrument("LTCUSDT", "USDT", Decimal("0.01"), Decimal("0.001"), Decimal(80)),
    Instrument("SOLUSDT", "USDT", Decimal("0.01"), Decimal("0.01"), Decimal(150)),
)


class Usdm:
    """The wire of one account: routes, limits and keys for its doors, its sockets, and the faults that act on them."""

    def __init__(self, ground: Ground, readings: Readings) -> None:
        self.readings = readings
        self.uid = ground.exchange.uid
        self._log = ground.log
        self._others: set[str] = set()
        """Keys on which another client listens."""
        interval = PING_INTERVAL if ground.ping_interval is None else ground.ping_interval
        exchange, depth = ground.exchange, ground.desk.depth
        self._exchange, self._margin = exchange, ground.desk.margin
        if readings.fees != "USDT":
            exchange.account.fees_in = (readings.fees, WORTH)
            exchange.account.book.wallets.setdefault(readings.fees, Wallet(STOCK, STOCK))
        self.keys = SharedKeys(
            seed=ground.seed, validity_ms=ground.key_validity_ms, pushed=readings.deletion == "pushed"
        )
        self.limits = Limits(readings, enabled=ground.rate_limits)
        self.hub = AccountHub(
            ground.log, readings, lambda key: self.keys.valid(key, ground.wall()), ping_interval=interval
        )
        self.feeds = Feeds(ground.log, readings, Topics(exchange, depth), ping_interval=interval)
        self._wire = Wire(exchange, readings, seed=ground.seed)
        records = Records(exchange, readings)
        self._holdings, trading = Holdings(exchange, records, readings), Trading(ground.desk, records)
        self.routes: Mapping[str, Route] = {
            **Quotes(exchange, depth).routes,
            **self._holdings.routes,
            **records.routes,
            **trading.routes,
        }

    def owner(self, api_key: str) -> str:
        """The owner of the listen key that this API key gets: the account, or the API key."""
        return self.uid if self.readings.key_of == "account" else api_key

    def begin(self, fault: Fault, elapsed: float, wall: int) -> None:
        """Begin a fault; `elapsed` is seconds since the start, `wall` real time in ms."""
        self._log.faults.append(FaultEvent(self._log.clock(), fault.name, "begins"))
        match fault.name:
            case "drop_tcp":
                for stream in (*self.hub, *self.feeds):
                    stream.drop("drop_tcp", hard=True)
            case "silent":
                for stream in (*self.hub, *self.feeds):
                    stream.silent_until = self._end(fault, elapsed)
                    stream.unanswered_since = None
            case "eventless":
                for stream in self.hub:
                    stream.deaf_until = self._end(fault, elapsed)
            case "margin_call":
                self._notify(margin_call(self._exchange, self._margin, self._exchange.now), wall)
            case "assets_mode":
                self._holdings.multi_assets = bool(fault["on"])
                self._notify(assets_mode(fault["on"], self._exchange.now), wall)
            case "other_client":
                self._others |= {self.keys.obtain(owner, wall) for owner in self.keys.owners() or [self.uid]}
            case "expire_key" | "expire_silently":
                self.keys.expire(wall, silently=fault.name == "expire_silently")
            case "delete_key" | "replace_key":
                self._another_deletes(wall, mints=fault.name == "replace_key")
            case "garbage":
                kinds = garbage()
                for frame in kinds.values() if not fault["kind"] else [kinds[fault["kind"]]]:
                    for stream in self.hub:
                        stream.send(frame)
            case "oversized":
                for stream in self.hub:
                    stream.send(giant(fault["mebibytes"]))

    def arranged(self, leaving: Sequence[Push]) -> Iterable[Push]:
        """The pushes that leave at one moment, in the wire's order."""
        return self._wire.arranged(leaving)

    def written(self, push: Push) -> Sequence[bytes]:
        """The frame of a push, and then those that go with it."""
        return self._wire.frames(push)

    def farewell(self, key: str, now: int) -> Iterable[bytes]:
        """The frames for the sockets of a key that has ended."""
        return self._wire.expiry(key, now)

    def told_again(self, what: str, now: int) -> Iterable[bytes]:
        """Return nothing: this wire has no snapshots and repeats no push."""
        return ()

    def deleted(self, key: str, wall: int) -> None:
        """Delete the key for all clients, and log it."""
        ok = self.keys.delete(key, wall)
        self._log.deleted(key, ok=ok, in_use=bool(self.hub.on(key)) or key in self._others)

    def _notify(self, frames: Iterable[bytes], wall: int) -> None:
        """Send frames to all sockets on a valid key."""
        keys = [key for owner in self.keys.owners() if (key := self.keys.current(owner, wall)) is not None]
        for frame in frames:
            for key in keys:
                self.hub.tell(key, frame, 0.0)

    def _end(self, fault: Fault, elapsed: float) -> float:
        return math.inf if fault.seconds is None else self._log.clock() + fault.ends - elapsed

    def _another_deletes(self, wall: int, *, mints: bool) -> None:
        for owner in self.keys.owners():
            key = self.keys.current(owner, wall)
            if key is not None:
                self.keys.delete(key, wall)
            if mints:
                self._log.mints.append(KeyEvent(self._log.clock(), self.keys.obtain(owner, wall)))
