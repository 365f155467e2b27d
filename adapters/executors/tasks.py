"""Runs services in an event loop of asyncio or trio: parts are tasks, and a cancelled caller closes its service."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import anyio

from ...ports.clock import Clock
from ...ports.errors import TransportFailed
from ...ports.http import HttpClient
from ...ports.service import Both, NoAnswer, Outcome, Request, Service, Step, Wait

T = TypeVar("T")
Beginning = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]

TICK = 0.001
"""The shortest sleep, s: a clock may not move in less, and a sleep to a time just ahead would repeat for ever."""


class TaskExecutor:
    """Runs services with requests to `http` and the time of `clock`."""

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def run(self, service: Service[T]) -> T:
        """Run a service and return its result. Raises its exceptions."""
        try:
            step = next(service)
            while True:
                outcome = await self._outcome(step)
                step = service.send((self._clock.monotonic(), outcome))
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            service.close()

    async def _outcome(self, step: Step) -> Outcome:
        match step:
            case Request():
                try:
                    return await self._http.request(step.method, step.url, headers=step.headers, timeout=step.timeout)
                except TransportFailed as error:
                    return NoAnswer(str(error), error.reached)
            case Wait(until):
                await self._sleep(until)
                return None
            case Both(parts):
                return await self._both(parts)

    async def _sleep(self, until: float) -> None:
        left = until - self._clock.monotonic()
        while left > 0:
            await anyio.sleep(max(left, TICK))
            left = until - self._clock.monotonic()

    async def _both(self, parts: tuple[Service[Any], ...]) -> Outcome:
        results: list[Any] = [None] * len(parts)
        failures: list[Exception] = []

        async def run(place: int, part: Service[Any]) -> None:
            try:
                results[place] = await self.run(part)
            except Exception as error:
                failures.append(error)
                tasks.cancel_scope.cancel()

        running, begin = [run(place, part) for place, part in enumerate(parts)], _beginning()
        try:
            async with anyio.create_task_group() as tasks:
                for each in running:
                    tasks.start_soon(begin, each)
        except BaseExceptionGroup as group:  # Ctrl-C on trio is raised in one of them, and the caller gets it as it is
            alone: BaseException = group
            while isinstance(alone, BaseExceptionGroup) and len(alone.exceptions) == 1:
                alone = alone.exceptions[0]
            raise alone from None
        finally:
            for each in running:  # for one that was cancelled before it began there would be a warning
                each.close()
        return failures[0] if failures else tuple(results)


def _beginning() -> Beginning:
    """How a part begins: on trio, safe from Ctrl-C if its caller is, since an interruption is the user's task's."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task() and trio.lowlevel.currently_ki_protected():
        return cast(Beginning, trio.lowlevel.enable_ki_protection(_protected))
    return _as_it_is


async def _protected(running: Coroutine[Any, Any, None]) -> None:
    await running


def _as_it_is(running: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    return running
