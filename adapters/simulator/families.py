"""The wires that the simulated exchange speaks, each by the name of its venue."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .binance import family as usdm
from .binance.readings import readings
from .binance.words import named
from .bingx import BingX
from .family import Family, Ground
from .faults import FaultKind
from .kinds import FAULTS_OF
from .market import INSTRUMENTS, Instrument


class Kind(NamedTuple):
    """The parts of a wire: its faults and symbols, and two functions.

    `naming` makes the client order id of an order. `laid` makes the wire on the model, with the settings that not all
    wires have, and the chosen readings of its unverified facts.
    """

    faults: Mapping[str, FaultKind]
    instruments: tuple[Instrument, ...]
    naming: Callable[[str, int], str]
    laid: Callable[[Ground, Mapping[str, Any], Mapping[str, str]], Family]


def _bingx(ground: Ground, settings: Mapping[str, Any], chosen: Mapping[str, str]) -> Family:
    if chosen:
        raise ValueError("this venue's wire has settings in place of readings")
    return BingX(ground, **settings)


def _usdm(ground: Ground, settings: Mapping[str, Any], chosen: Mapping[str, str]) -> Family:
    for name, default in inspect.signature(BingX).parameters.items():
        if name in settings and settings[name] != default.default:
            raise ValueError(f"{name} is no setting of this venue's wire")
    if ground.exchange.triggered == "own":
        raise ValueError("on this venue's wire another order executes for a conditional one: triggered is no own")
    return usdm.Usdm(ground, readings(chosen))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "bingx-swap": Kind(FAULTS_OF["bingx-swap"], INSTRUMENTS, lambda name, id: name.lower(), _bingx),
        "binance-usdm": Kind(FAULTS_OF["binance-usdm"], usdm.INSTRUMENTS, named, _usdm),
    }
)


def kind_of(venue: str) -> Kind:
    """Return the wire of a venue. Raises `ValueError` for a venue that is not simulated."""
    if venue not in KINDS:
        raise ValueError(f"venue is {' or '.join(KINDS)}, not {venue!r}")
    return KINDS[venue]
