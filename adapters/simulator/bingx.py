"""BingX's wire: gzipped frames, text frames as pings, a new key for every minting, and snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .accidents import Accidents
from .codes import Codes
from .family import Ground
from .faults import Fault
from .feeds import Feeds
from .limits import Limits
from .listenkeys import ListenKeys
from .pushes import ConfigPush, Push, config_of
from .records import ClosedStops, FillShape, FillWindows
from .rest import Rest
from .rows import IncomeTrades
from .sockets import AccountHub
from .topics import Topics
from .trading import Trading
from .wire import EventName, Wire, WireName, key_expired, packed

PING_INTERVAL = 5.0


class BingX:
    """The `Family` of this wire, with the parts that its doors use: `rest`, `trading`, `limits`."""

    def __init__(
        self,
        ground: Ground,
        *,
        wire: WireName = "modern",
        event_name: EventName = "ORDER_TRADE_UPDATE",
        closed_stops: ClosedStops = "listed",
        signed_shorts: bool = False,
        income_trades: IncomeTrades = "named",
        fill_rows: int | None = None,
        fill_windows: FillWindows = "exact",
        fill_shape: FillShape = "documented",
        symbol_required: bool = False,
        symbol_ignored: bool = False,
        codes: Codes = "current",
        snapshot_interval: float = 0.0,
        config_interval: float = 0.0,
    ) -> None:
        self._exchange = exchange = ground.exchange
        interval = PING_INTERVAL if ground.ping_interval is None else ground.ping_interval
        self._wire = Wire(wire, seed=ground.seed, event_name=event_name)
        self.rest = Rest(
            exchange,
            depth=ground.desk.depth,
            fill_shape=fill_shape,
            symbol_required=symbol_required,
            symbol_ignored=symbol_ignored,
            signed_shorts=signed_shorts,
            closed_stops=closed_stops,
            income_trades=income_trades,
            fill_rows=fill_rows,
            fill_windows=fill_windows,
        )
        self.trading = Trading(ground.desk, self.rest.holdings)
        self.keys = ListenKeys(seed=ground.seed, validity_ms=ground.key_validity_ms)
        self.limits = Limits(enabled=ground.rate_limits, codes=codes)
        repeats = {"snapshot": snapshot_interval, "config": config_interval}
        self.hub = AccountHub(ground.log, ping_interval=interval, repeats=repeats)
        self.feeds = Feeds(ground.log, Topics(exchange.market, ground.desk.depth), ping_interval=interval)
        self._accidents = Accidents(self.hub, self.feeds, self.keys, ground.log)

    def begin(self, fault: Fault, elapsed: float, wall: int) -> None:
        """Begin a fault; `elapsed` is seconds since the start, `wall` real time in ms."""
        self._accidents.begin(fault, elapsed, wall)

    def arranged(self, leaving: Sequence[Push]) -> Sequence[Push]:
        """The pushes in the order in which they leave."""
        return leaving

    def written(self, push: Push) -> list[bytes]:
        """The frame that a push becomes."""
        return [packed(self._wire.frame(push))]

    def farewell(self, key: str, now: int) -> Iterable[bytes]:
        """The notice that a key has ended."""
        return [packed(key_expired(key, now))]

    def told_again(self, what: str, now: int) -> Iterable[bytes]:
        """Frames of each symbol's configuration now, for `snapshot` behind those of the account, for `config` alone."""
        account = self._exchange.account
        configs = [config_of(account, symbol, now, now) for symbol in account.leverage]
        if what == "config":
            return [packed(self._wire.frame(each)) for each in configs]
        return [packed(frame) for frame in self._snapshot(configs, now)]

    def _snapshot(self, configs: Sequence[ConfigPush], now: int) -> list[dict[str, object]]:
        account = self._exchange.account
        balances = [account.balance(asset) for asset in account.book.wallets]
        return self._wire.snapshot(balances, self._exchange.positions(now), configs, now)
