"""Runs services in an event loop of asyncio or trio: parts are tasks, and a cancelled caller closes its service."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

from ...ports.clock import Clock
from ...ports.errors import TransportFailed
from ...ports.http import HttpClient
from ...ports.service import Both, NoAnswer, Outcome, Request, Service, Step, Wait

T = TypeVar("T")

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

        running = [run(place, part) for place, part in enumerate(parts)]
        try:
            async with anyio.create_task_group() as tasks:
                for each in running:
                    tasks.start_soon(_as_it_is, each)
        except BaseExceptionGroup as group:  # Ctrl-C on trio is raised in one of them, and the caller gets it as it is
            alone: BaseException = group
            while isinstance(alone, BaseExceptionGroup) and len(alone.exceptions) == 1:
                alone = alone.exceptions[0]
            raise alone from None
        finally:
            for each in running:  # for one that was cancelled before it began there would be a warning
                each.close()
        return failures[0] if failures else tuple(results)


def _as_it_is(running: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    return running
