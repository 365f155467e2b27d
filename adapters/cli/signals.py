"""Ctrl-C and SIGTERM end a command in order: the cancelled body closes its sockets and deletes its keys."""

from __future__ import annotations

import asyncio
import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import anyio

from .exits import Interrupted


@contextmanager
def stoppable(*, deadline: float = math.inf) -> Iterator[None]:
    """End the body with `Interrupted` at a signal, or when the monotonic clock reaches `deadline`.

    Sockets are closed and keys deleted after the body, where a second signal has no effect.
    """
    scope = anyio.CancelScope(deadline=deadline)
    loop = asyncio.get_running_loop()
    for number in _endings():
        try:
            loop.add_signal_handler(number, scope.cancel)
        except (NotImplementedError, RuntimeError):  # no signal handlers in this loop or thread: `early` holds
            break
    with scope:
        yield
    if scope.cancelled_caught:
        raise Interrupted


@contextmanager
def early() -> Iterator[None]:
    """Let a signal end the command like Ctrl-C, without a traceback, where no event loop handles signals."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _endings():
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in _endings():
            signal.signal(number, signal.SIG_IGN)  # the process is about to exit


def _endings() -> list[signal.Signals]:
    endings = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wins
        endings.append(signal.SIGHUP)
    return endings
