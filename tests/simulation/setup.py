"""The setup of one life: all of it is drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

from listenkey.adapters.simulator.binance.readings import Readings
from listenkey.adapters.simulator.orders import Triggered
from listenkey.adapters.simulator.records import ClosedStops, FillShape, FillWindows
from listenkey.adapters.simulator.rows import IncomeTrades
from listenkey.adapters.simulator.seeds import seeded
from listenkey.adapters.simulator.wire import EventName, WireName
from listenkey.core.policy import Mode, Policy

from .faults import KINDS, Fault, draw, kinds_of
from .venues import SWAP, USDM, dialect_of, venue_of

EPOCH = 1_760_000_000_431
HOURS = 3600.0
COMPRESSED: dict[str, float] = {"renew_interval": 300, "rotate_after": 900, "rotate_jitter": 60}
QUIET_START = 30.0
POLLED = 0.2
"""Share of lives without a socket. They are shorter, because they read every few seconds all the time."""
SHORTER = 3
DAY_POLL = 60.0
FEW_FILLS = 4
"""Size of a page of fills at Binance, so small that a burst fills it."""
FEW_ROWS = 8
"""Length of a list of fills, so short that it is always full; no order has more."""
FEW_ROWS_POLL = 12.0
"""Seconds between polls of so short a list: a burst takes a dozen requests, and the venue allows five a second."""
WHOLE_SECOND = 1000
"""ms. Where REST has times in whole seconds, watermarks are as coarse, and windows begin a second earlier."""


class Setup(NamedTuple):
    """Times are virtual seconds; `pending` is the number of events in memory before others spill to the journal.

    A `cramped` journal writes pages to its log before they are committed. A `lingering` socket brings frames while we
    close it. The fields from `wire` to `fill_windows` are readings of BingX: `configs` and `snapshots` are seconds
    between pushes that repeat what is known, 0 for none. The last fields are Binance's: `facts` are readings by name,
    `page` is the number of fills in one request, None for as many as the venue lists, and a `shared` key is used by
    another client too.
    """

    seed: int
    mode: Mode
    faults: tuple[Fault, ...]
    length: float
    validity: float
    schedule: dict[str, float]
    hedge: bool
    journal: bool
    wire: WireName
    event_name: EventName
    triggered: Triggered
    closed_stops: ClosedStops
    signed_shorts: bool
    configs: float
    snapshots: float
    greets: bool
    wrapped_keys: bool
    by_symbol: bool
    fill_shape: FillShape
    income_trades: IncomeTrades
    fill_rows: int | None
    fill_windows: FillWindows
    pending: int
    drift: float
    rate: float
    durability: Literal["process", "power"]
    cramped: bool
    lingering: bool
    venue: str = SWAP
    facts: Mapping[str, str] = MappingProxyType({})
    page: int | None = None
    shared: bool = False

    @property
    def policy(self) -> Policy:
        numbers: dict[str, Any] = dict(self.schedule)
        return Policy(max_pending=self.pending, **numbers).over(dialect_of(self.venue).policy)

    @property
    def grain(self) -> int:
        """The precision of times in the venue's lists, ms."""
        return 1 if self.venue == USDM else WHOLE_SECOND

    def __str__(self) -> str:
        """The drawn choices in one line, without the faults."""
        if self.venue == USDM:
            return self._of_usdm()
        repeated = ("snapshots", self.snapshots), ("configurations", self.configs)
        drawn = [
            self.mode,
            f"{self.wire} wire",
            "events mixed" if self.event_name == "mixed" else self.event_name,
            "hedge" if self.hedge else f"one-way, shorts {'signed' if self.signed_shorts else 'unsigned'}",
            f"triggered orders {self.triggered}",
            f"closed stops {self.closed_stops}",
            f"{self.fill_shape} fills, {self.fill_rows or 'all'} of a window, {self.fill_windows}",
            f"income trades {self.income_trades}",
            *(f"{what} every {every:g} s" for what, every in repeated if every),
            f"journal {self.durability}" if self.journal else "no journal",
        ]
        return ", ".join(drawn)

    def _of_usdm(self) -> str:
        others = (f"{name} {reading}" for name, reading in self.facts.items() if reading != getattr(Readings(), name))
        drawn = [
            self.venue,
            self.mode,
            "hedge" if self.hedge else "one-way",
            f"triggered orders {self.triggered}",
            f"{self.page or 'all'} fills a page",
            "a key of others too" if self.shared else "a key of its own",
            *others,
            f"journal {self.durability}" if self.journal else "no journal",
        ]
        return ", ".join(drawn)


def mode_of(seed: int) -> Mode:
    """Return the mode that the seed draws."""
    return "poll" if seeded(seed, "mode").random() < POLLED else "ws"


def setup_of(
    seed: int,
    *,
    full_day: bool = False,
    kinds: tuple[str, ...] = (),
    hours: float | None = None,
    mode: Mode | None = None,
) -> Setup:
    """Draw the life of a seed: two hours on a compressed schedule (40 minutes without a socket), or a day."""
    venue = venue_of(seed)
    if mode is None:
        mode = "ws" if kinds else mode_of(seed)
    polled = mode == "poll"
    random = seeded(seed, "day" if full_day else "life")
    if hours is None:
        hours = 24.1 if full_day else 2.0 / SHORTER if polled else 2.0
    length = hours * HOURS
    chosen = kinds
    if not kinds:
        drawn = (name for name in kinds_of(venue) if KINDS[name].weight)
        kinds = tuple(name for name in drawn if KINDS[name].reads or not polled)
    count = random.randint(18, 28) if full_day else random.randint(6, 14)
    if polled:
        count = count * 2 // 3
    if chosen:
        count = max(2, 2 * len(chosen))
    journal = random.random() < 0.6
    readings = (_usdm_readings if venue == USDM else _readings)(seeded(seed, "readings"))
    schedule = _usdm_schedule if venue == USDM else _schedule
    few_rows = readings["fill_rows"] is not None
    return Setup(
        seed=seed,
        mode=mode,
        faults=draw(random, count, QUIET_START, length - 60, kinds),
        length=length,
        validity=3600.0 if full_day else 600.0,
        schedule=schedule(random, full_day, polled, few_rows),
        hedge=random.random() < 0.6,
        journal=journal,
        **readings,
        pending=random.choice((8, 100, 100_000)) if journal else 100_000,
        drift=random.choice((0.0, 2e-4, -2e-4)),
        rate=0.004 if full_day else random.choice((0.01, 0.03, 0.06)),
        durability=random.choice(("process", "process", "power")),
        cramped=random.random() < 0.3,
        lingering=random.random() < 0.5,
    )


def _readings(random: Random) -> dict[str, Any]:
    """Draw one venue among those that the documents and captures allow."""
    return {
        "wire": random.choice(get_args(WireName)),
        "event_name": random.choice(("ORDER_TRADE_UPDATE",) * 4 + ("TRADE_UPDATE", "mixed")),
        "triggered": random.choice(get_args(Triggered)),
        "closed_stops": random.choice(("listed", "listed", "unknown")),
        "signed_shorts": random.random() < 0.5,
        "configs": random.choice((0.0, 0.0, 5.0)),
        "snapshots": random.choice((0.0, 60.0, 5.0)),
        "greets": random.random() < 0.5,
        "wrapped_keys": random.random() < 0.3,
        "by_symbol": random.random() < 0.1,
        "fill_shape": random.choice(("documented", "documented", "newer")),
        "income_trades": random.choice(get_args(IncomeTrades)),
        "fill_rows": random.choice((None, None, FEW_ROWS)),
        "fill_windows": random.choice(get_args(FillWindows)),
    }


def _schedule(random: Random, full_day: bool, polled: bool, few_rows: bool) -> dict[str, float]:
    if polled:
        interval = DAY_POLL if full_day else random.choice((3.0, 5.0, 5.0, 12.0))
        return {"poll_interval": max(interval, FEW_ROWS_POLL) if few_rows else interval}
    return {} if full_day else COMPRESSED


def _usdm_readings(random: Random) -> dict[str, Any]:
    """Draw each reading of a fact as often as any other.

    A venue at which neither subscriptions nor pings are answered is left out: no link would be proven before the venue
    pings by itself. None such is known; `docs/venues.md` says how to set up listenkey for one.
    """
    facts = {name: random.choice(get_args(hint)) for name, hint in get_type_hints(Readings).items()}
    if facts["subscriptions"] == "none":
        facts["client_pings"] = "answered"
    return {
        "venue": USDM,
        "facts": facts,
        "page": random.choice((None, None, FEW_FILLS)),
        "shared": random.random() < 0.5,
        "triggered": random.choice(("framed", "silent")),
        "wire": "modern",
        "event_name": "ORDER_TRADE_UPDATE",
        "closed_stops": "listed",
        "signed_shorts": True,
        "configs": 0.0,
        "snapshots": 0.0,
        "greets": False,
        "wrapped_keys": False,
        "by_symbol": False,
        "fill_shape": "newer",
        "income_trades": "named",
        "fill_rows": None,
        "fill_windows": "exact",
    }


def _usdm_schedule(random: Random, full_day: bool, polled: bool, few_rows: bool) -> dict[str, float]:
    """Return the schedule at Binance, where a poll takes a twentieth of an address's weight in a minute."""
    if polled:
        return {"poll_interval": DAY_POLL if full_day else random.choice((15.0, 20.0, 30.0))}
    return {} if full_day else COMPRESSED
