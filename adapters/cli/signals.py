"""Ctrl-C and SIGTERM end a command in order: what they cancel closes sockets and deletes keys on its way out."""

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
    """The body ends with `Interrupted` at a signal, or when the monotonic clock reaches `deadline`.

    Sockets are closed and keys deleted outside of it, where a second signal changes nothing any more.
    """
    scope = anyio.CancelScope(deadline=deadline)
    loop = asyncio.get_running_loop()
    for number in _endings():
        try:
            loop.add_signal_handler(number, scope.cancel)
        except (NotImplementedError, RuntimeError):  # an event loop or thread without signals: `early` still holds
            break
    with scope:
        yield
    if scope.cancelled_caught:
        raise Interrupted


@contextmanager
def early() -> Iterator[None]:
    """Until an event loop listens, and after it has, a signal ends the command as Ctrl-C does, without a traceback."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _endings():
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in _endings():
            signal.signal(number, signal.SIG_IGN)  # all that is left is to exit


def _endings() -> list[signal.Signals]:
    endings = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wins
        endings.append(signal.SIGHUP)
    return endings
