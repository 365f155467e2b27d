"""An exchange in this process whose time stands still until it is moved on: what happens follows from the seed."""

from __future__ import annotations

import time
from typing import Any

from listenkey.adapters.simulator.server import Server

AGO = 86_400
"""Seconds before now at which it begins: a client that asks for what has been until now is shown all of it."""


def stepped(*, seed: int, hedge: bool, **settings: Any) -> Server:
    """One without limits of calls; only `advance` moves its time."""
    begun = int(time.time() - AGO) * 1000
    return Server(seed=seed, hedge=hedge, epoch_ms=begun, rate_limits=False, time_scale=0, **settings)
