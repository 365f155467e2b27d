"""The one list of venues. A family is loaded when one of its venues is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import cast

from .family import Family

VENUES: Mapping[str, str] = MappingProxyType(
    {
        "bingx-swap": "bingx",
        "bingx-swap-vst": "bingx",
        "binance-usdm": "binance",
        "binance-usdm-testnet": "binance",
    }
)
"""Venues by the name that `open_venue` takes, each with the folder of its family."""

SIMULATED = ("bingx-swap", "binance-usdm")
"""Venues whose wire the simulated exchange has."""


def family(venue: str) -> Family:
    """The family of a venue. Raises `ValueError`, in one line, for a name that is not listed."""
    if venue not in VENUES:
        raise ValueError(f"venue must be one of {', '.join(VENUES)}, not {venue!r}")
    return cast(Family, import_module(f".{VENUES[venue]}.open", __package__))
