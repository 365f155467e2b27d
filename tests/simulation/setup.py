"""How one life is furnished: all of it follows from a seed."""

from __future__ import annotations

from random import Random
from typing import Any, Literal, NamedTuple, get_args

from listenkey.adapters.simulator.orders import Triggered
from listenkey.adapters.simulator.records import ClosedStops, FillShape
from listenkey.adapters.simulator.rows import IncomeTrades
from listenkey.adapters.simulator.seeds import seeded
from listenkey.adapters.simulator.wire import EventName, WireName
from listenkey.core.policy import Mode, Policy

from .faults import KINDS, Fault, draw

EPOCH = 1_760_000_000_431
HOURS = 3600.0
COMPRESSED: dict[str, float] = {"renew_interval": 300, "rotate_after": 900, "rotate_jitter": 60}
QUIET_START = 30.0
POLLED = 0.2
"""Share of lives without a socket. They are shorter: there is a read every few seconds, all the time."""
SHORTER = 3
DAY_POLL = 60.0
FEW_ROWS = 8
"""A list of fills that ends so soon is full all the time; no order has more."""
FEW_ROWS_POLL = 12.0
"""A burst of fills is then read in a dozen requests, of which the venue allows five a second."""


class Setup(NamedTuple):
    """Times are virtual seconds; `pending` is what the consumer may be behind before events spill to the journal.

    A `cramped` journal writes to its log what is not committed yet. A `lingering` socket brings frames while we close
    it. From `wire` to `fill_rows` it is what readings of the venue differ in: `configs` and `snapshots` are seconds
    between pushes that say nothing new, 0 for none.
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
    pending: int
    drift: float
    rate: float
    durability: Literal["process", "power"]
    cramped: bool
    lingering: bool

    @property
    def policy(self) -> Policy:
        numbers: dict[str, Any] = dict(self.schedule)
        return Policy(max_pending=self.pending, **numbers)

    def __str__(self) -> str:
        """What was drawn, but for the faults, in one line."""
        repeated = ("snapshots", self.snapshots), ("configurations", self.configs)
        drawn = [
            self.mode,
            f"{self.wire} wire",
            "events mixed" if self.event_name == "mixed" else self.event_name,
            "hedge" if self.hedge else f"one-way, shorts {'signed' if self.signed_shorts else 'unsigned'}",
            f"triggered orders {self.triggered}",
            f"closed stops {self.closed_stops}",
            f"{self.fill_shape} fills, {self.fill_rows or 'all'} of a window",
            f"income trades {self.income_trades}",
            *(f"{what} every {every:g} s" for what, every in repeated if every),
            f"journal {self.durability}" if self.journal else "no journal",
        ]
        return ", ".join(drawn)


def mode_of(seed: int) -> Mode:
    """What the seed draws."""
    return "poll" if seeded(seed, "mode").random() < POLLED else "ws"


def setup_of(
    seed: int,
    *,
    full_day: bool = False,
    kinds: tuple[str, ...] = (),
    hours: float | None = None,
    mode: Mode | None = None,
) -> Setup:
    """The life of a seed: two hours on a compressed schedule (40 minutes, without a socket), or a day."""
    if mode is None:
        mode = "ws" if kinds else mode_of(seed)
    polled = mode == "poll"
    random = seeded(seed, "day" if full_day else "life")
    if hours is None:
        hours = 24.1 if full_day else 2.0 / SHORTER if polled else 2.0
    length = hours * HOURS
    if polled and not kinds:
        kinds = tuple(name for name, kind in KINDS.items() if kind.reads)
        chosen: tuple[str, ...] = ()
    else:
        chosen = kinds
    count = random.randint(18, 28) if full_day else random.randint(6, 14)
    if polled:
        count = count * 2 // 3
    if chosen:
        count = max(2, 2 * len(chosen))
    journal = random.random() < 0.6
    readings = _readings(seeded(seed, "readings"))
    return Setup(
        seed=seed,
        mode=mode,
        faults=draw(random, count, QUIET_START, length - 60, kinds),
        length=length,
        validity=3600.0 if full_day else 600.0,
        schedule=_schedule(random, full_day, polled, readings["fill_rows"] is not None),
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
    """One venue among those that the documents and captures allow."""
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
    }


def _schedule(random: Random, full_day: bool, polled: bool, few_rows: bool) -> dict[str, float]:
    if polled:
        interval = DAY_POLL if full_day else random.choice((3.0, 5.0, 5.0, 12.0))
        return {"poll_interval": max(interval, FEW_ROWS_POLL) if few_rows else interval}
    return {} if full_day else COMPRESSED
