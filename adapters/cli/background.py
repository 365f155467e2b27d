"""Work that goes on beside the main thing, for as long as that takes; failures come out as they are, never grouped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio


@asynccontextmanager
async def background(*works: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """The works run until the body ends, however it does; one that fails ends the body."""
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
