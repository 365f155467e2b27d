"""The scenarios by name, and which of them is played how often: on each transport, and on each wire if it has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, get_args

from listenkey.adapters.simulator.server import Server
from listenkey.adapters.simulator.wire import WireName

from ..harness import EXACT, Run, fresh_key, served, streaming

TRANSPORTS = ("aiohttp", "websockets")
WIRES: tuple[WireName, ...] = get_args(WireName)
NO_WIRE = "none"

Story = Callable[[Run, Server], Awaitable[None]]
Play = Callable[[str, WireName], Awaitable[None]]


class Scenario(NamedTuple):
    """`play` tells it on a transport and a wire; without frames of orders it is the same on every wire (`wired`)."""

    name: str
    rule: str
    play: Play
    wired: bool


class Played(NamedTuple):
    """One scenario as it is played once: a line of the list."""

    scenario: str
    transport: str
    wire: str

    def __str__(self) -> str:
        return " | ".join(self)

    async def run(self) -> None:
        """Play it. Raises whatever is wrong, an `AssertionError` for what must hold."""
        (wire,) = [each for each in WIRES if self.wire in (each, NO_WIRE)][:1]
        await TABLE[self.scenario].play(self.transport, wire)


TABLE: dict[str, Scenario] = {}


def played(*transports: str) -> list[Played]:
    """Every one, on these transports or on all, in the order of the table."""
    return [
        Played(scenario.name, transport, wire)
        for scenario in TABLE.values()
        for wire in (WIRES if scenario.wired else (NO_WIRE,))
        for transport in transports or TRANSPORTS
    ]


def play(name: str, *, wired: bool = True) -> Callable[[Play], Play]:
    """Put a scenario into the table that is told without a `Run`, or looks after it itself."""

    def add(told: Play) -> Play:
        assert name not in TABLE
        TABLE[name] = Scenario(name, told.__doc__ or "", told, wired)
        return told

    return add


def scenario(
    name: str,
    *,
    policy: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    wired: bool = True,
    **settings: Any,
) -> Callable[[Story], Story]:
    """Put a story into the table, with its policy, the venue's options and the server's settings.

    At its end everything must be as the exchange says.
    """

    def add(story: Story) -> Story:
        async def tell(transport: str, wire: WireName) -> None:
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
        play(name, wired=wired)(tell)
        return story

    return add
