"""The wires on which scenarios are played: of each venue whose wire the simulated exchange speaks, one or several."""

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
"""A policy under which everything happens within seconds; only what nothing waits for may take long."""


class Wire(NamedTuple):
    """How the exchange is set that speaks it, and what a scenario has to know of it."""

    venue: str
    settings: Mapping[str, Any]
    exact: bool
    """True if the wire says of every fill how much it was."""
    read: str
    """The end of a path at which each read of the account asks once."""
    too_fast: Collection[int]
    """The codes of refusals that name when to ask again."""
    shared_keys: bool = False
    """True if all clients share a key, so that none may delete it."""
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
        # It has to be asked for life; and limits of a minute are far too narrow for a brisk policy.
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
"""Of a scenario without frames of orders, which is the same on all wires of a venue that has several."""


def spoken(venue: str) -> tuple[str, ...]:
    """The names of a venue's wires."""
    return tuple(name for name, wire in WIRES.items() if wire.venue == venue)


def wire_of(venue: str) -> Wire:
    """The first wire of a venue: what is the same on all of them."""
    return WIRES[spoken(venue)[0]]


EVERY = SIMULATED
"""The venues on which a scenario is played that knows nothing of any."""
