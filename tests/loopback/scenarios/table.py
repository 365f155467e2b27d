"""The scenarios by name; each is played on all transports and on its wires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from listenkey.adapters.simulator.server import Server

from ..harness import Run, fresh_key, served, streaming
from ..wires import NO_WIRE, WIRES, spoken

TRANSPORTS = ("aiohttp", "websockets")
BINGX, USDM = ("bingx-swap",), ("binance-usdm",)

Story = Callable[[Run, Server], Awaitable[None]]
Play = Callable[[str, str], Awaitable[None]]


class Scenario(NamedTuple):
    """A scenario: `play` runs it on a transport and a wire; `wires` has the names of the list."""

    name: str
    rule: str
    play: Play
    wires: Mapping[str, str]


class Played(NamedTuple):
    """One scenario as it is played once: a line of the list."""

    scenario: str
    transport: str
    wire: str

    def __str__(self) -> str:
        return " | ".join(self)

    async def run(self) -> None:
        """Play it. Raises an `AssertionError` if a rule does not hold, and any other error."""
        scenario = TABLE[self.scenario]
        await scenario.play(self.transport, scenario.wires[self.wire])


TABLE: dict[str, Scenario] = {}


def played(*transports: str) -> list[Played]:
    """Return all scenarios on these transports, or on all, in the order of the table."""
    return [
        Played(scenario.name, transport, wire)
        for scenario in TABLE.values()
        for wire in scenario.wires
        for transport in transports or TRANSPORTS
    ]


def play(name: str, *, wired: bool = True, venues: Sequence[str] = BINGX) -> Callable[[Play], Play]:
    """Put a scenario into the table that has no `Run`, or makes its own.

    It is played on all wires of these venues; one without frames of orders, not `wired`, on one wire of each.
    """
    wires: dict[str, str] = {}
    for venue in venues:
        names = spoken(venue)
        wires |= {each: each for each in names} if wired or len(names) == 1 else {NO_WIRE: names[0]}

    def add(alone: Play) -> Play:
        assert name not in TABLE
        TABLE[name] = Scenario(name, alone.__doc__ or "", alone, wires)
        return alone

    return add


def scenario(
    name: str,
    *,
    policy: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    wired: bool = True,
    venues: Sequence[str] = BINGX,
    **settings: Any,
) -> Callable[[Story], Story]:
    """Put a story into the table, with its policy, the venue's options, the server's settings and its venues.

    At its end everything must agree with the exchange.
    """

    def add(story: Story) -> Story:
        async def unfold(transport: str, wire: str) -> None:
            key = fresh_key()
            async with (
                served(key, wire=wire, **settings) as server,
                streaming(
                    server, transport, key=key, policy=policy or {}, exact=WIRES[wire].exact, **(options or {})
                ) as run,
            ):
                await story(run, server)
                await run.check()

        unfold.__doc__ = story.__doc__
        play(name, wired=wired, venues=venues)(unfold)
        return story

    return add
