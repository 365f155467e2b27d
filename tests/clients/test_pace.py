"""Calls to an endpoint take turns."""

from __future__ import annotations

import asyncio

import pytest

from .pace import Pace


def test_calls_of_an_endpoint_do_not_overlap() -> None:
    """A call begins when the one before was answered, or has failed."""
    said: list[str] = []

    async def call(name: str) -> None:
        said.append(f"{name} begins")
        await asyncio.sleep(0)
        said.append(f"{name} ends")
        if name == "first":
            raise LookupError(name)

    async def both() -> None:
        pace = Pace()
        first = asyncio.create_task(pace("order", lambda: call("first")))
        second = asyncio.create_task(pace("order", lambda: call("second")))
        with pytest.raises(LookupError):
            await first
        await second

    asyncio.run(both())
    assert said == ["first begins", "first ends", "second begins", "second ends"]
