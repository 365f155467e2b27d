"""The count of fills while a run goes on is, at its end, that of all that were delivered."""

from __future__ import annotations

import re

import anyio
import pytest

from listenkey.adapters.cli.demo import _server
from listenkey.adapters.cli.model import StreamModel
from listenkey.adapters.cli.plain import PlainLines
from listenkey.adapters.cli.verdict import judge
from listenkey.core.events import Fill
from listenkey.core.policy import Policy

from .test_verdict import made, told


def lines(fills: list[Fill]) -> list[str]:
    """What is told at the end of a run that delivered these fills and was never live."""
    model, said = StreamModel("a run", Policy()), []

    async def write(line: str) -> None:
        said.append(line)

    for fill in fills:
        model.take(fill)
    anyio.run(PlainLines(model, write).finish)
    return said


@pytest.mark.parametrize(("delivered", "text"), [(1, "1 fill, 1 in all"), (3, "3 fills, 3 in all")])
def test_the_last_count_is_that_of_the_verdict(delivered: int, text: str) -> None:
    """Also of fills that came after the last line, while the stream was not live."""
    fills = [told(str(end)) for end in range(1, delivered + 1)]
    (line,) = lines(fills)
    assert line.endswith(text)
    verdict = judge(
        fills, [], {"fills": [made(str(end)) for end in range(1, delivered + 1)], "wallet": {}}, since=0, proven=False
    )
    assert re.findall(r"(\d+) in all", line) == [str(verdict.delivered)]


def test_nothing_is_told_of_no_fills() -> None:
    """Nor twice of the same."""
    assert lines([]) == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_happens_on_the_demos_exchange_before_it_is_told_to(seed: int) -> None:
    """However late the stream begins: a fill from before would be counted as delivered, and not by the verdict."""
    server = _server(seed)
    server.flow.advance(server.now() + 60_000)
    assert not server.exchange.fills
    server.quiet(False)
    server.flow.advance(server.now() + 60_000)
    assert server.exchange.fills
