"""Runs work beside a body, for as long as the body takes; its exceptions are raised as they are, never in a group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio


@asynccontextmanager
async def background(*works: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Run the works until the body ends, in whatever way; one that fails ends the body."""
    failure: Exception | None = None

    async def run(work: Callable[[], Awaitable[object]]) -> None:
        nonlocal failure
        try:
            await work()
        except Exception as error:
            failure = failure or error
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for work in works:
            tasks.start_soon(run, work)
        try:
            yield
        except Exception as error:
            failure = failure or error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
