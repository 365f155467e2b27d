"""Coroutines on virtual time: what the real services need of an event loop, and not more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any

Done = Callable[[Any, BaseException | None], None]


class Wait:
    """Something that will be there later, or an error in its place. Only the first word counts."""

    __slots__ = ("error", "ready", "task", "value")

    def __init__(self) -> None:
        self.ready = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.task: Task | None = None

    def __await__(self) -> Generator[Wait, None, Any]:
        if not self.ready:
            yield self
        if self.error is not None:
            raise self.error
        return self.value

    def set(self, value: Any = None, error: BaseException | None = None) -> None:
        """It is there."""
        if not self.ready:
            self.ready, self.value, self.error = True, value, error
            if self.task is not None:
                self.task.step()


class Task:
    """A coroutine under way; `done` is told of its result, or of the `expected` error that ended it."""

    def __init__(self, work: Coroutine[Wait, None, Any], done: Done, expected: type[Exception]) -> None:
        self._work = work
        self._done = done
        self._expected = expected
        self._over = False

    def step(self) -> None:
        """Go on until something is not there yet."""
        if self._over:
            return
        try:
            wait = self._work.send(None)
        except StopIteration as stop:
            self._over = True
            self._done(stop.value, None)
        except self._expected as error:
            self._over = True
            self._done(None, error)
        else:
            wait.task = self

    def cancel(self) -> None:
        """Stop where it is."""
        if not self._over:
            self._over = True
            self._work.close()


def spawn(work: Coroutine[Wait, None, Any], done: Done, expected: type[Exception]) -> Task:
    """Begin."""
    task = Task(work, done, expected)
    task.step()
    return task


def together_with(expected: type[Exception]) -> Callable[..., Awaitable[Any]]:
    """What `together` of the adapters does: all results, or the first refusal, which cancels the others."""

    async def together(*calls: Callable[[], Coroutine[Wait, None, Any]]) -> tuple[Any, ...]:
        results: list[Any] = [None] * len(calls)
        left = len(calls)
        gathered = Wait()
        children: list[Task] = []

        def done(place: int, value: Any, error: BaseException | None) -> None:
            nonlocal left
            results[place] = value
            left -= 1
            if gathered.ready:
                return
            if error is not None:
                for child in children:
                    child.cancel()
                gathered.set(error=error)
            elif not left:
                gathered.set()

        for place, call in enumerate(calls):
            if gathered.ready:
                break
            children.append(spawn(call(), partial(done, place), expected))
        if calls:
            await gathered
        return tuple(results)

    return together
