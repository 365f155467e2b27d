"""The simulated venue: one exchange with its keys, limits, faults and sockets, and two clocks.

Exchange time starts at the real time, runs `time_scale` times as fast, and is moved ahead by `advance`: the market,
orders, funding and the times of events use it. Real time is used for key validity, limits, heartbeats, the age of
sockets and calls, and the seconds of faults.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, get_args

from .bingx import BingX
from .clearing import UID
from .codes import Codes
from .exchange import Exchange
from .families import kind_of
from .family import Ground
from .faults import Fault, Faults, parse_fault
from .flow import Flow
from .hindered import HinderedDesk
from .log import Log
from .market import Instrument
from .orders import Triggered
from .placements import Placements
from .pricefile import Source, recorded
from .records import ClosedStops, FillShape, FillWindows
from .rows import IncomeTrades
from .settings import DEFAULT, hint_of
from .sockets import LATE, Hub, Stream
from .tampering import Tampering
from .truth import truth_of
from .walk import STEP_MS
from .wire import EventName, WireName


class Venue:
    """The venue without its doors. `step` must be called every few ms; a door calls it before it answers."""

    def __init__(
        self,
        *,
        seed: int = 0,
        api_key: str = DEFAULT,
        api_secret: str = DEFAULT,
        credentials: Mapping[str, str] = MappingProxyType({}),
        credentials_hint: str | None = None,
        time_scale: float = 1.0,
        fills_per_second: float = 0.0,
        faults: Iterable[Fault | str] = (),
        hedge: bool = True,
        wire: WireName = "modern",
        event_name: EventName = "ORDER_TRADE_UPDATE",
        account_id: str = UID,
        triggered: Triggered = "framed",
        closed_stops: ClosedStops = "listed",
        signed_shorts: bool = False,
        income_trades: IncomeTrades = "named",
        fill_rows: int | None = None,
        fill_windows: FillWindows = "exact",
        fill_shape: FillShape = "documented",
        symbol_required: bool = False,
        symbol_ignored: bool = False,
        codes: Codes = "current",
        wrapped_keys: bool = False,
        instruments: Iterable[Instrument] | None = None,
        prices: Source | Iterable[Source] = (),
        opening: Mapping[str, Decimal] | None = None,
        ping_interval: float | None = None,
        snapshot_on_connect: bool = True,
        snapshot_interval: float = 0.0,
        config_interval: float = 0.0,
        key_validity: float = 3600.0,
        max_socket_age: float = 86400.0,
        rate_limits: bool = True,
        epoch_ms: int | None = None,
        venue: str = "bingx-swap",
        readings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        for name, rate in {"time_scale": time_scale, "fills_per_second": fills_per_second}.items():
            if not (math.isfinite(rate) and rate >= 0):
                raise ValueError(f"{name} is a finite number from 0, not {rate}")
        if codes not in get_args(Codes):
            raise ValueError(f"codes are current or former, not {codes!r}")
        kind = kind_of(venue)
        self.venue = venue
        self.api_key, self.api_secret = api_key, api_secret
        self.credentials = {**credentials, api_key: api_secret}
        self.credentials_hint = hint_of(api_key, api_secret) if credentials_hint is None else credentials_hint
        self.codes = codes
        self.time_scale = time_scale
        self.wrapped_keys = wrapped_keys
        self.closing = False
        self.greets = snapshot_on_connect
        self.max_socket_age = max_socket_age
        """Seconds after which a socket is ended."""
        self._ahead_ms = 0
        now = self._epoch_ms = int(time.time() * 1000) if epoch_ms is None else epoch_ms
        self._started = time.monotonic()
        self.log = Log()
        self.exchange = Exchange(
            now=now,
            seed=seed,
            hedge=hedge,
            instruments=recorded(prices, kind.instruments if instruments is None else instruments),
            opening=opening,
            uid=account_id,
            triggered=triggered,
            naming=kind.naming,
        )
        self.flow = Flow(
            self.exchange, now=now, fills_per_second=fills_per_second, seed=seed, second_ms=1000 * (time_scale or 1)
        )
        scheduled = (parse_fault(each, kind.faults) if isinstance(each, str) else each for each in faults)
        self.faults = Faults(scheduled, kind.faults)
        self.desk = HinderedDesk(self.exchange, self.faults, self.elapsed, self.log.carried_out)
        self.placements = Placements(self.faults, self.log.carried_out)
        validity = int(key_validity * 1000)
        ground = Ground(self.exchange, self.desk, self.log, self.wall, seed, ping_interval, validity, rate_limits)
        own: dict[str, Any] = {"wire": wire, "event_name": event_name, "codes": codes, "closed_stops": closed_stops}
        own |= {"signed_shorts": signed_shorts, "income_trades": income_trades}
        own |= {"fill_rows": fill_rows, "fill_windows": fill_windows, "fill_shape": fill_shape}
        own |= {"symbol_required": symbol_required, "symbol_ignored": symbol_ignored}
        own |= {"snapshot_interval": snapshot_interval, "config_interval": config_interval}
        self.family = family = kind.laid(ground, own, readings)
        if isinstance(family, BingX):  # used by its doors
            self.rest, self.trading, self.limits = family.rest, family.trading, family.limits
        self.hub: Hub[Stream] = family.hub
        self.keys, self.feeds = family.keys, family.feeds
        self._tampering = Tampering(self.faults)

    def elapsed(self) -> float:
        """Real seconds since the venue was made: the clock of faults."""
        return time.monotonic() - self._started

    def now(self) -> int:
        """Exchange time, ms."""
        return self._epoch_ms + self._ahead_ms + int(self.elapsed() * 1000 * self.time_scale)

    def wall(self) -> int:
        """Real time, ms: exchange time at the start, plus the real time since then."""
        return self._epoch_ms + int(self.elapsed() * 1000)

    @property
    def apart(self) -> bool:
        """True if exchange time is not real time: then a call's timestamp may have any age."""
        return self.time_scale != 1 or self._ahead_ms != 0

    def advance(self, seconds: float) -> None:
        """Move exchange time ahead by `seconds`, in steps of one; all that is due meanwhile happens at its time."""
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"exchange time advances by a finite number of seconds from 0, not {seconds}")
        self.step()
        end = self._ahead_ms + round(seconds * 1000)
        while self._ahead_ms < end:
            self._ahead_ms = min(end, self._ahead_ms + STEP_MS)
            now = self.now()
            self.flow.advance(now)
            self.desk.step(now)
        self.step()

    def truth(self) -> dict[str, Any]:
        """The account as it is now, as plain values, and under `log` the log of the doors."""
        self.step()
        return truth_of(self.exchange, self.now()) | {"log": self.log.to_dict()}

    def fault(
        self, name: str, *, after: float = 0.0, seconds: float | None = None, count: int = 1, **params: Any
    ) -> Fault:
        """Plan a fault, by default for now. Raises `ValueError`, which names the allowed values."""
        fault = self.faults.order(name, at=self.elapsed() + after, seconds=seconds, count=count, **params)
        self.step()
        return fault

    def quiet(self, on: bool = True) -> None:
        """Stop the seeded activity, or start it again if `on` is false."""
        self.step()
        if on:
            self.flow.hush()
        else:
            self.flow.resume(self.now())

    def step(self) -> None:
        """Do everything that is due, and send the frames. A second call at the same moment does nothing more.

        Seeded activity is postponed if this is called too late for it, or if its frames could not leave.
        """
        elapsed, now, wall = self.elapsed(), self.now(), self.wall()
        self.desk.stop_while_away(now)
        for fault in self.faults.begin(elapsed):
            self.family.begin(fault, elapsed, wall)
        clock = self.log.clock()
        if not self.hub.crowded(clock):
            self.flow.postpone(now, LATE * 1000 * (self.time_scale or math.inf))
            self.flow.advance(now)
        self.desk.step(now)
        late = self.faults.active("delay", elapsed)
        ready_at = clock + late["by"] if late is not None else 0.0

        def valid(key: str) -> bool:
            return self.keys.valid(key, wall)

        frames = self._tampering.overdue(elapsed)
        leaving = self.exchange.due(now)
        if leaving and self.hub.heard(clock, valid):
            for push in self.family.arranged(leaving):
                frame, *besides = self.family.written(push)
                frames += [*self._tampering.pass_on(push, frame, elapsed), *besides]
        for frame in frames:
            self.hub.deliver(frame, ready_at=ready_at, valid=valid, shared=self.keys.shared)
        for name, detail in self._tampering.take_done():
            self.log.carried_out(name, detail)
        for key in self.keys.expired(wall):
            for frame in self.family.farewell(key, now):
                self.hub.tell(key, frame, ready_at)
        for stream, what in self.hub.heartbeat(clock, ready_at=ready_at):
            if valid(stream.key):
                for frame in self.family.told_again(what, now):
                    stream.send(frame, ready_at)
        self.feeds.step(clock, now, ready_at)
        for stream in self.sockets():
            if clock - stream.opened >= self.max_socket_age:
                stream.end("age", 1001)

    def sockets(self) -> list[Stream]:
        """All open sockets, those of the account and those of the market."""
        return [*self.hub, *self.feeds]

    def greet(self, stream: Stream, now: int, ready_at: float) -> None:
        """Send the snapshot to a new socket."""
        for frame in self.family.told_again("snapshot", now):
            stream.send(frame, ready_at)
