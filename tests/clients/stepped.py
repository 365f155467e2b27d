"""An exchange in this process whose time moves only on demand, so that everything depends on the seed."""

from __future__ import annotations

import time
from typing import Any

from listenkey.adapters.simulator.server import Server

AGO = 86_400
"""Seconds before now at which it begins, so that a client that asks for the time until now gets everything."""


def stepped(*, seed: int, hedge: bool, **settings: Any) -> Server:
    """Return an exchange without limits of calls, whose time only `advance` moves."""
    begun = int(time.time() - AGO) * 1000
    return Server(seed=seed, hedge=hedge, epoch_ms=begun, rate_limits=False, time_scale=0, **settings)
