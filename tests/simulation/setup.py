"""How one life is furnished: all of it follows from a seed."""

from __future__ import annotations

from typing import Any, NamedTuple

from listenkey.adapters.simulator.seeds import seeded
from listenkey.core.policy import Policy

from .faults import Fault, draw

EPOCH = 1_760_000_000_431
HOURS = 3600.0
COMPRESSED: dict[str, float] = {"renew_interval": 300, "rotate_after": 900, "rotate_jitter": 60}
QUIET_START = 30.0


class Setup(NamedTuple):
    """Times are virtual seconds; `pending` is what the consumer may be behind before events spill to the journal."""

    seed: int
    faults: tuple[Fault, ...]
    length: float
    validity: float
    schedule: dict[str, float]
    wire: str
    hedge: bool
    journal: bool
    fill_shape: str
    by_symbol: bool
    wrapped_keys: bool
    greets: bool
    snapshots: float
    pending: int
    drift: float
    rate: float

    @property
    def policy(self) -> Policy:
        numbers: dict[str, Any] = dict(self.schedule)
        return Policy(max_pending=self.pending, **numbers)


def setup_of(seed: int, *, full_day: bool = False, kinds: tuple[str, ...] = (), hours: float = 2.0) -> Setup:
    """The life of a seed: two hours on a compressed schedule, or a day on the real one."""
    random = seeded(seed, "day" if full_day else "life")
    length = 24.1 * HOURS if full_day else hours * HOURS
    count = random.randint(18, 28) if full_day else random.randint(6, 14)
    if kinds:
        count = max(2, 2 * len(kinds))
    journal = random.random() < 0.6
    return Setup(
        seed=seed,
        faults=draw(random, count, QUIET_START, length - 60, kinds),
        length=length,
        validity=3600.0 if full_day else 600.0,
        schedule={} if full_day else COMPRESSED,
        wire=random.choice(("modern", "captured")),
        hedge=random.random() < 0.6,
        journal=journal,
        fill_shape=random.choice(("documented", "documented", "newer")),
        by_symbol=random.random() < 0.1,
        wrapped_keys=random.random() < 0.3,
        greets=random.random() < 0.5,
        snapshots=random.choice((0.0, 0.0, 0.0, 60.0)),
        pending=random.choice((8, 100, 100_000)) if journal else 100_000,
        drift=random.choice((0.0, 2e-4, -2e-4)),
        rate=0.004 if full_day else random.choice((0.01, 0.03, 0.06)),
    )
