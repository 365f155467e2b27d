"""Scenarios mostly wait, so as many as the machine bears run together; each test then reports its own."""

from __future__ import annotations

import asyncio

import pytest

from .admission import Admission
from .haste import haste
from .scenarios import Played

Outcomes = dict[Played, BaseException | None]
EACH = "test_each_is_played"
"""The test of a file for which all of its `LINES` are played, even if only some tests were selected."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test for each of the file's `LINES` out of a test with a `line`."""
    if "line" in metafunc.fixturenames:
        metafunc.parametrize("line", metafunc.module.LINES, ids="-".join)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """The outcome of each selected scenario: None, or the error that it raised."""
    here = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    if any(item.name == EACH for item in here):
        asked: list[Played] = request.module.LINES
    else:
        lines = [item.callspec.params.get("line") for item in here if hasattr(item, "callspec")]
        asked = [line for line in lines if isinstance(line, Played)]
    with haste():
        return asyncio.run(_all(asked))


async def _all(asked: list[Played]) -> Outcomes:
    admission = Admission()
    found: Outcomes = {}

    async def one(line: Played) -> None:
        async with admission.place():
            try:
                await line.run()
            except Exception as error:
                found[line] = _plain(error)
            else:
                found[line] = None

    watching = asyncio.create_task(admission.watch())
    await asyncio.gather(*map(one, asked))
    watching.cancel()
    print(f"{len(asked)} scenarios, at most {admission.most} together")
    return found


def _plain(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
