"""An executor on virtual time: it runs a venue's real services, and gets times and answers from the world."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from listenkey.ports.service import Both, Outcome, Request, Service, Wait

Done = Callable[[Any, Exception | None], None]


class Once:
    """A callback that is called once, with the first result; later ones are dropped."""

    __slots__ = ("_then", "over")

    def __init__(self, then: Callable[[Any], None]) -> None:
        self._then = then
        self.over = False

    def __call__(self, word: Any = None) -> None:
        if not self.over:
            self.over = True
            self._then(word)


class World(Protocol):
    """The part of the simulated world that an executor needs."""

    def monotonic(self) -> float:
        """Seconds, by the clock of the process."""

    def sleep(self, until: float, over: Once) -> None:
        """Call `over` at this time."""

    def request(self, request: Request, answered: Once) -> None:
        """Send a request, and call `answered` with its answer or with the failure to get one."""


class Task:
    """A service under way; `done` is called with its result or with its exception."""

    def __init__(self, service: Service[Any], world: World, done: Done) -> None:
        self._service = service
        self._world = world
        self._done = done
        self._begun = False
        self._over = False
        self._parts: list[Task] = []

    def go(self, outcome: Outcome = None, *, not_before: float = float("-inf")) -> None:
        """Run the service until it waits for a time or an answer."""
        while not self._over:
            try:
                now = max(self._world.monotonic(), not_before)
                step = self._service.send((now, outcome)) if self._begun else next(self._service)
            except StopIteration as end:
                self._end(end.value, None)
                return
            except Exception as error:
                self._end(None, error)
                return
            self._begun, outcome = True, None
            match step:
                case Wait(until):
                    if until > self._world.monotonic():
                        self._world.sleep(until, Once(partial(self.go, not_before=until)))
                        return
                case Request():
                    self._world.request(step, Once(self.go))
                    return
                case Both(parts):
                    self._run(parts, Once(self.go))
                    return

    def close(self) -> None:
        """Close the service where it is."""
        if not self._over:
            self._over = True
            for part in self._parts:
                part.close()
            self._service.close()

    def _end(self, result: Any, error: Exception | None) -> None:
        self._over = True
        self._done(result, error)

    def _run(self, parts: tuple[Service[Any], ...], ended: Once) -> None:
        results: dict[int, Any] = {}

        def done(place: int, result: Any, error: Exception | None) -> None:
            results[place] = result
            if error is not None:
                for part in self._parts:
                    part.close()
                ended(error)
            elif len(results) == len(parts):
                ended(tuple(results[each] for each in range(len(parts))))

        self._parts = []
        for place, service in enumerate(parts):
            part = Task(service, self._world, partial(done, place))
            self._parts.append(part)
            part.go()
            if ended.over:
                return
        if not parts:
            ended(())


def spawn(service: Service[Any], world: World, done: Done) -> None:
    """Run a service from its beginning."""
    Task(service, world, done).go()
