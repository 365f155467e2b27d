"""The wires on which scenarios are played: one or several of each simulated venue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from listenkey.adapters.simulator.wire import WireName
from listenkey.adapters.venues.registry import SIMULATED

PINGS = 0.3
BRISK = {
    "silence_timeout": 60.0,
    "healthy_after": 0.5,
    "backoff_initial": 0.3,
    "backoff_max": 0.5,
    "audit_interval": 4.0,
    "backfill_overlap": 0.3,
    "poll_interval": 0.5,
    "drain": 0.3,
    "request_timeout": 60.0,
    "hold_limit": 60.0,
    "connect_timeout": 60.0,
}
"""A policy with which everything happens within seconds; only times for which no scenario waits are long."""


class Wire(NamedTuple):
    """A wire: the settings of the exchange, and the facts that scenarios need."""

    venue: str
    settings: Mapping[str, Any]
    exact: bool
    """True if the wire has the quantity of each fill."""
    read: str
    """The end of a path that each read of the account asks for once."""
    too_fast: Collection[int]
    """The codes of refusals that have a time to try again."""
    shared_keys: bool = False
    """True if all clients share one key, so that none may delete it."""
    policy: Mapping[str, float] = MappingProxyType(BRISK)


WIRES: Mapping[str, Wire] = MappingProxyType(
    {
        **{
            name: Wire(
                "bingx-swap",
                {"wire": name, "ping_interval": PINGS},
                exact=name == "modern",
                read="/balance",
                too_fast=(100410, 109429),
            )
            for name in get_args(WireName)
        },
        # Liveness has to be probed, and limits per minute are far too narrow for a brisk policy.
        "usdm": Wire(
            "binance-usdm",
            {"ping_interval": 2 * PINGS, "rate_limits": False},
            exact=True,
            read="/balance",
            too_fast=(-1003,),
            shared_keys=True,
            policy=MappingProxyType({**BRISK, "probe_after": 0.5}),
        ),
    }
)
DEFAULT = "modern"
NO_WIRE = "none"
"""The wire's name for a scenario without frames of orders, which is the same on all wires of a venue."""


def spoken(venue: str) -> tuple[str, ...]:
    """The names of a venue's wires."""
    return tuple(name for name, wire in WIRES.items() if wire.venue == venue)


def wire_of(venue: str) -> Wire:
    """Return the first wire of a venue."""
    return WIRES[spoken(venue)[0]]


EVERY = SIMULATED
"""All simulated venues, for scenarios that hold for every one."""
