"""Virtual days through the core: every 5-second ping, every renewal, audit and rotation of one account."""

from __future__ import annotations

import time

from listenkey.core import inputs
from listenkey.core.events import Health

from .frames import PING
from .measure import Row, Target, figure
from .stage import Stage

SUBJECT = "time travel"
DAY = 86_400.0
PING_EVERY = 5.0


def run(quick: bool = False) -> list[Row]:
    """Measure stream-days per second, and the number of events in those days."""
    days, rounds = (0.05, 1) if quick else (4.0, 5)
    speeds = []
    for _ in range(rounds):
        stage = Stage()
        before = time.thread_time()
        live(stage, days * DAY)
        speeds.append(days / (time.thread_time() - before))
    per_day = ", ".join(
        f"{round(stage.counts.get(action, 0) / days)} {word}"
        for action, word in (("SendFrame", "pongs"), ("ReadAccount", "reads"), ("RenewKey", "renewals"))
    )
    note = f"gzip pings of 5 s, at the policy's defaults; a day has {per_day} and a rotation"
    rows: list[Row] = [figure(SUBJECT, "stream-days a second", "days/s", speeds, target=Target(least=10), note=note)]
    return rows


def live(stage: Stage, seconds: float) -> None:
    """Run the stage's connection for `seconds`; raises unless it is LIVE in the end."""
    connection, end = stage.connection, stage.now + seconds
    ping_at = stage.now + PING_EVERY
    while stage.now < end:
        stage.now = min(ping_at, connection.deadline)
        if stage.now >= ping_at:
            ping_at += PING_EVERY
            stage.hear(PING)
        else:
            stage.feed(inputs.Tick())
    if connection.health is not Health.LIVE:
        raise AssertionError(f"the stage is {connection.health}")
