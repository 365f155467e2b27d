"""Scenarios sleep most of the time, so those that were asked for run together; each test then reports its own."""

from __future__ import annotations

import asyncio

import pytest

from .scenarios import ALONE, TABLE, play

TOGETHER = 24
Outcomes = dict[tuple[str, str], BaseException | None]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """What came of each scenario on each transport that was asked for: None, or what it raised."""
    asked = [
        (str(item.callspec.params["name"]), str(item.callspec.params["transport"]))
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.path == request.path
        and hasattr(item, "callspec")
        and "name" in item.callspec.params
    ]
    return asyncio.run(_all(asked))


async def _all(asked: list[tuple[str, str]]) -> Outcomes:
    places = asyncio.Semaphore(TOGETHER)

    async def one(name: str, transport: str) -> BaseException | None:
        async with places:
            try:
                await (ALONE[name](transport) if name in ALONE else play(TABLE[name], transport))
            except Exception as error:
                return _plain(error)
            return None

    found = await asyncio.gather(*(one(*each) for each in asked))
    return dict(zip(asked, found, strict=True))


def _plain(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        (error,) = error.exceptions
    return error
