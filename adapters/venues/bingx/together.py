"""Runs independent requests at once: all their answers, or the first refusal, plain and not in a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

import anyio

from ....ports.errors import RequestRefused, StreamStopped

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@overload
async def together(a: Callable[[], Awaitable[A]], b: Callable[[], Awaitable[B]], /) -> tuple[A, B]: ...
@overload
async def together(
    a: Callable[[], Awaitable[A]], b: Callable[[], Awaitable[B]], c: Callable[[], Awaitable[C]], /
) -> tuple[A, B, C]: ...
@overload
async def together(*calls: Callable[[], Awaitable[D]]) -> tuple[D, ...]: ...
async def together(*calls: Callable[[], Awaitable[Any]]) -> tuple[Any, ...]:
    """The results in the order of the calls. The others are cancelled when one is refused, or fails otherwise."""
    results: list[Any] = [None] * len(calls)
    refused: list[RequestRefused | StreamStopped] = []

    async def run(place: int, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            results[place] = await call()
        except (RequestRefused, StreamStopped) as error:
            refused.append(error)
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for place, call in enumerate(calls):
            group.start_soon(run, place, call)
    if refused:
        raise refused[0]
    return tuple(results)
