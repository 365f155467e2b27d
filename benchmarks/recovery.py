"""How long it takes after a cut until the gap is closed, with ten fills missed, and how long a stream is blind.

Each wire is measured in turn. The exchange is in another process, behind a delay, with the venue's own limits. The
floor is a bare client in the same run (`bare.py`), which sends the same requests over the same transport, waits for
the proof of its socket too, and only parses the answers. Both are timed from the grant of their key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any, NamedTuple, Self

from listenkey import Policy
from listenkey.adapters.driver.stream import Stream
from listenkey.adapters.driver.venue import Venue
from listenkey.adapters.transports.names import open_transport
from listenkey.adapters.venues.family import Hosts
from listenkey.adapters.venues.registry import family
from listenkey.core.connection import Connection
from listenkey.core.events import ExchangeEventKind, GapNotice, Health, HealthChange
from listenkey.core.inputs import KeyGranted
from listenkey.core.secrets import Secrets

from .bare import Bare
from .bare_bingx import BareBingX
from .bare_usdm import BareUsdm
from .desk import KEY, SECRET
from .far import Far, Place
from .measure import Row, Target, figure, ratios
from .wires import BINGX, USDM, WIRES, Wire, named

SUBJECT = "recovery"
BLIND = "blind"
TRANSPORT = "aiohttp"
FILLS = 10
CUTS: Mapping[str, int] = {BINGX.venue: 20, USDM.venue: 10}
"""Cuts on one exchange; on Binance an address may not read more often in a minute."""
QUICKLY: Mapping[str, tuple[float, ...]] = {BINGX.venue: (0.0, 0.005), USDM.venue: (0.005,)}
"""The round trips, s, of a quick run, in which there are two cuts."""
BARE: Mapping[str, type[Bare]] = {BINGX.venue: BareBingX, USDM.venue: BareUsdm}
ROUND_TRIPS = (0.0, 0.02, 0.1)
APART = 1.1
"""Seconds between two cuts of one account: a venue allows two listen keys per second."""
HEALTHY: dict[str, Any] = {"healthy_after": 0.001, "audit_interval": 0}
"""A policy in which every cut counts as the first one, as where cuts are rare, and no audit finds its fills before."""
SILENT_STREAMS = 5


class Recovery(NamedTuple):
    """Seconds from the cut to the proof of a link and to the end of the gap, and from the key's grant to that end."""

    proven: float
    closed: float
    from_key: float


class Ours:
    """A stream of listenkey on one exchange; an asynchronous context manager."""

    def __init__(self, place: Place, transport: str, wire: Wire = BINGX, **policy: Any) -> None:
        self.place = place
        speaks = family(wire.venue)
        dialect = speaks.dialect(wire.venue)
        settled = Policy(**policy).over(dialect.policy)
        secrets = Secrets((KEY, SECRET))
        services = speaks.services(
            Hosts(place.rest_url, place.ws_url), api_key=KEY, api_secret=SECRET, policy=settled, secrets=secrets
        )
        self._granted = 0.0
        self._venue = Venue(
            lambda: Connection(dialect, settled, seed=1, secrets=secrets),
            open_transport(transport),
            services,
            observer=self._observe,
        )
        self._stack = AsyncExitStack()
        self._stream: Stream

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._venue)
        self._stream = await self._stack.enter_async_context(self._venue.subscribe())
        await self._until(Health.LIVE)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def recover(self, far: Far, fills: int) -> Recovery:
        """Cut the stream, wait until it is LIVE, and return the times."""
        cut = await far.cut(self.place, fills)
        await self._until(Health.BLIND)  # other events may come on a busy machine
        proven = await self._until(Health.SUSPECT)
        async for event in self._stream:
            if isinstance(event, GapNotice) and event.kind is ExchangeEventKind.GAP_CLOSED:
                closed = monotonic()
                if (event.recovered, event.proven) != (fills, True):
                    raise AssertionError(f"{event.recovered} of {fills} fills were recovered")
                break
        await self._until(Health.LIVE)
        return Recovery(proven - cut, closed - cut, closed - self._granted)

    async def notice(self, far: Far) -> float:
        """Silence the exchange; return the seconds until BLIND."""
        since = await far.silence(self.place)
        return await self._until(Health.BLIND) - since

    def _observe(self, now: float, received: Any, _ordered: Any) -> None:
        if isinstance(received, KeyGranted):
            self._granted = now

    async def _until(self, health: Health) -> float:
        async for event in self._stream:
            if isinstance(event, HealthChange) and event.health is health:
                break
        return monotonic()


def run(quick: bool = False) -> list[Row]:
    """Measure recoveries of both in turns, each on its own exchange; then streams that fall silent, all at once."""
    rows: list[Row] = []
    blind: list[Row] = []
    for wire in WIRES:
        trips, cuts = (QUICKLY[wire.venue], 2) if quick else (ROUND_TRIPS, CUTS[wire.venue])
        for trip in trips:
            ours, floor = asyncio.run(_recoveries(trip, cuts, wire, **HEALTHY))
            name, ratio = named(wire, f"{trip * 1000:g} ms"), ratios([each.from_key for each in ours], floor)
            target = Target(most=1.5) if trip else None
            own = [1000 * each.from_key for each in ours]
            rows.append(figure(SUBJECT, f"{name}, bare client", "ms", [1000 * each for each in floor]))
            rows.append(figure(SUBJECT, f"{name}, listenkey", "ms", own, note=_NOTE))
            rows.append(figure(SUBJECT, f"{name}, listenkey / bare client", "x", ratio, target=target))
            proven = [each.proven for each in ours]
            blind.append(figure(BLIND, f"{name}, cut to proven link", "s", proven, note=_WAIT))
    ours, _ = asyncio.run(_recoveries(0.0, 2 if quick else CUTS[BINGX.venue] // 2, BINGX, **HEALTHY, backoff_first=0))
    closed = [each.closed for each in ours]
    rows.append(figure(SUBJECT, "0 ms, cut to closed gap, no wait", "s", closed, target=Target(most=0.6)))
    silence = {"silence_timeout": 0.2} if quick else {}
    noticed = asyncio.run(_silences(1 if quick else SILENT_STREAMS, **silence))
    return [*rows, *blind, figure(BLIND, "silence to noticing", "s", noticed, note=_SILENCE)]


_NOTE = f"from the grant of a key to the end of the gap, {FILLS} fills missed and none meanwhile; aiohttp"
_WAIT = "with the wait of backoff_first, a random part of 0.25 s, and the mint of a key"
_SILENCE = "silence_timeout is 15 s, the last ping up to 5 s before"


async def _recoveries(trip: float, cuts: int, wire: Wire, **policy: Any) -> tuple[list[Recovery], list[float]]:
    with Far([trip, trip], wire) as far:
        mine, others = far.places
        async with Ours(mine, TRANSPORT, wire, **policy) as ours, BARE[wire.venue](others, TRANSPORT) as bare:
            found: list[tuple[Recovery, float]] = []
            for _ in range(cuts + 1):  # the first one is not counted
                began = monotonic()
                found.append((await ours.recover(far, FILLS), await bare.recover(far, FILLS)))
                await asyncio.sleep(max(0.0, began + APART - monotonic()))
    recovered, floor = zip(*found[1:], strict=True)
    return list(recovered), list(floor)


async def _silences(streams: int, **policy: Any) -> list[float]:
    """Measure the time to BLIND; each stream falls silent at another time within the five seconds between pings."""

    async def one(far: Far, ours: Ours, after: float) -> float:
        await asyncio.sleep(after)
        return await ours.notice(far)

    with Far([0.0] * streams) as far:
        async with AsyncExitStack() as stack:
            members = [await stack.enter_async_context(Ours(place, TRANSPORT, **policy)) for place in far.places]
            return await asyncio.gather(*(one(far, each, 5 * n / streams) for n, each in enumerate(members)))
