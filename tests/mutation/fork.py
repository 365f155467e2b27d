"""Calls a function in a forked child, which has everything that this process has imported already."""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, NoReturn, TypeVar

T = TypeVar("T")


class Outcome(NamedTuple):
    """The JSON value that the child's function returned, or the signal that ended the child."""

    result: Any = None
    signal: int = 0


class Child(NamedTuple):
    """A running child and the pipe for its answer."""

    pid: int
    pipe: int
    until: float


def start(function: Callable[[], Any], seconds: float) -> Child:
    """Start a child, which is killed if it has not answered after `seconds` of real time."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _be_the_child(function, writing)
    os.close(writing)
    return Child(pid, reading, time.monotonic() + seconds)


def finish(child: Child) -> Outcome:
    """Finish a child whose pipe is ready or whose time is up; return its outcome."""
    answer = b""
    if time.monotonic() > child.until:
        os.kill(child.pid, signal.SIGKILL)
    else:
        while part := os.read(child.pipe, 1 << 16):
            answer += part
    os.close(child.pipe)
    _, status = os.waitpid(child.pid, 0)
    if os.WIFSIGNALED(status):
        return Outcome(signal=os.WTERMSIG(status))
    if not answer:
        raise RuntimeError("a child ended without an answer")
    return Outcome(json.loads(answer))


def each(
    tasks: Iterable[T], function: Callable[[T], Any], jobs: int, seconds: Callable[[T], float]
) -> Iterator[tuple[T, Outcome]]:
    """Yield the outcome of every task as it comes, with `jobs` children at a time."""
    waiting, running = iter(tasks), selectors.DefaultSelector()
    while True:
        while len(running.get_map()) < jobs:
            for task in waiting:
                child = start(lambda task=task: function(task), seconds(task))  # type: ignore[misc]
                running.register(child.pipe, selectors.EVENT_READ, (task, child))
                break
            else:
                break
        if not running.get_map():
            return
        soonest = min(key.data[1].until for key in running.get_map().values())
        ready = [key.data for key, _ in running.select(max(0.0, soonest - time.monotonic()) + 0.1)]
        late = [key.data for key in running.get_map().values() if key.data[1].until < time.monotonic()]
        for task, child in ready or late:
            running.unregister(child.pipe)
            yield task, finish(child)


def _be_the_child(function: Callable[[], Any], writing: int) -> NoReturn:
    code = 1
    try:
        answer = json.dumps(function()).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
