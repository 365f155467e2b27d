"""Memory over a simulated month: orders begin and finish, audits pass, keys are renewed, links rotate."""

from __future__ import annotations

import gc
import json
import sys

from listenkey.core import inputs
from listenkey.core.book import Reconciliation
from listenkey.core.events import Health

from .frames import PING, packed
from .measure import Row, apart, figure, resident
from .stage import Stage

SUBJECT = "growth"
DAY = 86_400.0
PING_EVERY = 5.0


def run(quick: bool = False) -> list[Row]:
    """Return the memory and the objects added between a tenth of the month and its end."""
    days, fills = (0.2, 200) if quick else (30.0, 1440)
    found = [apart("month", str(days), str(fills))]
    note = (
        f"{days:g} days of {fills} fills in {fills // 2} orders, each with its account update: "
        f"{found[0]['events']:,} events in all; resident at the end {found[0]['resident'] / 2**20:.1f} MiB"
    )
    kib = [each["grown"] / 1024 for each in found]
    objects = [float(each["objects"]) for each in found]
    return [
        figure(SUBJECT, "memory added from a tenth of a month to its end", "KiB", kib, note=note),
        figure(SUBJECT, "objects added in that time", "objects", objects),
    ]


def lived(days: float, fills: int) -> dict[str, float]:
    """Run a connection for `days` days with `fills` fills each, and measure it."""
    stage = Stage()
    connection, every = stage.connection, DAY / fills
    end, ping_at, fill_at = days * DAY, PING_EVERY, every
    events, early, first = 0, days * DAY / 10, (0, 0)
    while stage.now < end:
        stage.now = min(ping_at, fill_at, connection.deadline)
        if stage.now >= ping_at:
            ping_at += PING_EVERY
            stage.hear(PING)
        elif stage.now >= fill_at:
            fill_at += every
            for text in stage.desk.fill(stage.exchange_ms):
                stage.hear(packed(text))
        else:
            stage.feed(inputs.Tick())
        events += len(stage.events)
        stage.events.clear()
        if stage.now >= early:
            early, first = end + 1, _held()
    if connection.health is not Health.LIVE:
        raise AssertionError(f"the stage is {connection.health}")
    if [book.status for book in connection.books] != [Reconciliation.MATCHED]:
        raise AssertionError(f"the books are {connection.books}")
    last = _held()
    return {
        "events": events,
        "resident": last[0],
        "grown": last[0] - first[0],
        "objects": last[1] - first[1],
    }


def _held() -> tuple[int, int]:
    gc.collect()
    return resident(), len(gc.get_objects())


if __name__ == "__main__":
    print(json.dumps(lived(float(sys.argv[1]), int(sys.argv[2]))))
