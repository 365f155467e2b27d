"""The scenarios by name, and which of them is played how often: on each transport, and on each wire if it has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, get_args

from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.wire import WireName

from ..harness import EXACT, Run, Wire, fresh_key, served, streaming

TRANSPORTS = ("aiohttp", "websockets")
WIRES: tuple[Wire, ...] = get_args(WireName)
USDM: Wire = "usdm"
NO_WIRE = "none"

Story = Callable[[Run, Server], Awaitable[None]]
Play = Callable[[str, Wire], Awaitable[None]]


class Scenario(NamedTuple):
    """`play` tells it on a transport and one of its `wires`; without frames of orders all of BingX's are the same."""

    name: str
    rule: str
    play: Play
    wires: tuple[str, ...]


class Played(NamedTuple):
    """One scenario as it is played once: a line of the list."""

    scenario: str
    transport: str
    wire: str

    def __str__(self) -> str:
        return " | ".join(self)

    async def run(self) -> None:
        """Play it. Raises whatever is wrong, an `AssertionError` for what must hold."""
        (wire,) = [each for each in (*WIRES, USDM) if self.wire in (each, NO_WIRE)][:1]
        await TABLE[self.scenario].play(self.transport, wire)


TABLE: dict[str, Scenario] = {}


def played(*transports: str, usdm: bool | None = None) -> list[Played]:
    """Every one, on these transports or on all, in the order of the table; only those on Binance's wire, or only the
    others.
    """
    return [
        Played(scenario.name, transport, wire)
        for scenario in TABLE.values()
        for wire in scenario.wires
        if usdm in (None, wire == USDM)
        for transport in transports or TRANSPORTS
    ]


def play(name: str, *, wired: bool = True, bingx: bool = True, usdm: bool = False) -> Callable[[Play], Play]:
    """Put a scenario into the table that is told without a `Run`, or looks after it itself."""
    wires = (WIRES if wired else (NO_WIRE,)) if bingx else ()

    def add(told: Play) -> Play:
        assert name not in TABLE
        TABLE[name] = Scenario(name, told.__doc__ or "", told, (*wires, *((USDM,) if usdm else ())))
        return told

    return add


def scenario(
    name: str,
    *,
    policy: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    wired: bool = True,
    bingx: bool = True,
    usdm: bool = False,
    **settings: Any,
) -> Callable[[Story], Story]:
    """Put a story into the table, with its policy, the venue's options, the server's settings, and where it is played.

    At its end everything must be as the exchange says.
    """

    def add(story: Story) -> Story:
        async def tell(transport: str, wire: Wire) -> None:
            key = fresh_key()
            async with (
                served(key, wire=wire, **settings) as server,
                streaming(
                    server, transport, key=key, policy=policy or {}, exact=wire in EXACT, **(options or {})
                ) as run,
            ):
                await story(run, server)
                await run.check()

        tell.__doc__ = story.__doc__
        play(name, wired=wired, bingx=bingx, usdm=usdm)(tell)
        return story

    return add
