"""The plain lines: their count of fills, the names of unknown events; and the exchange and steps of the demos."""

from __future__ import annotations

import re

import anyio
import pytest

from listenkey.adapters.cli.demo import _server
from listenkey.adapters.cli.model import StreamModel
from listenkey.adapters.cli.plain import PlainLines
from listenkey.adapters.cli.scenario import STEPS
from listenkey.adapters.cli.verdict import judge
from listenkey.adapters.cli.wording import sentence
from listenkey.adapters.simulator.faults import Faults
from listenkey.adapters.simulator.kinds import FAULTS_OF
from listenkey.adapters.venues.registry import SIMULATED
from listenkey.core.events import Fill, Unknown
from listenkey.core.policy import Policy

from .test_verdict import delivery, made


def lines(fills: list[Fill]) -> list[str]:
    """Return the last lines of a run that delivered these fills and was never live."""
    model, said = StreamModel("a run", Policy()), []

    async def write(line: str) -> None:
        said.append(line)

    for fill in fills:
        model.take(fill)
    anyio.run(PlainLines(model, write).finish)
    return said


@pytest.mark.parametrize(("delivered", "text"), [(1, "1 fill, 1 in all"), (3, "3 fills, 3 in all")])
def test_the_last_count_is_that_of_the_verdict(delivered: int, text: str) -> None:
    """The last line counts the same fills as the verdict, also those that came while the stream was not live."""
    fills = [delivery(str(end)) for end in range(1, delivered + 1)]
    (line,) = lines(fills)
    assert line.endswith(text)
    verdict = judge(
        fills, [], {"fills": [made(str(end)) for end in range(1, delivered + 1)], "wallet": {}}, since=0, proven=False
    )
    assert re.findall(r"(\d+) in all", line) == [str(verdict.delivered)]


def test_nothing_is_said_of_no_fills() -> None:
    """A run without fills prints no line about fills."""
    assert lines([]) == []


@pytest.mark.parametrize("venue", SIMULATED)
@pytest.mark.parametrize("seed", range(10))
def test_nothing_happens_on_the_demos_exchange_before_it_is_asked_to(seed: int, venue: str) -> None:
    """The demo's exchange makes no fill before it is started, because the verdict would not count that fill."""
    server = _server(seed, venue)
    server.flow.advance(server.now() + 60_000)
    assert not server.exchange.fills
    server.quiet(False)
    server.flow.advance(server.now() + 60_000)
    assert server.exchange.fills


@pytest.mark.parametrize("venue", SIMULATED)
def test_the_demos_steps_are_faults_of_its_wire(venue: str) -> None:
    """Each step of a demo is a fault that the venue's simulator knows, and the steps are ordered by time."""
    steps = STEPS[venue]
    faults = Faults((), FAULTS_OF[venue])
    for step in steps:
        faults.order(step.fault, at=step.at, seconds=step.seconds, **step.params)
    assert [fault.name for fault in faults.begin(steps[-1].at)] == [step.fault for step in steps]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"e": "ALGO_UPDATE", "ao": {}}, "ALGO_UPDATE, delivered as it came"),
        ({"e": "\x1b[2J"}, "a frame that is not understood"),
        ({"e": "A" * 41}, "a frame that is not understood"),
        ([1], "a frame that is not understood"),
    ],
)
def test_what_is_delivered_as_it_came_has_its_name(raw: object, said: str) -> None:
    """An unknown event is printed with its name if the name is short and printable, and else without one."""
    assert sentence(Unknown(event_id="1", exchange_ts=None, source="ws", raw=raw)) == said
