"""The venues of the simulated world, their adapters, and the venue of each seed."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from listenkey.adapters.venues.binance import keys as usdm_keys
from listenkey.adapters.venues.binance.pace import Pace as UsdmPace
from listenkey.adapters.venues.binance.reader import Reader as UsdmReader
from listenkey.adapters.venues.binance.rest import Rest as UsdmRest
from listenkey.adapters.venues.binance.usdm import UsdmDialect
from listenkey.adapters.venues.bingx.keys import Handshake, Keys
from listenkey.adapters.venues.bingx.pace import Pace
from listenkey.adapters.venues.bingx.reader import Reader
from listenkey.adapters.venues.bingx.rest import Rest
from listenkey.adapters.venues.bingx.swap import SwapDialect
from listenkey.core.dialect import Dialect
from listenkey.ports.keys import KeyService
from listenkey.ports.questions import QuestionStore
from listenkey.ports.reader import AccountReader
from listenkey.ports.socket import Handshake as HandshakeOf

SWAP, USDM = VENUES = ("bingx-swap", "binance-usdm")
SEEDS = 2_000_000
"""Number of seeds of each venue, in the order of the list."""
FIRST_DAY = 1_000_000
"""Seeds of a venue below this are lives of hours, the others lives of a day."""


class Adapter(NamedTuple):
    """The services of one process at one venue."""

    keys: KeyService
    reader: AccountReader
    handshake: HandshakeOf


def venue_of(seed: int) -> str:
    """Return the venue of a seed."""
    return VENUES[seed // SEEDS]


def is_day(seed: int) -> bool:
    """True if the seed's life runs on the real schedule."""
    return seed % SEEDS >= FIRST_DAY


def first_seed(venue: str) -> int:
    """Return the first seed of a venue."""
    return VENUES.index(venue) * SEEDS


def dialect_of(venue: str) -> Dialect:
    """Return the dialect of a venue."""
    return UsdmDialect() if venue == USDM else SwapDialect()


def adapter_of(venue: str, *, number: int, store: QuestionStore | None, page: int | None) -> Adapter:
    """Return the services of a process; `page` is the number of fills in one request, None for the venue's most."""
    if venue == USDM:
        rest = UsdmRest("https://venue.test", "key", "secret", pace=UsdmPace(lots=Random(number)))
        reader = UsdmReader(rest) if page is None else UsdmReader(rest, page=page)
        handshake = usdm_keys.Handshake("wss://venue.test/private/ws", pace=UsdmPace(lots=Random(number)))
        return Adapter(usdm_keys.Keys(rest), reader, handshake)
    swap = Rest("https://venue.test", "key", "secret", pace=Pace(lots=Random(number)))
    return Adapter(
        Keys(swap), Reader(swap, store=store), Handshake("wss://venue.test/swap", pace=Pace(lots=Random(number)))
    )
